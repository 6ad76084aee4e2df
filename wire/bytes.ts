/** Bytes: big-endian integers, joining, QUIC variable-length integers (RFC 9000 section 16). */

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Cuts octets into pieces of one length, as views. */
export function pieces(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: bytes.length / length }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

/** The UTF-8 octets of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Eight octets of a non-negative integer up to 2^53 - 1. */
export function u64(value: number): Uint8Array {
  return concat(u32(Math.floor(value / 2 ** 32)), u32(value >>> 0));
}

/** True when both are equal. Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Order of byte strings, as `sort` wants it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A variable-length integer (RFC 9000 section 16), shortest form. @throws RangeError over 2^53 - 1 */
export function varint(value: number): Uint8Array {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return u16(value | 0x4000);
  if (value < 0x4000_0000) return u32((value | 0x8000_0000) >>> 0);
  if (!Number.isSafeInteger(value)) throw new RangeError('varint out of range');
  const bytes = u64(value);
  bytes[0] = (bytes[0] as number) | 0xc0;
  return bytes;
}

/** Reads fixed formats front to back. Every read throws FormatError when it would pass the end. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next `length` octets, as a view. */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw new FormatError();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  u8(): number {
    return this.bytes(1)[0] as number;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  /** @throws FormatError over 2^53 - 1 */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw new FormatError();
    return value;
  }

  /** A variable-length integer (RFC 9000 section 16). @throws FormatError when it is not in its shortest form */
  varint(): number {
    const first = this.u8();
    const length = 1 << (first >> 6);
    let value = first & 0x3f;
    for (let i = 1; i < length; i++) value = value * 0x100 + this.u8();
    if (!Number.isSafeInteger(value) || varint(value).length !== length) throw new FormatError();
    return value;
  }

  /** The next octets must be these (a magic, a zero). */
  expect(expected: Uint8Array): void {
    if (!equalBytes(this.bytes(expected.length), expected)) throw new FormatError();
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left !== 0) throw new FormatError();
  }
}

/** Bytes that do not have the form they should. Says nothing about them on purpose. */
export class FormatError extends Error {
  constructor(message = 'bytes are not in the expected format') {
    super(message);
    this.name = 'FormatError';
  }
}
