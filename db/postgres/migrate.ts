/** Applies the migrations that a PostgreSQL database does not have yet. */
import store from '../migrations/postgres/0000_store.sql';
import partitions from '../migrations/postgres/0001_partitions.sql';
import append from '../migrations/postgres/0002_append.sql';
import lookup from '../migrations/postgres/0003_lookup.sql';
import control from '../migrations/postgres/0004_control.sql';
import { guarded, type Sql } from './query.ts';

/** File names and texts, in order. */
export const MIGRATIONS: readonly (readonly [name: string, text: string])[] = [
  ['0000_store.sql', store],
  ['0001_partitions.sql', partitions],
  ['0002_append.sql', append],
  ['0003_lookup.sql', lookup],
  ['0004_control.sql', control],
];

/** Weeks of partitions made before and after now: the offline queue reaches back eight days. */
const WEEKS_BACK = 2;
const WEEKS_AHEAD = 8;
const WEEK_MS = 7 * 86_400_000;

/**
 * Applies all that are due in one transaction, and makes partitions ahead. Several may try at once.
 * @param sql as a user that may create roles and schemas, or for whom that was done
 * @returns the names of those applied now. @throws PostgresError
 */
export async function migrate(sql: Sql, nowMs: number): Promise<string[]> {
  return guarded(() =>
    sql.begin(async (tx) => {
      await tx`SELECT pg_advisory_xact_lock(hashtext('sealpost migrations'))`;
      const applied = await appliedMigrations(tx);
      const due = MIGRATIONS.filter(([name]) => !applied.includes(name));
      for (const [name, text] of due) {
        await tx.unsafe(text);
        await tx`INSERT INTO sealpost.migrations (name) VALUES (${name})`;
      }
      await tx`SET LOCAL ROLE sealpost_owner`;
      await tx`SELECT sealpost.ensure_partitions(
        ${nowMs - WEEKS_BACK * WEEK_MS}, ${nowMs + WEEKS_AHEAD * WEEK_MS})`;
      return due.map(([name]) => name);
    }),
  );
}

/** Names of the migrations that a database has, in order; none when it has no tables of ours. */
async function appliedMigrations(sql: Pick<Sql, 'unsafe'>): Promise<string[]> {
  const [found] = await sql.unsafe(`SELECT to_regclass('sealpost.migrations') AS books`);
  if (found?.books == null) return [];
  const rows = await sql.unsafe('SELECT name FROM sealpost.migrations ORDER BY name');
  return rows.map(({ name }) => name as string);
}
