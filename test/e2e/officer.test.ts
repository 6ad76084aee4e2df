/** The officer's work on the real service through the real command line: drill, lookup, export, renewal. */
import type { ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../client/encoding.ts';
import { verifyExport } from '../../client/export.ts';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { createWorkspace, openWorkspace } from '../../client/workspace.ts';
import { ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const PARCELS = 60;
const DAY_MS = 86_400_000;
const ZUNYI = 520300;

let folder: string;
/** Two cities with a service each. */
let guiyang: string;
let zunyi: string;
const services = new Map<string, ChildProcess>();
/** Records of yesterday, and of five days ago: before the index key changed. */
let lines: GeneratedLine[];
let old: GeneratedLine[];

const at = (name: string) => join(folder, name);
const run = async (...args: string[]) => {
  const { code, stdout } = await sealpost([...args, '--json']);
  return { code, ...JSON.parse(stdout) };
};
const ndjson = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);

async function serve(dir: string): Promise<string> {
  const server = startSealpost(['serve', '--dir', dir, '--port', '0']);
  services.set(dir, server);
  return readyUrl(server);
}

async function stop(dir: string): Promise<void> {
  const server = services.get(dir);
  services.delete(dir);
  if (server === undefined || server.exitCode !== null) return;
  const end = ended(server);
  server.kill('SIGTERM');
  await end;
}

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

async function generate(name: string, daysAgo: number, seed: string): Promise<GeneratedLine[]> {
  const day = ['--day', date(Date.now() + 8 * 3_600_000 - daysAgo * DAY_MS)];
  const size = ['--parcels', String(PARCELS), '--seed', seed];
  await run('generate', ...size, ...day, '--out', at(name));
  return ndjson(at(name));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-officer-'));
  [guiyang, zunyi] = [at('guiyang'), at('zunyi')];
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
  [lines, old] = await Promise.all([generate('day', 1, '3'), generate('old', 5, '4')]);
  await serve(guiyang);
  for (const name of ['day', 'old']) {
    const report = await run('stream', at(name), '--dir', guiyang);
    expect(report).toMatchObject({ code: 0, stored: PARCELS });
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([guiyang, zunyi].map(stop));
  rmSync(folder, { recursive: true });
});

describe('init', () => {
  it('says where the recipient keys lie, to keep them apart, and that there is no recovery', async () => {
    const { code, stdout } = await sealpost(['init', '--dir', at('three'), '--readers', '3']);
    expect(code).toBe(0);
    for (const number of [1, 2, 3]) expect(stdout).toContain(`recipient-${number}.json`);
    expect(stdout).toContain('分开保管');
    expect(stdout).toContain('keep them apart');
    expect(stdout).toContain('全部丢失则记录永久丢失');
    expect(stdout).toContain('losing all of them loses the records for ever');
    expect(openWorkspace(at('three')).regulator().recipientKeys).toHaveLength(3);
  });

  it('refuses a single recipient key', async () => {
    const { code, stderr } = await sealpost(['init', '--dir', at('one'), '--readers', '1']);
    expect(code).toBe(2);
    expect(stderr).toContain('losing it loses the records for ever');
    expect(readdirSync(folder)).not.toContain('one');
  });
});

describe('a drill', () => {
  const keyFile = (number: number) => openWorkspace(guiyang).paths.regulatorKey(number);

  it("proves that each key on its own opens today's records, before and after a pull", async () => {
    for (const pulled of [false, true]) {
      if (pulled) await run('pull', '--dir', guiyang, '--out', at('pulled.ndjson'));
      const report = await run('keys', 'drill', '--dir', guiyang, '--sample', '7');
      expect(report).toMatchObject({ code: 0, passed: true, basis: 'time', listReaders: 2 });
      expect(report.parcels).toBe(2 * PARCELS);
      expect(report.keys).toHaveLength(2);
      for (const key of report.keys) {
        expect(key).toMatchObject({ state: 'opens', failures: [], parcelsDue: key.parcels });
        expect(key.epochs).toBe(report.epochs);
        expect(key.parcels).toBeGreaterThanOrEqual(7);
      }
    }
  });

  it('takes the last records when the day has none', async () => {
    const report = await run('keys', 'drill', '--dir', guiyang, '--day', '2020-01-01');
    expect(report).toMatchObject({ code: 0, basis: 'last', passed: true });
    expect(report.parcels).toBeGreaterThan(0);
  });

  it('is for one key alone where the other is kept elsewhere', async () => {
    const away = at('usb.json');
    renameSync(keyFile(2), away);
    try {
      const one = await run('keys', 'drill', '--dir', guiyang);
      expect(one).toMatchObject({ code: 1, passed: false });
      expect(one.keys).toMatchObject([{ state: 'opens' }, { state: 'missing' }]);
      const other = await run('keys', 'drill', '--dir', guiyang, '--key', away);
      expect(other).toMatchObject({ code: 0, keys: [{ file: 'usb.json', state: 'opens' }] });
      // One key is enough for the daily work.
      const pulled = await run('pull', '--dir', guiyang, '--all', '--out', at('alone.ndjson'));
      expect(pulled).toMatchObject({ code: 0, opened: 2 * PARCELS });
    } finally {
      renameSync(away, keyFile(2));
    }
  });

  it('names a key that is damaged or in no list, and never what is in it', async () => {
    const whole = readFileSync(keyFile(2), 'utf8');
    const { privateKey } = JSON.parse(whole);
    await run('keys', 'new', '--out', keyFile(3));
    const foreign = JSON.parse(readFileSync(keyFile(3), 'utf8')).privateKey;
    const half = privateKey.slice(0, 30);
    try {
      for (const text of [whole.slice(0, 40), whole.replace(privateKey, foreign), '']) {
        writeFileSync(keyFile(2), text);
        const { code, stdout, stderr } = await sealpost(['keys', 'drill', '--dir', guiyang]);
        expect(code).toBe(1);
        expect(stdout).toMatch(/recipient-2\.json {2}密钥文件已损坏/);
        expect(stdout).toMatch(/[0-9a-f]{16} {2}recipient-3\.json {2}不在名单中/);
        expect(stdout).toMatch(/recipient-1\.json {2}能解封/);
        for (const secret of [half, foreign]) expect(stdout + stderr).not.toContain(secret);
      }
    } finally {
      writeFileSync(keyFile(2), whole);
      for (const name of ['recipient-3.json', 'recipient-3.public.json']) {
        rmSync(join(guiyang, 'regulator', name));
      }
    }
  });
});

describe('a lookup over cities and periods', () => {
  const phoneOf = ({ record }: GeneratedLine) => (record.recipient as { phone: string }).phone;
  const ids = (report: { matches: { id: string }[] }) => report.matches.map(({ id }) => id);
  let url: string;

  beforeAll(async () => {
    url = await serve(zunyi);
    const drilled = await run('keys', 'drill', '--dir', zunyi);
    expect(drilled).toMatchObject({ code: 1, passed: false, parcels: 0 });
    expect(await run('stream', at('day'), '--dir', zunyi)).toMatchObject({ code: 0 });
  }, 60_000);

  it('asks under every index version that ids of the days can have', async () => {
    const today = ['--from', date(Date.now() - DAY_MS), '--to', date(Date.now())];
    for (const line of [lines[0], old[0]] as GeneratedLine[]) {
      const report = await run('lookup', '--dir', guiyang, '--phone', phoneOf(line), ...today);
      expect(report.code).toBe(0);
      expect(ids(report)).toContain(line.record.id);
    }
  });

  it('merges what several cities found, and says which', async () => {
    const phone = phoneOf(lines[0] as GeneratedLine);
    const both = await run('lookup', '--dir', guiyang, '--dir', zunyi, '--phone', phone);
    expect(both.code).toBe(0);
    const found = both.matches.filter(({ id }: { id: string }) => id === lines[0]?.record.id);
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
    writeFileSync(at('cities.json'), JSON.stringify(entries));
    const phone = phoneOf(lines[1] as GeneratedLine);
    const args = ['lookup', '--cities', at('cities.json'), '--dir', zunyi, '--phone', phone];
    const report = await run(...args);
    expect(report.code).toBe(0);
    expect(report.cities).toMatchObject([{ name: '遵义' }, { name: '遵义二' }]);
    expect(report.cities[0].matches).toBe(report.cities[1].matches);
    // Two ways to one store: nothing is found twice.
    expect(report.matches).toHaveLength(report.cities[0].matches);

    writeFileSync(at('bad.json'), JSON.stringify([{ url, city: 'x' }]));
    const bad = await run('lookup', '--cities', at('bad.json'), '--dir', zunyi, '--phone', phone);
    expect(bad).toMatchObject({ code: 1, error: 'bad_cities' });
  });

  it('tells a city that does not answer, with code 3, and keeps what the others found', async () => {
    const entries = [
      { dir: 'guiyang', name: '贵阳' },
      { dir: 'zunyi', url: 'http://127.0.0.1:1', name: '遵义' },
    ];
    writeFileSync(at('cities.json'), JSON.stringify(entries));
    const phone = phoneOf(lines[0] as GeneratedLine);
    const args = ['lookup', '--cities', at('cities.json'), '--phone', phone];
    const report = await run(...args);
    expect(report.code).toBe(3);
    expect(ids(report)).toContain(lines[0]?.record.id);
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
    const phone = phoneOf(lines[0] as GeneratedLine);
    const report = await run('lookup', '--dir', zunyi, '--phone', phone);
    writeFileSync(path, before);
    expect(report.code).toBe(3);
    expect(report.cities[0].uncovered).toHaveLength(1);
  });

  it('warns of a list that ends in ten days, before and in the daily work', async () => {
    const report = await run('pull', '--dir', zunyi, '--out', at('zunyi.ndjson'));
    expect(report.warnings).toMatchObject([{ what: 'recipient_list', daysLeft: 10 }]);
    const args = ['pull', '--dir', zunyi, '--out', at('zunyi-2.ndjson'), '-q'];
    const { stderr } = await sealpost(args);
    expect(stderr).toMatch(/接收方名单将于 .* 到期（剩 10 天）.*sealpost keys renew/);
    expect((await run('keys', 'drill', '--dir', zunyi)).warnings).toMatchObject([{ daysLeft: 10 }]);
    await stop(zunyi);
    const server = startSealpost(['serve', '--dir', zunyi, '--port', '0']);
    services.set(zunyi, server);
    let told = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    await readyUrl(server);
    await expect.poll(() => told).toMatch(/the recipient list ends on .*, in 10 days/);
  });
});

describe('an export', () => {
  const phone = () => (lines[0]?.record.recipient as { phone: string }).phone;
  const reason = ['--case', '2026-0117', '--purpose', '协查'];
  const keyid = () => openWorkspace(guiyang).regulator().identity.signer.keyid;

  it('needs a case and a purpose', async () => {
    for (const given of [[], reason.slice(0, 2), ['--case', ' ', ...reason.slice(2)]]) {
      const args = ['export', ...given, '--dir', guiyang, '--phone', phone(), '--out', at('none')];
      expect(await run(...args)).toMatchObject({ code: 2, error: 'usage' });
    }
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('of a lookup has a signed manifest that says everything but the number', async () => {
    const out = at('export-1');
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
    expect(records.map(({ id }) => id)).toContain(lines[0]?.record.id);

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
      const dir = at(`changed-${name}`);
      const asked = ['--dir', guiyang, '--phone', phone(), '--out', dir];
      await run('export', ...reason, ...asked);
      change(dir);
      expect((await verifyExport(dir, keyid())).problems, name).toMatchObject([{ code: problem }]);
    }
  });

  it('of a pulled file takes only a file that this desk has pulled, as it was', async () => {
    const pulled = at('pulled.ndjson');
    writeFileSync(at('ids.txt'), `${lines[3]?.record.id}\n\n${old[3]?.record.id}\n`);
    const from = ['--dir', guiyang, '--from-pull', pulled];
    const csv = ['--format', 'csv', '--ids', at('ids.txt')];
    const report = await run('export', ...reason, ...from, ...csv, '--out', at('export-2'));
    expect(report).toMatchObject({ code: 0, records: 2, complete: true });
    expect(report.sources).toMatchObject([{ city: 520100, records: 2 * PARCELS }]);
    const text = readFileSync(join(at('export-2'), 'records.csv'), 'utf8');
    expect(text.trimEnd().split('\n')).toHaveLength(3);
    expect((await verifyExport(at('export-2'), keyid())).problems).toEqual([]);

    copyFileSync(pulled, at('changed.ndjson'));
    writeFileSync(at('changed.ndjson'), `${readFileSync(pulled, 'utf8')}\n`);
    const changed = ['--dir', guiyang, '--from-pull', at('changed.ndjson')];
    const refused = await run('export', ...reason, ...changed, '--out', at('export-3'));
    expect(refused).toMatchObject({ code: 1, error: 'not_pulled' });
    const again = await run('export', ...reason, ...from, '--out', at('export-2'));
    expect(again).toMatchObject({ code: 1, error: 'workspace_exists' });
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('with a city that did not answer says so in its manifest, and ends with code 3', async () => {
    const entries = [{ dir: 'guiyang' }, { dir: 'zunyi', url: 'http://127.0.0.1:1' }];
    writeFileSync(at('cities.json'), JSON.stringify(entries));
    const asked = ['--cities', at('cities.json'), '--phone', phone(), '--out', at('partial')];
    const report = await run('export', ...reason, ...asked);
    expect(report).toMatchObject({ code: 3, complete: false });
    const { manifest, problems } = await verifyExport(at('partial'), keyid());
    expect(problems).toEqual([]);
    expect(manifest).toMatchObject({ complete: false, sources: [{}, { error: 'unreachable' }] });
  });
});

describe('a renewal', () => {
  it('with one reader for another: the removed one opens what is old and nothing new', async () => {
    const workspace = openWorkspace(guiyang);
    const { regulatorKey, control } = workspace.paths;
    const first = readFileSync(control);
    const removed = (await run('keys', 'drill', '--dir', guiyang)).keys[1].key;
    await run('keys', 'new', '--out', at('recipient-3.json'));
    expect(statSync(at('recipient-3.json')).mode & 0o777).toBe(0o600);

    const few = await run('keys', 'renew', '--dir', guiyang, '--remove', removed);
    expect(few).toMatchObject({ code: 1, error: 'too_few_readers' });
    expect(readFileSync(control)).toEqual(first);
    const add = ['--add-recipient', at('recipient-3.public.json')];
    const renewed = await run('keys', 'renew', '--dir', guiyang, ...add, '--remove', removed);
    expect(renewed).toMatchObject({ code: 0, version: 2, certificates: 197 });
    expect(Date.parse(renewed.notAfter)).toBeGreaterThan(Date.now() + 29 * DAY_MS);

    // Until the service starts again the old list is in force, and nobody takes that for a step back.
    expect(await run('keys', 'drill', '--dir', guiyang)).toMatchObject({ code: 0, listVersion: 1 });
    await stop(guiyang);
    await serve(guiyang);
    copyFileSync(at('recipient-3.json'), regulatorKey(3));
    const fresh = await generate('fresh', 1, '9');
    expect(await run('stream', at('fresh'), '--dir', guiyang)).toMatchObject({ stored: PARCELS });
    const drilled = await run('keys', 'drill', '--dir', guiyang);
    expect(drilled).toMatchObject({ code: 0, passed: true, listVersion: 2 });
    expect(drilled.keys.map(({ state }: { state: string }) => state)).toEqual([
      ...['opens', 'retired', 'opens'],
    ]);
    const [kept, , added] = drilled.keys;
    expect(added.epochsDue).toBeLessThan(kept.epochsDue);

    // Each key alone, on a pull of everything.
    const opened = async (number: number) => {
      const away = [1, 2, 3].filter((other) => other !== number);
      for (const other of away) renameSync(regulatorKey(other), `${regulatorKey(other)}.away`);
      const out = at(`by-${number}.ndjson`);
      const report = await run('pull', '--dir', guiyang, '--all', '--out', out);
      for (const other of away) renameSync(`${regulatorKey(other)}.away`, regulatorKey(other));
      return { ...report, ids: new Set(ndjson(out).map(({ id }) => id)) };
    };
    const byRemoved = await opened(2);
    const byAdded = await opened(3);
    const isIn = (set: Set<string>, all: GeneratedLine[]) =>
      all.map(({ record }) => set.has(record.id));
    expect(isIn(byRemoved.ids, [...lines, ...old])).not.toContain(false);
    expect(isIn(byRemoved.ids, fresh)).not.toContain(true);
    expect(byRemoved).toMatchObject({ code: 1, opened: 2 * PARCELS });
    expect(isIn(byAdded.ids, fresh)).not.toContain(false);
    expect(isIn(byAdded.ids, lines)).not.toContain(true);
    expect((await opened(1)).ids.size).toBe(3 * PARCELS);

    // A step back is refused by the store, and by who has seen the newer list.
    await stop(guiyang);
    const second = readFileSync(control);
    writeFileSync(control, first);
    const back = await run('serve', '--dir', guiyang, '--port', '0');
    expect(back).toMatchObject({ code: 1, error: 'setup_failed' });
    writeFileSync(control, second);
    await serve(guiyang);
    expect(await run('keys', 'drill', '--dir', guiyang)).toMatchObject({ code: 0, passed: true });
  }, 120_000);

  it('refuses keys that it can’t add or remove, and a root that is not its own', async () => {
    writeFileSync(at('zero.json'), JSON.stringify({ publicKey: '00'.repeat(32) }));
    const path = openWorkspace(guiyang).paths.root;
    const own = readFileSync(path, 'utf8');
    const known = at('recipient-3.json');
    for (const [args, error] of [
      [['--add-recipient', known], 'known_reader'],
      [['--add-recipient', at('zero.json')], 'bad_reader_key'],
      [['--add-recipient', at('ids.txt')], 'workspace_malformed'],
      [['--remove', '0123456789'], 'unknown_reader'],
    ] as const) {
      expect(await run('keys', 'renew', '--dir', guiyang, ...args)).toMatchObject({
        code: 1,
        error,
      });
    }
    expect(await run('keys', 'renew', '--dir', guiyang, '--remove', 'xyz')).toMatchObject({
      code: 2,
    });
    copyFileSync(openWorkspace(zunyi).paths.root, path);
    expect(await run('keys', 'renew', '--dir', guiyang)).toMatchObject({ error: 'other_root' });
    writeFileSync(path, own);
  });
});
