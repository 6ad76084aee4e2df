/** The writer of one node, city and enterprise: a Durable Object, so that there is one in the world and commits are serial. */
import { DurableObject } from 'cloudflare:workers';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { ParcelStore, WriterKey } from '../../db/parcels.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { CommitQueue } from './commit-queue.ts';

/** Parcels whose keyed indexes are moved into the index table at once. */
export const FILL_RECORDS = 40_000;

/** Milliseconds after which they are moved, however few they are. A lookup scans them until then. */
export const FILL_AFTER_MS = 10_000;

export class Writer extends DurableObject<{ DB: D1Database }> {
  readonly #store: ParcelStore = new D1ParcelStore(this.env.DB);
  #opened: { key: WriterKey; queue: CommitQueue } | undefined;
  /** Is an alarm set for the parcels committed last? */
  #fillingPlanned = false;

  /**
   * Stores a batch, together with others that wait.
   *
   * @param epochs headers of the epochs that the batch names
   * @param batch packed (wire/batch.ts)
   * @returns one outcome per record, durable; RETRY for all when they could not be stored now
   * @throws StoreFullError when the store can take no more
   */
  append(key: WriterKey, epochs: Uint8Array[], batch: Uint8Array): Promise<Uint8Array> {
    this.#opened ??= { key, queue: this.#queue(key) };
    if (!sameKey(key, this.#opened.key)) throw new TypeError('this writer has another key');
    return this.#opened.queue.append(epochs, batch);
  }

  /** Fills the index table behind the commits of all writers, whose alarms share the work. When it throws, it is run again. */
  override async alarm(): Promise<void> {
    this.#fillingPlanned = false;
    const behind = await this.#store.fillIndexes(FILL_RECORDS, Date.now() - FILL_AFTER_MS);
    if (behind > 0) this.#planFilling(behind < FILL_RECORDS ? FILL_AFTER_MS : 0);
  }

  #queue(key: WriterKey): CommitQueue {
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    return new CommitQueue(this.#store, key, clock, () => this.#planFilling(FILL_AFTER_MS));
  }

  /** Not awaited: the runtime holds back the answers until the alarm is durable. */
  #planFilling(afterMs: number): void {
    if (this.#fillingPlanned) return;
    this.#fillingPlanned = true;
    void this.ctx.storage.setAlarm(Date.now() + afterMs);
  }
}

function sameKey(a: WriterKey, b: WriterKey): boolean {
  return a.node === b.node && a.city === b.city && equalBytes(a.enterprise, b.enterprise);
}
