/** Lookups over cities and periods, and exports, on real services through the real command line. */
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../client/encoding.ts';
import { verifyExport } from '../../client/export.ts';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { createWorkspace, openWorkspace } from '../../client/workspace.ts';
import { DAY_MS, Desk, date, ndjson, recordAt, run } from '../support/officer.ts';
import { sealpost } from '../support/sealpost.ts';

const PARCELS = 60;
const ZUNYI = 520300;
const desk = new Desk();
/** Two cities with a service each. */
const [guiyang, zunyi] = [desk.at('guiyang'), desk.at('zunyi')];
/** Records of yesterday, and of five days ago: before the index key changed. */
let lines: GeneratedLine[];
let old: GeneratedLine[];
/** Of the second city. */
let url: string;

/** Ends the present index key three days ago and lets a new version begin. */
function changeIndexKey(dir: string): void {
  const { indexKeys, secrets } = openWorkspace(dir).paths;
  const boundary = Date.now() - 3 * DAY_MS;
  type Key = { version: number; fromMs: number; untilMs: number; key: string };
  const keys: Key[] = JSON.parse(readFileSync(indexKeys, 'utf8'));
  const split = keys
    .filter(({ fromMs }) => fromMs < boundary || fromMs > Date.now())
    .flatMap((key) => {
      if (boundary < key.fromMs || boundary >= key.untilMs) return [key];
      const fresh = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
      const untilMs = Math.max(
        key.untilMs,
        ...keys.filter(({ fromMs }) => fromMs <= Date.now()).map((other) => other.untilMs),
      );
      return [
        { ...key, untilMs: boundary },
        { version: 9_999, fromMs: boundary, untilMs, key: fresh },
      ];
    });
  writeFileSync(indexKeys, JSON.stringify(split));
  const all = JSON.parse(readFileSync(secrets, 'utf8'));
  writeFileSync(secrets, JSON.stringify({ ...all, indexKeys: split }));
}

beforeAll(async () => {
  await run('init', '--dir', guiyang);
  const own = openWorkspace(guiyang);
  const enterprises = own.enterprises().map((slug) => {
    const { id, name } = JSON.parse(readFileSync(own.paths.enterprise(slug), 'utf8'));
    return { slug, id, name };
  });
  await createWorkspace(zunyi, {
    ...{ city: ZUNYI, node: 'zy-1', authority: '127.0.0.1:8787', enterprises },
    now: Date.now() - 20 * DAY_MS,
  });
  changeIndexKey(guiyang);
  [lines, old] = await Promise.all([
    desk.generate('day', PARCELS, 1, '3'),
    desk.generate('old', PARCELS, 5, '4'),
  ]);
  await desk.serve(guiyang);
  url = await desk.serve(zunyi);
  expect(await run('stream', desk.at('day'), '--dir', zunyi)).toMatchObject({ code: 0 });
  for (const name of ['day', 'old']) {
    const report = await run('stream', desk.at(name), '--dir', guiyang);
    expect(report).toMatchObject({ code: 0, stored: PARCELS });
  }
}, 120_000);

afterAll(() => desk.close());

