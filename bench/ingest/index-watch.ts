/** How far the index table of a running service is behind its parcels, read from the store's own file. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from '../shared/report.ts';

const BEHIND = `SELECT coalesce((SELECT first + rows FROM commits ORDER BY first DESC LIMIT 1), 1)
  - coalesce((SELECT position FROM index_mark), 1) AS behind`;

/** Parcels that are stored and not yet in the index table. @param dataDir the service's `data` folder */
export function parcelsBehind(dataDir: string): number {
  const file = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => join(dataDir, name))
    .find((path) => hasTable(path, 'index_mark'));
  if (file === undefined) throw new BenchError('the store of the service is not found');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return (database.prepare(BEHIND).get() as { behind: number }).behind;
  } finally {
    database.close();
  }
}

/** Waits until every parcel is indexed. @returns seconds since `since` (performance.now()) */
export async function indexed(dataDir: string, since: number): Promise<number> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const now = performance.now();
    if (parcelsBehind(dataDir) === 0) return (now - since) / 1000;
    if (now > deadline) throw new BenchError('the indexes were not filled within two minutes');
    await delay(100);
  }
}

function hasTable(path: string, name: string): boolean {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
    return database.prepare(sql).get(name) !== undefined;
  } catch {
    return false;
  } finally {
    database.close();
  }
}
