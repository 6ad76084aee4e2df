/** Octets in PostgreSQL: bytea columns, and the arrays that postgres.js cannot write without asking the server for types. */
import { customType } from 'drizzle-orm/pg-core';
import { concat } from '../../wire/bytes.ts';

/** A bytea column as Uint8Array. */
export const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** Octets as they are, where the driver gives a Buffer: a view of the same memory. */
export function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** The text form of an integer array, for a parameter that the statement casts (`${list([1, 2])}::bigint[]`). */
export function list(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** Byte strings as two parameters: all of them joined, in Base64, and the length of each as the text of an integer array. */
export function joined(values: readonly Uint8Array[]): [octets: string, lengths: string] {
  return [base64(concat(...values)), list(values.map(({ length }) => length))];
}

/** What may stand in for `toBase64` where the engine has none. */
declare const Buffer: {
  from(buffer: ArrayBufferLike): { toString(encoding: 'base64'): string };
};

/**
 * For large parameters, which the statement decodes: postgres.js sends octets as hexadecimal text, which is half as long again
 * and takes the server twice the time to read.
 */
function base64(octets: Uint8Array<ArrayBuffer>): string {
  const native = (octets as { toBase64?: () => string }).toBase64;
  return native === undefined ? Buffer.from(octets.buffer).toString('base64') : native.call(octets);
}
