/**
 * A plain reading of docs/rules.md "Order" 1: one CBOR item (RFC 8949), well-formed and deterministic or not. Written from the
 * documents alone, to be held against the module's decoder; slow on purpose where slow is clearer.
 */

export type Item =
  | { kind: 'uint'; value: bigint }
  | { kind: 'nint' }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'text'; text: string; octets: number }
  | { kind: 'array'; items: Item[] }
  | { kind: 'map'; entries: [Item, Item][] }
  | { kind: 'bool'; value: boolean }
  /** Null, undefined, floats, tags, other simple values: never canonical here. */
  | { kind: 'other' };

export type ItemRefusal = 'MALFORMED' | 'RECORD_TOO_LARGE' | 'NOT_CANONICAL';

/** Octets of one record. */
export const MAX_RECORD_BYTES = 4_096;
const MAX_DEPTH = 4;
/** Deeper counts as not well-formed: no decoder is asked to follow. */
const MAX_FOLLOWED_DEPTH = 32;

const KEY_KINDS: Item['kind'][] = ['uint', 'nint', 'bytes', 'text'];

class Malformed extends Error {}

/** Where text is no UTF-8, or holds U+0000: the item is malformed, but its end is known. */
interface Findings {
  badText: boolean;
  notCanonical: boolean;
}

export interface Read {
  /** Octets of the item; undefined when its end cannot be known. */
  length: number | undefined;
  refusal: ItemRefusal | undefined;
  item: Item | undefined;
}

/** Reads the item at the start of `bytes`; there may be more behind it. */
export function readItem(bytes: Uint8Array): Read {
  const reader = new Reader(bytes);
  try {
    const item = reader.item(0);
    const length = reader.at;
    return { length, refusal: refusalOf(reader.findings, length), item };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { length: undefined, refusal: 'MALFORMED', item: undefined };
  }
}

function refusalOf(findings: Findings, length: number): ItemRefusal | undefined {
  if (findings.badText) return 'MALFORMED';
  if (length > MAX_RECORD_BYTES) return 'RECORD_TOO_LARGE';
  return findings.notCanonical ? 'NOT_CANONICAL' : undefined;
}

class Reader {
  readonly bytes: Uint8Array;
  readonly findings: Findings = { badText: false, notCanonical: false };
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @param depth how many arrays, maps and tags are around it */
  item(depth: number): Item {
    const initial = this.#octet();
    const [major, info] = [initial >> 5, initial & 31];
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(major, info);
    switch (major) {
      case 0:
        return { kind: 'uint', value: argument as bigint };
      case 1:
        return { kind: 'nint' };
      case 2:
        return { kind: 'bytes', bytes: this.#string(major, argument) };
      case 3: {
        const octets = this.#string(major, argument);
        return { kind: 'text', text: this.#utf8(octets), octets: octets.length };
      }
      case 4:
        return { kind: 'array', items: this.#array(argument, this.#deeper(depth)) };
      case 5:
        return { kind: 'map', entries: this.#map(argument, this.#deeper(depth)) };
      default:
        this.findings.notCanonical = true;
        this.item(this.#deeper(depth));
        return { kind: 'other' };
    }
  }

  #octet(): number {
    if (this.at >= this.bytes.length) throw new Malformed();
    return this.bytes[this.at++] as number;
  }

  #take(length: bigint): Uint8Array {
    if (length > BigInt(this.bytes.length - this.at)) throw new Malformed();
    const from = this.at;
    this.at += Number(length);
    return this.bytes.subarray(from, this.at);
  }

  /** RFC 8949 section 3; undefined: indefinite length. */
  #argument(major: number, info: number): bigint | undefined {
    if (info < 24) return BigInt(info);
    if (info < 28) {
      const width = 2 ** (info - 24);
      const value = BigInt(`0x${Buffer.from(this.#take(BigInt(width))).toString('hex')}`);
      const least = info === 24 ? 24n : 1n << BigInt(4 * width);
      if (value < least) this.findings.notCanonical = true;
      return value;
    }
    // Only strings, arrays and maps have an indefinite length (section 3.2.1).
    if (info < 31 || major < 2 || major > 5) throw new Malformed();
    this.findings.notCanonical = true;
    return undefined;
  }

  /** Section 3.3. A break is met only where an item should be: those that are due are taken by their containers. */
  #simple(info: number): Item {
    if (info === 20 || info === 21) return { kind: 'bool', value: info === 21 };
    if (info > 27) throw new Malformed();
    if (info === 24 && this.#octet() < 32) throw new Malformed();
    if (info > 24) this.#take(BigInt(2 ** (info - 24)));
    this.findings.notCanonical = true;
    return { kind: 'other' };
  }

  /** Definite, or chunks of definite length and the same type (section 3.2.3). */
  #string(major: number, length: bigint | undefined): Uint8Array {
    if (length !== undefined) return this.#take(length);
    const chunks: Uint8Array[] = [];
    while (!this.#atBreak()) {
      const initial = this.#octet();
      if (initial >> 5 !== major) throw new Malformed();
      const chunkLength = this.#argument(major, initial & 31);
      if (chunkLength === undefined) throw new Malformed();
      const chunk = this.#take(chunkLength);
      // Each chunk of a text is text by itself.
      if (major === 3) this.#utf8(chunk);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  }

  #array(count: bigint | undefined, depth: number): Item[] {
    const items: Item[] = [];
    for (let i = 0n; count === undefined ? !this.#atBreak() : i < count; i++) {
      items.push(this.item(depth));
    }
    return items;
  }

  #map(count: bigint | undefined, depth: number): [Item, Item][] {
    const entries: [Item, Item][] = [];
    let last: Buffer | undefined;
    for (let i = 0n; count === undefined ? !this.#atBreak() : i < count; i++) {
      const from = this.at;
      const key = this.item(depth);
      const encoded = Buffer.from(this.bytes.subarray(from, this.at));
      // Section 4.2.1: ascending by octets; keys are integers or strings.
      if (last && Buffer.compare(last, encoded) >= 0) this.findings.notCanonical = true;
      if (!KEY_KINDS.includes(key.kind)) this.findings.notCanonical = true;
      last = encoded;
      entries.push([key, this.item(depth)]);
    }
    return entries;
  }

  #atBreak(): boolean {
    if (this.bytes[this.at] !== 0xff) return false;
    this.at++;
    return true;
  }

  #deeper(depth: number): number {
    if (depth + 1 > MAX_FOLLOWED_DEPTH) throw new Malformed();
    if (depth + 1 > MAX_DEPTH) this.findings.notCanonical = true;
    return depth + 1;
  }

  #utf8(octets: Uint8Array): string {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
      if (text.includes('\0')) this.findings.badText = true;
      return text;
    } catch {
      this.findings.badText = true;
      return '';
    }
  }
}
