/** The decoder of opened records against a general one, on generated days, on every kind of item and on hostile octets. */
import { decode, encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateDay } from '../../client/generate/day.ts';
import { FormatError } from '../../wire/bytes.ts';
import {
  DOC_TYPES,
  decodeMasked,
  decodeRecord,
  encodeRecord,
  GOODS,
  uuidText,
} from '../../wire/record.ts';
import { fromHex } from '../support/vectors.ts';

const DAY = { city: 'guiyang', parcels: 400, seed: 11, bad: 0.3, day: '2026-11-20' } as const;

/** CBOR of a day's records, faulty ones too. */
const records = [...generateDay(DAY)].flatMap(({ record, raw }) => {
  try {
    return [raw === undefined ? encodeRecord(record) : fromHex(raw)];
  } catch {
    return [];
  }
});

/** What a record comes to by a general decoder; undefined when it is no record. */
function reference(bytes: Uint8Array): unknown {
  try {
    const m = decode(bytes, { useMaps: true, strict: true, rejectDuplicateMapKeys: true });
    return named(m as Map<number, unknown>, RECORD);
  } catch {
    return undefined;
  }
}

type Read = (value: never) => unknown;
type Fields = Record<number, [string, Read?]>;

const division = (value: number) => String(value).padStart(6, '0');
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const nameIn = (table: Record<string, number>) => (value: number) =>
  Object.keys(table).find((name) => table[name] === value);
const PERSON: Fields = {
  ...{ 1: ['docType', nameIn(DOC_TYPES)], 2: ['docNumber'], 3: ['nationality'] },
  ...{ 4: ['name'], 5: ['phone'] },
};
const PLACE: Fields = { 6: ['address'], 7: ['division', division] };
const AGREEMENT: Fields = { 1: ['number'], 2: ['uscc'], 5: ['phone'], ...PLACE };
const RECIPIENT: Fields = { 4: ['name'], 5: ['phone'], ...PLACE };
const inner = (fields: Fields) => (value: Map<number, unknown>) => named(value, fields);
const RECORD: Fields = {
  ...{ 1: ['id', uuidText], 2: ['carrier'], 3: ['waybill'], 5: ['outlet'] },
  4: ['takenAt', (value: number) => new Date(value).toISOString()],
  6: ['goods', nameIn(GOODS)],
  7: ['sender', inner({ ...PERSON, ...PLACE, 8: ['settledAbroad'] })],
  8: ['agreement', inner(AGREEMENT)],
  10: ['guardian', inner(PERSON)],
  11: ['recipient', inner(RECIPIENT)],
  12: ['photos', (value: Uint8Array[]) => value.map(hex)],
  13: ['replaces', uuidText],
};

function named(map: Map<number, unknown>, fields: Fields): Record<string, unknown> {
  const entries = [...map].flatMap(([key, value]) => {
    const [name, read] = fields[key] ?? [];
    const taken = read ? read(value as never) : value;
    return name === undefined || taken === undefined ? [] : [[name, taken]];
  });
  return Object.fromEntries(entries);
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decodeRecord(bytes);
  } catch (error) {
    // Its errors quote nothing.
    expect(error instanceof FormatError || error instanceof RangeError).toBe(true);
    return undefined;
  }
}

/** A record with these entries in place of its own, keys ascending. */
function changed(entries: [number, unknown][]): Uint8Array {
  const [first] = records as [Uint8Array];
  const map = decode(first, { useMaps: true }) as Map<number, unknown>;
  for (const [key, value] of entries) map.set(key, value);
  return encode(new Map([...map].sort(([a], [b]) => a - b)));
}

