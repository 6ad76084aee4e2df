/** ParcelStore on D1. Each file beside this one holds one of its subjects. */
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
import { append, appendAll, openWriter } from './append.ts';
import { ids } from './ids.ts';
import { erase, fillIndexes, find } from './lookup.ts';
import { Queries } from './query.ts';
import { counts, epochs, heads, page } from './read.ts';

/**
 * Octets from which on the store takes no more commits. D1 ends at 10 GB; the rest is for indexes still to be filled and for
 * the control tables.
 */
export const MAX_D1_BYTES = 9_500_000_000;

export class D1ParcelStore implements ParcelStore {
  readonly #queries: Queries;
  readonly #maxBytes: number;

  constructor(d1: D1Database, maxBytes = MAX_D1_BYTES) {
    this.#queries = new Queries(d1);
    this.#maxBytes = maxBytes;
  }

  openWriter(key: WriterKey): Promise<ChainHead> {
    return openWriter(this.#queries, key);
  }

  append(key: WriterKey, head: ChainHead, commit: CommitInput): Promise<Appended> {
    return append(this.#queries, this.#maxBytes, { key, head, commit });
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<Appended>[]> {
    return appendAll(this.#queries, this.#maxBytes, appends);
  }

  heads(scope: Scope): Promise<ChainHead[]> {
    return heads(this.#queries, scope);
  }

  page(
    scope: Scope,
    view: 'full' | 'masked',
    cursor: Cursor,
    until: readonly ChainHead[],
  ): AsyncIterable<StoredCommit> {
    return page(this.#queries, scope, view, cursor, until);
  }

  epochs(ids: readonly Epoch['epoch'][]): Promise<Uint8Array[]> {
    return epochs(this.#queries, ids);
  }

  find(
    scope: Scope,
    indexes: readonly Uint8Array[],
    fromDay: number,
    toDay: number,
    limit: number,
  ): Promise<Uint8Array[]> {
    return find(this.#queries, scope, indexes, fromDay, toDay, limit);
  }

  fillIndexes(limit: number, sinceMs: number): Promise<number> {
    return fillIndexes(this.#queries, limit, sinceMs);
  }

  erase(
    scope: Required<Scope>,
    ids: readonly Uint8Array[],
    erasedMs: number,
  ): Promise<ErasedRecord[]> {
    return erase(this.#queries, scope, ids, erasedMs);
  }

  ids(scope: Required<Scope>, day: number): AsyncIterable<Uint8Array> {
    return ids(this.#queries, scope, day);
  }

  counts(scope: Scope, fromDay: number, toDay: number): Promise<Count[]> {
    return counts(this.#queries, scope, fromDay, toDay);
  }
}
