/** Keyed indexes: filling their table behind the commits, looking parcels up by them; and erasure, which removes both. */
import { sql } from 'drizzle-orm';
import { INDEX_BYTES, INDEX_PURPOSES } from '../../wire/indexes.ts';
import { FULL_PARCEL_AAD_BYTES } from '../../wire/parcel.ts';
import type { ErasedRecord, Scope } from '../parcels.ts';
import { fromHex, toHex } from './bytes.ts';
import type { Queries } from './query.ts';
import { inScope, PRESENT } from './read.ts';

/** Parcels read in one query: about 3 MB of text. */
const READ_ROWS = 2_000;

/** Records erased in one transaction. */
const ERASE_ROWS = 1_000;

/** Where each keyed index starts in a full parcel, as SQL counts (from 1): they end its additional data. */
const INDEX_PLACES = JSON.stringify(
  INDEX_PURPOSES.map(
    (_, i) => FULL_PARCEL_AAD_BYTES - (INDEX_PURPOSES.length - i) * INDEX_BYTES + 1,
  ),
);

/** The keyed index of parcel `p` at the place `at.value`. */
const INDEX_AT = sql`substr(p.full, at.value, ${sql.raw(String(INDEX_BYTES))})`;

/** Stands where a record has no such value, and finds nothing. */
const NO_INDEX = sql`zeroblob(${sql.raw(String(INDEX_BYTES))})`;

/** The first position that is not in the index table. Positions are given out in the order of commits, so one mark is enough. */
const MARK = sql`coalesce((SELECT position FROM index_mark), 1)`;

interface Behind {
  mark: number;
  /** Position after the last parcel of the store. */
  end: number;
  /** Position after the commits that fit the limit; null when the first does not. */
  fitting: number | null;
  /** Of the first commit behind: the position after it, and when it was. Null when nothing is behind. */
  firstEnd: number | null;
  firstMs: number | null;
}

