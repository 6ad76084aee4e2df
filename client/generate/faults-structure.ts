/** Faults of the encoding and of the shape of a record (RFC 8949, docs/record.cddl). */
import { encode } from 'cborg';
import { entryOf, hex, inner, withBytes, withEntries, withMap } from './cbor.ts';
import type { Fault, Loose } from './faults.ts';

const LONG_ADDRESS = '贵阳市南明区'.repeat(240);

export const STRUCTURE_FAULTS: readonly Fault[] = [
  // Cut off in its last field.
  {
    code: 'MALFORMED',
    alone: true,
    spoil: (record) => withBytes(record, (bytes) => bytes.slice(0, -5)),
  },
  // Additional information 28 is reserved (RFC 8949 section 3).
  {
    code: 'MALFORMED',
    alone: true,
    spoil: (record) =>
      withEntries(record, (entries) => {
        entryOf(entries, 6)[1] = Uint8Array.of(0x1c);
      }),
  },
  // A break without an indefinite item.
  {
    code: 'MALFORMED',
    alone: true,
    spoil: (record) =>
      withEntries(record, (entries) => {
        entryOf(entries, 6)[1] = Uint8Array.of(0xff);
      }),
  },
  // An outlet in GBK instead of UTF-8: invalid, but its end is known.
  {
    code: 'MALFORMED',
    spoil: (record) =>
      withEntries(record, (entries) => {
        entryOf(entries, 5)[1] = Uint8Array.of(0x64, 0xb9, 0xf3, 0xd1, 0xf4);
      }),
  },

  // The number of entries in two octets where one is enough.
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withBytes(record, (bytes) =>
        Uint8Array.of(0xb8, (bytes[0] as number) & 31, ...bytes.subarray(1)),
      ),
  },
  // A map of indefinite length.
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withBytes(record, (bytes) => Uint8Array.of(0xbf, ...bytes.subarray(1), 0xff)),
  },
  // An integer with more octets than it needs.
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withEntries(record, (entries) => {
        entryOf(entries, 6)[1] = Uint8Array.of(0x18, 0x02);
      }),
  },
  // Keys out of order, then one twice.
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withEntries(record, (entries) => {
        entries.splice(2, 2, ...entries.slice(2, 4).reverse());
      }),
  },
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withEntries(record, (entries) => {
        entries.splice(5, 0, entryOf(entries, 5));
      }),
  },
  // A time as a float, with a tag, and null.
  {
    code: 'NOT_CANONICAL',
    spoil: (record) => withMap(record, (map) => map.set(4, Date.parse(record.takenAt) + 0.5)),
  },
  {
    code: 'NOT_CANONICAL',
    spoil: (record) =>
      withEntries(record, (entries) => {
        const entry = entryOf(entries, 4);
        entry[1] = Uint8Array.of(0xc1, ...entry[1]);
      }),
  },
  { code: 'NOT_CANONICAL', spoil: (record) => withMap(record, (map) => map.set(5, null)) },
  // Deeper than MAX_CBOR_DEPTH.
  { code: 'NOT_CANONICAL', spoil: (record) => withMap(record, (map) => map.set(6, [[[[[[1]]]]]])) },

  {
    code: 'RECORD_TOO_LARGE',
    spoil: (record) => withMap(record, (map) => inner(map, 11).set(6, LONG_ADDRESS)),
  },

  { code: 'MISSING_FIELD', field: 'waybill', spoil: (record) => drop(record, 'waybill') },
  {
    code: 'MISSING_FIELD',
    field: 'recipient',
    spoil: (record) => withMap(record, (map) => map.delete(11)),
  },
  {
    code: 'MISSING_FIELD',
    field: 'recipient.phone',
    spoil: (record) => drop(record.recipient, 'phone'),
  },
  {
    code: 'MISSING_FIELD',
    field: 'sender.docNumber',
    spoil: (record) => drop(record.sender as Loose, 'docNumber'),
  },
  {
    code: 'MISSING_FIELD',
    field: 'sender.docType',
    spoil: (record) => drop(record.sender as Loose, 'docType'),
  },

  { code: 'UNKNOWN_FIELD', spoil: (record) => withMap(record, (map) => map.set(14, 'x')) },
  {
    code: 'UNKNOWN_FIELD',
    field: 'recipient',
    spoil: (record) => withMap(record, (map) => inner(map, 11).set(8, true)),
  },

  {
    code: 'WRONG_TYPE',
    field: 'waybill',
    spoil: (record) => set(record, 'waybill', 773012345678901),
  },
  {
    code: 'WRONG_TYPE',
    field: 'recipient.phone',
    spoil: (record) => set(record.recipient, 'phone', 13800138000),
  },
  {
    code: 'WRONG_TYPE',
    field: 'sender.name',
    spoil: (record) => set(record.sender as Loose, 'name', true),
  },
  {
    code: 'WRONG_TYPE',
    field: 'goods',
    spoil: (record) => withMap(record, (map) => map.set(6, 'food')),
  },
  {
    code: 'WRONG_TYPE',
    field: 'takenAt',
    spoil: (record) => withMap(record, (map) => map.set(4, record.takenAt)),
  },
  {
    code: 'WRONG_TYPE',
    field: 'sender',
    spoil: (record) => withMap(record, (map) => map.set(7, 'RESIDENT')),
  },
  { code: 'WRONG_TYPE', spoil: () => hex(encode(['not', 'a', 'map'])) },

  {
    code: 'BAD_LENGTH',
    field: 'replaces',
    spoil: (record) => withMap(record, (map) => map.set(13, new Uint8Array(15))),
  },
];

/** Leaves a field out. */
export function drop(object: Loose, name: string): undefined {
  delete object[name];
}

/** Gives a field another value, of whatever type. */
export function set(object: Loose, name: string, value: unknown): undefined {
  object[name] = value;
}
