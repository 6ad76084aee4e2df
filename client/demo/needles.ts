/** Many values to be found in octets at once, whatever their offset. */

/** Octets that a value must have in the encoding it is searched in: shorter ones stand in random data by chance. */
export const MIN_NEEDLE_BYTES = 8;

/**
 * A set of values in UTF-8. Each is entered by the hash of eight octets in a row somewhere in it, those which the fewest
 * others are entered by: addresses of one city begin alike and end alike.
 */
export class Needles {
  readonly #known = new Set<string>();
  #arena = Buffer.allocUnsafe(1 << 20);
  /** Where each needle begins in the arena; the next one's begin is its end. */
  #begins = new Uint32Array(1 << 12);
  /** How far into a needle the eight octets lie that it is entered by. */
  #anchors = new Uint16Array(1 << 12);
  /** Open addressing: 0, or the number of a needle plus 1. */
  #slots = new Uint32Array(1 << 14);
  /** How many needles are entered by each value of a hash's upper 22 bits. */
  readonly #loads = new Uint16Array(1 << 22);
  /** 1 for each pair of neighbours among the octets that needles are entered by. */
  readonly #pairs = new Uint8Array(1 << 16);
  /** 1 for each UTF-16 code unit of a needle. */
  readonly codeUnits = new Uint8Array(1 << 16);
  #longest = 0;

  /** Octets of the longest needle. */
  get longest(): number {
    return this.#longest;
  }

  /** Values added, without those that were passed over. */
  get size(): number {
    return this.#known.size;
  }

  /** Adds a value, unless it is under MIN_NEEDLE_BYTES octets of UTF-8. */
  add(value: string): void {
    // One character over and over (zeros, blanks) tells nobody anything, and stands in many a file.
    if (this.#known.has(value) || /^(.)\1*$/su.test(value)) return;
    const begin = this.#begins[this.size] as number;
    const most = value.length * 3;
    if (begin + most > this.#arena.length) {
      this.#arena = Buffer.concat([this.#arena], 2 * (this.#arena.length + most));
    }
    const length = this.#arena.write(value, begin, 'utf8');
    if (length < MIN_NEEDLE_BYTES) return;
    const needle = this.size;
    this.#known.add(value);
    this.#longest = Math.max(this.#longest, length);
    for (let i = 0; i < value.length; i++) this.codeUnits[value.charCodeAt(i)] = 1;
    if (needle + 2 > this.#begins.length) {
      this.#begins = doubled(this.#begins);
      this.#anchors = doubled(this.#anchors);
    }
    this.#begins[needle + 1] = begin + length;
    this.#enter(needle, begin, length);
  }

  /** Calls `found` with offset and length of each needle in `bytes`. */
  search(bytes: Uint8Array, found: (offset: number, length: number) => void): void {
    const pairs = this.#pairs;
    let last = 0;
    let run = 0;
    for (let i = 0; i < bytes.length; i++) {
      // Hashing at each offset would cost ten times as much: few octets of sealed data stand in a row as in text.
      const octet = bytes[i] as number;
      run = pairs[(last << 8) | octet] === 1 ? run + 1 : 0;
      last = octet;
      if (run >= MIN_NEEDLE_BYTES - 1) this.#compare(bytes, i - MIN_NEEDLE_BYTES + 1, found);
    }
  }

  #compare(bytes: Uint8Array, at: number, found: (offset: number, length: number) => void): void {
    if (at < 0) return;
    const mask = this.#slots.length - 1;
    let slot = hashAt(bytes, at) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const needle = (this.#slots[slot] as number) - 1;
      const offset = at - (this.#anchors[needle] as number);
      const begin = this.#begins[needle] as number;
      const length = (this.#begins[needle + 1] as number) - begin;
      if (offset < 0 || offset + length > bytes.length) continue;
      let same = 0;
      while (same < length && this.#arena[begin + same] === bytes[offset + same]) same++;
      if (same === length) found(offset, length);
    }
  }

  #enter(needle: number, begin: number, length: number): void {
    let least = Number.POSITIVE_INFINITY;
    let anchor = 0;
    let hash = 0;
    const last = Math.min(length - MIN_NEEDLE_BYTES, 0xffff);
    for (let candidate = 0; candidate <= last && least > 0; candidate++) {
      const candidateHash = hashAt(this.#arena, begin + candidate);
      const load = this.#loads[candidateHash >>> 10] as number;
      if (load >= least) continue;
      least = load;
      anchor = candidate;
      hash = candidateHash;
    }
    this.#anchors[needle] = anchor;
    this.#loads[hash >>> 10] = least + 1;
    for (let i = begin + anchor; i < begin + anchor + MIN_NEEDLE_BYTES - 1; i++) {
      this.#pairs[this.#arena.readUInt16BE(i)] = 1;
    }
    if (this.size * 2 <= this.#slots.length) this.#occupy(needle, hash);
    else this.#grow();
  }

  #occupy(needle: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = needle + 1;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 4);
    for (let needle = 0; needle < this.size; needle++) {
      const at = (this.#begins[needle] as number) + (this.#anchors[needle] as number);
      this.#occupy(needle, hashAt(this.#arena, at));
    }
  }
}

/** A hash of the eight octets at an offset, 32 bits. */
function hashAt(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = at; i < at + MIN_NEEDLE_BYTES; i += 2) {
    hash = Math.imul(hash ^ ((bytes[i] as number) << 8) ^ (bytes[i + 1] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0xc2b2ae3d);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function doubled<T extends Uint32Array | Uint16Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
