/// <reference types="@cloudflare/vitest-plugin/types" />
import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { D1ControlStore } from '../../db/d1/control.ts';
import { MIGRATIONS, migrate } from '../../db/d1/migrate.ts';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import * as schema from '../../db/d1/schema.ts';
import { StoreFullError } from '../../db/parcels.ts';
import { makeRecord, Packer, random } from '../support/batch.ts';
import { controlStoreSuite } from './control.suite.ts';
import { parcelStoreSuite } from './parcels.suite.ts';

const { DB, MIGRATION_NAMES } = env as unknown as { DB: D1Database; MIGRATION_NAMES: string[] };

beforeAll(() => migrate(DB));

describe('D1ParcelStore', () => {
  parcelStoreSuite(() => new D1ParcelStore(DB));

  it('takes no commit from its size limit on', async () => {
    const packer = new Packer(520100, random(16));
    const store = new D1ParcelStore(DB, 4_096);
    const key = { node: 'n-1', city: 520100, enterprise: packer.enterprise };
    const head = await store.openWriter(key);
    const { batch } = packer.pack([makeRecord()]);
    const commit = { epochs: packer.epochs, batches: [batch], committedMs: 0 };
    await expect(store.append(key, head, commit)).rejects.toThrow(StoreFullError);
    expect(await store.heads(key)).toEqual([head]);
  });
});

describe('ids of a day', () => {
  it('of many small commits take few queries', async () => {
    const packer = new Packer(520101, random(16));
    const key = { node: 'n-1', city: 520101, enterprise: packer.enterprise };
    const store = new D1ParcelStore(DB);
    let head = await store.openWriter(key);
    for (let i = 0; i < 40; i++) {
      const batches = [packer.pack([makeRecord()]).batch];
      ({ head } = await store.append(key, head, {
        epochs: packer.epochs,
        batches,
        committedMs: 0,
      }));
    }
    let queries = 0;
    const counting = new Proxy(DB, {
      get(target, name: keyof D1Database) {
        if (name === 'batch') queries++;
        const value = target[name];
        return typeof value === 'function' ? (value as () => void).bind(target) : value;
      },
    });
    const blocks: Uint8Array[] = [];
    for await (const block of new D1ParcelStore(counting).ids(key, 0)) blocks.push(block);
    expect(blocks.map(({ length }) => length)).toEqual([40 * 16]);
    expect(queries).toBe(2);
  });
});

describe('D1ControlStore', () => {
  controlStoreSuite(async () => {
    await DB.prepare('DELETE FROM recipient_lists').run();
    return new D1ControlStore(DB);
  });
});

describe('migrations', () => {
  it('are all those of the folder, in order', () => {
    expect(MIGRATIONS.map(([name]) => name)).toEqual(MIGRATION_NAMES);
  });

  it('make the tables of the schema', async () => {
    for (const table of Object.values(schema).filter((value) => is(value, Table))) {
      const name = getTableName(table);
      const { results } = await DB.prepare(
        `SELECT name, lower(type) AS type FROM pragma_table_info('${name}')`,
      ).all();
      const columns = Object.values(getTableColumns(table));
      expect(results, name).toEqual(
        columns.map((column) => ({ name: column.name, type: column.getSQLType() })),
      );
      const { results: list } = await DB.prepare(
        `SELECT strict FROM pragma_table_list WHERE name = '${name}'`,
      ).all();
      expect(list, name).toEqual([{ strict: 1 }]);
    }
  });

  it('are applied once', async () => {
    await reset();
    expect(await migrate(DB)).toEqual(MIGRATION_NAMES);
    expect(await migrate(DB)).toEqual([]);
  });
});
