/**
 * NDJSON of records: one plain record a line, or lines of `sealpost generate` ({ enterprise, record, expect?, raw?, alone? }).
 * A first pass checks every line and notes where each enterprise's lines are, so that nothing of a file is sent that has a
 * line nobody can read, and a large file never stands in memory.
 */
import { isUtf8 } from 'node:buffer';
import { createReadStream, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { MAX_RECORD_BYTES } from '../../wire/limits.ts';
import { encodeRecordInto, type ParcelRecord, unknownKey } from '../../wire/record.ts';
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
  cbor?: Uint8Array | undefined;
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
      const encoder = new Encoder();
      for (const { line, bytes } of linesAt(file.fd, places)) {
        const { record, raw, alone } = parseLine(bytes, line, enterprise);
        yield { line, cbor: encoder.encode(record, raw), alone: alone === true };
      }
    },
    close: () => file.close(),
  };
}

/** Octets read at once, and the part of them that must be lines of one enterprise for that to be worth it: one read costs much. */
const WINDOW_BYTES = MAX_LINE_BYTES;
const WORTH = 1 / 8;

/** Lines by their places. `bytes` holds until the next one is asked for. */
function* linesAt(fd: number, places: Places): Generator<{ line: number; bytes: Buffer }> {
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  for (let i = 0; i < places.length; ) {
    const from = places[i + 1] as number;
    let [next, wanted, end] = [i, 0, from];
    do {
      const length = places[next + 2] as number;
      wanted += length;
      end = (places[next + 1] as number) + length;
      next += 3;
    } while (next < places.length && fits(places, next, from, wanted));
    const read = readSync(fd, window, 0, end - from, from);
    for (; i < next; i += 3) {
      const [line, start, length] = places.slice(i, i + 3) as [number, number, number];
      yield { line, bytes: window.subarray(start - from, Math.min(start - from + length, read)) };
    }
  }
}

/** May the line at `next` be read with those before it, of `wanted` octets from octet `from` of the file on? */
function fits(places: Places, next: number, from: number, wanted: number): boolean {
  const length = places[next + 2] as number;
  const span = (places[next + 1] as number) + length - from;
  return span <= WINDOW_BYTES && wanted + length >= span * WORTH;
}

/** Octets in which records are encoded one behind the other. */
const SLAB_BYTES = 64 * 1024;

/** Encodes records into slabs: a buffer for each one would cost more than to write it. */
class Encoder {
  #slab = new Uint8Array(SLAB_BYTES);
  #at = 0;

  /** Undefined when the record cannot be encoded. */
  encode(record: ParcelRecord, raw: string | undefined): Uint8Array | undefined {
    if (this.#at + MAX_RECORD_BYTES > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#at = 0;
    }
    try {
      if (raw !== undefined) return fromHex(raw);
      const end = encodeRecordInto(this.#slab, this.#at, record);
      const cbor = this.#slab.subarray(this.#at, end);
      this.#at = end;
      return cbor;
    } catch {
      return undefined;
    }
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
  // A character that is not UTF-8 must not become U+FFFD.
  if (!isUtf8(bytes)) throw badLine(line, ['不是 UTF-8 编码', 'is not UTF-8']);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', startsWithMark(bytes) ? 3 : 0));
  } catch {
    // The parser's own message quotes what it read.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badLine(line, ['不是 JSON 对象', 'is not a JSON object']);
  }
  return value as Record<string, unknown>;
}

/** Does it begin with a byte order mark? */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
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
      if (end - from > MAX_LINE_BYTES) throw badLine(line, ['过长', 'is too long']);
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
