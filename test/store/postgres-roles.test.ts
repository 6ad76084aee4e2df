/** What each role of the PostgreSQL store may do, tried with its own login. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../db/postgres/migrate.ts';
import { PostgresParcelStore } from '../../db/postgres/parcels.ts';
import type { Sql } from '../../db/postgres/query.ts';
import { makeRecords, Packer, random } from '../support/batch.ts';
import { type PostgresServer, ROLES, type Role, startPostgres } from './postgres-server.ts';

/** SQLSTATE of a privilege that is missing. */
const REFUSED = '42501';

const CONTROL = ['parties', 'party_keys', 'recipient_lists', 'city_policies', 'certificates'];

/** What may be read and written directly; everything else goes through functions. Every table that is not named: nothing. */
const TABLES: Record<Role, Record<string, string>> = {
  edge: rights([['SELECT', [...CONTROL, 'migrations']]]),
  reader: rights([
    [
      'SELECT',
      ['writers', 'commits', 'epochs', 'receipts', 'parcels', 'keyed_index', 'index_mark'],
    ],
    ['SELECT', ['retention', 'migrations']],
  ]),
  erasure: rights([['SELECT', ['migrations']]]),
  maintenance: rights([
    ['SELECT', ['recipient_lists', 'city_policies', 'migrations']],
    ['SELECT INSERT', ['recipient_lists', 'city_policies']],
    ['SELECT INSERT UPDATE', ['parties', 'party_keys', 'certificates']],
  ]),
};

const FUNCTIONS: Record<Role, string[]> = {
  edge: ['append_parcels', 'fill_indexes', 'open_writer', 'use_nonce'],
  reader: ['behind', 'find_parcels', 'id_ms', 'read_parcels'],
  erasure: ['erase_parcels'],
  maintenance: ['drop_partitions', 'ensure_partitions', 'fill_indexes', 'partitions'],
};

function rights(given: [string, string[]][]): Record<string, string> {
  return Object.fromEntries(given.flatMap(([what, tables]) => tables.map((t) => [t, what])));
}

let server: PostgresServer;
let as: Record<Role, Sql>;
let packer: Packer;
let partition: string;

beforeAll(async () => {
  server = await startPostgres();
  await migrate(server.admin, Date.now());
  await server.createUsers();
  as = Object.fromEntries(ROLES.map((role) => [role, server.connect(role)])) as Record<Role, Sql>;
  packer = new Packer(520100, random(16));
  await append(as.edge);
  const [first] = await as.maintenance`
    SELECT name FROM sealpost.partitions() WHERE table_name = 'parcels' LIMIT 1`;
  partition = first?.name;
});

afterAll(() => server.stop());

async function append(sql: Sql, records = makeRecords(3)) {
  const store = new PostgresParcelStore(sql);
  const key = { node: 'n-1', city: packer.city, enterprise: packer.enterprise };
  const input = {
    ...{ epochs: packer.epochs, batches: [packer.pack(records).batch] },
    committedMs: Date.now(),
  };
  return store.append(key, await store.openWriter(key), input);
}

describe.each(ROLES)('sealpost_%s', (role) => {
  it('has these rights on tables and partitions, and no others', async () => {
    const found = await server.admin<{ name: string; own: string }[]>`
      SELECT c.relname AS name, string_agg(r.right, ' ' ORDER BY r.n) AS own
      FROM pg_class c
      CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
        WITH ORDINALITY AS r ("right", n)
      WHERE c.relnamespace = 'sealpost'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND has_table_privilege(${`${role}_user`}, c.oid, r.right)
      GROUP BY c.relname`;
    expect(Object.fromEntries(found.map(({ name, own }) => [name, own]))).toEqual(TABLES[role]);
  });

  it('may call these functions, and no others', async () => {
    const found = await server.admin<{ name: string }[]>`
      SELECT p.proname AS name FROM pg_proc p
      WHERE p.pronamespace = 'sealpost'::regnamespace
        AND has_function_privilege(${`${role}_user`}, p.oid, 'EXECUTE')
      ORDER BY p.proname`;
    expect(found.map(({ name }) => name)).toEqual(FUNCTIONS[role]);
  });

  it('can neither make things in the schema nor become somebody else', async () => {
    for (const statement of [
      'CREATE TABLE sealpost.mine (x integer)',
      'CREATE FUNCTION sealpost.mine() RETURNS integer LANGUAGE sql RETURN 1',
      'SET ROLE sealpost_owner',
      'ALTER TABLE sealpost.parcels ADD COLUMN x integer',
      'DROP TABLE sealpost.parcels',
      `DROP TABLE sealpost.${partition}`,
      'TRUNCATE sealpost.receipts',
    ]) {
      await expect(as[role].unsafe(statement), statement).rejects.toMatchObject({ code: REFUSED });
    }
  });
});

