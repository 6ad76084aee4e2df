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

/** A source of items into which those without a result can be put back. */
export class ItemQueue<Key> {
  readonly #source: AsyncIterator<StreamItem<Key>> | Iterator<StreamItem<Key>>;
  /** Items put back or fetched ahead, the next one last. */
  readonly #ready: StreamItem<Key>[] = [];
  #fetching: Promise<void> | undefined;
  #ended = false;

  constructor(source: Iterable<StreamItem<Key>> | AsyncIterable<StreamItem<Key>>) {
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Items that wait here; more may come from the source. */
  get waiting(): number {
    return this.#ready.length;
  }

  /** The item `index` places ahead, left in its place; undefined past the end. @throws what the source throws */
  peek(index = 0): StreamItem<Key> | undefined | Promise<StreamItem<Key> | undefined> {
    if (this.#ready.length > index || this.#ended) return this.#ready.at(-1 - index);
    return this.#fetch().then(() => this.#ready.at(-1 - index));
  }

  /** Takes the next `count` items, which were peeked at before. */
  take(count: number): void {
    this.#ready.length -= count;
  }

  /** Items to be taken next, the first of them first. */
  putBack(items: Iterable<StreamItem<Key>>): void {
    this.#ready.push(...[...items].reverse());
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
    this.#ended = true;
  }

  /** One fetch at a time: an attempt that is given up while it waits leaves its item to the next one. */
  #fetch(): Promise<void> {
    this.#fetching ??= (async () => {
      try {
        const next = await this.#source.next();
        if (next.done) this.#ended = true;
        else this.#ready.unshift(next.value);
      } catch (error) {
        this.#ended = true;
        throw error;
      } finally {
        this.#fetching = undefined;
      }
    })();
    return this.#fetching;
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
