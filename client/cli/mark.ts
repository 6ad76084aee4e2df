/**
 * A second reading of a file of opened records: a correction may come after what it replaces, so only when all is written is it
 * known which records another one stands for.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import type { Corrections } from '../corrections.ts';
import { CSV_COLUMNS, csvHeader } from '../output.ts';

export interface MarkOptions {
  format: 'ndjson' | 'csv';
  corrections: Corrections;
  /** Leave replaced records out instead of marking them. */
  current: boolean;
  /** Told of each record that is marked or left out. */
  onReplaced(): void;
}

/** The text of a file as `pull` writes it, with `replacedBy` in the records that are replaced, or without these. */
export function marked(path: string, options: MarkOptions): AsyncGenerator<string> {
  return options.format === 'csv' ? markedCsv(path, options) : markedNdjson(path, options);
}

/** How every line begins (output.ts): most need not be taken apart. */
const LINE_HEAD = /^\{"id":"([^"]{36})","enterprise":"([^"]{36})"/;

async function* markedNdjson(path: string, options: MarkOptions): AsyncGenerator<string> {
  const { corrections, current, onReplaced } = options;
  const input = createReadStream(path, { encoding: 'utf8' });
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const [, id, enterprise] = LINE_HEAD.exec(line) ?? [];
    const replacedBy = id && enterprise && corrections.replacedBy(enterprise, id);
    if (!replacedBy) {
      yield `${line}\n`;
      continue;
    }
    onReplaced();
    if (current) continue;
    const { record, ...envelope } = JSON.parse(line) as Record<string, unknown>;
    yield `${JSON.stringify({ ...envelope, replacedBy, record })}\n`;
  }
}

const [ID, ENTERPRISE, REPLACED_BY] = ['id', 'enterprise', 'replacedBy'].map((name) =>
  CSV_COLUMNS.indexOf(name),
) as [number, number, number];

async function* markedCsv(path: string, options: MarkOptions): AsyncGenerator<string> {
  const { corrections, current, onReplaced } = options;
  const rows = createReadStream(path).pipe(parse({ bom: true, from: 2 }));
  yield csvHeader({ bom: true });
  for await (const row of rows as AsyncIterable<string[]>) {
    const replacedBy = corrections.replacedBy(row[ENTERPRISE] as string, row[ID] as string);
    if (replacedBy) {
      onReplaced();
      if (current) continue;
      row[REPLACED_BY] = replacedBy;
    }
    // Formulas were made harmless when it was written.
    yield stringify([row]);
  }
}
