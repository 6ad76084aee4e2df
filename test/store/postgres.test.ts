/** The PostgreSQL store on a real server: what every store must do, and what is its own. */
import { readdirSync } from 'node:fs';
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, StoreFullError, type WriterKey } from '../../db/parcels.ts';
import { append } from '../../db/postgres/append.ts';
import { PostgresControlStore } from '../../db/postgres/control.ts';
import { MIGRATIONS, migrate } from '../../db/postgres/migrate.ts';
import { PostgresParcelStore } from '../../db/postgres/parcels.ts';
import { PostgresError, type Sql } from '../../db/postgres/query.ts';
import * as schema from '../../db/postgres/schema.ts';
import { BATCH_HEAD_BYTES, BATCH_RECEIPT_BYTES } from '../../wire/batch.ts';
import { FormatError } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { makeRecord, makeRecords, Packer, random, uuidv7 } from '../support/batch.ts';
import { controlStoreSuite } from './control.suite.ts';
import { parcelStoreSuite } from './parcels.suite.ts';
import { type PostgresServer, ROLES, type Role, startPostgres } from './postgres-server.ts';

const WEEK_MS = 7 * DAY_MS;
const { STORED, DUPLICATE } = OUTCOMES;

let server: PostgresServer;
let as: Record<Role, Sql>;
let store: PostgresParcelStore;

beforeAll(async () => {
  server = await startPostgres();
  await migrate(server.admin, Date.now());
  await server.createUsers();
  as = Object.fromEntries(ROLES.map((role) => [role, server.connect(role)])) as Record<Role, Sql>;
  store = new PostgresParcelStore(as.edge, as.reader, as.erasure);
});

afterAll(() => server.stop());

/** A new enterprise's writer, with its head followed. */
async function makeAuthor(city = 520100) {
  const packer = new Packer(city, random(16));
  const key: WriterKey = { node: 'n-1', city, enterprise: packer.enterprise };
  let head = await store.openWriter(key);
  const commit = async (batches: Uint8Array[], to = store) => {
    const input = { epochs: packer.epochs, batches, committedMs: Date.now() };
    const done = await to.append(key, head, input);
    head = done.head;
    return done.outcomes.map((each) => [...each]);
  };
  const pull = async () => {
    const commits = [];
    for await (const each of store.page(key, 'full', new Map(), await store.heads(key))) {
      commits.push(each);
    }
    return commits;
  };
  return { packer, key, commit, pull, head: () => head };
}

describe('PostgresParcelStore', () => {
  parcelStoreSuite(() => new PostgresParcelStore(as.edge, as.reader, as.erasure));
});

describe('PostgresControlStore', () => {
  controlStoreSuite(async () => {
    await server.admin`DELETE FROM sealpost.recipient_lists`;
    return new PostgresControlStore(as.edge, as.maintenance);
  });
});

