/** Records on their way into the chunks of a stream. */
import { concat } from '../wire/bytes.ts';
import { MAX_CHUNK_BYTES, MAX_CHUNK_RECORDS } from '../wire/limits.ts';

export interface StreamItem<Key = unknown> {
  /** The record's CBOR. */
  cbor: Uint8Array;
  /**
   * Gets a chunk of its own. For bytes that may not be a whole CBOR item: a chunk is a CBOR sequence (RFC 8742), in which
   * nothing after such bytes could be read.
   */
  alone?: boolean;
  /** The caller's handle; comes back with the result. */
  key: Key;
}

/** Where items come from: one by one, or in blocks, which take less time. */
export type ItemSource<Key = unknown> =
  | Iterable<ItemOrBlock<Key>>
  | AsyncIterable<ItemOrBlock<Key>>;

type ItemOrBlock<Key> = StreamItem<Key> | readonly StreamItem<Key>[];
type Next<Key> = IteratorResult<ItemOrBlock<Key>, unknown>;

/** Items taken after which the room that they took is given back. */
const COMPACTED = 4096;

/** A source of items into which those without a result can be put back. */
export class ItemQueue<Key> {
  readonly #source: Iterator<ItemOrBlock<Key>> | AsyncIterator<ItemOrBlock<Key>>;
  /** Items put back or fetched ahead; those before `#first` are taken. */
  #ready: StreamItem<Key>[] = [];
  #first = 0;
  #fetching: Promise<void> | undefined;
  #ended = false;

  constructor(source: ItemSource<Key>) {
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Items that wait here; more may come from the source. */
  get waiting(): number {
    return this.#ready.length - this.#first;
  }

  /** The item `index` places ahead, left in its place; undefined past the end. @throws what the source throws */
  peek(index = 0): StreamItem<Key> | undefined | Promise<StreamItem<Key> | undefined> {
    while (this.waiting <= index && !this.#ended) {
      const fetching = this.#fetch();
      if (fetching !== undefined) return fetching.then(() => this.peek(index));
    }
    return this.#ready[this.#first + index];
  }

  /** Takes the next `count` items, which were peeked at before. */
  take(count: number): void {
    this.#first += count;
    if (this.#first < COMPACTED) return;
    this.#ready = this.#ready.slice(this.#first);
    this.#first = 0;
  }

  /** Items to be taken next, the first of them first. */
  putBack(items: readonly StreamItem<Key>[]): void {
    this.#ready = items.concat(this.#ready.slice(this.#first));
    this.#first = 0;
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
    this.#ended = true;
  }

  /** One fetch at a time: an attempt that is given up while it waits leaves its items to the next one. */
  #fetch(): Promise<void> | undefined {
    if (this.#fetching !== undefined) return this.#fetching;
    try {
      const next = this.#source.next();
      if (!('then' in next)) {
        this.#add(next as Next<Key>);
        return undefined;
      }
      this.#fetching = next.then(
        (came) => {
          this.#fetching = undefined;
          this.#add(came);
        },
        (error: unknown) => {
          this.#fetching = undefined;
          this.#ended = true;
          throw error;
        },
      );
      return this.#fetching;
    } catch (error) {
      this.#ended = true;
      throw error;
    }
  }

  #add(next: Next<Key>): void {
    if (next.done) {
      this.#ended = true;
      return;
    }
    if ('cbor' in next.value) this.#ready.push(next.value);
    else for (const item of next.value) this.#ready.push(item);
  }
}

/** Items of one stream that are sealed and have no final result, by their place in it. */
export class PendingItems<Key> {
  /** A place without an item has its result. */
  readonly #chunks: { items: (StreamItem<Key> | undefined)[]; left: number }[] = [];

  /** The items of the next chunk. */
  add(items: readonly StreamItem<Key>[]): void {
    this.#chunks.push({ items: [...items], left: items.length });
  }

  /** Takes the item at a place (chunk number × 256 + index) out; undefined when there is none, or none any more. */
  take(place: number): StreamItem<Key> | undefined {
    const chunk = this.#chunks[Math.floor(place / MAX_CHUNK_RECORDS)];
    const index = place % MAX_CHUNK_RECORDS;
    const item = chunk?.items[index];
    if (chunk === undefined || item === undefined) return undefined;
    chunk.items[index] = undefined;
    if (--chunk.left === 0) chunk.items = [];
    return item;
  }

  /** What is left, in the order in which it was sent. */
  rest(): StreamItem<Key>[] {
    return this.#chunks.flatMap(({ items }) => items.filter((item) => item !== undefined));
  }
}

/**
 * Takes the items of the next chunk from the queue: as many as fit, never a part of one; none at the end of the queue.
 * @param room records that the stream still has room for
 * @param wanted false once nobody wants the chunk any more; the items then stay in the queue
 * @param accept gets the items, and those on the way that no chunk can hold, in the very moment in which they leave the
 * queue: at no time are they nowhere
 * @returns what `accept` returns; undefined when nobody wants the chunk
 */
export async function nextChunk<Key, T>(
  queue: ItemQueue<Key>,
  room: number,
  wanted: () => boolean,
  accept: (items: StreamItem<Key>[], oversized: StreamItem<Key>[]) => T,
): Promise<T | undefined> {
  const items: StreamItem<Key>[] = [];
  const oversized: StreamItem<Key>[] = [];
  const limit = Math.min(room, MAX_CHUNK_RECORDS);
  let length = 0;
  while (items.length < limit) {
    const coming = queue.peek(items.length + oversized.length);
    const item = coming instanceof Promise ? await coming : coming;
    if (!wanted()) return undefined;
    if (item === undefined) break;
    if (item.cbor.length > MAX_CHUNK_BYTES) {
      oversized.push(item);
      continue;
    }
    const fits = length + item.cbor.length <= MAX_CHUNK_BYTES;
    if (!fits || (item.alone && items.length > 0)) break;
    items.push(item);
    length += item.cbor.length;
    if (item.alone) break;
  }
  queue.take(items.length + oversized.length);
  return accept(items, oversized);
}

/** The plaintext of a chunk. */
export function chunkBytes(items: readonly StreamItem[]): Uint8Array {
  return concat(...items.map(({ cbor }) => cbor));
}
