/** Keyed indexes: filling their table behind the commits, looking parcels up by them; and erasure, which removes both. */
import { type SQL, sql } from 'drizzle-orm';
import {
  BATCH_DETAIL_BYTES,
  BATCH_DETAILS,
  BATCH_HEAD_BYTES,
  BATCH_RECEIPT_BYTES,
} from '../../wire/batch.ts';
import { INDEX_BYTES, INDEX_PURPOSES } from '../../wire/indexes.ts';
import { FULL_PARCEL_AAD_BYTES } from '../../wire/parcel.ts';
import type { ErasedRecord, Scope } from '../parcels.ts';
import { fromHex, toHex } from './bytes.ts';
import type { Queries } from './query.ts';
import { inScope } from './read.ts';
import { batchOf, detail, fullParcel, ORDINALS, present, RECORD_ID } from './records.ts';

/** Parcels read in one query: about 3 MB of text. */
const READ_ROWS = 2_000;

/** Records erased in one transaction, each with a statement of its own. */
const ERASE_ROWS = 250;

/** Where each keyed index starts in a full parcel, as SQL counts (from 1): they end its additional data. */
const INDEX_PLACES = JSON.stringify(
  INDEX_PURPOSES.map(
    (_, i) => FULL_PARCEL_AAD_BYTES - (INDEX_PURPOSES.length - i) * INDEX_BYTES + 1,
  ),
);

/** The keyed index at the place `at.value` of a record's full parcel. */
function indexAt(ordinal?: Parameters<typeof detail>[1]): SQL {
  const place = detail('fullPlace', ordinal);
  return sql`substr(b.data, ${place} + at.value, ${sql.raw(String(INDEX_BYTES))})`;
}

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
    sql`WITH RECURSIVE ${ORDINALS}
      INSERT OR IGNORE INTO keyed_index (day, idx, enterprise, id)
      SELECT c.day, ${indexAt()} AS idx, w.enterprise, ${RECORD_ID} AS id
      FROM commits c NOT INDEXED
      CROSS JOIN writers w ON w.number = c.writer
      CROSS JOIN batches b ON b.first BETWEEN c.first AND c.first + c.rows - 1
      CROSS JOIN n ON n.i < b.rows
      CROSS JOIN json_each(${INDEX_PLACES}) at
      WHERE c.first >= ${MARK} AND c.first < ${through} AND ${present()} AND ${indexAt()} <> ${NO_INDEX}
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
      ${ORDINALS},
      days (day) AS (SELECT min(day) FROM commits WHERE day >= ${fromDay} UNION ALL
        SELECT (SELECT min(day) FROM commits WHERE day > days.day) FROM days WHERE days.day < ${toDay})
      SELECT r.position
      FROM days d CROSS JOIN wanted i
      CROSS JOIN keyed_index k ON k.day = d.day AND k.idx = i.idx
      CROSS JOIN receipts r ON r.city = ${scope.city} AND r.enterprise = k.enterprise AND r.id = k.id
      WHERE d.day <= ${toDay} AND ${ofEnterprise}
      UNION
      SELECT b.first + n.i
      FROM commits c NOT INDEXED
      CROSS JOIN writers w ON w.number = c.writer
      CROSS JOIN batches b ON b.first BETWEEN c.first AND c.first + c.rows - 1
      CROSS JOIN n ON n.i < b.rows
      CROSS JOIN json_each(${INDEX_PLACES}) at
      WHERE c.first >= ${MARK} AND ${inScope(scope)} AND c.day BETWEEN ${fromDay} AND ${toDay}
        AND ${indexAt()} IN (SELECT idx FROM wanted)
      LIMIT ${limit}`,
  );
  const parcels: Uint8Array[] = [];
  for (let at = 0; at < found.length; at += READ_ROWS) {
    const positions = found.slice(at, at + READ_ROWS).map(({ position }) => position);
    const rows = await queries.all<{ parcel: string }>(
      sql`SELECT hex(${fullParcel('f.value - b.first')}) AS parcel
        FROM json_each(${JSON.stringify(positions)}) f
        CROSS JOIN batches b ON b.first = ${batchOf(sql`f.value`)}
        WHERE ${present('f.value - b.first')}`,
    );
    parcels.push(...rows.map(({ parcel }) => fromHex(parcel)));
  }
  return parcels;
}

