import { defineConfig } from 'drizzle-kit';

/** `drizzle-kit generate --config drizzle.postgres.config.ts --name <what>`; docs/storage-schema.md tells what is added by hand. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './db/postgres/schema.ts',
  out: './db/migrations/postgres',
});
