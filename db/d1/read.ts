/** Reading for pulls: heads, pages of commits, epochs, counts. */
import { type SQL, sql } from 'drizzle-orm';
import { BATCH_DETAIL_BYTES, parseDetails } from '../../wire/batch.ts';
import { pieces, utf8 } from '../../wire/bytes.ts';
import type { Epoch } from '../../wire/epoch.ts';
import type { ChainHead, Cursor } from '../../wire/pull.ts';
import type { Count, Scope, StoredCommit } from '../parcels.ts';
import { type Span, slices, spans } from '../spans.ts';
import { fromHex, toHex } from './bytes.ts';
import type { Queries } from './query.ts';
import { DETAILS, FULL_PARCELS, MASKED_PARCELS } from './records.ts';

/** Records read ahead: about 0.4 MB of text for each answer under way. A single commit over it is still read whole. */
const SLICE_ROWS = 250;

/** Commits looked up at once, so that many small ones cost few queries. */
const SPAN_COMMITS = 1_000;

/** Condition on a row of `writers`, here called `w`. */
export function inScope(scope: Scope): SQL {
  const { city, enterprise } = scope;
  if (enterprise === undefined) return sql`w.city = ${city}`;
  return sql`w.city = ${city} AND w.enterprise = unhex(${toHex(enterprise)})`;
}

export async function heads(queries: Queries, scope: Scope): Promise<ChainHead[]> {
  const rows = await queries.all<{ writer: number; sequence: number; head: string }>(
    sql`SELECT number AS writer, sequence, hex(head) AS head FROM writers w
      WHERE ${inScope(scope)} ORDER BY number`,
  );
  return rows.map(({ writer, sequence, head }) => ({ writer, sequence, head: fromHex(head) }));
}

/** What `page` knows of a commit before it reads its parcels. */
interface CommitRow {
  first: number;
  rows: number;
  writer: number;
  sequence: number;
  committedMs: number;
  enterprise: string;
  previous: string;
  epochs: string;
}

/** ParcelStore.page */
export async function* page(
  queries: Queries,
  scope: Scope,
  view: 'full' | 'masked',
  cursor: Cursor,
  until: readonly ChainHead[],
): AsyncGenerator<StoredCommit> {
  for (const some of spans(cursor, until, SPAN_COMMITS)) {
    const commits = await commitsOf(queries, scope, some);
    for (const slice of slices(commits, SLICE_ROWS)) yield* await readSlice(queries, view, slice);
  }
}

function commitsOf(queries: Queries, scope: Scope, some: readonly Span[]): Promise<CommitRow[]> {
  const ranges = JSON.stringify(some.map(({ writer, from, to }) => [writer, from, to]));
  return queries.all<CommitRow>(
    sql`SELECT c.first, c.rows, c.writer, c.sequence, c.committed_ms AS committedMs,
        hex(w.enterprise) AS enterprise, hex(c.previous) AS previous, hex(c.epochs) AS epochs
      FROM json_each(${ranges}) r
      CROSS JOIN writers w ON w.number = r.value ->> 0
      CROSS JOIN commits c ON c.writer = w.number AND c.sequence BETWEEN r.value ->> 1 AND r.value ->> 2
      WHERE ${inScope(scope)} ORDER BY c.writer, c.sequence`,
  );
}

interface ReceiptsRow {
  first: number;
  receipts: string;
}

/** One view of a batch: all its parcels stand one behind the other. */
interface BatchRow {
  first: number;
  details: string;
  parcels: string;
}

async function readSlice(
  queries: Queries,
  view: 'full' | 'masked',
  slice: readonly CommitRow[],
): Promise<StoredCommit[]> {
  const firsts = JSON.stringify(slice.map(({ first }) => first));
  const parcels = view === 'full' ? FULL_PARCELS : MASKED_PARCELS;
  const [receipts, batches] = await queries.transaction<[ReceiptsRow, BatchRow]>([
    sql`SELECT c.first, hex(c.receipts) AS receipts
      FROM json_each(${firsts}) f CROSS JOIN commits c ON c.first = f.value`,
    sql`SELECT b.first, ${DETAILS} AS details, hex(${parcels}) AS parcels
      FROM json_each(${firsts}) f CROSS JOIN commits c ON c.first = f.value
      CROSS JOIN batches b ON b.first BETWEEN c.first AND c.first + c.rows - 1`,
  ]);
  const receiptsAt = new Map(receipts.rows.map((row) => [row.first, fromHex(row.receipts)]));
  const parcelAt = new Map(batches.rows.flatMap((row) => parcelsOf(row, view)));
  const commits = slice.map((commit) =>
    storedCommit(commit, receiptsAt.get(commit.first), parcelAt),
  );
  await checkErased(queries, commits);
  return commits;
}