/**
 * ParcelStore.erase. Each ERASE_ROWS ids are a transaction; after an error the same call may be made again.
 * Parcels are overwritten with zeros, which SQLite does in place, and their batch stays: a deleted row would be left in its
 * pages as it was, for D1 does not let secure_delete be set. What may stay on a disk all the same: docs/retention.md.
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
    const asked = sql`r.city = ${scope.city} AND r.enterprise = ${enterprise}
      AND r.id IN (SELECT unhex(value) FROM json_each(${some}))`;
    const places = await queries.all<Place>(
      sql`SELECT b.first, b.rows, r.position - b.first AS ordinal,
          ${detail('fullPlace', 'r.position - b.first')} AS fullPlace,
          ${detail('fullLength', 'r.position - b.first')} AS fullLength,
          ${detail('maskedPlace', 'r.position - b.first')} AS maskedPlace,
          ${detail('maskedLength', 'r.position - b.first')} AS maskedLength
        FROM receipts r CROSS JOIN batches b ON b.first = ${batchOf(sql`r.position`)}
        WHERE ${asked} AND ${present('r.position - b.first')}`,
    );
    const [receipts] = await queries.transaction<[ReceiptRow, ...unknown[]]>([
      sql`SELECT hex(id) AS id, erased_ms AS erasedMs FROM receipts r WHERE ${asked}`,
      // `+id` is looked at only after the key's first three columns have led to an entry.
      sql`WITH gone AS MATERIALIZED (
          SELECT r.id, ${indexAt('r.position - b.first')} AS idx,
            (SELECT day FROM commits WHERE first <= r.position ORDER BY first DESC LIMIT 1) AS day
          FROM receipts r CROSS JOIN batches b ON b.first = ${batchOf(sql`r.position`)}
          CROSS JOIN json_each(${INDEX_PLACES}) at
          WHERE ${asked} AND ${present('r.position - b.first')})
        DELETE FROM keyed_index WHERE enterprise = ${enterprise}
          AND day IN (SELECT day FROM gone) AND idx IN (SELECT idx FROM gone)
          AND +id IN (SELECT id FROM gone)`,
      ...places.map(overwrite),
      sql`UPDATE receipts AS r SET erased_ms = ${erasedMs} WHERE ${asked} AND erased_ms IS NULL`,
    ]);
    for (const { id, erasedMs: before } of receipts.rows) {
      erased.push({ id: fromHex(id), erasedMs: before ?? erasedMs, now: before === null });
    }
  }
  return erased;
}

/** Where a record stands in its batch. */
interface Place {
  first: number;
  rows: number;
  ordinal: number;
  fullPlace: number;
  fullLength: number;
  maskedPlace: number;
  maskedLength: number;
}

/** Makes both parcels of a record zeros, and the digits of their lengths. */
function overwrite(place: Place): SQL {
  const details =
    BATCH_HEAD_BYTES + BATCH_RECEIPT_BYTES * place.rows + BATCH_DETAIL_BYTES * place.ordinal;
  const { fullLength, maskedLength } = BATCH_DETAILS;
  let [data, end] = ['', 0];
  const put = (at: number, value: string, length: number) => {
    data += `substr(data, ${end + 1}, ${at - end}) || ${value} || `;
    end = at + length;
  };
  put(details + fullLength.at, "'0000'", fullLength.digits);
  put(details + maskedLength.at, "'0000'", maskedLength.digits);
  put(place.fullPlace, `zeroblob(${place.fullLength})`, place.fullLength);
  put(place.maskedPlace, `zeroblob(${place.maskedLength})`, place.maskedLength);
  // Joining makes text of octets; the column takes a BLOB alone.
  data = `CAST(${data} substr(data, ${end + 1}) AS BLOB)`;
  return sql`UPDATE batches SET data = ${sql.raw(data)} WHERE first = ${place.first}`;
}

interface ReceiptRow {
  id: string;
  /** Null while the payload was there. */
  erasedMs: number | null;
}
