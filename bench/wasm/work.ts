/**
 * The work that every variant does: open what is sealed, make five codes of each record (a content tag and four keyed indexes)
 * and seal its two views. A set of work travels as octets, so that the C program and the worker get the very same.
 *
 * File, all integers little-endian (4): units ‖ records ‖ key (32) ‖ base nonce (12) ‖ five index keys (32 each) ‖ keys of the
 * full and the masked view (32 each) ‖ units: first record, records, sealed, plaintext ‖ records: content, four values,
 * additional data and plaintext of the full view, the same of the masked view. Whatever has no fixed size has its length before it.
 */

/** What was sealed as one message: a record, or a chunk of a stream. */
export interface Unit {
  /** The first record in it, and how many they are. */
  first: number;
  count: number;
  sealed: Uint8Array;
  plain: Uint8Array;
}

export interface Item {
  /** What the content tag is made over. */
  content: Uint8Array;
  /** What the four indexes are made over; empty when the record has no such value. */
  values: Uint8Array[];
  fullAad: Uint8Array;
  full: Uint8Array;
  maskedAad: Uint8Array;
  masked: Uint8Array;
}

export interface Work {
  /** Key and base nonce of the units: the nonce of unit n is the base XOR n. */
  key: Uint8Array;
  baseNonce: Uint8Array;
  /** Four purposes in the order of the indexes, and that of the content tag. */
  indexKeys: Uint8Array[];
  fullKey: Uint8Array;
  maskedKey: Uint8Array;
  units: Unit[];
  items: Item[];
}

/** What comes of one record, as every variant must make it. */
export interface Outcome {
  /** Content tag and four indexes, 16 octets each; zeros for a value that is not there. */
  codes: Uint8Array[];
  full: Uint8Array;
  masked: Uint8Array;
}

/** Takes the outcomes of a pass, in order. */
export type Sink = (index: number, outcome: Outcome) => void;

export const CODE_BYTES = 16;

/** Where the nonce of a parcel stands in its additional data (wire/parcel.ts). */
const POSITION_AT = 26;

/** The nonce of a parcel: 00000000 ‖ position. */
export function parcelNonce(aad: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  nonce.set(aad.subarray(POSITION_AT, POSITION_AT + 8), 4);
  return nonce;
}

/** The nonce of unit `index`. */
export function unitNonce(base: Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(base);
  const view = new DataView(nonce.buffer);
  view.setUint32(8, view.getUint32(8) ^ index);
  return nonce;
}

/** Outcomes in one piece, to be compared. */
export function outcomeBytes({ codes, full, masked }: Outcome): Uint8Array {
  const parts = [...codes, full, masked];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A set of work as octets. */
export function encodeWork(work: Work): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [u32le(work.units.length), u32le(work.items.length)];
  const variable = (bytes: Uint8Array) => parts.push(u32le(bytes.length), bytes);
  parts.push(work.key, work.baseNonce, ...work.indexKeys, work.fullKey, work.maskedKey);
  for (const { first, count, sealed, plain } of work.units) {
    parts.push(u32le(first), u32le(count));
    variable(sealed);
    variable(plain);
  }
  for (const item of work.items) {
    variable(item.content);
    item.values.forEach(variable);
    for (const bytes of [item.fullAad, item.full, item.maskedAad, item.masked]) variable(bytes);
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @throws RangeError when the octets end early */
export function decodeWork(bytes: Uint8Array): Work {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const number = () => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const fixed = (length: number) => {
    at += length;
    return bytes.slice(at - length, at);
  };
  const variable = () => fixed(number());
  const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);
  const [units, items] = [number(), number()];
  return {
    key: fixed(32),
    baseNonce: fixed(12),
    indexKeys: times(5, () => fixed(32)),
    fullKey: fixed(32),
    maskedKey: fixed(32),
    units: times(units, () => ({
      ...{ first: number(), count: number() },
      ...{ sealed: variable(), plain: variable() },
    })),
    items: times(items, () => ({
      ...{ content: variable(), values: times(4, variable) },
      ...{ fullAad: variable(), full: variable(), maskedAad: variable(), masked: variable() },
    })),
  };
}

function u32le(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
