/** Appending: one commit is one D1 batch, which D1 runs as one transaction. */
import { type SQL, sql } from 'drizzle-orm';
import { BATCH_RECEIPT_BYTES, type Batch, parseBatch } from '../../wire/batch.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import { type ChainHead, chainInput } from '../../wire/pull.ts';
import {
  type CommitInput,
  DAY_MS,
  MAX_COMMIT_RECORDS,
  StaleHeadError,
  StoreFullError,
  type WriterKey,
} from '../parcels.ts';
import { fromHex, toHex } from './bytes.ts';
import { D1Error, type Queries } from './query.ts';

/** Rows in one INSERT: as fast as 1,000 and with half the peak memory. */
const STATEMENT_ROWS = 250;

/** Characters of one parameter: D1 refuses texts over 2,000,000 octets. */
const STATEMENT_CHARS = 1_500_000;

/** Another node may store one of the records between our look and our write; then we look again, this often. */
const MAX_ROUNDS = 5;

/** A record of a commit, as hexadecimal text. */
interface Row {
  id: string;
  contentTag: string;
  indexVersion: number;
  warnings: number;
  trialCode: number;
  batch: Batch;
  full: string;
  masked: string;
}

/** The head of a writer, which is registered if it is new. */
export async function openWriter(queries: Queries, key: WriterKey): Promise<ChainHead> {
  const enterprise = sql`unhex(${toHex(key.enterprise)})`;
  const [, selected] = await queries.transaction<[unknown, HeadRow]>([
    sql`INSERT INTO writers (node, city, enterprise, sequence, head)
      VALUES (${key.node}, ${key.city}, ${enterprise}, 0, zeroblob(32)) ON CONFLICT DO NOTHING`,
    sql`SELECT number AS writer, sequence, hex(head) AS head FROM writers
      WHERE city = ${key.city} AND enterprise = ${enterprise} AND node = ${key.node}`,
  ]);
  const { writer, sequence, head } = selected.rows[0] as HeadRow;
  return { writer, sequence, head: fromHex(head) };
}

interface HeadRow {
  writer: number;
  sequence: number;
  head: string;
}

/** ParcelStore.append. @param maxBytes size of the database from which on it counts as full */
export async function append(
  queries: Queries,
  maxBytes: number,
  key: WriterKey,
  head: ChainHead,
  commit: CommitInput,
): Promise<{ head: ChainHead; outcomes: Uint8Array[] }> {
  if (queries.bytes >= maxBytes) throw new StoreFullError();
  const batches = commit.batches.map(parseBatch);
  if (batches.some(({ city, enterprise }) => city !== key.city || !same(enterprise, key))) {
    throw new TypeError('a batch is of another city or enterprise than its writer');
  }
  const all = batches.flatMap((batch, i) => rowsOf(batch, commit.batches[i] as Uint8Array));
  if (all.length > MAX_COMMIT_RECORDS) throw new RangeError('too many records in one commit');
  let outcomes = new Uint8Array(all.length).fill(OUTCOMES.STORED);
  let rows = all;
  for (let round = 1; rows.length > 0; round++) {
    try {
      const next = await insert(queries, key, head, commit, rows);
      return { head: next, outcomes: split(outcomes, batches) };
    } catch (error) {
      if (round === MAX_ROUNDS) throw error;
      await explain(queries, head, error);
      // Whatever failed, if nothing of this commit was there before, it was not a duplicate.
      outcomes = await judge(queries, key, all);
      const left = all.filter((_, i) => outcomes[i] === OUTCOMES.STORED);
      if (left.length === rows.length) throw error;
      rows = left;
    }
  }
  return { head, outcomes: split(outcomes, batches) };
}

/** Throws what is known to be the cause of a failed insert; returns when it may have been a duplicate. */
async function explain(queries: Queries, head: ChainHead, error: unknown): Promise<void> {
  if (!(error instanceof D1Error)) throw error;
  if (error.code === 'SQLITE_FULL') throw new StoreFullError();
  const [current] = await queries.all<HeadRow>(
    sql`SELECT number AS writer, sequence, hex(head) AS head FROM writers WHERE number = ${head.writer}`,
  );
  const unchanged =
    current?.sequence === head.sequence && equalBytes(fromHex(current.head), head.head);
  if (!unchanged) throw new StaleHeadError();
}

