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

/** The two digits of each octet as two ASCII characters, in the order in which this machine stores a Uint16. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, octet) => {
  const digits = new TextEncoder().encode(octet.toString(16).padStart(2, '0'));
  return new Uint16Array(digits.buffer)[0] as number;
});

const ascii = new TextDecoder('latin1');

/** Lower-case hexadecimal digits. Twice as fast on a whole batch as Uint8Array.prototype.toHex. */
export function toHex(value: Uint8Array): string {
  const digits = new Uint16Array(value.length);
  for (let i = 0; i < value.length; i++) digits[i] = DIGITS[value[i] as number] as number;
  return ascii.decode(digits);
}

/** @throws SyntaxError when the text is not hexadecimal */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as unknown as HexBytesConstructor).fromHex(text);
}