describe('a lookup over cities and periods', () => {
  const ids = (report: { matches: { id: string }[] }) => report.matches.map(({ id }) => id);
  it('asks under every index version that ids of the days can have', async () => {
    const today = ['--from', date(Date.now() - DAY_MS), '--to', date(Date.now())];
    for (const { phone, id } of [recordAt(lines, 0), recordAt(old, 0)]) {
      const report = await run('lookup', '--dir', guiyang, '--phone', phone, ...today);
      expect(report.code).toBe(0);
      expect(ids(report)).toContain(id);
    }
  });

  it('merges what several cities found, and says which', async () => {
    const phone = recordAt(lines, 0).phone;
    const both = await run('lookup', '--dir', guiyang, '--dir', zunyi, '--phone', phone);
    expect(both.code).toBe(0);
    const found = both.matches.filter(({ id }: { id: string }) => id === recordAt(lines, 0).id);
    expect(found.map(({ city }: { city: number }) => city).sort()).toEqual([520100, ZUNYI]);
    expect(both.cities).toMatchObject([{ city: 520100 }, { city: ZUNYI }]);
    const { stdout } = await sealpost([
      ...['lookup', '--dir', guiyang, '--dir', zunyi, '--phone', phone],
    ]);
    expect(stdout).toMatch(new RegExp(`^${ZUNYI} {2}\\d{4}-`, 'm'));
  });

  it('takes cities from a file, also such as are reached by address alone', async () => {
    const { rootKey } = openWorkspace(zunyi);
    // A national desk has one set of keys for all cities: here that of the second one.
    const entries = [
      { dir: 'zunyi', name: '遵义' },
      { url, city: ZUNYI, rootKey: toHex(rootKey), name: '遵义二' },
    ];
    writeFileSync(desk.at('cities.json'), JSON.stringify(entries));
    const phone = recordAt(lines, 1).phone;
    const args = ['lookup', '--cities', desk.at('cities.json'), '--dir', zunyi, '--phone', phone];
    const report = await run(...args);
    expect(report.code).toBe(0);
    expect(report.cities).toMatchObject([{ name: '遵义' }, { name: '遵义二' }]);
    expect(report.cities[0].matches).toBe(report.cities[1].matches);
    // Two ways to one store: nothing is found twice.
    expect(report.matches).toHaveLength(report.cities[0].matches);

    writeFileSync(desk.at('bad.json'), JSON.stringify([{ url, city: 'x' }]));
    const bad = await run(
      'lookup',
      '--cities',
      desk.at('bad.json'),
      '--dir',
      zunyi,
      '--phone',
      phone,
    );
    expect(bad).toMatchObject({ code: 1, error: 'bad_cities' });
  });

  it('tells a city that does not answer, with code 3, and keeps what the others found', async () => {
    const entries = [
      { dir: 'guiyang', name: '贵阳' },
      { dir: 'zunyi', url: 'http://127.0.0.1:1', name: '遵义' },
    ];
    writeFileSync(desk.at('cities.json'), JSON.stringify(entries));
    const phone = recordAt(lines, 0).phone;
    const args = ['lookup', '--cities', desk.at('cities.json'), '--phone', phone];
    const report = await run(...args);
    expect(report.code).toBe(3);
    expect(ids(report)).toContain(recordAt(lines, 0).id);
    expect(report.cities).toMatchObject([{ name: '贵阳' }, { error: 'unreachable' }]);
    const { stdout } = await sealpost(args);
    expect(stdout).toContain('遵义: 服务没有应答');
    expect(stdout).not.toContain(phone);
  });

  it('tells a time that no index key covers, with code 3', async () => {
    const path = openWorkspace(zunyi).paths.indexKeys;
    const before = readFileSync(path, 'utf8');
    const keys = JSON.parse(before);
    writeFileSync(path, JSON.stringify(keys.slice(1)));
    const phone = recordAt(lines, 0).phone;
    const report = await run('lookup', '--dir', zunyi, '--phone', phone);
    writeFileSync(path, before);
    expect(report.code).toBe(3);
    expect(report.cities[0].uncovered).toHaveLength(1);
  });

  it('warns of a list that ends in ten days, before and in the daily work', async () => {
    const report = await run('pull', '--dir', zunyi, '--out', desk.at('zunyi.ndjson'));
    expect(report.warnings).toMatchObject([{ what: 'recipient_list', daysLeft: 10 }]);
    const args = ['pull', '--dir', zunyi, '--out', desk.at('zunyi-2.ndjson'), '-q'];
    const { stderr } = await sealpost(args);
    expect(stderr).toMatch(/接收方名单将于 .* 到期（剩 10 天）.*sealpost keys renew/);
    expect((await run('keys', 'drill', '--dir', zunyi)).warnings).toMatchObject([{ daysLeft: 10 }]);
    await desk.stop(zunyi);
    let told = '';
    await desk.serve(zunyi, (text) => {
      told += text;
    });
    await expect.poll(() => told).toMatch(/the recipient list ends on .*, in 10 days/);
  });
});