describe('append', () => {
  const detailsAt = BATCH_HEAD_BYTES + BATCH_RECEIPT_BYTES;
  const spoilt: [string, (batch: Uint8Array) => Uint8Array][] = [
    ['cut short', (batch) => batch.subarray(0, batch.length - 1)],
    ['with another magic', (batch) => batch.with(0, 0)],
    ['with more records than octets', (batch) => batch.with(71, 200)],
    ['with a detail that is no number', (batch) => batch.with(detailsAt + 30, 0x41)],
    ['with a place past its end', (batch) => batch.with(detailsAt + 20, 0x39)],
    ['with an empty parcel', (batch) => batch.fill(0x30, detailsAt + 26, detailsAt + 30)],
  ];

  it.each(spoilt)('refuses a batch %s and stores nothing of it', async (_, spoil) => {
    const { packer, commit, pull } = await makeAuthor();
    const good = packer.pack(makeRecords(1)).batch;
    const bad = spoil(packer.pack(makeRecords(1)).batch.slice());
    await expect(commit([good, bad])).rejects.toThrow(FormatError);
    expect(await pull()).toEqual([]);
  });

  it('is one statement', async () => {
    const { packer, key, head } = await makeAuthor();
    let statements = 0;
    const counting = new Proxy(as.edge, {
      apply: (target, self, args) => {
        statements++;
        return Reflect.apply(target, self, args);
      },
    });
    const input = {
      epochs: packer.epochs,
      batches: [1, 2].map(() => packer.pack(makeRecords(200)).batch),
      committedMs: 0,
    };
    await append(counting, { key, head: head(), commit: input });
    expect(statements).toBe(1);
  });

  it('refuses a session that would not wait for the disk', async () => {
    const { packer, commit } = await makeAuthor();
    const careless = server.connect('edge', 1);
    await careless`SET synchronous_commit = off`;
    const { batch } = packer.pack(makeRecords(1));
    await expect(commit([batch], new PostgresParcelStore(careless))).rejects.toThrow('SP007');
  });

  it('tells errors by their codes alone', async () => {
    const { packer, key, head } = await makeAuthor();
    const { batch } = packer.pack(makeRecords(1));
    const input = { epochs: [], batches: [batch], committedMs: 0 };
    const error = await append(as.edge, { key, head: head(), commit: input }).catch((e) => e);
    expect(error).toBeInstanceOf(PostgresError);
    expect({ ...error, message: error.message, cause: error.cause }).toEqual({
      ...{ name: 'PostgresError', code: 'SP002', message: 'PostgreSQL failed: SP002' },
      cause: undefined,
    });
  });

  it('tells when the disk is full, and when the server is away', async () => {
    const { packer, key, head } = await makeAuthor();
    const input = { epochs: [], batches: [packer.pack(makeRecords(1)).batch], committedMs: 0 };
    const failing = (code: string) =>
      (() => Promise.reject(Object.assign(new Error('secret'), { code }))) as unknown as Sql;
    await expect(append(failing('53100'), { key, head: head(), commit: input })).rejects.toThrow(
      StoreFullError,
    );
    for (const code of ['CONNECTION_CLOSED', 'ECONNREFUSED', '57P01']) {
      await expect(append(failing(code), { key, head: head(), commit: input })).rejects.toThrow(
        `PostgreSQL failed: ${code}`,
      );
    }
    await expect(append(failing('a value'), { key, head: head(), commit: input })).rejects.toThrow(
      'POSTGRES_ERROR',
    );
  });
});

describe('partitions', () => {
  const names = async () =>
    (await as.maintenance`SELECT name FROM sealpost.partitions()`).map(({ name }) => name);

  it('are there for the weeks ahead, each table its own', async () => {
    const all = await as.maintenance`SELECT * FROM sealpost.partitions()`;
    const now = Date.now();
    for (const table of ['receipts', 'parcels', 'keyed_index']) {
      const own = all.filter(({ table_name }) => table_name === table);
      expect(Number(own[0]?.from_ms) < now - WEEK_MS).toBe(true);
      expect(Number(own.at(-1)?.until_ms) > now + 7 * WEEK_MS).toBe(true);
      for (const { name, from_ms } of own) {
        const monday = new Date(Number(from_ms));
        expect(monday.getUTCDay()).toBe(1);
        expect(name).toBe(`${table}_${monday.toISOString().slice(0, 10).replaceAll('-', '')}`);
      }
    }
  });

  it('are made once, by several at once', async () => {
    const from = Date.now() + 30 * WEEK_MS;
    const made = await Promise.all(
      [1, 2, 3].map(async () => {
        const [row] =
          await as.maintenance`SELECT sealpost.ensure_partitions(${from}, ${from + WEEK_MS}) AS n`;
        return row?.n;
      }),
    );
    expect(made.toSorted()).toEqual([0, 0, 6]);
  });

  it('that are missing are made by the commit that needs them, within bounds', async () => {
    const { packer, commit, pull } = await makeAuthor();
    const before = await names();
    const at = (weeks: number) => makeRecord({ id: uuidv7(Date.now() + weeks * WEEK_MS) });
    const records = [at(-30), at(0), at(-20)];
    const { batch, full } = packer.pack(records);
    expect(await commit([batch])).toEqual([[STORED, STORED, STORED]]);
    expect(await commit([batch])).toEqual([[DUPLICATE, DUPLICATE, DUPLICATE]]);
    expect((await pull())[0]?.receipts.map(({ parcel }) => parcel)).toEqual(full);
    expect((await names()).length).toBeGreaterThan(before.length);
    for (const weeks of [-70, 60]) {
      await expect(commit([packer.pack([at(weeks)]).batch])).rejects.toThrow('SP004');
    }
  });

  it('dropped by retention take payloads and leave receipts and chain', async () => {
    const { packer, key, commit, pull, head } = await makeAuthor();
    const old = makeRecord({ id: uuidv7(Date.now() - 40 * WEEK_MS) });
    const recent = makeRecord();
    const { batch, full } = packer.pack([old, recent]);
    await commit([batch]);
    while ((await store.fillIndexes(10_000, Number.MAX_SAFE_INTEGER)) > 0);
    const before = Date.now() - 35 * WEEK_MS;
    const dropped =
      await as.maintenance`SELECT * FROM sealpost.drop_partitions('payloads', ${before}) AS d (name)`;
    expect(dropped.some(({ name }) => name.startsWith('parcels_'))).toBe(true);
    expect(dropped.some(({ name }) => name.startsWith('receipts_'))).toBe(false);
    const [only] = await pull();
    expect(only?.receipts.map(({ erased }) => erased)).toEqual([true, false]);
    expect(only?.receipts[1]?.parcel).toEqual(full[1]);
    expect(await store.heads(key)).toEqual([head()]);
    const today = Math.floor(Date.now() / DAY_MS);
    expect(await store.find(key, old.indexes, today, today, 10)).toEqual([]);
    expect(await commit([batch])).toEqual([[DUPLICATE, DUPLICATE]]);
    const again = makeRecord({ id: uuidv7(Date.now() - 41 * WEEK_MS) });
    await expect(commit([packer.pack([again]).batch])).rejects.toThrow('SP004');
  });

  it('of receipts are not dropped before their payloads', async () => {
    const drop = as.maintenance`SELECT sealpost.drop_partitions('receipts', ${Date.now()})`;
    await expect(drop).rejects.toMatchObject({ code: 'SP006' });
  });
});

