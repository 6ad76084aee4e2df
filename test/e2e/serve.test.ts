/** The command line against a service that it runs itself: serve, stream, submit, pull, lookup. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const PARCELS = 400;
const FAULTY = 40;

let folder: string;
let dir: string;
let day: string;
let lines: GeneratedLine[];
let server: ChildProcess;
let url: string;
const at = (name: string) => join(folder, name);
const ndjson = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text));
const run = async (...args: string[]) => {
  const { code, stdout } = await sealpost([...args, '--json']);
  return { code, ...JSON.parse(stdout) };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-serve-'));
  [dir, day] = [at('city'), at('day.ndjson')];
  await run('init', '--dir', dir);
  const size = ['--parcels', String(PARCELS), '--bad', String(FAULTY / PARCELS)];
  await run('generate', ...size, '--seed', '3', '--out', day);
  lines = ndjson(day);
  server = startSealpost(['serve', '--dir', dir, '--port', '0']);
  url = await readyUrl(server);
});
afterAll(async () => {
  if (server.exitCode === null) {
    const end = ended(server);
    server.kill('SIGTERM');
    await end;
  }
  rmSync(folder, { recursive: true });
});

describe('a service and its users', () => {
  it('tells that it is well', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('a folder and a port are taken by one service alone', async () => {
    const second = await run('serve', '--dir', dir, '--port', '0');
    expect(second).toMatchObject({ code: 1, error: 'already_running' });
    const other = at('other');
    await run('init', '--dir', other);
    const taken = await run('serve', '--dir', other, '--port', new URL(url).port);
    expect(taken).toMatchObject({ code: 1, error: 'port_taken' });
  });

  it('another city is turned away before anything is sent', async () => {
    const { code, error } = await run('stream', day, '--dir', at('other'), '--url', url);
    expect([code, error]).toEqual([1, 'list_signature']);
  });

  it('stream sends a day; every line gets the result it must get', async () => {
    const results = at('results.ndjson');
    const report = await run('stream', day, '--dir', dir, '--results', results);
    expect(report).toMatchObject({
      ...{ code: 1, records: PARCELS, stored: PARCELS - FAULTY, refused: FAULTY },
      ...{ duplicate: 0, conflict: 0, notSent: 0 },
    });
    const rows = ndjson(results);
    expect(rows.map(({ line }) => line).sort((a, b) => a - b)).toEqual(lines.map((_, i) => i + 1));
    for (const { line, enterprise, outcome, code, id } of rows) {
      const { enterprise: sender, record, expect: wanted } = lines[line - 1] as GeneratedLine;
      expect(enterprise).toBe(sender);
      expect([outcome, code], `line ${line}`).toEqual(
        wanted ? [wanted.outcome, wanted.code] : ['STORED', undefined],
      );
      if (!wanted) expect(id).toBe(record.id);
    }
    expect(statSync(results).mode & 0o777).toBe(0o600);
  });

  it('stream again stores nothing twice', async () => {
    const report = await run('stream', day, '--dir', dir, '--url', url, '--streams', '2');
    expect(report).toMatchObject({
      code: 1,
      stored: 0,
      duplicate: PARCELS - FAULTY,
      refused: FAULTY,
    });
  });

  it('stream tells which records cannot be encoded, and sends the others', async () => {
    const good = lines.find(({ expect: wanted }) => !wanted) as GeneratedLine;
    const path = at('mixed.ndjson');
    const broken = { ...good.record, id: 'not-a-uuid' };
    writeFileSync(path, `${JSON.stringify(broken)}\n${JSON.stringify(good.record)}\n`);
    const results = at('mixed-results.ndjson');
    const report = await run(
      ...['stream', path, '--dir', dir, '--enterprise', good.enterprise, '--results', results],
    );
    expect(report).toMatchObject({ code: 1, notSent: 1, duplicate: 1 });
    const rows = ndjson(results).map(({ line, outcome }) => [line, outcome]);
    expect(rows.sort()).toEqual([
      [1, 'NOT_SENT'],
      [2, 'DUPLICATE'],
    ]);
  });

  it('submit shows the masked view, and says no with code 1', async () => {
    const good = lines.find(({ expect: wanted, record }) => !wanted && record.sender);
    const { enterprise, record } = good as GeneratedLine;
    const path = at('one.json');
    writeFileSync(path, JSON.stringify(record));
    const { code, results } = await run('submit', path, '--dir', dir, '--enterprise', enterprise);
    expect(code).toBe(0);
    expect(results).toMatchObject([{ line: 1, outcome: 'DUPLICATE', id: record.id }]);
    expect(results[0].masked.sender.name).toContain('*');
    expect(results[0].masked.sender.docNumber).not.toBe(record.sender?.docNumber);

    writeFileSync(path, JSON.stringify({ ...record, carrier: '!' }));
    const refused = await run('submit', path, '--dir', dir, '--enterprise', enterprise);
    expect(refused.code).toBe(1);
    expect(refused.results).toMatchObject([{ outcome: 'REFUSED', code: 'BAD_CARRIER' }]);
  });

  it('pull opens what was stored, all of it, once', async () => {
    const out = at('pulled.ndjson');
    const report = await run('pull', '--dir', dir, '--out', out);
    expect(report).toMatchObject({ code: 0, opened: PARCELS - FAULTY, failures: [] });
    const records = new Map(ndjson(out).map(({ id, record }) => [id, record]));
    const wanted = lines.filter(({ expect: refusal }) => !refusal);
    expect(records.size).toBe(wanted.length);
    for (const { record } of wanted) expect(records.get(record.id)).toEqual(record);
    expect(statSync(out).mode & 0o777).toBe(0o600);

    const again = await run('pull', '--dir', dir, '--out', at('again.ndjson'));
    expect(again).toMatchObject({ code: 0, parcels: 0 });
  });

  it('pull never writes over a file, and leaves no other behind', async () => {
    const before = readFileSync(at('pulled.ndjson'), 'utf8');
    const report = await run('pull', '--dir', dir, '--out', at('pulled.ndjson'));
    expect(report).toMatchObject({ code: 1, error: 'exists' });
    expect(readFileSync(at('pulled.ndjson'), 'utf8')).toBe(before);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('pull --all begins anew, as CSV too', async () => {
    const out = at('all.csv');
    const report = await run('pull', '--dir', dir, '--out', out, '--format', 'csv', '--all');
    expect(report).toMatchObject({ code: 0, opened: PARCELS - FAULTY });
    const text = readFileSync(out, 'utf8');
    expect(text.trimEnd().split('\n').length).toBe(PARCELS - FAULTY + 1);
    expect(text).toContain('sender.docNumber');
  });

  it('lookup finds parcels by waybill, phone and document, and nothing for others', async () => {
    const good = lines.find(({ expect: wanted, record }) => !wanted && record.sender);
    const { record } = good as GeneratedLine;
    const sender = record.sender as NonNullable<typeof record.sender>;
    for (const query of [
      ['--waybill', record.waybill, '--carrier', record.carrier],
      ['--phone', sender.phone],
      ['--phone', record.recipient.phone],
      ['--document', sender.docNumber],
    ]) {
      const report = await run('lookup', '--dir', dir, ...query);
      expect(report.code, query[0]).toBe(0);
      const ids = report.matches.map(({ id }: { id: string }) => id);
      expect(ids, query[0]).toContain(record.id);
    }
    const none = await run('lookup', '--dir', dir, '--phone', '19999999999');
    expect(none).toMatchObject({ code: 0, matches: [] });
    const wrong = await run('lookup', '--dir', dir, '--phone', 'x');
    expect(wrong).toMatchObject({ code: 2, error: 'invalid_value' });
  });

  it('lookup takes a number from stdin, where no other user of the machine sees it', async () => {
    const { record } = lines.find(({ expect: wanted }) => !wanted) as GeneratedLine;
    const args = ['lookup', '--dir', dir, '--phone', '-', '--json'];
    const { stdout } = await sealpost(args, `${record.recipient.phone}\n`);
    const ids = JSON.parse(stdout).matches.map(({ id }: { id: string }) => id);
    expect(ids).toContain(record.id);
  });

  it('stops in good order on SIGTERM, and goes on from where it was', async () => {
    const end = ended(server);
    server.kill('SIGTERM');
    expect((await end).code).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();

    server = startSealpost(['serve', '--dir', dir, '--port', '0']);
    url = await readyUrl(server);
    const report = await run('stream', day, '--dir', dir);
    expect(report).toMatchObject({ code: 1, stored: 0, duplicate: PARCELS - FAULTY });
    const pulled = await run('pull', '--dir', dir, '--out', at('later.ndjson'), '--all');
    expect(pulled).toMatchObject({ code: 0, opened: PARCELS - FAULTY });
  });

  it('writes nothing about anybody into its log', () => {
    const log = readFileSync(join(dir, 'run', 'workerd.log'), 'utf8');
    for (const { record } of lines) {
      expect(log.includes(record.waybill)).toBe(false);
      expect(log.includes(String(record.recipient?.phone))).toBe(false);
    }
  });
});
