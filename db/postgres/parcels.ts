/** ParcelStore on PostgreSQL. Each file beside this one holds one of its subjects. */
import type { Epoch } from '../../wire/epoch.ts';
import type { ChainHead, Cursor } from '../../wire/pull.ts';
import type {
  Append,
  Appended,
  CommitInput,
  Count,
  ErasedRecord,
  ParcelStore,
  Scope,
  StoredCommit,
  WriterKey,
} from '../parcels.ts';
import { append, openWriter } from './append.ts';
import { ids } from './ids.ts';
import { erase, fillIndexes, find } from './lookup.ts';
import type { Sql } from './query.ts';
import { counts, epochs, heads, page } from './read.ts';

export class PostgresParcelStore implements ParcelStore {
  readonly #edge: Sql;
  readonly #reader: Sql;
  readonly #erasure: Sql;

  /**
   * What a connection's role may not do, the database refuses (docs/storage-schema.md, "Roles").
   * @param edge a connection of the role sealpost_edge, for what a writer does
   * @param reader one of sealpost_reader
   * @param erasure one of sealpost_erasure
   */
  constructor(edge: Sql, reader: Sql = edge, erasure: Sql = edge) {
    this.#edge = edge;
    this.#reader = reader;
    this.#erasure = erasure;
  }

  openWriter(key: WriterKey): Promise<ChainHead> {
    return openWriter(this.#edge, key);
  }

  append(key: WriterKey, head: ChainHead, commit: CommitInput): Promise<Appended> {
    return append(this.#edge, { key, head, commit });
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<Appended>[]> {
    return Promise.allSettled(appends.map((each) => append(this.#edge, each)));
  }

  heads(scope: Scope): Promise<ChainHead[]> {
    return heads(this.#reader, scope);
  }

  page(
    scope: Scope,
    view: 'full' | 'masked',
    cursor: Cursor,
    until: readonly ChainHead[],
  ): AsyncIterable<StoredCommit> {
    return page(this.#reader, scope, view, cursor, until);
  }

  epochs(ids: readonly Epoch['epoch'][]): Promise<Uint8Array[]> {
    return epochs(this.#reader, ids);
  }

  find(
    scope: Scope,
    indexes: readonly Uint8Array[],
    fromDay: number,
    toDay: number,
    limit: number,
  ): Promise<Uint8Array[]> {
    return find(this.#reader, scope, indexes, fromDay, toDay, limit);
  }

  fillIndexes(limit: number, sinceMs: number): Promise<number> {
    return fillIndexes(this.#edge, limit, sinceMs);
  }

  erase(
    scope: Required<Scope>,
    ids: readonly Uint8Array[],
    erasedMs: number,
  ): Promise<ErasedRecord[]> {
    return erase(this.#erasure, scope, ids, erasedMs);
  }

  ids(scope: Required<Scope>, day: number): AsyncIterable<Uint8Array> {
    return ids(this.#reader, scope, day);
  }

  counts(scope: Scope, fromDay: number, toDay: number): Promise<Count[]> {
    return counts(this.#reader, scope, fromDay, toDay);
  }
}
