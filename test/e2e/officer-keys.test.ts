/** Recipient keys on the real service through the real command line: made, drilled, renewed. */
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { openWorkspace } from '../../client/workspace.ts';
import { DAY_MS, Desk, ndjson, run } from '../support/officer.ts';
import { sealpost } from '../support/sealpost.ts';

const PARCELS = 60;
const desk = new Desk();
const guiyang = desk.at('guiyang');
let lines: GeneratedLine[];

beforeAll(async () => {
  await run('init', '--dir', guiyang);
  lines = await desk.generate('day', PARCELS, 1, '3');
  await desk.serve(guiyang);
}, 60_000);
afterAll(() => desk.close());

describe('init', () => {
  it('says where the recipient keys lie, to keep them apart, and that there is no recovery', async () => {
    const { code, stdout } = await sealpost(['init', '--dir', desk.at('three'), '--readers', '3']);
    expect(code).toBe(0);
    for (const number of [1, 2, 3]) expect(stdout).toContain(`recipient-${number}.json`);
    expect(stdout).toContain('分开保管');
    expect(stdout).toContain('keep them apart');
    expect(stdout).toContain('全部丢失则记录永久丢失');
    expect(stdout).toContain('losing all of them loses the records for ever');
    expect(openWorkspace(desk.at('three')).regulator().recipientKeys).toHaveLength(3);
  });

  it('refuses a single recipient key', async () => {
    const { code, stderr } = await sealpost(['init', '--dir', desk.at('one'), '--readers', '1']);
    expect(code).toBe(2);
    expect(stderr).toContain('losing it loses the records for ever');
    expect(readdirSync(desk.folder)).not.toContain('one');
  });
});

describe('a drill', () => {
  const keyFile = (number: number) => openWorkspace(guiyang).paths.regulatorKey(number);

  it('proves nothing without records, and says so', async () => {
    const report = await run('keys', 'drill', '--dir', guiyang);
    expect(report).toMatchObject({ code: 1, passed: false, parcels: 0 });
    expect(report.keys).toMatchObject([{ state: 'unproven' }, { state: 'unproven' }]);
  });

  it("proves that each key on its own opens today's records, before and after a pull", async () => {
    const sent = await run('stream', desk.at('day'), '--dir', guiyang);
    expect(sent).toMatchObject({ code: 0, stored: PARCELS });
    for (const pulled of [false, true]) {
      if (pulled) await run('pull', '--dir', guiyang, '--out', desk.at('pulled.ndjson'));
      const report = await run('keys', 'drill', '--dir', guiyang, '--sample', '7');
      expect(report).toMatchObject({ code: 0, passed: true, basis: 'time', listReaders: 2 });
      expect(report.parcels).toBe(PARCELS);
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
    const away = desk.at('usb.json');
    renameSync(keyFile(2), away);
    try {
      const one = await run('keys', 'drill', '--dir', guiyang);
      expect(one).toMatchObject({ code: 1, passed: false });
      expect(one.keys).toMatchObject([{ state: 'opens' }, { state: 'missing' }]);
      const other = await run('keys', 'drill', '--dir', guiyang, '--key', away);
      expect(other).toMatchObject({ code: 0, keys: [{ file: 'usb.json', state: 'opens' }] });
      // One key is enough for the daily work.
      const pulled = await run('pull', '--dir', guiyang, '--all', '--out', desk.at('alone.ndjson'));
      expect(pulled).toMatchObject({ code: 0, opened: PARCELS });
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

describe('a renewal', () => {
  it('with one reader for another: the removed one opens what is old and nothing new', async () => {
    const workspace = openWorkspace(guiyang);
    const { regulatorKey, control } = workspace.paths;
    const first = readFileSync(control);
    const removed = (await run('keys', 'drill', '--dir', guiyang)).keys[1].key;
    await run('keys', 'new', '--out', desk.at('recipient-3.json'));
    expect(statSync(desk.at('recipient-3.json')).mode & 0o777).toBe(0o600);

    const few = await run('keys', 'renew', '--dir', guiyang, '--remove', removed);
    expect(few).toMatchObject({ code: 1, error: 'too_few_readers' });
    expect(readFileSync(control)).toEqual(first);
    const add = ['--add-recipient', desk.at('recipient-3.public.json')];
    const renewed = await run('keys', 'renew', '--dir', guiyang, ...add, '--remove', removed);
    expect(renewed).toMatchObject({ code: 0, version: 2, certificates: 197 });
    expect(Date.parse(renewed.notAfter)).toBeGreaterThan(Date.now() + 29 * DAY_MS);

    // Until the service starts again the old list is in force, and nobody takes that for a step back.
    expect(await run('keys', 'drill', '--dir', guiyang)).toMatchObject({ code: 0, listVersion: 1 });
    await desk.stop(guiyang);
    await desk.serve(guiyang);
    copyFileSync(desk.at('recipient-3.json'), regulatorKey(3));
    const fresh = await desk.generate('fresh', PARCELS, 1, '9');
    expect(await run('stream', desk.at('fresh'), '--dir', guiyang)).toMatchObject({
      stored: PARCELS,
    });
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
      const out = desk.at(`by-${number}.ndjson`);
      const report = await run('pull', '--dir', guiyang, '--all', '--out', out);
      for (const other of away) renameSync(`${regulatorKey(other)}.away`, regulatorKey(other));
      return { ...report, ids: new Set(ndjson(out).map(({ id }) => id)) };
    };
    const byRemoved = await opened(2);
    const byAdded = await opened(3);
    const isIn = (set: Set<string>, all: GeneratedLine[]) =>
      all.map(({ record }) => set.has(record.id));
    expect(isIn(byRemoved.ids, lines)).not.toContain(false);
    expect(isIn(byRemoved.ids, fresh)).not.toContain(true);
    expect(byRemoved).toMatchObject({ code: 1, opened: PARCELS });
    expect(isIn(byAdded.ids, fresh)).not.toContain(false);
    expect(isIn(byAdded.ids, lines)).not.toContain(true);
    expect((await opened(1)).ids.size).toBe(2 * PARCELS);

    // A step back is refused by the store, and by who has seen the newer list.
    await desk.stop(guiyang);
    const second = readFileSync(control);
    writeFileSync(control, first);
    const back = await run('serve', '--dir', guiyang, '--port', '0');
    expect(back).toMatchObject({ code: 1, error: 'setup_failed' });
    writeFileSync(control, second);
    await desk.serve(guiyang);
    expect(await run('keys', 'drill', '--dir', guiyang)).toMatchObject({ code: 0, passed: true });
  }, 120_000);

  it('refuses keys that it can’t add or remove, and a root that is not its own', async () => {
    writeFileSync(desk.at('zero.json'), JSON.stringify({ publicKey: '00'.repeat(32) }));
    const path = openWorkspace(guiyang).paths.root;
    const own = readFileSync(path, 'utf8');
    const known = desk.at('recipient-3.json');
    for (const [args, error] of [
      [['--add-recipient', known], 'known_reader'],
      [['--add-recipient', desk.at('zero.json')], 'bad_reader_key'],
      [['--add-recipient', desk.at('day')], 'workspace_malformed'],
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
    await run('init', '--dir', desk.at('other'));
    copyFileSync(openWorkspace(desk.at('other')).paths.root, path);
    expect(await run('keys', 'renew', '--dir', guiyang)).toMatchObject({ error: 'other_root' });
    writeFileSync(path, own);
  });
});
