/** Files of records, read in windows: every line once, in its order, whatever stands between. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLines } from '../../client/cli/lines.ts';
import { toHex } from '../../client/encoding.ts';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sealpost-lines-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(text: string | Uint8Array): string {
  const path = join(dir, 'records.ndjson');
  writeFileSync(path, text);
  return path;
}

async function readAll(path: string, slug: string, enterprise?: string) {
  const lines = await openLines(path, enterprise);
  const read: { line: number; cbor: string | undefined; alone: boolean }[] = [];
  for await (const { line, cbor, alone } of lines.read(slug)) {
    read.push({ line, cbor: cbor && toHex(cbor), alone });
  }
  await lines.close();
  return read;
}

describe('the lines of an enterprise', () => {
  // Among many of others and among few; one that alone fills a window, for its spaces.
  it.each([
    ['all of them', () => 0, 500],
    ['every second', (i: number) => i % 2, 500],
    ['every twentieth', (i: number) => i % 20, 2000],
    ['runs', (i: number) => Math.floor(i / 150) % 3, 1500],
    ['the first and the last', (i: number) => (i === 0 || i === 999 ? 0 : 1), 1000],
  ] as const)('come as they were encoded: %s', async (_, company, count) => {
    const records: ParcelRecord[] = Array.from({ length: count }, (_, i) =>
      validRecord(NOW, { outlet: 'x'.repeat((7 * i) % 300) }),
    );
    const text = records.map((record, i) => {
      const line = JSON.stringify({ enterprise: `e${company(i)}`, record });
      return i === 4 ? line + ' '.repeat(255 * 1024) : line;
    });
    const path = write(`${text.join('\n')}\n`);
    const expected = records.flatMap((record, i) =>
      company(i) === 0 ? [{ line: i + 1, cbor: toHex(encodeRecord(record)), alone: false }] : [],
    );
    expect(await readAll(path, 'e0')).toEqual(expected);
  });

  it('come with a byte order mark, CRLF, empty lines and no last line feed', async () => {
    const records = [validRecord(NOW), validRecord(NOW)];
    const [first, second] = records.map((record) => JSON.stringify(record));
    const path = write(`\uFEFF${first}\r\n\r\n  \n${second}`);
    const read = await readAll(path, 'sf', 'sf');
    expect(read.map(({ line }) => line)).toEqual([1, 4]);
    expect(read.map(({ cbor }) => cbor)).toEqual(records.map((r) => toHex(encodeRecord(r))));
  });

  it('come as the octets given, alone or not, and without any when they cannot be encoded', async () => {
    const record = validRecord(NOW);
    const bad = { ...record, id: 'x' };
    const large = { ...record, outlet: 'x'.repeat(5000) };
    const path = write(
      [
        { enterprise: 'sf', record, raw: 'a0ff', alone: true },
        ...[bad, record, large, record].map((each) => ({ enterprise: 'sf', record: each })),
      ]
        .map((line) => JSON.stringify(line))
        .join('\n'),
    );
    const cbor = toHex(encodeRecord(record));
    expect(await readAll(path, 'sf')).toEqual([
      { line: 1, cbor: 'a0ff', alone: true },
      { line: 2, cbor: undefined, alone: false },
      { line: 3, cbor, alone: false },
      { line: 4, cbor: undefined, alone: false },
      { line: 5, cbor, alone: false },
    ]);
  });

  it('stay what they are while later ones are read', async () => {
    const records = Array.from({ length: 400 }, () => validRecord(NOW));
    const path = write(records.map((record) => JSON.stringify(record)).join('\n'));
    const lines = await openLines(path, 'sf');
    const kept: Uint8Array[] = [];
    for await (const { cbor } of lines.read('sf')) kept.push(cbor as Uint8Array);
    await lines.close();
    expect(kept.map((cbor) => toHex(cbor))).toEqual(records.map((r) => toHex(encodeRecord(r))));
  });
});

it.each([
  ['a line that is not UTF-8', Buffer.from('7b226964223a2278ff227d', 'hex')],
  ['a line that is no object', '[]'],
  ['a line that is no JSON', '{"id":'],
  ['a line with an unknown field', JSON.stringify({ ...validRecord(NOW), replace: 'x' })],
  ['a line that is too long', `{"id":"${'x'.repeat(256 * 1024)}"}`],
  ['a line that is too long, and not the last', `{"id":"${'x'.repeat(256 * 1024)}"}\n`],
])('%s refuses the file', async (_, text) => {
  await expect(openLines(write(text), 'sf')).rejects.toMatchObject({ code: 'bad_line' });
});