describe('an export', () => {
  const phone = () => recordAt(lines, 0).phone;
  const reason = ['--case', '2026-0117', '--purpose', '协查'];
  const keyid = () => openWorkspace(guiyang).regulator().identity.signer.keyid;

  it('needs a case and a purpose', async () => {
    for (const given of [[], reason.slice(0, 2), ['--case', ' ', ...reason.slice(2)]]) {
      const args = [
        'export',
        ...given,
        '--dir',
        guiyang,
        '--phone',
        phone(),
        '--out',
        desk.at('none'),
      ];
      expect(await run(...args)).toMatchObject({ code: 2, error: 'usage' });
    }
    expect(readdirSync(desk.folder)).not.toContain('none');
  });

  it('of a lookup has a signed manifest that says everything but the number', async () => {
    const out = desk.at('export-1');
    const asked = ['--dir', guiyang, '--phone', phone()];
    const report = await run('export', ...reason, ...asked, '--out', out);
    expect(report).toMatchObject({ code: 0, complete: true });
    expect(statSync(out).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(out)) expect(statSync(join(out, file)).mode & 0o777).toBe(0o600);
    const text = readFileSync(join(out, 'manifest.json'), 'utf8');
    expect(text).not.toContain(phone());
    const manifest = JSON.parse(text);
    const records = ndjson(join(out, 'records.ndjson'));
    expect(manifest).toMatchObject({
      ...{ case: '2026-0117', purpose: '协查', query: { kind: 'phone' }, complete: true },
      ...{ records: records.length, files: [{ name: 'records.ndjson', records: records.length }] },
      sources: [{ city: 520100, listVersion: 1, records: records.length }],
      askedBy: { key: toHex(keyid()) },
    });
    expect(manifest.sources[0].ends[0].digest).toMatch(/^[0-9a-f]{64}$/);
    expect(records.map(({ id }) => id)).toContain(recordAt(lines, 0).id);

    const valid = await run('export', 'verify', out, '--dir', guiyang);
    expect(valid).toMatchObject({ code: 0, valid: true });
    const elsewhere = await run('export', 'verify', out, '--key', report.key);
    expect(elsewhere).toMatchObject({ code: 0, valid: true });
    const other = await run('export', 'verify', out, '--dir', zunyi);
    expect(other).toMatchObject({ code: 1, valid: false, problems: [{ code: 'signature' }] });
  });

  it('that was changed in any way does not pass', async () => {
    const changes: [string, (dir: string) => void, string][] = [
      ['record', (dir) => writeFileSync(join(dir, 'records.ndjson'), '{}\n'), 'file_changed'],
      ['gone', (dir) => rmSync(join(dir, 'records.ndjson')), 'file_missing'],
      ['more', (dir) => writeFileSync(join(dir, 'more.ndjson'), '{}\n'), 'file_unlisted'],
      ['none', (dir) => rmSync(join(dir, 'manifest.sig')), 'no_manifest'],
      [
        'purpose',
        (dir) => {
          const path = join(dir, 'manifest.json');
          writeFileSync(path, readFileSync(path, 'utf8').replace('协查', '查询'));
        },
        'signature',
      ],
    ];
    for (const [name, change, problem] of changes) {
      const dir = desk.at(`changed-${name}`);
      const asked = ['--dir', guiyang, '--phone', phone(), '--out', dir];
      await run('export', ...reason, ...asked);
      change(dir);
      expect((await verifyExport(dir, keyid())).problems, name).toMatchObject([{ code: problem }]);
    }
  });

  it('of a pulled file takes only a file that this desk has pulled, as it was', async () => {
    const pulled = desk.at('pulled.ndjson');
    await run('pull', '--dir', guiyang, '--out', pulled);
    writeFileSync(desk.at('ids.txt'), `${recordAt(lines, 3).id}\n\n${recordAt(old, 3).id}\n`);
    const from = ['--dir', guiyang, '--from-pull', pulled];
    const csv = ['--format', 'csv', '--ids', desk.at('ids.txt')];
    const report = await run('export', ...reason, ...from, ...csv, '--out', desk.at('export-2'));
    expect(report).toMatchObject({ code: 0, records: 2, complete: true });
    expect(report.sources).toMatchObject([{ city: 520100, records: 2 * PARCELS }]);
    const text = readFileSync(join(desk.at('export-2'), 'records.csv'), 'utf8');
    expect(text.trimEnd().split('\n')).toHaveLength(3);
    expect((await verifyExport(desk.at('export-2'), keyid())).problems).toEqual([]);

    copyFileSync(pulled, desk.at('changed.ndjson'));
    writeFileSync(desk.at('changed.ndjson'), `${readFileSync(pulled, 'utf8')}\n`);
    const changed = ['--dir', guiyang, '--from-pull', desk.at('changed.ndjson')];
    const refused = await run('export', ...reason, ...changed, '--out', desk.at('export-3'));
    expect(refused).toMatchObject({ code: 1, error: 'not_pulled' });
    const again = await run('export', ...reason, ...from, '--out', desk.at('export-2'));
    expect(again).toMatchObject({ code: 1, error: 'workspace_exists' });
    expect(readdirSync(desk.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('with a city that did not answer says so in its manifest, and ends with code 3', async () => {
    const entries = [{ dir: 'guiyang' }, { dir: 'zunyi', url: 'http://127.0.0.1:1' }];
    writeFileSync(desk.at('cities.json'), JSON.stringify(entries));
    const asked = [
      '--cities',
      desk.at('cities.json'),
      '--phone',
      phone(),
      '--out',
      desk.at('partial'),
    ];
    const report = await run('export', ...reason, ...asked);
    expect(report).toMatchObject({ code: 3, complete: false });
    const { manifest, problems } = await verifyExport(desk.at('partial'), keyid());
    expect(problems).toEqual([]);
    expect(manifest).toMatchObject({ complete: false, sources: [{}, { error: 'unreachable' }] });
  });
});
