/** The statements that make commits durable: one transaction, in which each packed batch is one value. */
import { type SQL, sql } from 'drizzle-orm';
import type { BatchHead } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import { type ChainHead, chainInput } from '../../wire/pull.ts';
import { DAY_MS, type WriterKey } from '../parcels.ts';
import { toHex } from './bytes.ts';
import type { Queries } from './query.ts';
import { CONTENT_TAG, detail, ordinals, RECORD_ID } from './records.ts';

/** Batches in one statement: D1 takes 100 parameters. */
const STATEMENT_BATCHES = 16;

/** A packed batch with what stands at its beginning. */
export interface Packed {
  head: BatchHead;
  bytes: Uint8Array;
}

/** What one writer appends to its chain. */
export interface Piece {
  key: WriterKey;
  head: ChainHead;
  /** Epoch headers. */
  epochs: readonly Uint8Array[];
  /** At least one record in all. */
  batches: readonly Packed[];
  committedMs: number;
}

export function countOf(batches: readonly Packed[]): number {
  return batches.reduce((sum, { head: { count } }) => sum + count, 0);
}

/**
 * Inserts pieces of different writers, one commit each, whose records are all new. Fails as a whole if anything is not as a piece
 * says: nothing is stored then.
 * @returns the new heads @throws D1Error
 */
export async function insert(
  queries: Queries,
  pieces: readonly [Piece, ...Piece[]],
): Promise<ChainHead[]> {
  const commits = await Promise.all(pieces.map(commitOf));
  let records = 0;
  const rows = commits.map((commit) => {
    const before = records;
    records += commit.rows;
    return { ...commit, before };
  });
  const first = firstOf(sql`${rows[0]?.writer}`, sql`${rows[0]?.sequence}`);
  const batches = pieces.flatMap((piece, i) => batchRows(piece.batches, commits[i] as CommitRow));
  const statements = [...headersOf(pieces).map(insertEpoch), insertCommits(rows)];
  for (let at = 0; at < batches.length; at += STATEMENT_BATCHES) {
    statements.push(insertBatches(batches.slice(at, at + STATEMENT_BATCHES)));
  }
  const most = Math.max(...batches.map(({ count }) => count));
  statements.push(insertReceipts(first, records, most), updateWriters(first, records));
  await queries.transaction(statements);
  return pieces.map(({ head }, i) => {
    return {
      writer: head.writer,
      sequence: head.sequence + 1,
      head: commits[i]?.next as Uint8Array,
    };
  });
}

/** Position of a commit's first record; NULL when it was not inserted, which the batches' column refuses. */
function firstOf(writer: SQL, sequence: SQL): SQL {
  return sql`(SELECT first FROM commits WHERE writer = ${writer} AND sequence = ${sequence})`;
}

/** A commit as its statement takes it, octets as hexadecimal text. */
interface CommitRow {
  writer: number;
  /** Before and after it. */
  was: number;
  sequence: number;
  previous: string;
  head: string;
  next: Uint8Array;
  node: string;
  city: number;
  enterprise: string;
  day: number;
  ms: number;
  rows: number;
  flagged: number;
  epochs: string[];
  receipts: string;
}

async function commitOf({ key, head, batches, committedMs }: Piece): Promise<CommitRow> {
  const receipts = concat(...batches.map((batch) => batch.head.receipts));
  const rows = countOf(batches);
  const next = await chain(key, head, rows, receipts);
  return {
    ...{ writer: head.writer, was: head.sequence, sequence: head.sequence + 1 },
    ...{ previous: toHex(head.head), head: toHex(next), next },
    ...{ node: key.node, city: key.city, enterprise: toHex(key.enterprise) },
    ...{ day: Math.floor(committedMs / DAY_MS), ms: committedMs, rows },
    flagged: batches.reduce((sum, batch) => sum + batch.head.flagged, 0),
    epochs: epochsOf(batches),
    receipts: toHex(receipts),
  };
}

/**
 * The commits whose writers stand where they should, and whose epochs are all there. Where one is left out, its batches get NULL for
 * their commit, which is refused, and so the whole transaction is.
 */
