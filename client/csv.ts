/**
 * CSV files (RFC 4180, and what spreadsheets make of it) as records: UTF-8, UTF-16 or GB 18030, of which GBK and GB 2312 are
 * parts; commas, semicolons or tabs between columns. Runs in Node alone.
 */
import { createHmac } from 'node:crypto';
import { type Info, CsvError as ParserError, parse } from 'csv-parse';
import { concat, u64, utf8 } from '../wire/bytes.ts';
import { type ParcelRecord, uuidText } from '../wire/record.ts';
import { type CsvMapping, fieldsOf, meaningOf } from './csv-columns.ts';
import { CsvError } from './csv-error.ts';

export { CSV_FIELDS, type CsvMapping, parseMapping } from './csv-columns.ts';
export { type CsvCode, CsvError } from './csv-error.ts';

export const CSV_ENCODINGS = ['utf-8', 'utf-16le', 'gb18030'] as const;
export type CsvEncoding = (typeof CSV_ENCODINGS)[number];

/** Opens the file anew: it is read more than once, so that it never stands in memory. */
export type CsvSource = () => AsyncIterable<Uint8Array>;

export interface CsvRow {
  /** Line on which the row begins, from 1. */
  line: number;
  /** What its column `enterprise` says; empty without one. */
  enterprise: string;
  /** Undefined when `fault` is set. Its id is empty when the row has none: see `csvRecordId`. */
  record?: ParcelRecord;
  /** The field whose content cannot stand in a record: it never reaches the edge, which would say why. */
  fault?: string;
}

/** Characters of one row at most. */
const MAX_ROW = 256 * 1024;

/**
 * The encoding of a file: that of its byte order mark, else UTF-8 if all of it is, else GB 18030.
 * Chinese text of one is practically never valid in the other.
 * @throws CsvError bad_encoding
 */
export async function csvEncoding(source: CsvSource): Promise<CsvEncoding> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const part of source()) {
    head = concat(head, part.subarray(0, 2));
    if (head.length >= 2) break;
  }
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  for (const encoding of ['utf-8', 'gb18030'] as const) {
    try {
      for await (const _ of textOf(source, encoding));
      return encoding;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
    }
  }
  throw new CsvError('bad_encoding');
}

/** @throws CsvError bad_encoding, errors of the source */
async function* textOf(source: CsvSource, encoding: CsvEncoding): AsyncGenerator<string> {
  // Takes a byte order mark away, too.
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (part?: Uint8Array) => {
    try {
      return decoder.decode(part, { stream: part !== undefined });
    } catch {
      throw new CsvError('bad_encoding');
    }
  };
  for await (const part of source()) yield decode(part);
  yield decode();
}

/**
 * Reads a file row by row.
 * @throws CsvError, errors of the source
 */
export async function* readCsv(
  source: CsvSource,
  encoding: CsvEncoding,
  mapping: CsvMapping = {},
): AsyncGenerator<CsvRow> {
  let layout: Layout | undefined;
  for await (const { line, cells } of rowsOf(source, encoding)) {
    if (layout === undefined) layout = layoutOf(cells, mapping);
    else if (cells.some((cell) => cell.trim() !== '')) {
      yield { line, ...rowOf(layout, cells) };
    }
  }
  if (layout === undefined) throw new CsvError('no_header');
}

/** What the parser had come by when a row ended: all lines, and those of them that were empty. */
type LineInfo = Pick<Info, 'lines' | 'empty_lines'>;

/** The line on which the row after `before` begins. */
function lineAfter(before: LineInfo, now: LineInfo): number {
  return before.lines + 1 + now.empty_lines - before.empty_lines;
}

async function* rowsOf(
  source: CsvSource,
  encoding: CsvEncoding,
): AsyncGenerator<{ line: number; cells: string[] }> {
  const delimiter = await delimiterOf(source, encoding);
  const nothing: LineInfo = { lines: 0, empty_lines: 0 };
  let [read, parsed] = [nothing, nothing];
  const parser = parse({
    ...{ delimiter, info: true, skip_empty_lines: true, max_record_size: MAX_ROW },
    record_delimiter: ['\r\n', '\n', '\r'],
    // Known at once: when a row fails, those that wait to be read are dropped.
    on_record: (record: string[], { lines, empty_lines }) => {
      parsed = { lines, empty_lines };
      return record;
    },
  });
  const feeding = feed(textOf(source, encoding), parser);
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: Info };
      yield { line: lineAfter(read, info), cells: record };
      read = info;
    }
  } catch (error) {
    if (error instanceof CsvError) throw error;
    if (!(error instanceof ParserError)) throw error;
    // The parser's own error holds what it read.
    throw new CsvError('bad_row', { line: lineAfter(parsed, error as unknown as LineInfo) });
  } finally {
    parser.destroy();
    await feeding;
  }
}

