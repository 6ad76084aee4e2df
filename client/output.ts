/**
 * Opened records as text.
 *
 * NDJSON: one object a line: `id`, `enterprise` (its id), `enterpriseName` where known, `city`, `acceptedAt`, `view`,
 * `record` in the words of wire/record.ts, `flags` when there is something to know about its epoch, and `replacedBy` when
 * another record stands in its place.
 *
 * CSV (RFC 4180): one line a record under a header. Columns have the same names, nested ones joined by a point
 * (`sender.docNumber`); what a record does not have is empty; several photo digests or flags are joined by a blank.
 * Text that a spreadsheet would take for a formula gets an apostrophe in front, unless `exact` is asked for.
 */
import { stringify } from 'csv-stringify/browser/esm/sync';
import type { Opened } from './open.ts';

export interface OutputOptions {
  /** Name of an enterprise by its id (UUID text). */
  enterpriseName?: (id: string) => string | undefined;
  /** CSV: write text as it is, even where a spreadsheet would run it as a formula. */
  exact?: boolean;
  /** CSV: begin with a byte order mark, without which some spreadsheets misread Chinese. */
  bom?: boolean;
}

/** One line of NDJSON, with its line feed. */
export function ndjsonLine(opened: Opened, options: OutputOptions = {}): string {
  return `${JSON.stringify({ ...envelope(opened, options), record: opened.record })}\n`;
}

const PERSON = ['docType', 'docNumber', 'nationality', 'name', 'phone'];
const PLACE = ['address', 'division'];

/** Columns of the CSV, in order. */
export const CSV_COLUMNS: readonly string[] = [
  ...['id', 'enterprise', 'enterpriseName', 'city', 'acceptedAt', 'view'],
  ...['carrier', 'waybill', 'takenAt', 'outlet', 'goods'],
  ...[...PERSON, ...PLACE, 'settledAbroad'].map((name) => `sender.${name}`),
  ...['number', 'uscc', 'phone', ...PLACE].map((name) => `agreement.${name}`),
  ...PERSON.map((name) => `guardian.${name}`),
  ...['name', 'phone', ...PLACE].map((name) => `recipient.${name}`),
  ...['photos', 'replaces', 'replacedBy', 'flags'],
];

/** The first line of a CSV. */
export function csvHeader(options: OutputOptions = {}): string {
  return stringify([CSV_COLUMNS as string[]], { bom: options.bom ?? false });
}

/** Lines of CSV. Some hundred records at a time are much faster than one by one. */
export function csvLines(batch: readonly Opened[], options: OutputOptions = {}): string {
  const rows = batch.map((opened) => {
    const cells = flatten({ ...opened.record, ...envelope(opened, options) });
    return CSV_COLUMNS.map((column) => cells.get(column) ?? '');
  });
  return stringify(rows, { escape_formulas: !options.exact });
}

function envelope(opened: Opened, { enterpriseName }: OutputOptions) {
  const { id, enterprise, city, acceptedAt, view, flags, replacedBy } = opened;
  const name = enterpriseName?.(enterprise);
  return {
    ...{ id, enterprise },
    ...(name === undefined ? {} : { enterpriseName: name }),
    ...{ city, acceptedAt, view },
    ...(flags.length === 0 ? {} : { flags }),
    ...(replacedBy === undefined ? {} : { replacedBy }),
  };
}

function flatten(object: object, prefix = '', cells = new Map<string, string>()) {
  for (const [name, value] of Object.entries(object)) {
    if (Array.isArray(value)) cells.set(prefix + name, value.join(' '));
    else if (typeof value === 'object') flatten(value, `${prefix}${name}.`, cells);
    else cells.set(prefix + name, String(value));
  }
  return cells;
}
