/** Statements on PostgreSQL, with errors that carry nothing but a code. */
import type { Sql } from 'postgres';

/**
 * A failure inside PostgreSQL or on the way to it. Its code is an SQLSTATE, or postgres.js's or the system's own name for it;
 * message, detail and query of the original may quote values.
 */
export class PostgresError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`PostgreSQL failed: ${code}`);
    this.name = 'PostgresError';
    this.code = code;
  }
}

/** What our functions raise (db/migrations/postgres). */
export const RAISED = {
  STALE_HEAD: 'SP001',
  OTHER_WRITER: 'SP003',
  MALFORMED: 'SP005',
} as const;

/** SQLSTATE of a full disk. The statement was undone. */
export const DISK_FULL = '53100';

/** SQLSTATE of an octet asked for past the end of a byte string. */
export const PAST_END = '2202E';

/** SQLSTATE of a text that is no number. */
export const NOT_A_NUMBER = '22P02';

/**
 * Options that a connection of the stores has to be made with: no question for types at the start, prepared statements. At most
 * five connections, the limit of connections that one Worker may have open.
 */
export const CONNECTION_OPTIONS = {
  fetch_types: false,
  prepare: true,
  max: 5,
  onnotice: () => {},
} as const;

/** Runs something on PostgreSQL. @throws PostgresError in place of whatever it throws */
export async function guarded<T>(run: () => PromiseLike<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new PostgresError(codeOf(error));
  }
}

/** The one row of a statement. @throws PostgresError */
export async function one<T>(run: () => PromiseLike<readonly unknown[]>): Promise<T> {
  const [row] = await guarded(run);
  if (row === undefined) throw new PostgresError('NO_ROW');
  return row as T;
}

/** The error's code: a constant, never data. */
function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{4,40}$/.test(code) ? code : 'POSTGRES_ERROR';
}

export type { Sql };
