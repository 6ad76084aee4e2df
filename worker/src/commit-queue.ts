/**
 * The policy of a node's writer: batches that wait are grouped, those of one enterprise into one commit of its chain, the commits
 * of several enterprises into one transaction. A batch is answered only when its commit is durable. Knows nothing of Durable Objects.
 */
import {
  type Appended,
  MAX_COMMIT_RECORDS,
  type ParcelStore,
  StoreFullError,
  type WriterKey,
} from '../../db/parcels.ts';
import { parseBatchHead } from '../../wire/batch.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import type { ChainHead } from '../../wire/pull.ts';

/** Octets that may wait, the commits under way included: a second or two of a node at its fastest, within a worker's 128 MB. */
export const MAX_QUEUED_BYTES = 32 * 1024 * 1024;

/** Transactions under way at once: the store has the next one at hand when it ends one. */
export const MAX_UNDER_WAY = 2;

/**
 * Milliseconds after a transaction has begun in which only a full one follows it. A transaction costs as much as a hundred records in it,
 * so under load it is worth waiting for company; a batch that finds the queue idle goes at once.
 */
export const GATHER_MS = 10;

/** How often a commit is tried before its batches are given back. */
export const MAX_TRIES = 4;

/** Milliseconds before the second try; four times as long before each further one. */
export const FIRST_PAUSE_MS = 50;

/** Epochs remembered as durable: a node has two live ones an enterprise. */
const MAX_KNOWN_EPOCHS = 4_096;

/** What of a store a queue needs. */
export type AppendStore = Pick<ParcelStore, 'openWriter' | 'append' | 'appendAll'>;

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

/** The chain of one enterprise: one commit of it at a time. */
interface Lane {
  key: WriterKey;
  waiting: Waiting[];
  /** Of the last commit; undefined when the store must be asked. */
  head: ChainHead | undefined;
  /** Stands among those that are ready, or has a commit under way. */
  busy: boolean;
}

/** The batches of a lane that are committed together. */
interface Turn {
  lane: Lane;
  batches: Waiting[];
}

export class CommitQueue {
  readonly #store: AppendStore;
  readonly #clock: Clock;
  readonly #committed: () => void;
  /** By enterprise. */
  readonly #lanes = new Map<string, Lane>();
  /** Those with batches waiting and no commit under way, the longest waiting first. */
  readonly #ready: Lane[] = [];
  readonly #durableEpochs = new Set<string>();
  #queuedBytes = 0;
  #underWay = 0;
  #gathering = false;

  /** @param committed called after each commit, before its batches are answered */
  constructor(store: AppendStore, clock: Clock, committed: () => void = () => {}) {
    this.#store = store;
    this.#clock = clock;
    this.#committed = committed;
  }

