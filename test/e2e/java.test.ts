/** The sample client in Java against the real service: examples/java/README.md, followed step by step. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParcelRecord } from '../../wire/record.ts';
import { type Ended, ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const SOURCES = fileURLToPath(new URL('../../examples/java/sealpost/', import.meta.url));
const ENTERPRISE = 'zto';

interface GeneratedLine {
  enterprise: string;
  record: ParcelRecord;
  expect?: { outcome: string; code: string; field?: string };
  /** Octets that no JSON gives. */
  raw?: string;
}

interface ReceiptLine {
  line: number;
  id?: string;
  outcome: string;
  code?: string;
  field?: string;
  reason?: string;
  masked?: unknown;
}

let dir: string;
const file = (name: string) => join(dir, name);
let service: ChildProcess;
let url: string;

function java(command: string, records: string, options: Record<string, string> = {}) {
  const all = {
    ...{ edge: file('city/sealpost.json'), url, authority: new URL(url).host },
    ...{ enterprise: file(`city/enterprises/${ENTERPRISE}.json`) },
    ...options,
  };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  return ended(spawn('java', ['-cp', file('out'), 'sealpost.Main', command, records, ...args]));
}

const receipts = ({ stdout }: Ended) => jsonLines<ReceiptLine>(stdout);

function jsonLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** One day's records of one enterprise, some of them faulty. */
async function generated(): Promise<GeneratedLine[]> {
  const out = file('day.ndjson');
  const made = ['--parcels', '1400', '--seed', '3', '--bad', '0.1', '--out', out];
  expect((await sealpost(['generate', '--city', 'guiyang', ...made])).code).toBe(0);
  return jsonLines<GeneratedLine>(readFileSync(out, 'utf8')).filter(
    ({ enterprise, raw }) => enterprise === ENTERPRISE && raw === undefined,
  );
}

/** What a dishonest or failing way to the edge makes of an answer's body. `cut`: the connection breaks behind it. */
type Change = (path: string, body: Buffer) => { body: Buffer; cut?: boolean };

