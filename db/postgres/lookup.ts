/** Keyed indexes and erasure: each is one function of the database (db/migrations/postgres/0003_lookup.sql). */
import { concat } from '../../wire/bytes.ts';
import type { ErasedRecord, Scope } from '../parcels.ts';
import { plain } from './bytes.ts';
import { guarded, one, type Sql } from './query.ts';

/** ParcelStore.fillIndexes */
export async function fillIndexes(sql: Sql, limit: number, sinceMs: number): Promise<number> {
  const { behind } = await one<{ behind: string }>(
    () => sql`SELECT sealpost.fill_indexes(${limit}, ${sinceMs}) AS behind`,
  );
  return Number(behind);
}

/** ParcelStore.find */
export async function find(
  sql: Sql,
  scope: Scope,
  indexes: readonly Uint8Array[],
  fromDay: number,
  toDay: number,
  limit: number,
): Promise<Uint8Array[]> {
  const rows = await guarded(
    () => sql<{ parcel: Uint8Array }[]>`
      SELECT * FROM sealpost.find_parcels(${scope.city}, ${scope.enterprise ?? null}, ${concat(...indexes)},
        ${fromDay}, ${toDay}, ${limit}) AS found (parcel)`,
  );
  return rows.map(({ parcel }) => plain(parcel));
}

/** ParcelStore.erase: one transaction for all ids. */
export async function erase(
  sql: Sql,
  scope: Required<Scope>,
  ids: readonly Uint8Array[],
  erasedMs: number,
): Promise<ErasedRecord[]> {
  const rows = await guarded(
    () => sql<{ id: Uint8Array; erasedMs: string; now: boolean }[]>`
      SELECT id, erased_ms AS "erasedMs", now
      FROM sealpost.erase_parcels(${scope.city}, ${scope.enterprise}, ${concat(...ids)}, ${erasedMs})`,
  );
  return rows.map((row) => ({ id: plain(row.id), erasedMs: Number(row.erasedMs), now: row.now }));
}