/** ParcelStore.fillIndexes */
export async function fillIndexes(
  queries: Queries,
  limit: number,
  sinceMs: number,
): Promise<number> {
  const [behind] = await queries.all<Behind>(
    sql`WITH mark AS MATERIALIZED (SELECT ${MARK} AS mark)
      SELECT mark, coalesce((SELECT first + rows FROM commits ORDER BY first DESC LIMIT 1), 1) AS end,
        (SELECT max(first + rows) FROM commits
          WHERE first >= mark AND first < mark + ${limit} AND first + rows <= mark + ${limit}) AS fitting,
        (SELECT first + rows FROM commits WHERE first = mark) AS firstEnd,
        (SELECT committed_ms FROM commits WHERE first = mark) AS firstMs
      FROM mark`,
  );
  if (behind === undefined || behind.firstMs === null) return 0;
  const waiting = behind.end - behind.mark;
  if (waiting < limit && behind.firstMs > sinceMs) return waiting;
  const through = behind.fitting ?? behind.firstEnd ?? behind.end;
  await queries.transaction([
    // ORDER BY the table's key: the tree is then written front to back instead of a page here and a page there.
    sql`INSERT OR IGNORE INTO keyed_index (day, idx, enterprise, id)
      SELECT c.day, ${INDEX_AT} AS idx, w.enterprise, substr(c.receipts, 1 + 32 * (p.position - c.first), 16) AS id
      FROM commits c NOT INDEXED
      CROSS JOIN writers w ON w.number = c.writer
      CROSS JOIN parcels p ON p.position BETWEEN c.first AND c.first + c.rows - 1
      CROSS JOIN json_each(${INDEX_PLACES}) at
      WHERE c.first >= ${MARK} AND c.first < ${through} AND ${INDEX_AT} <> ${NO_INDEX}
      ORDER BY c.day, idx, w.enterprise, id`,
    sql`INSERT INTO index_mark (id, position) VALUES (1, ${through})
      ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
  ]);
  return behind.end - through;
}

/** ParcelStore.find */
export async function find(
  queries: Queries,
  scope: Scope,
  indexes: readonly Uint8Array[],
  fromDay: number,
  toDay: number,
  limit: number,
): Promise<Uint8Array[]> {
  const wanted = JSON.stringify(indexes.map(toHex));
  const ofEnterprise =
    scope.enterprise === undefined
      ? sql`true`
      : sql`k.enterprise = unhex(${toHex(scope.enterprise)})`;
  // One statement, so that a filling between the two halves cannot hide a parcel from both.
  const found = await queries.all<{ position: number }>(
    sql`WITH RECURSIVE wanted AS MATERIALIZED (
        SELECT DISTINCT unhex(value) AS idx FROM json_each(${wanted}) WHERE idx <> ${NO_INDEX}),
      days (day) AS (SELECT min(day) FROM commits WHERE day >= ${fromDay} UNION ALL
        SELECT (SELECT min(day) FROM commits WHERE day > days.day) FROM days WHERE days.day < ${toDay})
      SELECT r.position
      FROM days d CROSS JOIN wanted i
      CROSS JOIN keyed_index k ON k.day = d.day AND k.idx = i.idx
      CROSS JOIN receipts r ON r.city = ${scope.city} AND r.enterprise = k.enterprise AND r.id = k.id
      WHERE d.day <= ${toDay} AND ${ofEnterprise}
      UNION
      SELECT p.position
      FROM commits c NOT INDEXED
      CROSS JOIN writers w ON w.number = c.writer
      CROSS JOIN parcels p ON p.position BETWEEN c.first AND c.first + c.rows - 1
      CROSS JOIN json_each(${INDEX_PLACES}) at
      WHERE c.first >= ${MARK} AND ${inScope(scope)} AND c.day BETWEEN ${fromDay} AND ${toDay}
        AND ${INDEX_AT} IN (SELECT idx FROM wanted)
      LIMIT ${limit}`,
  );
  const parcels: Uint8Array[] = [];
  for (let at = 0; at < found.length; at += READ_ROWS) {
    const positions = found.slice(at, at + READ_ROWS).map(({ position }) => position);
    const rows = await queries.all<{ parcel: string }>(
      sql`SELECT hex(p.full) AS parcel FROM json_each(${JSON.stringify(positions)}) f
        CROSS JOIN parcels p ON p.position = f.value WHERE ${PRESENT}`,
    );
    parcels.push(...rows.map(({ parcel }) => fromHex(parcel)));
  }
  return parcels;
}

/**
 * ParcelStore.erase. Each ERASE_ROWS ids are a transaction; after an error the same call may be made again.
 * Payloads are overwritten with zeros of the same length, which SQLite does in place, and their rows stay: a deleted row would
 * be left in its page as it was, for D1 does not let secure_delete be set, and so would copies of its neighbours, which
 * SQLite moves together. What may stay on a disk all the same: docs/retention.md.
 */
export async function erase(
  queries: Queries,
  scope: Required<Scope>,
  ids: readonly Uint8Array[],
  erasedMs: number,
): Promise<ErasedRecord[]> {
  const erased: ErasedRecord[] = [];
  for (let at = 0; at < ids.length; at += ERASE_ROWS) {
    const some = JSON.stringify(ids.slice(at, at + ERASE_ROWS).map(toHex));
    const enterprise = sql`unhex(${toHex(scope.enterprise)})`;
    const asked = sql`city = ${scope.city} AND enterprise = ${enterprise}
      AND id IN (SELECT unhex(value) FROM json_each(${some}))`;
    const there = sql`${asked} AND erased_ms IS NULL`;
    const payloads = sql`position IN (SELECT position FROM receipts WHERE ${there})`;
    const [receipts] = await queries.transaction<[ReceiptRow, unknown, unknown, unknown]>([
      sql`SELECT hex(id) AS id, erased_ms AS erasedMs FROM receipts WHERE ${asked}`,
      // `+id` is looked at only after the key's first three columns have led to an entry.
      sql`WITH gone AS MATERIALIZED (
          SELECT r.id, p.full,
            (SELECT day FROM commits WHERE first <= r.position ORDER BY first DESC LIMIT 1) AS day
          FROM (SELECT id, position FROM receipts WHERE ${there}) r
          CROSS JOIN parcels p ON p.position = r.position)
        DELETE FROM keyed_index WHERE enterprise = ${enterprise}
          AND day IN (SELECT day FROM gone)
          AND idx IN (SELECT ${INDEX_AT} FROM gone p CROSS JOIN json_each(${INDEX_PLACES}) at)
          AND +id IN (SELECT id FROM gone)`,
      sql`UPDATE parcels SET full = zeroblob(length(full)), masked = zeroblob(length(masked)) WHERE ${payloads}`,
      sql`UPDATE receipts SET erased_ms = ${erasedMs} WHERE ${there}`,
    ]);
    for (const { id, erasedMs: before } of receipts.rows) {
      erased.push({ id: fromHex(id), erasedMs: before ?? erasedMs, now: before === null });
    }
  }
  return erased;
}

interface ReceiptRow {
  id: string;
  /** Null while the payload was there. */
  erasedMs: number | null;
}
