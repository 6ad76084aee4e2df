/**
 * The writer of one node: a Durable Object, so that there is one in the world and the commits of each chain are serial. One for all
 * enterprises of the node, so that a transaction of the store carries what all of them wait for.
 */
import { DurableObject } from 'cloudflare:workers';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { WriterKey } from '../../db/parcels.ts';
import { CommitQueue } from './commit-queue.ts';
import { FillingPlan, type IndexFiller } from './index-filler.ts';
import { writerName } from './writer-name.ts';

interface Bindings {
  DB: D1Database;
  INDEX_FILLER: DurableObjectNamespace<IndexFiller>;
}

export class Writer extends DurableObject<Bindings> {
  readonly #filling = new FillingPlan(this.env.INDEX_FILLER);
  readonly #queue = new CommitQueue(new D1ParcelStore(this.env.DB), CLOCK, () =>
    this.#filling.committed(),
  );
  /** Of the first key. */
  #name: string | undefined;

  /**
   * Stores a batch, together with others that wait.
   *
   * @param epochs headers of the epochs that the batch names
   * @param batch packed (wire/batch.ts)
   * @returns one outcome per record, durable; RETRY for all when they could not be stored now
   * @throws StoreFullError when the store can take no more
   */
  append(key: WriterKey, epochs: Uint8Array[], batch: Uint8Array): Promise<Uint8Array> {
    this.#name ??= writerName(key);
    if (writerName(key) !== this.#name) throw new TypeError('this writer is of another node');
    return this.#queue.append(key, epochs, batch);
  }
}

const CLOCK = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