describe('a parcel that is gone', () => {
  it('without an erasure is an error of the pull', async () => {
    const { packer, commit, pull } = await makeAuthor();
    const [gone, kept] = makeRecords(2);
    await commit([packer.pack([gone as never, kept as never]).batch]);
    await server.admin`DELETE FROM sealpost.parcels WHERE id = ${(gone as { id: Uint8Array }).id}`;
    await expect(pull()).rejects.toThrow('a parcel is gone');
  });
});

describe('migrations', () => {
  it('are all those of the folder, in order', () => {
    const folder = new URL('../../db/migrations/postgres/', import.meta.url);
    const files = readdirSync(folder.pathname).filter((name) => name.endsWith('.sql'));
    expect(MIGRATIONS.map(([name]) => name)).toEqual(files.sort());
  });

  it('make the tables of the schema', async () => {
    for (const table of Object.values(schema).filter((value) => is(value, Table))) {
      const name = getTableName(table);
      const found = await server.admin`
        SELECT column_name AS name, data_type AS type, is_nullable = 'NO' AS required
        FROM information_schema.columns WHERE table_schema = 'sealpost' AND table_name = ${name}
        ORDER BY ordinal_position`;
      const columns = Object.values(getTableColumns(table)).map((column) => ({
        ...{ name: column.name, type: column.getSQLType(), required: column.notNull },
      }));
      expect([...found], name).toEqual(columns);
    }
  });

  it('are applied once, also by several at once', async () => {
    await server.admin`CREATE DATABASE another`;
    const [one, two] = [server.connectAdmin('another'), server.connectAdmin('another')];
    const applied = await Promise.all([migrate(one, Date.now()), migrate(two, Date.now())]);
    expect(applied.map(({ length }) => length).sort()).toEqual([0, MIGRATIONS.length]);
    expect(await migrate(one, Date.now())).toEqual([]);
  });

  it('are applied by who is no superuser, when the roles are there', async () => {
    const deployer = await server.createDeployer('third');
    expect(await migrate(deployer, Date.now())).toHaveLength(MIGRATIONS.length);
    const owned = await deployer`
      SELECT DISTINCT r.rolname AS name FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
      WHERE c.relnamespace = 'sealpost'::regnamespace`;
    expect([...owned]).toEqual([{ name: 'sealpost_owner' }]);
  });
});
