/**
 * NDJSON of records: one plain record a line, or lines of `sealpost generate` ({ enterprise, record, expect?, raw?, alone? }).
 * A first pass checks every line and notes where each enterprise's lines are, so that nothing of a file is sent that has a
 * line nobody can read, and a large file never stands in memory.
 */
import { createReadStream, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { encodeRecord, type ParcelRecord, unknownKey } from '../../wire/record.ts';
import { fromHex } from '../encoding.ts';
import { type Bilingual, CliFailure, usageFailure } from './failure.ts';

/** Octets of one line at most: a record has 4,096, its JSON with every character escaped six times as many. */
const MAX_LINE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Where the lines of one enterprise are: line number from 1, first octet, length; three numbers a line. */
type Places = number[];

export interface LineFile {
  /** Slugs of the enterprises, those with most lines first, and how many lines each has. */
  enterprises: readonly { slug: string; lines: number }[];
  /** Lines of the file that hold a record. */
  total: number;
  /** The lines of one enterprise, in the order of the file. */
  read(slug: string): Iterable<RecordLine> | AsyncIterable<RecordLine>;
  close(): Promise<void>;
}

export interface RecordLine {
  /** From 1. */
  line: number;
  /** What is to be sealed; absent when the record cannot be encoded. */
  cbor?: Uint8Array;
  /** The field that cannot be encoded, where it is known. */
  field?: string;
  /** It must be the last or the only one of its chunk. */
  alone: boolean;
}

interface ParsedLine {
  enterprise: string;
  record: ParcelRecord;
  raw?: string;
  alone?: boolean;
}

/**
 * Opens a file of records and checks all of it.
 * @param enterprise whose records they are, where lines do not say so
 * @throws CliFailure `bad_line` for a line that is no record, `usage` when nothing says whose records they are
 * @throws the errors of node:fs
 */
export async function openLines(path: string, enterprise?: string): Promise<LineFile> {
  const groups = new Map<string, Places>();
  let total = 0;
  for await (const { line, start, bytes } of linesOf(path)) {
    const slug = parseLine(bytes, line, enterprise).enterprise;
    let places = groups.get(slug);
    if (!places) {
      places = [];
      groups.set(slug, places);
    }
    places.push(line, start, bytes.length);
    total++;
  }
  const file = await open(path, 'r');
  const sizes = [...groups].map(([slug, places]) => ({ slug, lines: places.length / 3 }));
  return {
    enterprises: sizes.sort((a, b) => b.lines - a.lines),
    total,
    *read(slug) {
      const places = groups.get(slug) ?? [];
      const buffer = Buffer.allocUnsafe(MAX_LINE_BYTES);
      for (let i = 0; i < places.length; i += 3) {
        const [line, start, length] = places.slice(i, i + 3) as [number, number, number];
        const read = readSync(file.fd, buffer, 0, length, start);
        yield recordLine(parseLine(buffer.subarray(0, read), line, enterprise), line);
      }
    },
    close: () => file.close(),
  };
}

function recordLine({ record, raw, alone }: ParsedLine, line: number): RecordLine {
  return { line, cbor: encoded(record, raw), alone: alone === true };
}

function encoded(record: ParcelRecord, raw: string | undefined): Uint8Array | undefined {
  try {
    return raw === undefined ? encodeRecord(record) : fromHex(raw);
  } catch {
    return undefined;
  }
}

function parseLine(bytes: Buffer, line: number, enterprise: string | undefined): ParsedLine {
  const value = parseObject(bytes, line);
  const { record } = value;
  if (typeof value.enterprise === 'string' && typeof record === 'object' && record !== null) {
    checkKeys(record, line);
    return value as unknown as ParsedLine;
  }
  if (typeof value.id !== 'string') {
    throw badLine(line, ['不是寄递记录', 'is no record']);
  }
  if (enterprise === undefined) {
    throw usageFailure(
      ['文件没有写明企业', 'the file does not say whose records they are'],
      ['请用 --enterprise 指明企业', 'name the enterprise with --enterprise'],
    );
  }
  checkKeys(value, line);
  return { enterprise, record: value as unknown as ParcelRecord };
}

/** A name that records do not have would be left out in silence: `replace` for `replaces`, say. */
function checkKeys(record: object, line: number): void {
  const key = unknownKey(record);
  if (key === undefined) return;
  // A name is shown, anything else that stands in its place is not.
  const shown = /^[A-Za-z.]{1,40}$/.test(key) ? ` ${key}` : '';
  throw badLine(line, [`含未知字段${shown}`, `has a field that records do not have:${shown}`]);
}

function parseObject(bytes: Buffer, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    // Passes over a byte order mark; a character that is not UTF-8 must not become U+FFFD.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // The parsers' own messages quote what they read.
    if (error instanceof TypeError) throw badLine(line, ['不是 UTF-8 编码', 'is not UTF-8']);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badLine(line, ['不是 JSON 对象', 'is not a JSON object']);
  }
  return value as Record<string, unknown>;
}

function badLine(line: number, [chinese, english]: Bilingual): CliFailure {
  return new CliFailure(
    'bad_line',
    [`第 ${line} 行${chinese}`, `line ${line} ${english}`],
    ['请改正该行；什么都没有发送', 'mend that line; nothing was sent'],
  );
}

/** The lines of a file that are not empty, without their ends. `bytes` holds until the next one is asked for. */
async function* linesOf(
  path: string,
): AsyncGenerator<{ line: number; start: number; bytes: Buffer }> {
  let line = 0;
  let start = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const block: Buffer = rest.length === 0 ? part : Buffer.concat([rest, part]);
    let from = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, from)) {
      line++;
      if (!blank(block, from, end)) yield { line, start, bytes: block.subarray(from, end) };
      start += end + 1 - from;
      from = end + 1;
    }
    rest = Buffer.from(block.subarray(from));
    if (rest.length > MAX_LINE_BYTES) throw badLine(line + 1, ['过长', 'is too long']);
  }
  if (!blank(rest, 0, rest.length)) yield { line: line + 1, start, bytes: rest };
}

function blank(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) > 0x20) return false;
  return true;
}