describe('records', () => {
  it('are decoded as by a general decoder, in the same order of fields', () => {
    expect(records.length).toBeGreaterThan(300);
    let taken = 0;
    for (const bytes of records) {
      const record = decoded(bytes);
      if (record === undefined) continue;
      taken++;
      expect(JSON.stringify(record)).toBe(JSON.stringify(reference(bytes)));
    }
    expect(taken).toBeGreaterThan(300);
  });

  it('of any texts come back as they were encoded', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    const [first] = [...generateDay({ ...DAY, parcels: 1, bad: 0 })].map(({ record }) => record);
    if (!first?.sender) throw new Error('no record');
    const { sender } = first;
    fc.assert(
      fc.property(text, text, text, (carrier, name, address) => {
        const record = { ...first, carrier, sender: { ...sender, name, address } };
        // Also how a byte order mark must stay, which decoders like to drop.
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
      { examples: [['\ufeffx', '\ufeff'.repeat(30), '𠮷'.repeat(20)]] },
    );
  });

  it('keep what they have that is not known out', () => {
    const [first] = records as [Uint8Array];
    const extra = changed([
      [9, new Uint8Array(300)],
      [14, ['x', { deep: [true, -5, 70_000] }.deep]],
    ]);
    expect(decodeRecord(extra)).toEqual(decodeRecord(first));
    expect(decodeRecord(changed([[6, 55]]))).not.toHaveProperty('goods');
  });

  it('as masked views have only what these may show', () => {
    const [first] = records as [Uint8Array];
    const { id, carrier, waybill, takenAt, sender, recipient } = decodeRecord(first);
    const { name, phone, address } = recipient;
    const { division: _, settledAbroad: __, ...shown } = sender ?? { division: '' };
    expect(decodeMasked(first)).toEqual({
      ...{ id, carrier, waybill, takenAt, recipient: { name, phone, address } },
      ...(sender && { sender: shown }),
    });
  });
});

describe('what is refused', () => {
  const [first] = records as [Uint8Array];

  it('every prefix of a record, and every record with something behind it', () => {
    for (let length = 0; length < first.length; length++) {
      expect(decoded(first.subarray(0, length))).toBeUndefined();
    }
    expect(decoded(Uint8Array.of(...first, 0))).toBeUndefined();
  });

  it.each([
    ['a text in place of the id', [[1, 'x']]],
    ['a number in place of a text', [[2, 7]]],
    ['octets in place of a text', [[3, new Uint8Array(9)]]],
    ['a time before 1970', [[4, -1]]],
    ['a time past all calendars', [[4, Number.MAX_SAFE_INTEGER]]],
    ['no time', [[4, undefined]]],
    ['a text in place of the sender', [[7, 'x']]],
    ['a float', [[6, 1.5]]],
    ['null', [[14, null]]],
    ['a float in what is not known', [[14, 1.5]]],
    ['maps in maps in maps in what is not known', [[14, [[[[1]]]]]]],
  ] as [string, [number, unknown][]][])('%s', (_, entries) => {
    expect(decoded(changed(entries))).toBeUndefined();
  });

  it.each([
    ['a longer head than needed', [0xb8, first[0] as number & 0x1f, ...first.subarray(1)]],
    ['an indefinite length', [0xbf, ...first.subarray(1), 0xff]],
    ['a tag', [0xc0, ...first]],
    ['a number of nine octets', [0xa1, 0x04, 0x1b, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['keys that descend', [0xa2, 0x04, 0x01, 0x01, 0x41, 0x01]],
    ['a key twice', [0xa2, 0x04, 0x01, 0x04, 0x01]],
    ['a key that is no number', [0xa1, 0x61, 0x31, 0x01]],
    ['UTF-8 that is none', [0xa2, 0x02, 0x62, 0xc3, 0x28, 0x04, 0x01]],
    ['half a surrogate pair', [0xa2, 0x02, 0x63, 0xed, 0xa0, 0x80, 0x04, 0x01]],
    ['no map', [0x80]],
    ['nothing', []],
  ] as [string, number[]][])('%s', (_, octets) => {
    expect(decoded(Uint8Array.from(octets))).toBeUndefined();
  });

  it('never takes what a general decoder refuses, whatever octets are changed', () => {
    const place = fc.nat({ max: 4_000 });
    const change = fc.record({ at: place, octet: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        fc.nat({ max: records.length - 1 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (index, changes) => {
          const bytes = (records[index] as Uint8Array).slice();
          for (const { at, octet } of changes) bytes[at % bytes.length] = octet;
          const record = decoded(bytes);
          if (record !== undefined) expect(record).toEqual(reference(bytes));
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