/** Position and parcel of each record of a batch that is not erased. */
function parcelsOf(row: BatchRow, view: 'full' | 'masked'): [number, Uint8Array][] {
  const parcels = fromHex(row.parcels);
  const details = pieces(utf8(row.details), BATCH_DETAIL_BYTES).map((digits) => {
    const { fullPlace, fullLength, maskedPlace, maskedLength } = parseDetails(digits);
    const [place, length] = view === 'full' ? [fullPlace, fullLength] : [maskedPlace, maskedLength];
    return { place, length, erased: fullLength === 0 };
  });
  const before = details[0]?.place ?? 0;
  return details.flatMap(({ place, length, erased }, i): [number, Uint8Array][] =>
    erased ? [] : [[row.first + i, parcels.subarray(place - before, place - before + length)]],
  );
}

/** A parcel may be missing only where its receipt says that it was erased: a hole in the store is not an erasure. */
async function checkErased(queries: Queries, commits: readonly StoredCommit[]): Promise<void> {
  for (const { writer, receipts } of commits) {
    const missing = receipts.filter(({ erased }) => erased).map(({ id }) => toHex(id));
    if (missing.length === 0) continue;
    const [row] = await queries.all<{ erased: number }>(
      sql`SELECT count(*) AS erased FROM writers w
        CROSS JOIN json_each(${JSON.stringify(missing)}) m
        CROSS JOIN receipts r ON r.city = w.city AND r.enterprise = w.enterprise AND r.id = unhex(m.value)
        WHERE w.number = ${writer} AND r.erased_ms IS NOT NULL`,
    );
    if (row?.erased !== missing.length) throw new Error('a parcel is gone');
  }
}

const NOTHING = new Uint8Array(0);

function storedCommit(
  commit: CommitRow,
  receipts: Uint8Array | undefined,
  parcelAt: ReadonlyMap<number, Uint8Array>,
): StoredCommit {
  if (receipts === undefined) throw new Error('a commit is gone');
  return {
    ...{ writer: commit.writer, sequence: commit.sequence, committedMs: commit.committedMs },
    enterprise: fromHex(commit.enterprise),
    previous: fromHex(commit.previous),
    epochs: pieces(fromHex(commit.epochs), 16),
    receipts: pieces(receipts, 32).map((receipt, i) => {
      const parcel = parcelAt.get(commit.first + i);
      return {
        id: receipt.subarray(0, 16),
        contentTag: receipt.subarray(16),
        erased: parcel === undefined,
        parcel: parcel ?? NOTHING,
      };
    }),
  };
}

/** ParcelStore.epochs */
export async function epochs(
  queries: Queries,
  ids: readonly Epoch['epoch'][],
): Promise<Uint8Array[]> {
  const wanted = ids.map(toHex);
  const rows = await queries.all<{ id: string; header: string }>(
    sql`SELECT lower(hex(id)) AS id, hex(header) AS header FROM epochs
      WHERE id IN (SELECT unhex(value) FROM json_each(${JSON.stringify(wanted)}))`,
  );
  const headers = new Map(rows.map(({ id, header }) => [id, fromHex(header)]));
  return wanted.map((id) => {
    const header = headers.get(id);
    if (header === undefined) throw new Error('an epoch is not stored');
    return header;
  });
}

/** ParcelStore.counts */
export async function counts(
  queries: Queries,
  scope: Scope,
  fromDay: number,
  toDay: number,
): Promise<Count[]> {
  // CROSS JOIN fixes the order: first the days, from their index alone, then the few writers.
  const rows = await queries.all<{
    day: number;
    enterprise: string;
    records: number;
    flagged: number;
  }>(
    sql`SELECT c.day, hex(w.enterprise) AS enterprise, sum(c.rows) AS records, sum(c.flagged) AS flagged
      FROM commits c CROSS JOIN writers w ON w.number = c.writer
      WHERE c.day BETWEEN ${fromDay} AND ${toDay} AND ${inScope(scope)}
      GROUP BY c.day, w.enterprise ORDER BY c.day, w.enterprise`,
  );
  return rows.map(({ day, enterprise, records, flagged }) => ({
    ...{ day, records, flagged },
    enterprise: fromHex(enterprise),
  }));
}
