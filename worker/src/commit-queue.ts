/**
 * The policy of a writer: batches that wait are grouped into commits, one commit at a time, and a batch is answered only
 * when its commit is durable. Knows nothing of Durable Objects.
 */
import {
  MAX_COMMIT_RECORDS,
  type ParcelStore,
  StoreFullError,
  type WriterKey,
} from '../../db/parcels.ts';
import { parseBatchHead } from '../../wire/batch.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import type { ChainHead } from '../../wire/pull.ts';

/** Octets that may wait, the commit under way included: some ten seconds of a slow store, within a worker's 128 MB. */
export const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** How often a commit is tried before its batches are given back. */
export const MAX_TRIES = 4;

/** Milliseconds before the second try; four times as long before each further one. */
export const FIRST_PAUSE_MS = 50;

/** Epochs remembered as durable: a node has two live ones an enterprise. */
const MAX_KNOWN_EPOCHS = 256;

/** What of a store a queue needs. */
export type AppendStore = Pick<ParcelStore, 'openWriter' | 'append'>;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** A batch and who waits for it. */
interface Waiting {
  /** By the epoch's id. */
  epochs: Map<string, Uint8Array>;
  batch: Uint8Array;
  count: number;
  resolve: (outcomes: Uint8Array) => void;
  reject: (error: unknown) => void;
}

export class CommitQueue {
  readonly #store: AppendStore;
  readonly #key: WriterKey;
  readonly #clock: Clock;
  readonly #committed: (records: number) => void;
  readonly #waiting: Waiting[] = [];
  readonly #durableEpochs = new Set<string>();
  #queuedBytes = 0;
  #draining = false;
  /** Of the last commit; undefined when the store must be asked. */
  #head: ChainHead | undefined;

  /** @param committed told the new records of each commit before its batches are answered */
  constructor(
    store: AppendStore,
    key: WriterKey,
    clock: Clock,
    committed: (records: number) => void = () => {},
  ) {
    this.#store = store;
    this.#key = key;
    this.#clock = clock;
    this.#committed = committed;
  }

  /**
   * @param epochs headers of the epochs that the batch names
   * @param batch packed (wire/batch.ts)
   * @returns one outcome per record; RETRY for all when they could not be stored now
   * @throws FormatError when batch or header is malformed
   * @throws StoreFullError when the store can take no more
   */
  async append(epochs: readonly Uint8Array[], batch: Uint8Array): Promise<Uint8Array> {
    // Taken apart before it joins others, which would fail with it.
    const { count } = parseBatchHead(batch);
    const byId = new Map(epochs.map((header) => [String(parseEpoch(header).epoch), header]));
    if (this.#queuedBytes + batch.length > MAX_QUEUED_BYTES) return retry(count);
    this.#queuedBytes += batch.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ epochs: byId, batch, count, resolve, reject });
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    while (this.#waiting.length > 0) await this.#settle(this.#takeGroup());
    this.#draining = false;
  }

  /** The batches that come next, up to MAX_COMMIT_RECORDS records; at least one batch. */
  #takeGroup(): Waiting[] {
    let records = 0;
    let size = 0;
    for (const { count } of this.#waiting) {
      records += count;
      if (size > 0 && records > MAX_COMMIT_RECORDS) break;
      size++;
    }
    return this.#waiting.splice(0, size);
  }

  async #settle(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#commit(group);
      group.forEach(({ count, resolve }, i) => {
        resolve(outcomes?.[i] ?? retry(count));
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    for (const { batch } of group) this.#queuedBytes -= batch.length;
  }

  /** Outcomes of each batch; undefined when no try went well. @throws StoreFullError */
  async #commit(group: readonly Waiting[]): Promise<Uint8Array[] | undefined> {
    const epochs = new Map(group.flatMap((waiting) => [...waiting.epochs]));
    for (const id of this.#durableEpochs) epochs.delete(id);
    const batches = group.map(({ batch }) => batch);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (attempt > 0) await this.#clock.sleep(FIRST_PAUSE_MS * 4 ** (attempt - 1));
      try {
        const before = this.#head ?? (await this.#store.openWriter(this.#key));
        const committedMs = this.#clock.now();
        const input = { epochs: [...epochs.values()], batches, committedMs };
        const { head, outcomes } = await this.#store.append(this.#key, before, input);
        if (head.sequence > before.sequence) this.#noteCommit(epochs.keys(), outcomes);
        this.#head = head;
        return outcomes;
      } catch (error) {
        this.#head = undefined;
        if (error instanceof StoreFullError) throw error;
        // Stored or not, nobody knows: the next try appends the same again, and what is there is found as a duplicate.
      }
    }
    return undefined;
  }

  #noteCommit(epochs: Iterable<string>, outcomes: readonly Uint8Array[]): void {
    if (this.#durableEpochs.size > MAX_KNOWN_EPOCHS) this.#durableEpochs.clear();
    for (const id of epochs) this.#durableEpochs.add(id);
    let stored = 0;
    for (const each of outcomes) for (const o of each) if (o === OUTCOMES.STORED) stored++;
    this.#committed(stored);
  }
}

function retry(count: number): Uint8Array {
  return new Uint8Array(count).fill(OUTCOMES.RETRY);
}
