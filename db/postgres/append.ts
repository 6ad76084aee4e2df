/** Appending: one commit is one call of `append_parcels`, which is one transaction and one round trip. */
import { FormatError } from '../../wire/bytes.ts';
import type { ChainHead } from '../../wire/pull.ts';
import { batchHeads } from '../checks.ts';
import {
  type Append,
  type Appended,
  StaleHeadError,
  StoreFullError,
  type WriterKey,
} from '../parcels.ts';
import { joined, plain } from './bytes.ts';
import {
  DISK_FULL,
  guarded,
  NOT_A_NUMBER,
  one,
  PAST_END,
  PostgresError,
  RAISED,
  type Sql,
} from './query.ts';

interface HeadRow {
  writer: number;
  /** int8 comes as text. */
  sequence: string;
  head: Uint8Array;
}

/** ParcelStore.openWriter */
export async function openWriter(sql: Sql, key: WriterKey): Promise<ChainHead> {
  const row = await one<HeadRow>(
    () => sql`SELECT * FROM sealpost.open_writer(${key.node}, ${key.city}, ${key.enterprise})`,
  );
  return { writer: row.writer, sequence: Number(row.sequence), head: plain(row.head) };
}

/** ParcelStore.append */
export async function append(sql: Sql, { key, head, commit }: Append): Promise<Appended> {
  const counts = batchHeads(key, commit.batches).map(({ count }) => count);
  if (counts.every((count) => count === 0)) {
    return { head, outcomes: counts.map(() => new Uint8Array(0)) };
  }
  const [epochs, epochLengths] = joined(commit.epochs);
  const [batches, batchLengths] = joined(commit.batches);
  const [row] = await guarded(
    () => sql<Omit<HeadRow & { outcomes: Uint8Array }, 'writer'>[]>`
      SELECT * FROM sealpost.append_parcels(
        ${key.node}, ${key.city}, ${key.enterprise}, ${head.writer}, ${head.sequence}, ${head.head},
        decode(${epochs}, 'base64'), ${epochLengths}, decode(${batches}, 'base64'), ${batchLengths}, ${commit.committedMs})`,
  ).catch(explain);
  if (row === undefined) throw new PostgresError('NO_ROW');
  return {
    head: { writer: head.writer, sequence: Number(row.sequence), head: plain(row.head) },
    outcomes: split(plain(row.outcomes), counts),
  };
}

/** Throws what the interface names in place of a code of ours. */
function explain(error: unknown): never {
  switch (error instanceof PostgresError ? error.code : undefined) {
    case RAISED.STALE_HEAD:
      throw new StaleHeadError();
    case RAISED.OTHER_WRITER:
      throw new TypeError('a batch is of another city or enterprise than its writer');
    case RAISED.MALFORMED:
    case PAST_END:
    case NOT_A_NUMBER:
      throw new FormatError();
    case DISK_FULL:
      throw new StoreFullError();
    default:
      throw error;
  }
}

/** Outcomes batch by batch. */
function split(outcomes: Uint8Array, counts: readonly number[]): Uint8Array[] {
  let at = 0;
  return counts.map((count) => {
    at += count;
    return outcomes.slice(at - count, at);
  });
}