/** Inserts rows that are all new as one commit. Fails as a whole if one of them is not. */
async function insert(
  queries: Queries,
  key: WriterKey,
  head: ChainHead,
  commit: CommitInput,
  rows: readonly Row[],
): Promise<ChainHead> {
  const receipts = rows.map(({ id, contentTag }) => id + contentTag).join('');
  const next: ChainHead = {
    writer: head.writer,
    sequence: head.sequence + 1,
    head: await chain(key, head, rows.length, fromHex(receipts)),
  };
  const first = sql`(SELECT first FROM commits WHERE writer = ${next.writer} AND sequence = ${next.sequence})`;
  await queries.transaction([
    ...commit.epochs.map(insertEpoch),
    insertCommit(key, head, next, commit.committedMs, rows, receipts),
    ...chunks(rows, receiptText).map(([at, text]) =>
      insertReceipts(key, sql`${first} + ${at}`, text),
    ),
    ...chunks(rows, parcelText).map(([at, text]) => insertParcels(sql`${first} + ${at}`, text)),
    sql`UPDATE writers SET sequence = ${next.sequence}, head = unhex(${toHex(next.head)})
      WHERE number = ${next.writer}`,
  ]);
  return next;
}

function insertEpoch(header: Uint8Array): SQL {
  const id = toHex(parseEpoch(header).epoch);
  return sql`INSERT INTO epochs (id, header) VALUES (unhex(${id}), unhex(${toHex(header)})) ON CONFLICT DO NOTHING`;
}

/**
 * The commit, only if the writer stands where `head` says and every epoch is there. If not, no row is inserted, the receipts
 * get NULL for a position, which is refused, and so the whole transaction is.
 */
function insertCommit(
  key: WriterKey,
  head: ChainHead,
  next: ChainHead,
  committedMs: number,
  rows: readonly Row[],
  receipts: string,
): SQL {
  const named = epochsOf(rows);
  const flagged = rows.filter(({ trialCode }) => trialCode !== 0).length;
  return sql`INSERT INTO commits
      (first, rows, writer, sequence, day, committed_ms, previous, head, epochs, receipts, flagged)
    SELECT coalesce((SELECT first + rows FROM commits ORDER BY first DESC LIMIT 1), 1), ${rows.length},
      number, ${next.sequence}, ${Math.floor(committedMs / DAY_MS)}, ${committedMs}, head,
      unhex(${toHex(next.head)}), unhex(${named.join('')}), unhex(${receipts}), ${flagged}
    FROM writers
    WHERE number = ${head.writer} AND sequence = ${head.sequence} AND head = unhex(${toHex(head.head)})
      AND node = ${key.node} AND city = ${key.city} AND enterprise = unhex(${toHex(key.enterprise)})
      AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(named)})
        WHERE unhex(value) NOT IN (SELECT id FROM epochs))`;
}

/** Texts made by `receiptText`. */
function insertReceipts(key: WriterKey, position: SQL, texts: string): SQL {
  return sql`INSERT INTO receipts
      (city, enterprise, id, content_tag, index_version, warnings, trial_code, ruleset, position)
    SELECT ${key.city}, unhex(${toHex(key.enterprise)}),
      unhex(substr(value, 1, 32)), unhex(substr(value, 33, 32)), CAST(substr(value, 65, 5) AS INTEGER),
      CAST(substr(value, 70, 10) AS INTEGER), CAST(substr(value, 80, 5) AS INTEGER),
      CAST(substr(value, 85) AS INTEGER), ${position} + key
    FROM json_each(${texts})`;
}

/** id (32 digits) ‖ content tag (32) ‖ index version (5, decimal) ‖ warnings (10) ‖ trial code (5) ‖ rule set */
function receiptText(row: Row): string {
  const version = String(row.indexVersion).padStart(5, '0');
  const warnings = String(row.warnings).padStart(10, '0');
  const trialCode = String(row.trialCode).padStart(5, '0');
  return row.id + row.contentTag + version + warnings + trialCode + row.batch.ruleset;
}

