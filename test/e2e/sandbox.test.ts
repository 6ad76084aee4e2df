/** A sandbox through the command line: its mode, the mode of its clients, and corrections over several pulls. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeClient } from '../../client/edge.ts';
import { submitRecord } from '../../client/submit.ts';
import { openWorkspace } from '../../client/workspace.ts';
import type { ParcelRecord } from '../../wire/record.ts';
import { validRecord } from '../support/records.ts';
import { sealpost } from '../support/sealpost.ts';
import { COMPANY, startWorkspace, type WorkspaceService } from '../support/workspace-service.ts';

const DAY_MS = 86_400_000;
const OTHER = 'zto';

let folder: string;
let sandbox: WorkspaceService;
const at = (name: string) => join(folder, name);
const run = async (...args: string[]) => {
  const { code, stdout } = await sealpost([...args, '--json']);
  return { code, ...JSON.parse(stdout) };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-sandbox-'));
  sandbox = await startWorkspace({
    mode: 'sandbox',
    enterprises: [COMPANY, OTHER].map((slug) => ({ slug, name: slug, id: crypto.randomUUID() })),
  });
});
afterAll(async () => {
  await sandbox.end();
  rmSync(folder, { recursive: true });
});

describe('sealpost init', () => {
  it('--sandbox makes keys whose ids begin at 128, and a folder that says so', async () => {
    expect(await run('init', '--dir', at('tryout'), '--sandbox')).toMatchObject({
      ...{ code: 0, mode: 'sandbox' },
    });
    const workspace = openWorkspace(at('tryout'));
    expect(workspace.mode).toBe('sandbox');
    const { edgeKeys } = JSON.parse(readFileSync(workspace.paths.secrets, 'utf8'));
    expect(edgeKeys.map(({ id }: { id: number }) => id)).toEqual([128]);
  });

  it('makes production otherwise', async () => {
    expect(await run('init', '--dir', at('earnest'))).toMatchObject({
      code: 0,
      mode: 'production',
    });
    const { paths } = openWorkspace(at('earnest'));
    expect(JSON.parse(readFileSync(paths.control, 'utf8')).cityPolicy).toBeUndefined();
  });

  it('--trial-until puts a policy into the control data; it takes no day that is past or far away', async () => {
    const day = new Date(Date.now() + 3 * DAY_MS).toISOString().slice(0, 10);
    expect(await run('init', '--dir', at('trial'), '--trial-until', day)).toMatchObject({
      code: 0,
    });
    const { paths } = openWorkspace(at('trial'));
    const policy = Buffer.from(
      ...[JSON.parse(readFileSync(paths.control, 'utf8')).cityPolicy, 'base64url' as const],
    );
    expect(policy.subarray(0, 4).toString()).toBe('SPY1');
    expect(policy.readUInt32BE(4)).toBe(520100);
    const enforcedFrom = Number(policy.readBigUInt64BE(28));
    expect(new Date(enforcedFrom + 8 * 3_600_000 - 1).toISOString().slice(0, 10)).toBe(day);
    for (const wrong of ['2017-05-25', '2099-01-01']) {
      expect((await run('init', '--dir', at('wrong'), '--trial-until', wrong)).code).toBe(2);
    }
  });
});

describe('modes never mix', () => {
  it('every answer of a sandbox says so', async () => {
    for (const path of ['/healthz', '/v1/keys', '/v1/pull', '/nothing']) {
      const { headers } = await fetch(sandbox.service.url + path);
      expect(headers.get('sealpost-mode')).toBe('sandbox');
    }
  });

  it('a client of production sends no record to a sandbox, nor the other way round', async () => {
    const { workspace, service } = sandbox;
    const { city, rootKey } = workspace;
    const client = (mode?: 'production' | 'sandbox') => {
      const lists = workspace.lists();
      return new EdgeClient({ url: service.url, city, rootKey, lists, ...(mode && { mode }) });
    };
    for (const wrong of [client(), client('production')]) {
      await expect(wrong.keys()).rejects.toMatchObject({ code: 'other_mode' });
      const record = validRecord(Date.now());
      const { identity } = workspace.enterprise(COMPANY);
      await expect(submitRecord(wrong, identity, record)).rejects.toMatchObject({
        code: 'other_mode',
      });
    }
    expect((await client('sandbox').keys()).keyId).toBe(128);
  });

  it('the key id is looked at where somebody has taken the header off', async () => {
    const { workspace, service } = sandbox;
    const { city, rootKey } = workspace;
    const stripped = new EdgeClient({
      ...{ url: service.url, city, rootKey, lists: workspace.lists() },
      fetch: async (url, init) => {
        const { body, status, headers } = await fetch(url, init);
        const kept = new Headers(headers);
        kept.delete('sealpost-mode');
        return new Response(body, { status, headers: kept });
      },
    });
    await expect(stripped.recipients()).resolves.toBeDefined();
    await expect(stripped.keys()).rejects.toMatchObject({ code: 'other_mode' });
  });

  it('the command line tells what is wrong', async () => {
    const { workspace } = sandbox;
    const path = workspace.paths.description;
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"sandbox"', '"production"'));
    try {
      const out = at('never.ndjson');
      expect(await run('pull', '--dir', workspace.dir, '--out', out)).toMatchObject({
        ...{ code: 1, error: 'other_mode' },
      });
    } finally {
      writeFileSync(path, text);
    }
  });
});

describe('corrections', () => {
  const edge = () => sandbox.workspace.edge(sandbox.service.url);
  const send = async (record: ParcelRecord, slug = COMPANY) => {
    const { identity } = sandbox.workspace.enterprise(slug);
    const { outcome } = await submitRecord(edge(), identity, record);
    expect(outcome).toBe('STORED');
    return record;
  };
  const phone = (record: ParcelRecord, changed: string) => ({
    ...record.recipient,
    phone: changed,
  });
  const pulled = async (name: string, ...options: string[]) => {
    const out = at(name);
    const report = await run('pull', '--dir', sandbox.workspace.dir, '--out', out, ...options);
    expect(report.code).toBe(0);
    const text = readFileSync(out, 'utf8');
    const lines = name.endsWith('.csv') ? [] : text.split('\n').filter(Boolean);
    const rows = lines.map((line) => JSON.parse(line));
    return { report, text, rows, by: new Map(rows.map((row) => [row.id, row.replacedBy])) };
  };

  let first: ParcelRecord;
  let second: ParcelRecord;
  let third: ParcelRecord;
  let alike: ParcelRecord;

  it('are marked within one pull', async () => {
    first = await send(validRecord(Date.now()));
    second = validRecord(Date.now(), { replaces: first.id });
    second = await send({ ...second, recipient: phone(second, '13900000001') });
    // Another company's record cannot replace ours.
    alike = await send(validRecord(Date.now(), { replaces: second.id }), OTHER);
    const { by, report } = await pulled('one.ndjson');
    expect(report).toMatchObject({ opened: 3, replaced: 1 });
    expect(by).toEqual(
      new Map([
        [first.id, second.id],
        [second.id, undefined],
        [alike.id, undefined],
      ]),
    );
  });

  it('are marked over several pulls, and left out on demand', async () => {
    third = await send(validRecord(Date.now(), { replaces: second.id }));
    const { by, report } = await pulled('two.ndjson');
    expect(report).toMatchObject({ opened: 1, replaced: 0 });
    expect([...by]).toEqual([[third.id, undefined]]);
    const all = await pulled('all.ndjson', '--all');
    expect(all.by.get(first.id)).toBe(second.id);
    expect(all.by.get(second.id)).toBe(third.id);
    const current = await pulled('current.ndjson', '--all', '--current');
    expect([...current.by.keys()].sort()).toEqual([alike.id, third.id].sort());
    expect(current.report).toMatchObject({ opened: 4, replaced: 2 });
  });

  it('come before what they replace, too', async () => {
    const late = validRecord(Date.now());
    const correction = await send(validRecord(Date.now(), { replaces: late.id }));
    await pulled('three.ndjson');
    await send(late);
    expect((await pulled('four.ndjson')).by.get(late.id)).toBe(correction.id);
  });

  it('stand in a column of the CSV', async () => {
    const { text } = await pulled('all.csv', '--all', '--format', 'csv');
    const [header, ...lines] = text
      .replace(/^\ufeff/, '')
      .trimEnd()
      .split('\n');
    const column = (header as string).split(',').indexOf('replacedBy');
    const row = lines.find((line) => line.startsWith(first.id)) as string;
    expect(row.split(',')[column]).toBe(second.id);
    const current = await pulled('current.csv', '--all', '--current', '--format', 'csv');
    expect(current.text).not.toContain(`\n${first.id}`);
    expect(current.text).toContain(`\n${third.id}`);
  });

  it('are told by a lookup that does not find the correction itself', async () => {
    const lookup = (...options: string[]) => {
      const number = first.recipient.phone;
      return run('lookup', '--dir', sandbox.workspace.dir, '--phone', number, ...options);
    };
    const marks = new Map(
      (await lookup()).matches.map((match: { id: string; replacedBy?: string }) => [
        ...[match.id, match.replacedBy],
      ]),
    );
    expect(marks.get(first.id)).toBe(second.id);
    expect(marks.has(second.id)).toBe(false);
    const { matches } = await lookup('--current');
    expect(matches.map(({ id }: { id: string }) => id)).not.toContain(first.id);
    expect(matches.map(({ id }: { id: string }) => id)).toContain(third.id);
  });

  it('of itself is none', async () => {
    const record = validRecord(Date.now());
    const { identity } = sandbox.workspace.enterprise(COMPANY);
    const result = await submitRecord(edge(), identity, { ...record, replaces: record.id });
    expect(result).toMatchObject({ outcome: 'REFUSED', code: 'BAD_REPLACES', field: 'replaces' });
  });
});

describe('--dry-run', () => {
  it('of submit and stream stores nothing', async () => {
    const path = at('records.ndjson');
    writeFileSync(path, `${JSON.stringify(validRecord(Date.now()))}\n`);
    const named = ['--dir', sandbox.workspace.dir, '--enterprise', COMPANY];
    expect(await run('submit', path, ...named, '--dry-run')).toMatchObject({
      ...{ code: 0, results: [{ outcome: 'CHECKED', masked: expect.anything() }] },
    });
    const dry = await run('stream', path, ...named, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stored: 0, checked: 1, refused: 0 });
    expect(await run('stream', path, ...named)).toMatchObject({ code: 0, stored: 1, checked: 0 });
  });
});
