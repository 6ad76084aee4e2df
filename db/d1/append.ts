/** Appending: one commit is one D1 batch, which D1 runs as one transaction. Each packed batch is one value in it. */
import { type SQL, sql } from 'drizzle-orm';
import { type BatchHead, packBatch, parseBatch, parseBatchHead } from '../../wire/batch.ts';
import { concat, equalBytes } from '../../wire/bytes.ts';
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
import { CONTENT_TAG, detail, ORDINALS, RECORD_ID } from './records.ts';

/** Another node may store one of the records between our look and our write; then we look again, this often. */
const MAX_ROUNDS = 5;

/** A packed batch with what stands at its beginning. */
interface Packed {
  head: BatchHead;
  bytes: Uint8Array;
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
  const all = commit.batches.map((bytes): Packed => ({ head: parseBatchHead(bytes), bytes }));
  if (all.some(({ head: { city, enterprise } }) => city !== key.city || !same(enterprise, key))) {
    throw new TypeError('a batch is of another city or enterprise than its writer');
  }
  if (countOf(all) > MAX_COMMIT_RECORDS) throw new RangeError('too many records in one commit');
  let outcomes = all.map(({ head: { count } }) => new Uint8Array(count).fill(OUTCOMES.STORED));
  let batches = all.filter(({ head: { count } }) => count > 0);
  for (let round = 1; batches.length > 0; round++) {
    try {
      const next = await insert(queries, key, head, commit, batches);
      return { head: next, outcomes };
    } catch (error) {
      if (round === MAX_ROUNDS) throw error;
      await explain(queries, head, error);
      // Whatever failed, if nothing of this commit was there before, it was not a duplicate.
      outcomes = await judge(queries, key, all);
      const left = all.flatMap((batch, i) => pick(batch, outcomes[i] as Uint8Array));
      if (countOf(left) === countOf(batches)) throw error;
      batches = left;
    }
  }
  return { head, outcomes };
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

/** Inserts batches whose records are all new as one commit. Fails as a whole if one of them is not. */
async function insert(
  queries: Queries,
  key: WriterKey,
  head: ChainHead,
  commit: CommitInput,
  batches: readonly Packed[],
): Promise<ChainHead> {
  const receipts = concat(...batches.map((batch) => batch.head.receipts));
  const next: ChainHead = {
    writer: head.writer,
    sequence: head.sequence + 1,
    head: await chain(key, head, countOf(batches), receipts),
  };
  const first = sql`(SELECT first FROM commits WHERE writer = ${next.writer} AND sequence = ${next.sequence})`;
  let rows = 0;
  await queries.transaction([
    ...commit.epochs.map(insertEpoch),
    insertCommit(key, head, next, commit.committedMs, batches, receipts),
    ...batches.map((batch) => {
      const place = rows;
      rows += batch.head.count;
      return insertBatch(batch, first, place);
    }),
    insertReceipts(key, first, countOf(batches)),
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
 * The commit, only if the writer stands where `head` says and every epoch is there. If not, no row is inserted, the batches
 * get NULL for their commit, which is refused, and so the whole transaction is.
 */
function insertCommit(
  key: WriterKey,
  head: ChainHead,
  next: ChainHead,
  committedMs: number,
  batches: readonly Packed[],
  receipts: Uint8Array,
): SQL {
  const named = epochsOf(batches);
  const flagged = batches.reduce((sum, batch) => sum + batch.head.flagged, 0);
  return sql`INSERT INTO commits
      (first, rows, writer, sequence, day, committed_ms, previous, head, epochs, receipts, flagged)
    SELECT coalesce((SELECT first + rows FROM commits ORDER BY first DESC LIMIT 1), 1), ${countOf(batches)},
      number, ${next.sequence}, ${Math.floor(committedMs / DAY_MS)}, ${committedMs}, head,
      unhex(${toHex(next.head)}), unhex(${named.join('')}), unhex(${toHex(receipts)}), ${flagged}
    FROM writers
    WHERE number = ${head.writer} AND sequence = ${head.sequence} AND head = unhex(${toHex(head.head)})
      AND node = ${key.node} AND city = ${key.city} AND enterprise = unhex(${toHex(key.enterprise)})
      AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(named)})
        WHERE unhex(value) NOT IN (SELECT id FROM epochs))`;
}

/** @param first of the commit @param place of the batch's first record in the commit */
function insertBatch({ head, bytes }: Packed, first: SQL, place: number): SQL {
  return sql`INSERT INTO batches (first, commit_first, rows, ruleset, data)
    VALUES (${first} + ${place}, ${first}, ${head.count}, ${head.ruleset}, unhex(${toHex(bytes)}))`;
}

/** The receipts of the commit's records, taken from its batches where they now stand. */
function insertReceipts(key: WriterKey, first: SQL, rows: number): SQL {
  return sql`WITH RECURSIVE ${ORDINALS}
    INSERT INTO receipts
      (city, enterprise, id, content_tag, index_version, warnings, trial_code, ruleset, position)
    SELECT ${key.city}, unhex(${toHex(key.enterprise)}), ${RECORD_ID}, ${CONTENT_TAG}, ${detail('indexVersion')},
      ${detail('warnings')}, ${detail('trialCode')}, b.ruleset, b.first + n.i
    FROM batches b CROSS JOIN n ON n.i < b.rows
    WHERE b.first >= ${first} AND b.first < ${first} + ${rows}`;
}

/** Outcomes of all records of a commit, batch by batch, given what the store holds. */
async function judge(
  queries: Queries,
  key: WriterKey,
  batches: readonly Packed[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const records = batches.map(({ bytes }) =>
    parseBatch(bytes).records.map(({ id, contentTag, indexVersion }): Receipt => {
      return { id: toHex(id), contentTag: toHex(contentTag), indexVersion };
    }),
  );
  const ids = JSON.stringify(records.flat().map(({ id }) => id));
  const stored = await queries.all<Receipt>(
    sql`SELECT lower(hex(id)) AS id, lower(hex(content_tag)) AS contentTag, index_version AS indexVersion
      FROM receipts
      WHERE city = ${key.city} AND enterprise = unhex(${toHex(key.enterprise)})
        AND id IN (SELECT unhex(value) FROM json_each(${ids}))`,
  );
  const first = new Map(stored.map((receipt) => [receipt.id, receipt]));
  const outcomeOf = (record: Receipt) => {
    const kept = first.get(record.id);
    if (kept === undefined) {
      first.set(record.id, record);
      return OUTCOMES.STORED;
    }
    const equal =
      kept.contentTag === record.contentTag && kept.indexVersion === record.indexVersion;
    return equal ? OUTCOMES.DUPLICATE : OUTCOMES.CONFLICT;
  };
  return records.map((each) => Uint8Array.from(each, outcomeOf));
}

/** In hexadecimal. */
interface Receipt {
  id: string;
  contentTag: string;
  indexVersion: number;
}

/** The batch with the records that are to be stored; none when there are none. */
function pick({ bytes }: Packed, outcomes: Uint8Array): Packed[] {
  const { records, ...head } = parseBatch(bytes);
  const left = records.filter((_, i) => outcomes[i] === OUTCOMES.STORED);
  if (left.length === 0) return [];
  const packed = packBatch(head, left);
  return [{ head: parseBatchHead(packed), bytes: packed }];
}

function countOf(batches: readonly Packed[]): number {
  return batches.reduce((sum, { head: { count } }) => sum + count, 0);
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

function same(enterprise: Uint8Array, key: WriterKey): boolean {
  return equalBytes(enterprise, key.enterprise);
}
