/** Reads exact numbers of octets from a body that comes in parts of any size. */

export class BodyReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  /** What has come and is not read yet: the first part, from `#at` on, then the others. */
  #waiting: Uint8Array[] = [];
  #at = 0;
  #available = 0;
  #ended = false;

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** The next `length` octets; undefined when the body ends before them. */
  async read(length: number): Promise<Uint8Array | undefined> {
    while (this.#available < length && !this.#ended) await this.#more();
    return this.#available < length ? undefined : this.#take(length);
  }

  /** Everything up to the end; undefined when that is over `limit` octets. */
  async rest(limit: number): Promise<Uint8Array | undefined> {
    while (!this.#ended && this.#available <= limit) await this.#more();
    return this.#available > limit ? undefined : this.#take(this.#available);
  }

  /** Has the body ended with nothing left to read? */
  async atEnd(): Promise<boolean> {
    while (this.#available === 0 && !this.#ended) await this.#more();
    return this.#available === 0;
  }

  /** Lets go of the body. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#parts.return?.();
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#parts.next();
    if (done) {
      this.#ended = true;
    } else if (value.length > 0) {
      this.#waiting.push(value);
      this.#available += value.length;
    }
  }

  #take(length: number): Uint8Array {
    this.#available -= length;
    const first = this.#waiting[0];
    if (first !== undefined && first.length - this.#at >= length) {
      const bytes = first.subarray(this.#at, this.#at + length);
      this.#advance(length);
      return bytes;
    }
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const part = (this.#waiting[0] as Uint8Array).subarray(this.#at);
      const used = part.subarray(0, length - filled);
      bytes.set(used, filled);
      filled += used.length;
      this.#advance(used.length);
    }
    return bytes;
  }

  #advance(length: number): void {
    this.#at += length;
    if (this.#at === this.#waiting[0]?.length) {
      this.#waiting.shift();
      this.#at = 0;
    }
  }
}
