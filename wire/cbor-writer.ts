/**
 * Deterministic CBOR (RFC 8949 section 4.2.1) straight into a buffer, for values whose shape is known beforehand.
 * Past the end of the buffer nothing is written while `at` still counts: whoever began looks at it in the end.
 */

/** Major types (RFC 8949 section 3.1), in the high three bits. */
const UNSIGNED = 0x00;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const FALSE = 0xf4;
const TRUE = 0xf5;

export class CborWriter {
  #bytes: Uint8Array;
  /** Where the next octet goes. */
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Goes on elsewhere. */
  reset(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Begins a map of at most 23 entries; to be ended with their number. */
  beginMap(): number {
    return this.at++;
  }

  endMap(begun: number, entries: number): void {
    this.#bytes[begun] = MAP | entries;
  }

  array(items: number): void {
    this.#head(ARRAY, items);
  }

  /** @param value a whole number from 0 to 2^53 - 1 */
  unsigned(value: number): void {
    this.#head(UNSIGNED, value);
  }

  boolean(value: boolean): void {
    this.#bytes[this.at++] = value ? TRUE : FALSE;
  }

  /** What is encoded already. @throws RangeError when it does not fit */
  encoded(item: Uint8Array): void {
    this.#bytes.set(item, this.at);
    this.at += item.length;
  }

  /** A byte string given as hexadecimal digits, with hyphens between them or without. @param digits how many, without hyphens */
  hex(text: string, digits: number): void {
    this.#head(BYTES, digits >> 1);
    const bytes = this.#bytes;
    let at = this.at;
    let high = -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x2d) continue;
      // 0-9 have bit 6 clear; the letters of either case end in 1 to 6.
      const nibble = (code & 0x0f) + (code & 0x40 ? 9 : 0);
      if (high < 0) {
        high = nibble;
      } else {
        bytes[at++] = (high << 4) | nibble;
        high = -1;
      }
    }
    this.at = at;
  }

  /** UTF-8; a surrogate without its other half becomes U+FFFD, as the Encoding Standard has it. */
  text(text: string): void {
    const length = utf8Length(text);
    this.#head(TEXT, length);
    const bytes = this.#bytes;
    let at = this.at;
    if (length === text.length) {
      for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
      this.at = at;
      return;
    }
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        bytes[at++] = code;
        continue;
      }
      if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
      } else {
        if ((code & 0xf800) === 0xd800) {
          if (isPair(text, i)) {
            code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
          } else {
            code = 0xfffd;
          }
        }
        if (code < 0x10000) {
          bytes[at++] = 0xe0 | (code >> 12);
        } else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (code & 0x3f);
    }
    this.at = at;
  }

  /** The shortest form of a type and its number (RFC 8949 section 4.2.1). */
  #head(type: number, value: number): void {
    const bytes = this.#bytes;
    if (value < 24) {
      bytes[this.at++] = type | value;
    } else if (value < 0x100) {
      bytes[this.at++] = type | 24;
      bytes[this.at++] = value;
    } else if (value < 0x10000) {
      bytes[this.at++] = type | 25;
      this.#number(value, 1);
    } else if (value < 0x100000000) {
      bytes[this.at++] = type | 26;
      this.#number(value, 3);
    } else {
      bytes[this.at++] = type | 27;
      this.#number(Math.floor(value / 0x100000000), 3);
      this.#number(value % 0x100000000, 3);
    }
  }

  /** Big-endian. @param last number of its last octet */
  #number(value: number, last: number): void {
    for (let octet = last; octet >= 0; octet--) this.#bytes[this.at++] = value >>> (8 * octet);
  }
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    length++;
    if (code < 0x800) continue;
    length++;
    // Two units make four octets.
    if ((code & 0xf800) === 0xd800 && isPair(text, i)) i++;
  }
  return length;
}

/** Is the surrogate at `at` the first half of a pair? */
function isPair(text: string, at: number): boolean {
  return text.charCodeAt(at) < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}
