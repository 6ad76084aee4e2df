/** Applies the migrations that a D1 database does not have yet, in the books of `wrangler d1 migrations apply`. */
import store from '../migrations/d1/0000_store.sql';
import { guarded } from './query.ts';

/** File names and texts, in order. */
export const MIGRATIONS: readonly (readonly [name: string, text: string])[] = [
  ['0000_store.sql', store],
];

/** Between the statements of a migration, as drizzle-kit writes it. */
const BREAKPOINT = '--> statement-breakpoint';

/** Each migration is one transaction. @returns the names of those applied now. @throws D1Error */
export async function migrate(d1: D1Database): Promise<string[]> {
  return guarded(async () => {
    await d1
      .prepare(
        `CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
      )
      .run();
    const { results } = await d1.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
    const applied = new Set(results.map(({ name }) => name));
    const due = MIGRATIONS.filter(([name]) => !applied.has(name));
    for (const [name, text] of due) {
      await d1.batch([
        ...text.split(BREAKPOINT).map((statement) => d1.prepare(statement)),
        d1.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
      ]);
    }
    return due.map(([name]) => name);
  });
}
