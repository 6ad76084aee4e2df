/**
 * Deterministic CBOR (RFC 8949 section 4.2.1) of known shape, straight from its octets: shortest heads, definite lengths, valid
 * UTF-8, no floats, no tags. All else throws a FormatError, which says nothing of what was read.
 */
import { FormatError } from './bytes.ts';
import { MAX_CBOR_DEPTH } from './limits.ts';

/** Major types (RFC 8949 section 3.1). */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const FALSE = 0xf4;
const TRUE = 0xf5;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Octets up to which a text is tried as ASCII first: codes and numbers, where a decoder's call costs more than they do. */
const SHORT_TEXT = 24;

export class CborReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new FormatError();
  }

  /** Number of entries of a map. */
  map(): number {
    return this.#head(MAP);
  }

  /** Number of items of an array. */
  array(): number {
    return this.#head(ARRAY);
  }

  /** The next key of a map. @param last the one before it, -1 at first: keys ascend, so that none comes twice */
  key(last: number): number {
    const key = this.#head(UNSIGNED);
    if (key <= last) throw new FormatError();
    return key;
  }

  /** Up to 2^53 - 1. */
  unsigned(): number {
    return this.#head(UNSIGNED);
  }

  boolean(): boolean {
    const octet = this.#bytes[this.#at++];
    if (octet !== FALSE && octet !== TRUE) throw new FormatError();
    return octet === TRUE;
  }

  /** As a view. */
  bytes(): Uint8Array {
    return this.#take(this.#head(BYTES));
  }

  text(): string {
    const length = this.#head(TEXT);
    if (length > SHORT_TEXT) return decodeUtf8(this.#take(length));
    const end = this.#at + length;
    let text = '';
    for (let at = this.#at; at < end; at++) {
      const octet = this.#bytes[at] ?? 0x80;
      if (octet >= 0x80) return decodeUtf8(this.#take(length));
      text += String.fromCharCode(octet);
    }
    this.#at = end;
    return text;
  }

  /** Passes over one item, whatever it is. @param depth of maps and arrays around it */
  skip(depth: number): void {
    const octet = this.#bytes[this.#at];
    if (octet === FALSE || octet === TRUE) {
      this.#at++;
      return;
    }
    const major = (octet ?? 0xff) >> 5;
    const argument = this.#head(major);
    if (major === BYTES) this.#take(argument);
    else if (major === TEXT) decodeUtf8(this.#take(argument));
    else if (major === ARRAY || major === MAP) {
      if (depth >= MAX_CBOR_DEPTH) throw new FormatError();
      const items = major === MAP ? 2 * argument : argument;
      for (let i = 0; i < items; i++) this.skip(depth + 1);
    } else if (major !== UNSIGNED && major !== NEGATIVE) throw new FormatError();
  }

  #take(length: number): Uint8Array {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new FormatError();
    this.#at = from + length;
    return this.#bytes.subarray(from, from + length);
  }

  /** The argument of the next head (RFC 8949 section 3), which must be of this major type and in its shortest form. */
  #head(major: number): number {
    const first = this.#bytes[this.#at++];
    if (first === undefined || first >> 5 !== major) throw new FormatError();
    const low = first & 0x1f;
    if (low < 24) return low;
    if (low > 27) throw new FormatError();
    const octets = 1 << (low - 24);
    let value = 0;
    for (let i = 0; i < octets; i++) {
      const octet = this.#bytes[this.#at++];
      if (octet === undefined) throw new FormatError();
      value = value * 0x100 + octet;
    }
    const least = low === 24 ? 24 : 2 ** (8 * (octets >> 1));
    if (value < least || !Number.isSafeInteger(value)) throw new FormatError();
    return value;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError();
  }
}
