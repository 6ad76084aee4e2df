/**
 * A seeded generator of pseudo-random numbers for synthetic data: sfc32 (Chris Doty-Humphrey's small fast counting
 * generator), seeded from text. It is predictable by design and must never make a key, a nonce or a token.
 */

/** A table that `Prng.weighted` draws from: values with the running sums of their weights. */
export interface Weights<T> {
  readonly values: readonly T[];
  readonly sums: readonly number[];
}

/** Builds a table for `Prng.weighted`. Weights are relative; they need no particular sum. */
export function weights<T>(entries: Iterable<readonly [T, number]>): Weights<T> {
  const values: T[] = [];
  const sums: number[] = [];
  let sum = 0;
  for (const [value, weight] of entries) {
    sum += weight;
    values.push(value);
    sums.push(sum);
  }
  return { values, sums };
}

const TWO_32 = 4_294_967_296;

export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The same parts always start the same sequence; parts are told apart by their text and their places. */
  constructor(...parts: readonly (string | number)[]) {
    const key = parts.join('\u0000');
    this.#a = hash32(key, 0x9e3779b9);
    this.#b = hash32(key, 0x243f6a88);
    this.#c = hash32(key, 0xb7e15162);
    for (let round = 0; round < 12; round++) this.u32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A number in [0, 1) with 32 random bits: enough for choices. */
  float(): number {
    return this.u32() / TWO_32;
  }

  /** A whole number from 0 to `below` - 1, `below` at most 2^53. */
  int(below: number): number {
    if (below <= TWO_32) return Math.floor(this.float() * below);
    const fraction = (this.u32() * 0x20_0000 + (this.u32() >>> 11)) / Number.MAX_SAFE_INTEGER;
    return Math.min(Math.floor(fraction * below), below - 1);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)] as T;
  }

  weighted<T>(table: Weights<T>): T {
    const { values, sums } = table;
    const target = this.float() * (sums[sums.length - 1] as number);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return values[low] as T;
  }

  /** A rank from 0 to `size` - 1 in which low ranks are much more frequent (about as 1 / rank). */
  rank(size: number): number {
    return Math.min(size - 1, Math.floor((size + 1) ** this.float()) - 1);
  }

  /** `count` decimal digits, 15 at most. */
  digits(count: number): string {
    return String(this.int(10 ** count)).padStart(count, '0');
  }

  /** `words` times eight lower-case hex digits. */
  hex(words: number): string {
    let text = '';
    for (let word = 0; word < words; word++) text += this.u32().toString(16).padStart(8, '0');
    return text;
  }

  /** `count` characters out of `alphabet`. */
  text(alphabet: string, count: number): string {
    let text = '';
    for (let index = 0; index < count; index++) text += alphabet[this.int(alphabet.length)];
    return text;
  }
}

/** FNV-1a over the code units with a start value of the caller's, finished as in MurmurHash3 so that all bits depend on all. */
export function hash32(text: string, start: number): number {
  let hash = start | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
