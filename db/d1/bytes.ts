/**
 * Octets in D1. Results travel as JSON: a BLOB column arrives as an array of numbers, which is five times slower than its
 * hexadecimal text. Hot statements therefore send text to `unhex()` and read `hex()`; the type `bytes` is for the rest.
 */
import { customType } from 'drizzle-orm/sqlite-core';

/** A BLOB column as Uint8Array. */
export const bytes = customType<{ data: Uint8Array; driverData: number[] | Uint8Array }>({
  dataType: () => 'blob',
  toDriver: (value) => value,
  fromDriver: (value) => Uint8Array.from(value),
});

interface HexBytesConstructor {
  fromHex(text: string): Uint8Array<ArrayBuffer>;
}

/** The two digits of an octet as ASCII characters. */
const DIGITS = Array.from({ length: 256 }, (_, octet) =>
  new TextEncoder().encode(octet.toString(16).padStart(2, '0')),
);

/** The four digits of each pair of octets, both as this machine stores them. */
const PAIRS = new Uint32Array(0x10000);
const octets = new Uint8Array(2);
const digits = new Uint8Array(4);
const [pair, quad] = [new Uint16Array(octets.buffer), new Uint32Array(digits.buffer)];
for (const [first, own] of DIGITS.entries()) {
  for (const [second, next] of DIGITS.entries()) {
    octets.set([first, second]);
    digits.set(own);
    digits.set(next, 2);
    PAIRS[pair[0] as number] = quad[0] as number;
  }
}

const utf8 = new TextDecoder();

/** Lower-case hexadecimal digits. On a whole batch four times as fast as Uint8Array.prototype.toHex. */
export function toHex(value: Uint8Array): string {
  const even = value.length & ~1;
  const text = new Uint8Array(2 * value.length);
  const quads = new Uint32Array(text.buffer, 0, even / 2);
  // A Uint16Array begins at an even place.
  const aligned = value.byteOffset % 2 === 0 ? value : value.slice();
  const pairs = new Uint16Array(aligned.buffer, aligned.byteOffset, even / 2);
  for (let i = 0; i < pairs.length; i++) quads[i] = PAIRS[pairs[i] as number] as number;
  if (even < value.length) text.set(DIGITS[value[even] as number] as Uint8Array, 2 * even);
  return utf8.decode(text);
}

/** @throws SyntaxError when the text is not hexadecimal */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as unknown as HexBytesConstructor).fromHex(text);
}
