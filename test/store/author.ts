/** What the suites of ParcelStore share. Each of their tests works in a city or an enterprise of its own, so the store may hold more. */
import { DAY_MS, type ParcelStore, type WriterKey } from '../../db/parcels.ts';
import type { ChainHead, Cursor } from '../../wire/pull.ts';
import { Packer, random, type TestRecord } from '../support/batch.ts';

export const NOW = 1_793_491_200_000; // midnight of 2026-11-01 UTC
export const TODAY = Math.floor(NOW / DAY_MS);

/** An enterprise and one writer of it, with its head followed. */
export class Author {
  readonly packer: Packer;
  readonly key: WriterKey;
  readonly #store: ParcelStore;
  head: ChainHead | undefined;

  constructor(
    store: ParcelStore,
    city = randomCity(),
    enterprise: Uint8Array = random(16),
    node = 'n-1',
  ) {
    this.#store = store;
    this.packer = new Packer(city, enterprise);
    this.key = { node, city, enterprise };
  }

  get scope() {
    return { city: this.key.city, enterprise: this.key.enterprise };
  }

  get writer(): number {
    return (this.head as ChainHead).writer;
  }

  /** One commit of one batch for each list of records. @returns outcomes batch by batch */
  async commit(lists: TestRecord[][], committedMs = NOW): Promise<number[][]> {
    this.head ??= await this.#store.openWriter(this.key);
    const { head, outcomes } = await this.#store.append(this.key, this.head, {
      epochs: this.packer.epochs,
      batches: lists.map((records) => this.packer.pack(records).batch),
      committedMs,
    });
    this.head = head;
    return outcomes.map((each) => [...each]);
  }
}

export function randomCity(): number {
  return new DataView(random(4).buffer).getUint32(0);
}

export async function pull(
  store: ParcelStore,
  scope: Parameters<ParcelStore['page']>[0],
  view: 'full' | 'masked' = 'full',
  cursor: Cursor = new Map(),
) {
  const until = await store.heads(scope);
  return collect(store.page(scope, view, cursor, until));
}

export async function fillAll(store: ParcelStore): Promise<void> {
  while ((await store.fillIndexes(1_000, Number.MAX_SAFE_INTEGER)) > 0);
}

export async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of all) items.push(item);
  return items;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** Octets in a form that compares and prints well. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