function insertCommits(rows: readonly (CommitRow & { before: number })[]): SQL {
  const values = rows.map(({ next: _, epochs, ...row }) => {
    return { ...row, epochs: epochs.join(''), named: epochs };
  });
  return sql`INSERT INTO commits
      (first, rows, writer, sequence, day, committed_ms, previous, head, epochs, receipts, flagged)
    SELECT coalesce((SELECT first + rows FROM commits ORDER BY first DESC LIMIT 1), 1) + (c.value ->> 'before'),
      c.value ->> 'rows', w.number, c.value ->> 'sequence', c.value ->> 'day', c.value ->> 'ms', w.head,
      unhex(c.value ->> 'head'), unhex(c.value ->> 'epochs'), unhex(c.value ->> 'receipts'), c.value ->> 'flagged'
    FROM json_each(${JSON.stringify(values)}) c
    CROSS JOIN writers w ON w.number = c.value ->> 'writer'
    WHERE w.sequence = c.value ->> 'was' AND w.head = unhex(c.value ->> 'previous') AND w.node = c.value ->> 'node'
      AND w.city = c.value ->> 'city' AND w.enterprise = unhex(c.value ->> 'enterprise')
      AND NOT EXISTS (SELECT 1 FROM json_each(c.value -> 'named') e
        WHERE NOT EXISTS (SELECT 1 FROM epochs WHERE id = unhex(e.value)))`;
}

interface BatchRow {
  writer: number;
  sequence: number;
  /** Records before it in its commit. */
  before: number;
  count: number;
  ruleset: number;
  bytes: Uint8Array;
}

function batchRows(batches: readonly Packed[], { writer, sequence }: CommitRow): BatchRow[] {
  let before = 0;
  return batches.map(({ head: { count, ruleset }, bytes }) => {
    before += count;
    return { writer, sequence, before: before - count, count, ruleset, bytes };
  });
}

function insertBatches(rows: readonly BatchRow[]): SQL {
  const values = rows.map(
    ({ writer, sequence, before, count, ruleset, bytes }) =>
      sql`(${writer}, ${sequence}, ${before}, ${count}, ${ruleset}, ${toHex(bytes)})`,
  );
  const first = firstOf(sql`v.column1`, sql`v.column2`);
  return sql`INSERT INTO batches (first, commit_first, rows, ruleset, data)
    SELECT ${first} + v.column3, ${first}, v.column4, v.column5, unhex(v.column6)
    FROM (VALUES ${sql.join(values, sql`, `)}) v`;
}

/**
 * The receipts of records, taken from their batches where these now stand.
 * @param first position of the first record @param most records in one batch
 */
function insertReceipts(first: SQL, records: number, most: number): SQL {
  return sql`WITH RECURSIVE ${ordinals(most)}
    INSERT INTO receipts
      (city, enterprise, id, content_tag, index_version, warnings, trial_code, ruleset, position)
    SELECT w.city, w.enterprise, ${RECORD_ID}, ${CONTENT_TAG}, ${detail('indexVersion')},
      ${detail('warnings')}, ${detail('trialCode')}, b.ruleset, b.first + n.i
    FROM batches b
    CROSS JOIN commits c ON c.first = b.commit_first
    CROSS JOIN writers w ON w.number = c.writer
    CROSS JOIN n ON n.i < b.rows
    WHERE b.first >= ${first} AND b.first < ${first} + ${records}`;
}

function updateWriters(first: SQL, records: number): SQL {
  return sql`UPDATE writers SET sequence = c.sequence, head = c.head FROM commits c
    WHERE c.first >= ${first} AND c.first < ${first} + ${records} AND writers.number = c.writer`;
}

function headersOf(pieces: readonly Piece[]): Uint8Array[] {
  const byId = new Map(
    pieces.flatMap(({ epochs }) =>
      epochs.map((header) => [toHex(parseEpoch(header).epoch), header]),
    ),
  );
  return [...byId.values()] as Uint8Array[];
}

function insertEpoch(header: Uint8Array): SQL {
  const id = toHex(parseEpoch(header).epoch);
  return sql`INSERT INTO epochs (id, header) VALUES (unhex(${id}), unhex(${toHex(header)})) ON CONFLICT DO NOTHING`;
}

/** Hexadecimal ids of the epochs that the parcels name, each once. */
function epochsOf(batches: readonly Packed[]): string[] {
  const named = new Set<string>();
  for (const { head } of batches) {
    named.add(toHex(head.fullEpoch));
    if (head.maskedEpoch.some((byte) => byte !== 0)) named.add(toHex(head.maskedEpoch));
  }
  return [...named];
}

/** The chain head after a commit (wire/pull.ts). */
async function chain(
  key: WriterKey,
  head: ChainHead,
  count: number,
  receipts: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const commit = {
    writer: head.writer,
    sequence: head.sequence + 1,
    enterprise: key.enterprise,
    previous: head.head,
  };
  return sha256(chainInput(commit, key.city, count, await sha256(receipts)));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
