import { defineConfig } from 'drizzle-kit';

/** `drizzle-kit generate --name <what>` writes the next migration; docs/storage-schema.md tells what is added by hand. */
export default defineConfig({
  dialect: 'sqlite',
  schema: './db/d1/schema.ts',
  out: './db/migrations/d1',
});
