import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Migrations are imported as text, as the worker's bundler does it. */
const sqlText = {
  name: 'sql-text',
  transform: (code: string, id: string) =>
    id.endsWith('.sql') ? `export default ${JSON.stringify(code)}` : undefined,
};

/**
 * Three projects: what runs inside workerd with the bindings of wrangler.toml, what runs in Node, and the store on a PostgreSQL
 * server that the tests start.
 */
export default defineConfig({
  test: {
    // More than there are cores: the end-to-end tests mostly wait, for services to start, to drain, to come back.
    maxWorkers: 4,
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            // Not the service's own entry: the stores and the writer are tested without the rest.
            main: './test/store/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              // In the order in which wrangler applies them.
              bindings: {
                MIGRATION_NAMES: (await readD1Migrations('db/migrations/d1')).map(
                  ({ name }) => name,
                ),
              },
            },
          })),
        ],
        test: {
          name: 'workerd',
          include: ['test/store/**/*.test.ts', 'test/worker/**/*.test.ts'],
          exclude: ['test/store/postgres*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{unit,wasm,e2e,browser}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [sqlText],
        test: {
          name: 'postgres',
          include: ['test/store/postgres*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
