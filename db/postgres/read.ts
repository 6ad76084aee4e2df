/** Reading for pulls: heads, pages of commits, epochs, counts. */
import { concat, pieces } from '../../wire/bytes.ts';
import type { Epoch } from '../../wire/epoch.ts';
import type { ChainHead, Cursor } from '../../wire/pull.ts';
import type { Count, Scope, StoredCommit } from '../parcels.ts';
import { type Span, slices, spans } from '../spans.ts';
import { list, plain } from './bytes.ts';
import { guarded, type Sql } from './query.ts';

/** Records read ahead: about 0.7 MB of text for each answer under way. A single commit over it is still read whole. */
const SLICE_ROWS = 512;

/** Commits looked up at once. */
const SPAN_COMMITS = 1_000;

/** Condition on a row of `writers`, here called `w`. */
function inScope(sql: Sql, { city, enterprise }: Scope) {
  if (enterprise === undefined) return sql`w.city = ${city}`;
  return sql`w.city = ${city} AND w.enterprise = ${enterprise}`;
}

/** ParcelStore.heads */
export async function heads(sql: Sql, scope: Scope): Promise<ChainHead[]> {
  const rows = await guarded(
    () => sql<{ writer: number; sequence: string; head: Uint8Array }[]>`
      SELECT number AS writer, sequence, head FROM sealpost.writers w
      WHERE ${inScope(sql, scope)} ORDER BY number`,
  );
  return rows.map(({ writer, sequence, head }) => ({
    ...{ writer, sequence: Number(sequence), head: plain(head) },
  }));
}

/** What `page` knows of a commit before it reads its parcels. */
interface CommitRow {
  first: string;
  rows: number;
  writer: number;
  sequence: string;
  committedMs: string;
  enterprise: Uint8Array;
  previous: Uint8Array;
  epochs: Uint8Array;
}

/** ParcelStore.page. No connection is held between queries. */
export async function* page(
  sql: Sql,
  scope: Scope,
  view: 'full' | 'masked',
  cursor: Cursor,
  until: readonly ChainHead[],
): AsyncGenerator<StoredCommit> {
  for (const some of spans(cursor, until, SPAN_COMMITS)) {
    const commits = await commitsOf(sql, scope, some);
    for (const slice of slices(commits, SLICE_ROWS)) yield* await readSlice(sql, view, slice);
  }
}

function commitsOf(sql: Sql, scope: Scope, some: readonly Span[]): Promise<CommitRow[]> {
  const writers = list(some.map(({ writer }) => writer));
  const [from, to] = [list(some.map((span) => span.from)), list(some.map((span) => span.to))];
  return guarded(
    () => sql<CommitRow[]>`
      SELECT c.first, c.rows, c.writer, c.sequence, c.committed_ms AS "committedMs", w.enterprise, c.previous, c.epochs
      FROM unnest(${writers}::integer[], ${from}::bigint[], ${to}::bigint[]) AS s (writer, first, last)
      JOIN sealpost.writers w ON w.number = s.writer
      CROSS JOIN LATERAL (SELECT * FROM sealpost.commits c
        WHERE c.writer = s.writer AND c.sequence BETWEEN s.first AND s.last OFFSET 0) c
      WHERE ${inScope(sql, scope)} ORDER BY c.writer, c.sequence`,
  );
}

interface ParcelsRow {
  first: string;
  receipts: Uint8Array;
  /** Null when none is there. */
  ids: Uint8Array | null;
  lengths: string | null;
  parcels: Uint8Array | null;
}

async function readSlice(
  sql: Sql,
  view: 'full' | 'masked',
  slice: readonly CommitRow[],
): Promise<StoredCommit[]> {
  const firsts = list(slice.map(({ first }) => Number(first)));
  const rows = await guarded(
    () => sql<ParcelsRow[]>`
      SELECT * FROM sealpost.read_parcels(${firsts}::bigint[], ${view === 'masked'})`,
  );
  const byFirst = new Map(rows.map((row) => [row.first, row]));
  const commits = slice.map((commit) => storedCommit(commit, byFirst.get(commit.first)));
  await checkErased(sql, commits);
  return commits;
}

/**
 * A parcel may be missing only where its receipt says that it was erased, or where retention has passed: a hole in the store is
 * neither.
 */
