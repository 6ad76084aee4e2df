/** Statements on D1: prepared from Drizzle's `sql`, with errors that carry nothing but a code. */
import type { SQL } from 'drizzle-orm';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';

/** A failure inside D1. Its code is SQLite's or D1's own; the message of the original may quote statement and values. */
export class D1Error extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`D1 failed: ${code}`);
    this.name = 'D1Error';
    this.code = code;
  }
}

/** What a statement gave. */
export interface Rows<T> {
  rows: T[];
  /** Rows inserted, updated or deleted. */
  changes: number;
}

export class Queries {
  readonly #d1: D1Database;
  readonly #dialect = new SQLiteAsyncDialect();
  #bytes = 0;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /** Octets of the database after the last statement; 0 before the first. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Runs statements as one transaction: all of them or none.
   * @typeParam T the row of each statement, in order
   * @throws D1Error
   */
  async transaction<T extends unknown[]>(
    statements: readonly SQL[],
  ): Promise<{ [K in keyof T]: Rows<T[K]> }> {
    const results = await guarded(() => this.#d1.batch(statements.map((s) => this.#prepare(s))));
    this.#bytes = results.at(-1)?.meta.size_after ?? this.#bytes;
    const made = results.map(({ results: rows, meta }) => ({ rows, changes: meta.changes }));
    return made as { [K in keyof T]: Rows<T[K]> };
  }

  /** Runs one statement. @throws D1Error */
  async all<T>(statement: SQL): Promise<T[]> {
    const [result] = await this.transaction<[T]>([statement]);
    return result.rows;
  }

  #prepare(statement: SQL): D1PreparedStatement {
    const { sql, params } = this.#dialect.sqlToQuery(statement);
    return this.#d1.prepare(sql).bind(...params);
  }
}

/** Runs something on D1. @throws D1Error in place of whatever it throws */
export async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new D1Error(codeOf(error));
  }
}

/** The error's code: a constant of SQLite or D1, never data. The cause has it where Drizzle has wrapped the error. */
function codeOf(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.message.includes('Exceeded maximum DB size')) return 'SQLITE_FULL';
    const code = /\bSQLITE_[A-Z]+\b/.exec(e.message)?.[0];
    if (code !== undefined) return code;
  }
  return 'D1_ERROR';
}
