/**
 * The central store of parcels: ciphertext, receipts, keyed indexes, counts. It knows no key.
 * Every implementation passes `test/store/parcels.suite.ts`.
 */
import type { Epoch } from '../wire/epoch.ts';
import type { ChainHead, Cursor } from '../wire/pull.ts';

/** Who writes: one writer commits serially, with a gapless sequence and a hash chain of its own. */
export interface WriterKey {
  /** Name of the edge node, at most 64 of a-z 0-9 -. */
  node: string;
  city: number;
  /** 16 octets. */
  enterprise: Uint8Array;
}

/** What a writer hands over at once; it becomes durable as a whole or not at all. */
export interface CommitInput {
  /** Epoch headers (wire/epoch.ts) that the batches need; those already stored are ignored. */
  epochs: readonly Uint8Array[];
  /** Packed batches (wire/batch.ts), all of the writer's city and enterprise; at most MAX_COMMIT_RECORDS records in all. */
  batches: readonly Uint8Array[];
  committedMs: number;
}

/** A commit on its way to the chain of its writer. */
export interface Append {
  key: WriterKey;
  /** The writer's last commit. */
  head: ChainHead;
  commit: CommitInput;
}

export interface Appended {
  /** The writer's new head. */
  head: ChainHead;
  /** One outcome byte (wire/codes.ts) per record, batch by batch. */
  outcomes: Uint8Array[];
}

export interface Scope {
  city: number;
  /** Set: only this enterprise's parcels. 16 octets. */
  enterprise?: Uint8Array;
}

export interface StoredCommit {
  writer: number;
  sequence: number;
  committedMs: number;
  enterprise: Uint8Array;
  previous: Uint8Array;
  /** Ids of the epochs that its parcels name, 16 octets each. */
  epochs: Uint8Array[];
  receipts: {
    id: Uint8Array;
    contentTag: Uint8Array;
    erased: boolean;
    /** The view that was asked for; empty when erased or not stored. */
    parcel: Uint8Array;
  }[];
}

export interface Count {
  day: number;
  enterprise: Uint8Array;
  records: number;
  /** Of them, those with a trial code: only a city in trial takes them (wire/batch.ts). */
  flagged: number;
}

/** A record without its payload. */
export interface ErasedRecord {
  /** 16 octets. */
  id: Uint8Array;
  /** When its payload was deleted, ms since 1970. */
  erasedMs: number;
  /** By this call, not by an earlier one. */
  now: boolean;
}

export interface ParcelStore {
  /**
   * Registers the writer at its first call. Returns its last durable sequence and chain head (0 and 32 zeros before the
   * first commit), read from the store: whatever an earlier call was told, this is what is so.
   */
  openWriter(key: WriterKey): Promise<ChainHead>;

  /**
   * Appends one commit after `head`, in one transaction: epochs first, then receipts and parcels of the records that are
   * new, then the commit itself with the next sequence and chain head (wire/pull.ts, chainInput). Durable when it returns.
   *
   * Unique is (city, enterprise, id). For each record of each batch the outcome is STORED when this commit stored it,
   * DUPLICATE when it was durable before with the same content tag under the same index version, CONFLICT otherwise
   * (the first stays). A record twice in one commit counts as stored and then as duplicate or conflict.
   * A commit without a new record takes no sequence: the head comes back unchanged.
   *
   * @throws StaleHeadError when `head` is not the last commit, for another incarnation of the writer has gone on
   * @throws StoreFullError when the store can take no more
   * @throws RangeError over MAX_COMMIT_RECORDS; TypeError for a batch of another city or enterprise; FormatError
   * @throws anything else: it may or may not have been stored; open the writer again and append the same again, which is
   * safe, since what was stored is then found as a duplicate
   */
  append(key: WriterKey, head: ChainHead, commit: CommitInput): Promise<Appended>;

  /**
   * Appends commits of different writers: each is durable as a whole or fails for itself, as `append` says. Together they cost
   * little more than one.
   * @returns what became of each, in order; never throws
   */
  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<Appended>[]>;

  /** Heads of all writers in scope, ascending by writer. */
  heads(scope: Scope): Promise<ChainHead[]>;

  /**
   * Commits in scope after `cursor` (a writer that is not in it starts at its first) up to and including `until`, writer by
   * writer in ascending sequence. Never skips one; reads ahead by a bounded number of rows.
   */
  page(
    scope: Scope,
    view: 'full' | 'masked',
    cursor: Cursor,
    until: readonly ChainHead[],
  ): AsyncIterable<StoredCommit>;

  /** Epoch headers by id, in the order asked for. @throws Error when one is missing, which no commit allows */
  epochs(ids: readonly Epoch['epoch'][]): Promise<Uint8Array[]>;

  /**
   * Full parcels that carry one of the keyed indexes, committed on the days from..to (since 1970-01-01 UTC, both included);
   * those not yet in the index table are found too. At most `limit`, in no promised order.
   */
  find(
    scope: Scope,
    indexes: readonly Uint8Array[],
    fromDay: number,
    toDay: number,
    limit: number,
  ): Promise<Uint8Array[]>;

  /**
   * Moves keyed indexes into the index table, sorted: those of up to `limit` parcels of all writers, the longest waiting first,
   * in whole commits and at least one. Does nothing while fewer wait and all of them were committed after `sinceMs`: a few
   * large fillings cost a tenth of many small ones, which touch a page of the table for each index.
   * @returns how many parcels are still behind
   */
  fillIndexes(limit: number, sinceMs: number): Promise<number>;

  /**
   * Deletes payloads and index entries by law; receipts stay, marked erased. Safe to do again: what was erased before keeps
   * its time.
   * @returns one for each of the ids that has a receipt in scope, in no promised order
   */
  erase(
    scope: Required<Scope>,
    ids: readonly Uint8Array[],
    erasedMs: number,
  ): Promise<ErasedRecord[]>;

  /**
   * Ids of the records of one enterprise committed on a day, ascending, in blocks of whole ids of 16 octets; erased ones
   * too, since their receipts stay. What is committed while it is being read may be missing.
   */
  ids(scope: Required<Scope>, day: number): AsyncIterable<Uint8Array>;

  /** Records stored per enterprise and day, erased ones included. */
  counts(scope: Scope, fromDay: number, toDay: number): Promise<Count[]>;
}

/** Another incarnation of this writer has committed since `head`. */
export class StaleHeadError extends Error {
  constructor() {
    super('the writer has moved on');
    this.name = 'StaleHeadError';
  }
}

/** The store has reached its size limit. */
export class StoreFullError extends Error {
  constructor() {
    super('the store is full');
    this.name = 'StoreFullError';
  }
}

/** Records that a store takes in one commit: four full chunks. More gains no throughput, and a commit must fit a pull frame. */
export const MAX_COMMIT_RECORDS = 1_024;

/** Milliseconds of a day; days in the store are UTC. */
export const DAY_MS = 86_400_000;
