/** The writer of one node, city and enterprise: a Durable Object, so that there is one in the world and commits are serial. */
import { DurableObject } from 'cloudflare:workers';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { ParcelStore, WriterKey } from '../../db/parcels.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { CommitQueue } from './commit-queue.ts';
import { FillingPlan, type IndexFiller } from './index-filler.ts';

interface Bindings {
  DB: D1Database;
  INDEX_FILLER: DurableObjectNamespace<IndexFiller>;
}

export class Writer extends DurableObject<Bindings> {
  readonly #store: ParcelStore = new D1ParcelStore(this.env.DB);
  #opened: { key: WriterKey; queue: CommitQueue } | undefined;
  readonly #filling = new FillingPlan(this.env.INDEX_FILLER);

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

  #queue(key: WriterKey): CommitQueue {
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    return new CommitQueue(this.#store, key, clock, () => this.#filling.committed());
  }
}

function sameKey(a: WriterKey, b: WriterKey): boolean {
  return a.node === b.node && a.city === b.city && equalBytes(a.enterprise, b.enterprise);
}