/** Passes requests on to the edge, and answers back through `change`. */
async function wayThrough(change: Change): Promise<{ server: Server; url: string }> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = request.url as string;
    const { host, connection, 'transfer-encoding': _, ...headers } = request.headers;
    const answer = await fetch(url + path, {
      method: request.method as string,
      headers: headers as Record<string, string>,
      ...(parts.length > 0 && { body: new Uint8Array(Buffer.concat(parts)) }),
    });
    const { body, cut } = change(path, Buffer.from(await answer.arrayBuffer()));
    const {
      'content-length': __,
      'transfer-encoding': ___,
      ...kept
    } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, kept);
    response.write(body, () => (cut ? response.socket?.destroy() : response.end()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function defineTests() {
  let day: GeneratedLine[];
  let records: string;
  const faulty = () => day.filter(({ expect: fault }) => fault !== undefined);
  const valid = () => day.filter(({ expect: fault }) => fault === undefined);

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sealpost-java-'));
    records = file('records.ndjson');
    const sources = readdirSync(SOURCES).map((name) => join(SOURCES, name));
    const compiled = spawnSync('javac', [
      '--release',
      '17',
      '-Xlint:all',
      '-Werror',
      '-d',
      file('out'),
      ...sources,
    ]);
    expect(compiled.stderr.toString()).toBe('');
    expect((await sealpost(['init', '--dir', file('city')])).code).toBe(0);
    service = startSealpost(['serve', '--dir', file('city'), '--port', '0']);
    url = await readyUrl(service);
    day = await generated();
    writeFileSync(records, day.map(({ record }) => `${JSON.stringify(record)}\n`).join(''));
  }, 60_000);

  afterAll(async () => {
    if (service?.exitCode === null) {
      service.kill('SIGTERM');
      await new Promise((resolve) => service.once('exit', resolve));
    }
    rmSync(dir, { recursive: true });
  });

  it('submits a record and opens its masked view', async () => {
    const [{ record }] = day as [GeneratedLine];
    const one = file('one.json');
    writeFileSync(one, JSON.stringify(record));
    const submitted = await java('submit', one);
    expect(submitted).toMatchObject({ code: 0, stderr: '' });
    expect(receipts(submitted)).toMatchObject([
      {
        ...{ line: 1, id: record.id, outcome: 'stored' },
        masked: {
          ...{ id: record.id, carrier: record.carrier, waybill: record.waybill },
          takenAt: record.takenAt,
          sender: { docType: record.sender?.docType, phone: expect.stringMatching(/^\*+\d{4}$/) },
          recipient: { name: expect.stringMatching(/^.\*/) },
        },
      },
    ]);
    expect(submitted.stdout).not.toContain(record.sender?.docNumber);
  });

  it('streams a day, and each record has the receipt that it should have', async () => {
    expect(day.length).toBeGreaterThan(190);
    expect(faulty().length).toBeGreaterThan(5);
    const streamed = await java('stream', records);
    expect(streamed).toMatchObject({ code: 0, stderr: '' });
    const expected = day.map(({ record, expect: fault }, i) => ({
      ...{ line: i + 1, outcome: fault ? 'refused' : i === 0 ? 'duplicate' : 'stored' },
      ...(fault?.code !== 'BAD_ID' && { id: record.id }),
      ...(fault && { code: fault.code, field: fault.field }),
    }));
    expect(receipts(streamed)).toMatchObject(expected);
  });

  it('has sent exactly these records: the regulator opens them', async () => {
    const out = file('opened.ndjson');
    const pulled = await sealpost(['pull', '--dir', file('city'), '--url', url, '--out', out]);
    expect(pulled.code).toBe(0);
    const byId = (a: ParcelRecord, b: ParcelRecord) => (a.id < b.id ? -1 : 1);
    const opened = jsonLines<{ record: ParcelRecord }>(readFileSync(out, 'utf8'));
    const sent = valid().map(({ record }) => record);
    expect(opened.map(({ record }) => record).sort(byId)).toEqual(sent.sort(byId));
  });

  it('tells a conflict, and which lines are no records, without their content', async () => {
    const [{ record }] = valid() as [GeneratedLine];
    const mixed = file('mixed.ndjson');
    const lines = [
      JSON.stringify({ ...record, outlet: 'GY-ANOTHER' }),
      '{"id":"张三',
      JSON.stringify({ ...record, surname: '张三' }),
      JSON.stringify({ ...record, goods: '\ud800' }),
      '',
      JSON.stringify(record),
    ];
    writeFileSync(mixed, lines.join('\n'));
    const streamed = await java('stream', mixed);
    expect(streamed).toMatchObject({ code: 0, stderr: '' });
    expect(receipts(streamed).sort((a, b) => a.line - b.line)).toMatchObject([
      { line: 1, id: record.id, outcome: 'conflict' },
      { line: 2, outcome: 'unsent' },
      { line: 3, outcome: 'unsent' },
      { line: 4, outcome: 'unsent' },
      { line: 6, id: record.id, outcome: 'duplicate' },
    ]);
    expect(streamed.stdout).not.toContain('张三');
  });

  it('sends again what has no receipt when an answer is cut off', async () => {
    let streams = 0;
    const way = await wayThrough((path, body) => {
      if (path !== '/v1/parcels/stream' || ++streams > 1) return { body };
      return { body: body.subarray(0, body.length / 2), cut: true };
    });
    const streamed = await java('stream', records, { url: way.url });
    way.server.close();
    expect(streamed).toMatchObject({ code: 0, stderr: '' });
    expect(streams).toBe(2);
    const lines = receipts(streamed).map(({ line }) => line);
    expect(lines.sort((a, b) => a - b)).toEqual(day.map((_, i) => i + 1));
  });

  it('seals nothing to a key that the edge has not signed', async () => {
    const paths: string[] = [];
    const way = await wayThrough((path, body) => {
      paths.push(path);
      const other = Buffer.from(body);
      if (path === '/v1/keys') other[20] = (other[20] as number) ^ 1;
      return { body: other };
    });
    const streamed = await java('stream', records, { url: way.url });
    way.server.close();
    expect(streamed).toMatchObject({ code: 1, stdout: '' });
    expect(streamed.stderr).toContain('the keys are not signed by the edge');
    expect(paths).toEqual(['/v1/recipients', '/v1/keys']);
  });

  it.each([
    ['root key', { rootKey: 'd7'.repeat(32) }, 'not signed by the root key'],
    ['city', { city: 440300 }, 'the signer is no edge of this city'],
    ['mode', { mode: 'sandbox' }, "a sandbox's key for production, or the other way round"],
  ])('seals nothing when the edge is not of the pinned %s', async (_, change, reason) => {
    const edge = file('other-edge.json');
    const pinned = JSON.parse(readFileSync(file('city/sealpost.json'), 'utf8'));
    writeFileSync(edge, JSON.stringify({ ...pinned, ...change }));
    const submitted = await java('submit', file('one.json'), { edge });
    expect(submitted).toMatchObject({ code: 1, stdout: '' });
    expect(submitted.stderr).toContain(reason);
  });

  it('says how it is used', async () => {
    const wrong = await ended(spawn('java', ['-cp', file('out'), 'sealpost.Main', 'send']));
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('usage: ');
  });
}

if (spawnSync('javac', ['-version']).status === 0) {
  describe('the client in Java', defineTests);
} else {
  process.stderr.write(
    '\n*** NOT RUN: the client in Java (examples/java): there is no javac ***\n\n',
  );
  it('the client in Java: NOT RUN, there is no JDK', ({ skip }) => {
    expect(process.env.SEALPOST_REQUIRE_JDK, 'a JDK is required here').toBeUndefined();
    skip();
  });
}