describe('tried with the real login', () => {
  const tries: [Role, string][] = [
    ...['parcels', 'receipts', 'keyed_index', 'commits', 'epochs', 'writers', 'nonces'].flatMap(
      (table): [Role, string][] => [
        ['edge', `SELECT * FROM sealpost.${table}`],
        ['edge', `SELECT count(*) FROM sealpost.${table}`],
        ['edge', `DELETE FROM sealpost.${table}`],
        ['edge', `COPY sealpost.${table} TO STDOUT`],
        ['reader', `DELETE FROM sealpost.${table}`],
        ['erasure', `SELECT * FROM sealpost.${table}`],
        ['erasure', `DELETE FROM sealpost.${table}`],
        ['maintenance', `SELECT * FROM sealpost.${table}`],
        ['maintenance', `DELETE FROM sealpost.${table}`],
      ],
    ),
    ...CONTROL.map((table): [Role, string] => ['edge', `DELETE FROM sealpost.${table}`]),
    ['edge', "SELECT * FROM sealpost.read_parcels('{1024}', false)"],
    ['edge', "SELECT * FROM sealpost.find_parcels(520100, NULL, '', 0, 99999, 10)"],
    ['edge', "SELECT * FROM sealpost.erase_parcels(520100, '', '', 0)"],
    ['edge', "SELECT sealpost.drop_partitions('payloads', 0)"],
    ['edge', 'UPDATE sealpost.parties SET active = true'],
    ['edge', "INSERT INTO sealpost.parties VALUES ('\\x00', 'erasure', 'x', true)"],
    ['reader', "SELECT * FROM sealpost.use_nonce('', '', 0, 0)"],
    ['reader', "SELECT * FROM sealpost.erase_parcels(520100, '', '', 0)"],
    ['maintenance', "SELECT * FROM sealpost.erase_parcels(520100, '', '', 0)"],
  ];

  it.each(tries)('%s is refused: %s', async (role, statement) => {
    await expect(as[role].unsafe(statement)).rejects.toMatchObject({ code: REFUSED });
  });

  it('the edge is refused a partition by its own name', async () => {
    await expect(as.edge.unsafe(`SELECT * FROM sealpost.${partition}`)).rejects.toMatchObject({
      code: REFUSED,
    });
  });
});

describe('functions', () => {
  it('that run as their owner pin their search path, and belong to nobody who logs in', async () => {
    const found = await server.admin<{ name: string; config: string; owner: string }[]>`
      SELECT p.proname AS name, array_to_string(p.proconfig, ';') AS config, r.rolname AS owner
      FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
      WHERE p.pronamespace = 'sealpost'::regnamespace AND p.prosecdef`;
    expect(found.length).toBeGreaterThan(5);
    for (const { name, config, owner } of found) {
      expect(config, name).toMatch(/search_path=sealpost, pg_temp/);
      expect(owner).toBe('sealpost_owner');
    }
    const [owner] = await server.admin`
      SELECT rolcanlogin, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'sealpost_owner'`;
    expect(owner).toEqual({ rolcanlogin: false, rolsuper: false, rolcreaterole: false });
  });

  it('are not misled by what a caller puts in their way', async () => {
    const sly = server.connect('edge', 1);
    await sly.unsafe(`
      CREATE TEMP TABLE writers (LIKE pg_class); CREATE TEMP TABLE receipts (id bytea, stolen bytea);
      CREATE TEMP TABLE parcels (position bigint, id bytea, "full" bytea, masked bytea);
      CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql RETURN '\\x00'::bytea;
      SET search_path = pg_temp, public`);
    const before = await stored();
    await append(sly);
    expect(await stored()).toBe(before + 3);
    expect(await sly.unsafe('SELECT * FROM pg_temp.parcels')).toHaveLength(0);
  });

  async function stored() {
    const [row] = await as.reader`SELECT count(*)::integer AS n FROM sealpost.parcels`;
    return row?.n as number;
  }
});