  /**
   * @param key all those of a queue are of one node and city
   * @param epochs headers of the epochs that the batch names
   * @param batch packed (wire/batch.ts)
   * @returns one outcome per record; RETRY for all when they could not be stored now
   * @throws FormatError when batch or header is malformed
   * @throws StoreFullError when the store can take no more
   */
  async append(
    key: WriterKey,
    epochs: readonly Uint8Array[],
    batch: Uint8Array,
  ): Promise<Uint8Array> {
    // Taken apart before it joins others, which would fail with it.
    const { count } = parseBatchHead(batch);
    const byId = new Map(epochs.map((header) => [nameOf(parseEpoch(header).epoch), header]));
    if (this.#queuedBytes + batch.length > MAX_QUEUED_BYTES) return retry(count);
    this.#queuedBytes += batch.length;
    const lane = this.#lane(key);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ epochs: byId, batch, count, resolve, reject });
      if (!lane.busy) this.#makeReady(lane);
      this.#dispatch();
    });
  }

  #lane(key: WriterKey): Lane {
    const name = nameOf(key.enterprise);
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = { key, waiting: [], head: undefined, busy: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  #makeReady(lane: Lane): void {
    lane.busy = true;
    this.#ready.push(lane);
  }

  #dispatch(): void {
    while (this.#underWay < MAX_UNDER_WAY && this.#ready.length > 0) {
      if (this.#gathering && this.#waitingRecords() < MAX_COMMIT_RECORDS) return;
      this.#gather();
      this.#underWay++;
      void this.#commit(this.#takeTurns()).finally(() => {
        this.#underWay--;
        this.#dispatch();
      });
    }
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    void this.#clock.sleep(GATHER_MS).then(() => {
      this.#gathering = false;
      this.#dispatch();
    });
  }

  /** Of lanes that are ready. */
  #waitingRecords(): number {
    let records = 0;
    for (const { waiting } of this.#ready) for (const { count } of waiting) records += count;
    return records;
  }

  /** What comes next, up to MAX_COMMIT_RECORDS records; at least one batch. */
  #takeTurns(): Turn[] {
    const turns: Turn[] = [];
    let records = 0;
    for (let lane = this.#ready[0]; lane; lane = this.#ready[0]) {
      let size = 0;
      for (const { count } of lane.waiting) {
        if (records > 0 && records + count > MAX_COMMIT_RECORDS) break;
        records += count;
        size++;
      }
      if (size === 0) break;
      this.#ready.shift();
      turns.push({ lane, batches: lane.waiting.splice(0, size) });
    }
    return turns;
  }

  /** One transaction for all of them; what does not go well is tried again each for itself, and holds up nobody else. */
  async #commit(turns: readonly Turn[]): Promise<void> {
    const opened = await Promise.allSettled(turns.map((turn) => this.#prepare(turn)));
    const prepared = opened.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    const results = prepared.length > 0 ? await this.#store.appendAll(prepared) : [];
    let next = 0;
    turns.forEach((turn, i) => {
      const result = opened[i]?.status === 'fulfilled' ? results[next++] : undefined;
      if (result?.status === 'fulfilled') this.#settle(turn, result.value);
      else void this.#tryAgain(turn, result?.reason);
    });
  }

  /** @param error of the first try */
  async #tryAgain(turn: Turn, error: unknown): Promise<void> {
    let failure = error;
    for (let attempt = 1; attempt < MAX_TRIES; attempt++) {
      if (failure instanceof StoreFullError) break;
      // Stored or not, nobody knows: the next try appends the same again, and what is there is found as a duplicate.
      turn.lane.head = undefined;
      await this.#clock.sleep(FIRST_PAUSE_MS * 4 ** (attempt - 1));
      try {
        const { key, head, commit } = await this.#prepare(turn);
        return this.#settle(turn, await this.#store.append(key, head, commit));
      } catch (again) {
        failure = again;
      }
    }
    turn.lane.head = undefined;
    for (const { count, resolve, reject } of turn.batches) {
      if (failure instanceof StoreFullError) reject(failure);
      else resolve(retry(count));
    }
    this.#release(turn);
  }

  async #prepare({ lane, batches }: Turn) {
    lane.head ??= await this.#store.openWriter(lane.key);
    const commit = {
      epochs: [...this.#newEpochs(batches).values()],
      batches: batches.map(({ batch }) => batch),
      committedMs: this.#clock.now(),
    };
    return { key: lane.key, head: lane.head, commit };
  }

  #newEpochs(batches: readonly Waiting[]): Map<string, Uint8Array> {
    const epochs = new Map(batches.flatMap((waiting) => [...waiting.epochs]));
    for (const id of epochs.keys()) if (this.#durableEpochs.has(id)) epochs.delete(id);
    return epochs;
  }

  #settle(turn: Turn, { head, outcomes }: Appended): void {
    const { lane, batches } = turn;
    // A commit without a new record stores nothing, epochs included.
    if (head.sequence > (lane.head?.sequence ?? 0)) {
      for (const id of this.#newEpochs(batches).keys()) this.#durableEpochs.add(id);
      if (this.#durableEpochs.size > MAX_KNOWN_EPOCHS) this.#durableEpochs.clear();
      this.#committed();
    }
    lane.head = head;
    batches.forEach(({ count, resolve }, i) => {
      resolve(outcomes[i] ?? retry(count));
    });
    this.#release(turn);
  }

  #release({ lane, batches }: Turn): void {
    for (const { batch } of batches) this.#queuedBytes -= batch.length;
    lane.busy = false;
    if (lane.waiting.length > 0) this.#makeReady(lane);
    this.#dispatch();
  }
}

/** Octets as the key of a map. */
function nameOf(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}

function retry(count: number): Uint8Array {
  return new Uint8Array(count).fill(OUTCOMES.RETRY);
}
