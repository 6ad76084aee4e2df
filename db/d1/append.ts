/** Appending: what is tried, and what is made of a failure. The statements are in insert.ts. */
import { sql } from 'drizzle-orm';
import { packBatch, parseBatch, parseBatchHead } from '../../wire/batch.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import type { ChainHead } from '../../wire/pull.ts';
import { batchHeads } from '../checks.ts';
import {
  type Append,
  type Appended,
  type CommitInput,
  StaleHeadError,
  StoreFullError,
  type WriterKey,
} from '../parcels.ts';
import { fromHex, toHex } from './bytes.ts';
import { countOf, insert, type Packed, type Piece } from './insert.ts';
import { D1Error, type Queries } from './query.ts';

/** Another node may store one of the records between our look and our write; then we look again, this often. */
const MAX_ROUNDS = 5;

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
  { key, head, commit }: Append,
): Promise<Appended> {
  if (queries.bytes >= maxBytes) throw new StoreFullError();
  const all = checked(key, commit);
  let outcomes = all.map(({ head: { count } }) => new Uint8Array(count).fill(OUTCOMES.STORED));
  let batches = all.filter(({ head: { count } }) => count > 0);
  for (let round = 1; batches.length > 0; round++) {
    try {
      const { epochs, committedMs } = commit;
      const [next = head] = await insert(queries, [{ key, head, epochs, batches, committedMs }]);
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

/** ParcelStore.appendAll: in one transaction if all is new, as it nearly always is; otherwise one after the other. */
export async function appendAll(
  queries: Queries,
  maxBytes: number,
  appends: readonly Append[],
): Promise<PromiseSettledResult<Appended>[]> {
  const together = appends.length > 1 && queries.bytes < maxBytes;
  const done = together ? await insertAll(queries, appends).catch(() => undefined) : undefined;
  if (done !== undefined) return done.map((value) => ({ status: 'fulfilled', value }));
  const settled: PromiseSettledResult<Appended>[] = [];
  for (const each of appends) {
    settled.push(...(await Promise.allSettled([append(queries, maxBytes, each)])));
  }
  return settled;
}

/** @throws whatever is wrong with one of them; nothing is stored then */
async function insertAll(queries: Queries, appends: readonly Append[]): Promise<Appended[]> {
  const pieces = appends.map(({ key, head, commit }): Piece => {
    return { ...commit, key, head, batches: checked(key, commit) };
  });
  if (pieces.some(({ batches }) => batches.some(({ head: { count } }) => count === 0))) {
    throw new RangeError('a batch without a record');
  }
  const heads = await insert(queries, pieces as [Piece, ...Piece[]]);
  return pieces.map(({ batches }, i) => ({
    head: heads[i] as ChainHead,
    outcomes: batches.map(({ head: { count } }) => new Uint8Array(count).fill(OUTCOMES.STORED)),
  }));
}

/** @throws TypeError, RangeError, FormatError as ParcelStore.append says */
function checked(key: WriterKey, { batches }: Pick<CommitInput, 'batches'>): Packed[] {
  return batchHeads(key, batches).map((head, i) => ({ head, bytes: batches[i] as Uint8Array }));
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