/** Writes all of a text to the parser, as fast as it reads. What goes wrong ends the parser. */
async function feed(text: AsyncIterable<string>, parser: ReturnType<typeof parse>): Promise<void> {
  const closed = new Promise<void>((resolve) => parser.once('close', resolve));
  try {
    for await (const part of text) {
      if (parser.destroyed) return;
      if (parser.write(part)) continue;
      await Promise.race([closed, new Promise((resolve) => parser.once('drain', resolve))]);
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

/** The one of comma, tab and semicolon that the header has most of. */
async function delimiterOf(source: CsvSource, encoding: CsvEncoding): Promise<string> {
  let head = '';
  for await (const part of textOf(source, encoding)) {
    head += part;
    if (/[\r\n]/.test(head.trimStart()) || head.length > MAX_ROW) break;
  }
  const line = head.trimStart().split(/[\r\n]/, 1)[0] ?? '';
  const times = (delimiter: string) => line.split(delimiter).length;
  return [',', '\t', ';'].reduce((best, one) => (times(one) > times(best) ? one : best));
}

/** A field as the path to it: `part` alone, or `name` within `part`. */
interface Place {
  field: string;
  part: string;
  name: string | undefined;
}

function placeOf(field: string): Place {
  const [part, name] = field.split('.') as [string, string?];
  return { field, part, name };
}

/** Where the cells of a row go, worked out once a file. */
interface Layout {
  /** Undefined for columns left out. */
  places: readonly (Place | undefined)[];
  /** Values of fields whose cell is empty, or that have no column. */
  constants: readonly (Place & { text: string })[];
  values: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function layoutOf(headers: readonly string[], mapping: CsvMapping): Layout {
  const fields = fieldsOf(headers, mapping);
  return {
    places: fields.map((field) => (field === undefined ? undefined : placeOf(field))),
    constants: Object.entries(mapping.constants ?? {}).map(([field, text]) => ({
      ...placeOf(field),
      text,
    })),
    values: mapping.values ?? {},
  };
}

function rowOf(
  { places, constants, values }: Layout,
  cells: readonly string[],
): Omit<CsvRow, 'line'> {
  const record: Record<string, unknown> = { id: '', recipient: {} };
  let enterprise = '';
  let fault: string | undefined;
  const put = ({ field, part, name }: Place, text: string) => {
    if (field === 'enterprise') {
      enterprise = text;
      return;
    }
    const value = fieldValue(field, name ?? part, text);
    if (value === undefined) fault ??= field;
    if (name === undefined) record[part] = value;
    else {
      record[part] ??= {};
      (record[part] as Record<string, unknown>)[name] = value;
    }
  };
  for (const constant of constants) put(constant, constant.text);
  for (let i = 0; i < cells.length; i++) {
    const place = places[i];
    const text = place === undefined ? '' : cellText(cells[i] as string);
    if (place && text !== '') put(place, values[place.field]?.[text] ?? text);
  }
  fault ??= unencodable(record);
  if (fault !== undefined) return { enterprise, fault };
  return { enterprise, record: record as unknown as ParcelRecord };
}

/** What spreadsheets put around a text to keep it one: `="0123"`, or an apostrophe before what looks like a formula. */
function cellText(cell: string): string {
  const text = cell.trim();
  const formula = /^="(.*)"$/s.exec(text)?.[1];
  if (formula !== undefined) return formula.trim();
  return /^'[=+\-@]/.test(text) ? text.slice(1) : text;
}

/** A cell as a record has it. @param name last part of the field's path @returns undefined when it can't be that */
function fieldValue(field: string, name: string, text: string): unknown {
  switch (name) {
    case 'takenAt':
      return instant(text);
    case 'id':
    case 'replaces':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
        ? text.toLowerCase()
        : undefined;
    case 'division':
      return /^\d{6}$/.test(text) ? text : undefined;
    case 'settledAbroad':
      if (/^(是|true|yes|y|1)$/i.test(text)) return true;
      return /^(否|false|no|n|0)$/i.test(text) ? false : undefined;
    case 'photos': {
      const digests = text.split(/[\s;|]+/);
      return digests.every((digest) => /^[0-9a-f]{64}$/i.test(digest)) ? digests : undefined;
    }
    default:
      return meaningOf(field, text);
  }
}

/** Without these the record could not even be encoded, so that the edge could say what is missing. */
function unencodable(record: Record<string, unknown>): string | undefined {
  if (record.takenAt === undefined) return 'takenAt';
  for (const part of ['sender', 'agreement', 'recipient']) {
    const there = record[part] as { division?: string } | undefined;
    if (there !== undefined && there.division === undefined) return `${part}.division`;
  }
  const named = record.carrier !== undefined && record.waybill !== undefined;
  return record.id !== '' || named ? undefined : 'waybill';
}

const TIME =
  /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** ISO 8601 with a zone, or a date and time as spreadsheets write them, which are China's (UTC+8). */
function instant(text: string): string | undefined {
  const match = TIME.exec(text.replace(/ +/g, ' '));
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second, fraction] = match.slice(1, 8) as string[];
  const two = (part: string | undefined) => (part ?? '0').padStart(2, '0');
  const wall = `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${two(second)}.${(fraction ?? '').padEnd(3, '0')}`;
  const utc = new Date(`${wall}Z`);
  // A day that its month does not have is taken for one of the next month.
  if (Number.isNaN(utc.getTime()) || utc.toISOString() !== `${wall}Z`) return undefined;
  const zone = match[8] ?? '+08:00';
  return new Date(`${wall}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2')}`).toISOString();
}

/**
 * The id of a record that comes without one: a UUIDv7 (RFC 9562 section 5.7) of the time of acceptance, its random bits an
 * HMAC over carrier, waybill and that time. The same file sent again has the same ids, so nothing is stored twice; a row
 * that was changed since meets its first form as a conflict. Without the key an id tells nothing of the waybill.
 * @param key secret of the enterprise
 */
export function csvRecordId(key: Uint8Array, record: ParcelRecord): string {
  const ms = Date.parse(record.takenAt);
  const { carrier, waybill } = record;
  const value = concat(utf8(carrier), Uint8Array.of(0), utf8(waybill), Uint8Array.of(0), u64(ms));
  const bits = new Uint8Array(createHmac('sha256', key).update(value).digest());
  const id = concat(u64(ms).subarray(2), bits.subarray(0, 10));
  id[6] = 0x70 | ((id[6] as number) & 0x0f);
  id[8] = 0x80 | ((id[8] as number) & 0x3f);
  return uuidText(id);
}
