/** Ids of a day, read from the receipts that commits keep: the rows of `receipts` are spread over the ids of eight days. */
import { type SQL, sql } from 'drizzle-orm';
import { ID_BYTES, IDS_FRAME_BYTES, sortIds } from '../../wire/reconcile.ts';
import type { Scope } from '../parcels.ts';
import { fromHex } from './bytes.ts';
import type { Queries } from './query.ts';
import { inScope } from './read.ts';

/** Records read with one query, about 4 MB of text. */
const SPAN_ROWS = 65_536;

/** Records whose receipts are joined to one text: far below the 2 MB that D1 allows, also with one whole commit more. */
const TEXT_ROWS = 8_192;

/** Octets of a receipt in `commits.receipts`: id and content tag. */
const RECEIPT_BYTES = 32;

/** Commits of one writer with some SPAN_ROWS records in all. */
interface Span {
  writer: number;
  from: number;
  to: number;
  records: number;
}

/** ParcelStore.ids. Holds the ids of the day in memory: D1 is for pilots, whose whole store has some ten million. */
export async function* ids(
  queries: Queries,
  scope: Required<Scope>,
  day: number,
): AsyncGenerator<Uint8Array> {
  const spans = await spansOf(queries, scope, day);
  const all = new Uint8Array(spans.reduce((sum, { records }) => sum + records, 0) * ID_BYTES);
  let at = 0;
  for (const span of spans) {
    for (const receipts of await receiptsOf(queries, span, day)) {
      const bytes = fromHex(receipts);
      for (let from = 0; from < bytes.length; from += RECEIPT_BYTES, at += ID_BYTES) {
        all.set(bytes.subarray(from, from + ID_BYTES), at);
      }
    }
  }
  if (at !== all.length) throw new Error('a commit is gone');
  const sorted = sortIds(all);
  for (let from = 0; from < sorted.length; from += IDS_FRAME_BYTES) {
    yield sorted.subarray(from, from + IDS_FRAME_BYTES);
  }
}

/** The day's commits, cut where the running sum of their records passes a multiple of SPAN_ROWS. */
function spansOf(queries: Queries, scope: Required<Scope>, day: number): Promise<Span[]> {
  return queries.all<Span>(
    sql`SELECT writer, min(sequence) AS "from", max(sequence) AS "to", sum(rows) AS records FROM (
        SELECT c.writer, c.sequence, c.rows,
          sum(c.rows) OVER (PARTITION BY c.writer ORDER BY c.sequence) / ${whole(SPAN_ROWS)} AS span
        FROM writers w
        CROSS JOIN commits c INDEXED BY commits_day ON c.day = ${day} AND c.writer = w.number
        WHERE ${inScope(scope)})
      GROUP BY writer, span`,
  );
}

async function receiptsOf(queries: Queries, { writer, from, to }: Span, day: number) {
  // A clock that stepped back may have put a commit of another day among them.
  const rows = await queries.all<{ receipts: string }>(
    sql`SELECT group_concat(hex(receipts), '') AS receipts FROM (
        SELECT receipts, sum(rows) OVER (ORDER BY sequence) / ${whole(TEXT_ROWS)} AS text
        FROM commits INDEXED BY commits_sequence
        WHERE writer = ${writer} AND sequence BETWEEN ${from} AND ${to} AND day = ${day})
      GROUP BY text`,
  );
  return rows.map(({ receipts }) => receipts);
}

/** D1 binds every number as a real one, by which a division would leave fractions. */
function whole(value: number): SQL {
  return sql`CAST(${value} AS INTEGER)`;
}
