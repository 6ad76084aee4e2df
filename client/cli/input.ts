/** Files of records for `check`, `stream` and `submit`: NDJSON or CSV. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Command, Option } from 'commander';
import { utf8 } from '../../wire/bytes.ts';
import { encodeRecord } from '../../wire/record.ts';
import {
  CSV_ENCODINGS,
  type CsvEncoding,
  CsvError,
  type CsvMapping,
  type CsvRow,
  csvEncoding,
  csvRecordId,
  parseMapping,
  readCsv,
} from '../csv.ts';
import type { Workspace } from '../workspace.ts';
import { bilingual, usageFailure } from './failure.ts';
import { type LineFile, openLines, type RecordLine } from './lines.ts';

export interface InputOptions {
  enterprise?: string;
  format?: 'ndjson' | 'csv';
  map?: string;
  encoding?: CsvEncoding;
}

/** Gives a command the file of records as its argument, with the options that say how to read it. */
export function takesRecords(command: Command): Command {
  return command
    .argument(
      '<file>',
      bilingual([
        '记录文件：NDJSON 每行一条，或带表头的 CSV',
        'records: NDJSON, one a line, or CSV with a header',
      ]),
    )
    .option('--enterprise <slug>', bilingual(['记录所属企业', 'whose records they are']))
    .addOption(
      new Option(
        '--format <format>',
        bilingual(['输入格式（默认：按文件名）', 'format of the file (default: by its name)']),
      ).choices(['ndjson', 'csv']),
    )
    .option(
      '--map <file>',
      bilingual(['CSV 列映射（JSON 文件）', 'CSV: columns to fields, a JSON file']),
    )
    .addOption(
      new Option(
        '--encoding <encoding>',
        bilingual(['CSV 编码（默认：自动识别）', 'CSV: its encoding (default: found out)']),
      ).choices(CSV_ENCODINGS),
    );
}

/**
 * Opens a file of records and checks all of it.
 * @throws CliFailure, CsvError, errors of node:fs
 */
export async function openInput(
  path: string,
  options: InputOptions,
  workspace: Workspace,
): Promise<LineFile> {
  const csv = options.format === 'csv' || (!options.format && /\.csv$/i.test(path));
  if (csv) return openCsv(path, options, workspace);
  if (options.map !== undefined || options.encoding !== undefined) {
    throw usageFailure(
      ['--map 与 --encoding 仅用于 CSV', '--map and --encoding are for CSV alone'],
      ['请加 --format csv', 'add --format csv'],
    );
  }
  return openLines(path, options.enterprise);
}

async function openCsv(
  path: string,
  options: InputOptions,
  workspace: Workspace,
): Promise<LineFile> {
  const mapping = options.map === undefined ? {} : await readMapping(options.map);
  const source = () => createReadStream(path, { highWaterMark: 1 << 20 });
  const encoding = options.encoding ?? (await csvEncoding(source));
  const rows = () => readCsv(source, encoding, mapping);
  const counts = new Map<string, number>();
  let total = 0;
  for await (const row of rows()) {
    const slug = slugOf(row, options.enterprise);
    counts.set(slug, (counts.get(slug) ?? 0) + 1);
    total++;
  }
  const keys = new Map<string, Uint8Array>();
  for (const slug of counts.keys()) keys.set(slug, await idKey(workspace, slug));
  const sizes = [...counts].map(([slug, lines]) => ({ slug, lines }));
  return {
    enterprises: sizes.sort((a, b) => b.lines - a.lines),
    total,
    // Nothing of it is kept, neither in memory nor on disk: each enterprise's rows are read from the file itself.
    async *read(slug) {
      for await (const row of rows()) {
        if (slugOf(row, options.enterprise) === slug) {
          yield recordLine(row, keys.get(slug) as Uint8Array);
        }
      }
    },
    async close() {},
  };
}

function slugOf({ enterprise }: CsvRow, given: string | undefined): string {
  const slug = enterprise || given;
  if (slug) return slug;
  throw usageFailure(
    ['文件没有写明企业', 'the file does not say whose records they are'],
    ['请用 --enterprise 指明企业', 'name the enterprise with --enterprise'],
  );
}

function recordLine({ line, record, fault }: CsvRow, key: Uint8Array): RecordLine {
  if (record === undefined) return { line, alone: false, ...(fault && { field: fault }) };
  const id = record.id || csvRecordId(key, record);
  try {
    return { line, alone: false, cbor: encodeRecord({ ...record, id }) };
  } catch {
    return { line, alone: false };
  }
}

/** Signed by nobody but who holds the key, the same every time (RFC 8032 section 5.1.6), and never sent: a secret. */
async function idKey(workspace: Workspace, slug: string): Promise<Uint8Array> {
  const { signer } = workspace.enterprise(slug).identity;
  return sha256(await signer.sign(utf8('sealpost csv record ids v1')));
}

async function readMapping(path: string): Promise<CsvMapping> {
  const text = await readFile(path, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new CsvError('bad_mapping', { fields: ['map'] });
  }
  return parseMapping(value);
}
