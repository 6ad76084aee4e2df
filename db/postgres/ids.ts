/** Ids of a day, in the order of the receipts' key. */
import { ID_BYTES, IDS_FRAME_BYTES } from '../../wire/reconcile.ts';
import type { Scope } from '../parcels.ts';
import { plain } from './bytes.ts';
import { guarded, type Sql } from './query.ts';

/** Ids of one block. */
const BLOCK_IDS = IDS_FRAME_BYTES / ID_BYTES;

/** Before every id. */
const NOTHING = new Uint8Array(0);

/**
 * ParcelStore.ids. Each block is a query of its own that goes on after the last id, so no connection is held while the reader
 * takes its time, and memory holds one block. A receipt is of the day if its commit is: the commit's number is its position
 * with the low ten bits zero.
 */
export async function* ids(
  sql: Sql,
  scope: Required<Scope>,
  day: number,
): AsyncGenerator<Uint8Array> {
  const { city, enterprise } = scope;
  let after: Uint8Array = NOTHING;
  while (true) {
    const [row] = await guarded(
      () => sql<{ ids: Uint8Array | null }[]>`
        WITH day AS MATERIALIZED (
          SELECT c.first, c.from_id, c.to_id
          FROM (SELECT number FROM sealpost.writers WHERE city = ${city} AND enterprise = ${enterprise}) w
          CROSS JOIN LATERAL (SELECT first, from_id, to_id FROM sealpost.commits
            WHERE day = ${day} AND writer = w.number OFFSET 0) c)
        SELECT string_agg(id, ''::bytea ORDER BY id) AS ids FROM (
          SELECT id FROM sealpost.receipts
          WHERE city = ${city} AND enterprise = ${enterprise} AND id > ${after}
            AND id >= (SELECT from_id FROM day ORDER BY from_id LIMIT 1)
            AND id <= (SELECT to_id FROM day ORDER BY to_id DESC LIMIT 1)
            AND position & -1024 = ANY(ARRAY(SELECT first FROM day))
          ORDER BY id LIMIT ${BLOCK_IDS}) block`,
    );
    if (row?.ids == null) return;
    const block = plain(row.ids);
    yield block;
    if (block.length < BLOCK_IDS * ID_BYTES) return;
    after = block.slice(-ID_BYTES);
  }
}