async function checkErased(sql: Sql, commits: readonly StoredCommit[]): Promise<void> {
  for (const { writer, receipts } of commits) {
    const missing = receipts.filter(({ erased }) => erased).map(({ id }) => id);
    if (missing.length === 0) continue;
    const [row] = await guarded(
      () => sql<{ erased: number }[]>`
        SELECT count(*)::integer AS erased
        FROM sealpost.writers w
        CROSS JOIN generate_series(0, ${missing.length} - 1) n
        CROSS JOIN LATERAL (SELECT substring(${concat(...missing)}::bytea, n * 16 + 1, 16) AS id OFFSET 0) m
        WHERE w.number = ${writer}
          AND (sealpost.id_ms(m.id) < (SELECT parcels_ms FROM sealpost.retention)
            OR EXISTS (SELECT FROM sealpost.receipts r WHERE r.city = w.city AND r.enterprise = w.enterprise
              AND r.id = m.id AND r.erased_ms IS NOT NULL))`,
    );
    if (row?.erased !== missing.length) throw new Error('a parcel is gone');
  }
}

const NOTHING = new Uint8Array(0);

function storedCommit(commit: CommitRow, row: ParcelsRow | undefined): StoredCommit {
  if (row === undefined) throw new Error('a commit is gone');
  const parcels = parcelsOf(row);
  return {
    writer: commit.writer,
    sequence: Number(commit.sequence),
    committedMs: Number(commit.committedMs),
    enterprise: plain(commit.enterprise),
    previous: plain(commit.previous),
    epochs: pieces(plain(commit.epochs), 16),
    receipts: pieces(plain(row.receipts), 32).map((receipt) => {
      const id = receipt.subarray(0, 16);
      const parcel = parcels.take(id);
      return {
        id,
        contentTag: receipt.subarray(16),
        erased: parcel === undefined,
        parcel: parcel ?? NOTHING,
      };
    }),
  };
}

/** The parcels of a commit stand in the order of its receipts, without those that were erased. */
function parcelsOf({ ids, lengths, parcels }: ParcelsRow) {
  const left = pieces(ids === null ? NOTHING : plain(ids), 16);
  const sizes = lengths === null ? [] : lengths.split(',').map(Number);
  const octets = parcels === null ? NOTHING : plain(parcels);
  let [next, at] = [0, 0];
  return {
    /** The parcel of an id; empty without that view, undefined when it is not there. */
    take(id: Uint8Array): Uint8Array | undefined {
      const candidate = left[next];
      if (candidate === undefined || candidate.some((byte, i) => byte !== id[i])) return undefined;
      const size = sizes[next++] as number;
      at += size;
      return octets.subarray(at - size, at);
    },
  };
}

/** ParcelStore.epochs */
export async function epochs(sql: Sql, ids: readonly Epoch['epoch'][]): Promise<Uint8Array[]> {
  if (ids.length === 0) return [];
  const rows = await guarded(
    () => sql<{ header: Uint8Array }[]>`
      SELECT e.header
      FROM generate_series(0, ${ids.length} - 1) n
      JOIN sealpost.epochs e ON e.id = substring(${concat(...ids)}::bytea, n * 16 + 1, 16)
      ORDER BY n`,
  );
  if (rows.length !== ids.length) throw new Error('an epoch is not stored');
  return rows.map(({ header }) => plain(header));
}

/** ParcelStore.counts */
export async function counts(
  sql: Sql,
  scope: Scope,
  fromDay: number,
  toDay: number,
): Promise<Count[]> {
  const rows = await guarded(
    () => sql<{ day: number; enterprise: Uint8Array; records: string; flagged: string }[]>`
      SELECT c.day, w.enterprise, sum(c.rows) AS records, sum(c.flagged) AS flagged
      FROM sealpost.commits c JOIN sealpost.writers w ON w.number = c.writer
      WHERE c.day BETWEEN ${fromDay}::bigint AND ${toDay}::bigint AND ${inScope(sql, scope)}
      GROUP BY c.day, w.enterprise ORDER BY c.day, w.enterprise`,
  );
  return rows.map(({ day, enterprise, records, flagged }) => ({
    ...{ day, records: Number(records), flagged: Number(flagged) },
    enterprise: plain(enterprise),
  }));
}