/** Texts made by `parcelText`. */
function insertParcels(position: SQL, texts: string): SQL {
  return sql`INSERT INTO parcels (position, full, masked)
    SELECT ${position} + key, unhex(substr(value, 6, substr(value, 1, 5))),
      unhex(nullif(substr(value, 6 + substr(value, 1, 5)), ''))
    FROM json_each(${texts})`;
}

/** digits of the full parcel (5, decimal) ‖ full parcel ‖ masked parcel */
function parcelText(row: Row): string {
  return String(row.full.length).padStart(5, '0') + row.full + row.masked;
}

/** JSON arrays of texts, each with the place of its first row; bounded in rows and in characters. */
function chunks(rows: readonly Row[], text: (row: Row) => string): [number, string][] {
  const made: [number, string][] = [];
  let [texts, chars]: [string[], number] = [[], 0];
  const flush = (end: number) => {
    if (texts.length > 0) made.push([end - texts.length, `["${texts.join('","')}"]`]);
    [texts, chars] = [[], 0];
  };
  for (const [i, row] of rows.entries()) {
    const one = text(row);
    if (texts.length === STATEMENT_ROWS || chars + one.length > STATEMENT_CHARS) flush(i);
    texts.push(one);
    chars += one.length;
  }
  flush(rows.length);
  return made;
}

/** Outcomes of all records of a commit, given what the store holds. */
async function judge(
  queries: Queries,
  key: WriterKey,
  rows: readonly Row[],
): Promise<Uint8Array<ArrayBuffer>> {
  const stored = await queries.all<Pick<Row, 'id' | 'contentTag' | 'indexVersion'>>(
    sql`SELECT lower(hex(id)) AS id, lower(hex(content_tag)) AS contentTag, index_version AS indexVersion
      FROM receipts
      WHERE city = ${key.city} AND enterprise = unhex(${toHex(key.enterprise)})
        AND id IN (SELECT unhex(value) FROM json_each(${JSON.stringify(rows.map(({ id }) => id))}))`,
  );
  const first = new Map(stored.map((receipt) => [receipt.id, receipt]));
  const outcomes = rows.map((row) => {
    const kept = first.get(row.id);
    if (kept === undefined) {
      first.set(row.id, row);
      return OUTCOMES.STORED;
    }
    const equal = kept.contentTag === row.contentTag && kept.indexVersion === row.indexVersion;
    return equal ? OUTCOMES.DUPLICATE : OUTCOMES.CONFLICT;
  });
  return Uint8Array.from(outcomes);
}

/** The records of a batch. It is converted to text once; what is taken out of that shares it. */
function rowsOf(batch: Batch, bytes: Uint8Array): Row[] {
  const text = toHex(bytes);
  const digits = (view: Uint8Array) => {
    const at = 2 * (view.byteOffset - bytes.byteOffset);
    return text.slice(at, at + 2 * view.length);
  };
  const receipts = digits(batch.receipts);
  return batch.full.map((full, i) => {
    const at = i * BATCH_RECEIPT_BYTES * 2;
    return {
      id: receipts.slice(at, at + 32),
      contentTag: receipts.slice(at + 32, at + 64),
      indexVersion: Number.parseInt(receipts.slice(at + 64, at + 68), 16),
      trialCode: Number.parseInt(receipts.slice(at + 68, at + 72), 16),
      warnings: Number.parseInt(receipts.slice(at + 72, at + 80), 16),
      batch,
      full: digits(full),
      masked: digits(batch.masked[i] as Uint8Array),
    };
  });
}

/** Hexadecimal ids of the epochs that the parcels name, each once. */
function epochsOf(rows: readonly Row[]): string[] {
  const named = new Set<string>();
  for (const batch of new Set(rows.map((row) => row.batch))) {
    named.add(toHex(batch.fullEpoch));
    if (batch.maskedEpoch.some((byte) => byte !== 0)) named.add(toHex(batch.maskedEpoch));
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

function same(enterprise: Uint8Array, key: WriterKey): boolean {
  return equalBytes(enterprise, key.enterprise);
}

/** Outcomes batch by batch. */
function split(outcomes: Uint8Array, batches: readonly Batch[]): Uint8Array[] {
  let at = 0;
  return batches.map(({ count }) => {
    at += count;
    return outcomes.slice(at - count, at);
  });
}
