/** Reads request bodies piece by piece, bounded in octets and in time. */
import { concat, FormatError, Reader } from '../../../wire/bytes.ts';
import { MAX_SEALED_CHUNK_BYTES } from '../../../wire/envelope.ts';
import { TAG_BYTES } from '../../../wire/limits.ts';
import { Failure } from './failure.ts';

/** Octets to be dropped that must come within the time of one read: a sender who trickles is not waited for to the end. */
const DRAIN_BYTES = 64 * 1024;

/** Pieces held side by side. */
const MAX_PIECES = 64;

export interface SealedChunk {
  sealed: Uint8Array;
  /** The last one, which ends with the body. */
  final: boolean;
}

export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #limit: number;
  readonly #idleMs: number;
  readonly #pieces: Uint8Array[] = [];
  #held = 0;
  #total = 0;

  /**
   * @param limit octets of the whole body
   * @param idleMs milliseconds in which what is asked for must have come, however many pieces it comes in
   */
  constructor(body: ReadableStream<Uint8Array> | null, limit: number, idleMs: number) {
    this.#reader = body?.getReader();
    this.#limit = limit;
    this.#idleMs = idleMs;
  }

  /** The next `length` octets. @throws FormatError when the body ends before; Failure too_large */
  async exactly(length: number): Promise<Uint8Array> {
    if (!(await this.#fill(length))) throw new FormatError();
    return this.#take(length);
  }

  /**
   * The next chunk of a stream (draft-ietf-ohai-chunked-ohttp section 6): a QUIC varint in its shortest form with the
   * length, or 0 before the final chunk.
   * @throws FormatError when it is not framed so, or the body ends; Failure too_large for a chunk over its limit
   */
  async chunk(): Promise<SealedChunk> {
    const first = await this.#peek();
    const length = new Reader(await this.exactly(1 << (first >> 6))).varint();
    const final = length === 0;
    const sealed = final ? await this.rest(MAX_SEALED_CHUNK_BYTES) : await this.#sized(length);
    if (sealed.length < TAG_BYTES) throw new FormatError();
    return { sealed, final };
  }

  /** All that is left. @throws Failure too_large when that is more than `most` octets; FormatError when it breaks off */
  async rest(most: number): Promise<Uint8Array> {
    if (await this.#fill(most + 1)) throw new Failure('too_large');
    return this.#take(this.#held);
  }

  /**
   * Reads on without keeping anything, for a sender that reads only after it has sent all: up to the limit, and for as long
   * as one read may take.
   */
  async drain(): Promise<void> {
    const lastMs = Date.now() + this.#idleMs;
    for (let more = true; more && Date.now() < lastMs; this.#take(this.#held)) {
      more = await this.#fill(DRAIN_BYTES);
    }
  }

  /** Gives the body up. */
  async cancel(): Promise<void> {
    await this.#reader?.cancel().catch(() => {});
  }

  async #sized(length: number): Promise<Uint8Array> {
    if (length > MAX_SEALED_CHUNK_BYTES) throw new Failure('too_large');
    return this.exactly(length);
  }

  async #peek(): Promise<number> {
    if (!(await this.#fill(1))) throw new FormatError();
    const first = this.#pieces.find((piece) => piece.length > 0);
    return first?.[0] ?? 0;
  }

  /** Reads until `length` octets are held. @returns false when the body ends before @throws FormatError when that takes too long */
  async #fill(length: number): Promise<boolean> {
    if (this.#held >= length) return true;
    const reading = { over: false };
    try {
      return await within(this.#idleMs, this.#readUntil(length, reading));
    } finally {
      reading.over = true;
    }
  }

  /** @param reading is over when nobody waits for it any more: what comes then is dropped */
  async #readUntil(length: number, reading: { over: boolean }): Promise<boolean> {
    while (this.#held < length) {
      const piece = await this.#read();
      if (piece === undefined || reading.over) return false;
      this.#pieces.push(piece);
      // A piece of one octet may hold a page of memory: many small ones are copied into one.
      if (this.#pieces.length >= MAX_PIECES) {
        this.#pieces.splice(0, MAX_PIECES, concat(...this.#pieces));
      }
      this.#held += piece.length;
      this.#total += piece.length;
      if (this.#total > this.#limit) throw new Failure('too_large');
    }
    return true;
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return (await this.#reader?.read())?.value;
    } catch {
      // A connection that is gone: the rest of the body does not come.
      throw new FormatError();
    }
  }

  #take(length: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let wanted = length;
    let used = 0;
    for (const piece of this.#pieces) {
      if (wanted === 0) break;
      const part = piece.subarray(0, wanted);
      taken.push(part);
      wanted -= part.length;
      if (part.length < piece.length) this.#pieces[used] = piece.subarray(part.length);
      else used++;
    }
    this.#pieces.splice(0, used);
    this.#held -= length;
    return taken.length === 1 ? (taken[0] as Uint8Array) : concat(...taken);
  }
}

/**
 * Reads a whole body, never more than one piece past the limit.
 * @throws Failure too_large, malformed_request when it came too slowly or broke off
 */
export async function readBody(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
  deadlineMs: number,
): Promise<Uint8Array> {
  const body = new BodyReader(stream, limit, deadlineMs);
  try {
    return await body.rest(limit);
  } catch (error) {
    await body.cancel();
    throw error instanceof Failure ? error : new Failure('malformed_request');
  }
}

/** @throws FormatError when the work takes longer than `ms` milliseconds */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let expire = () => {};
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new FormatError()), ms);
    expire = () => clearTimeout(timer);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    expire();
  }
}
