/** The encoder of records, which writes straight into a buffer, against a CBOR library that is given the same entries. */
import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../client/encoding.ts';
import { generateDay } from '../../client/generate/day.ts';
import { CborWriter } from '../../wire/cbor-writer.ts';
import { MAX_RECORD_BYTES } from '../../wire/limits.ts';
import {
  DOC_TYPES,
  encodeRecord,
  encodeRecordInto,
  GOODS,
  type ParcelRecord,
  type Person,
  uuidBytes,
} from '../../wire/record.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);

type Entries = [number, unknown][];

/** What the record is in CBOR's own terms (docs/record.cddl). */
function expected(record: ParcelRecord): Uint8Array {
  const map = (entries: Entries) => new Map(entries.filter(([, value]) => value !== undefined));
  const person = (p: Person): Entries => [
    ...([
      [1, DOC_TYPES[p.docType]],
      [2, p.docNumber],
      [3, p.nationality],
    ] as Entries),
    ...([
      [4, p.name],
      [5, p.phone],
    ] as Entries),
  ];
  const { sender, agreement, guardian, recipient } = record;
  return encode(
    map([
      [1, uuidBytes(record.id)],
      [2, record.carrier],
      [3, record.waybill],
      [4, Date.parse(record.takenAt)],
      [5, record.outlet],
      [6, GOODS[record.goods]],
      [
        7,
        sender &&
          map([
            ...person(sender),
            [6, sender.address],
            [7, Number(sender.division)],
            [8, sender.settledAbroad],
          ]),
      ],
      [
        8,
        agreement &&
          map([
            [1, agreement.number],
            [2, agreement.uscc],
            [5, agreement.phone],
            [6, agreement.address],
            [7, Number(agreement.division)],
          ]),
      ],
      [10, guardian && map(person(guardian))],
      [
        11,
        map([
          [4, recipient.name],
          [5, recipient.phone],
          [6, recipient.address],
          [7, Number(recipient.division)],
        ]),
      ],
      [12, record.photos?.map(fromHex)],
      [13, record.replaces === undefined ? undefined : uuidBytes(record.replaces)],
    ]),
  );
}

/** Any text, also what is no text: UTF-16 with halves of pairs. */
const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc
    .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
);
const division = fc.integer({ min: 0, max: 999_999_999 }).map(String);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const docType = fc.constantFrom(...(Object.keys(DOC_TYPES) as (keyof typeof DOC_TYPES)[]));
const person = { docType, docNumber: text, nationality: optional(text), name: text, phone: text };
const hex = (octets: number) =>
  fc
    .uint8Array({ minLength: octets, maxLength: octets })
    .map((b) => Buffer.from(b).toString('hex'));
const records = fc.record({
  id: fc.uuid(),
  carrier: text,
  waybill: text,
  takenAt: fc
    .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  outlet: text,
  goods: fc.constantFrom(...(Object.keys(GOODS) as (keyof typeof GOODS)[])),
  sender: optional(
    fc.record({ ...person, address: text, division, settledAbroad: optional(fc.boolean()) }),
  ),
  agreement: optional(
    fc.record({ number: text, uscc: text, phone: text, address: text, division }),
  ),
  guardian: optional(fc.record(person)),
  recipient: fc.record({ name: text, phone: text, address: text, division }),
  photos: optional(fc.array(hex(32), { maxLength: 25 })),
  replaces: optional(fc.uuid()),
}) as fc.Arbitrary<ParcelRecord>;

describe('encodeRecord', () => {
  it('writes what a CBOR library writes, for any texts', () => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = expected(record);
        if (bytes.length > MAX_RECORD_BYTES) {
          expect(() => encodeRecord(record)).toThrow(RangeError);
        } else {
          expect(Buffer.from(encodeRecord(record))).toEqual(Buffer.from(bytes));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('writes what a CBOR library writes, for a generated day with its faults', () => {
    const day = { city: 'guiyang', parcels: 2000, seed: 5, bad: 0.4, day: '2026-11-20' } as const;
    let compared = 0;
    for (const { record, raw } of generateDay(day)) {
      if (raw !== undefined || typeof record.recipient !== 'object') continue;
      let bytes: Uint8Array;
      try {
        bytes = encodeRecord(record);
      } catch {
        continue;
      }
      expect(Buffer.from(bytes)).toEqual(Buffer.from(expected(record)));
      compared++;
    }
    expect(compared).toBeGreaterThan(1500);
  });

  it.each([null, 0, -0, -7, 1.5, 2 ** 53, true, [], ['x'], {}])(
    'lets a value of another kind go as it is: %j',
    (value) => {
      const record = { ...validRecord(NOW), carrier: value, outlet: value } as never;
      expect(Buffer.from(encodeRecord(record))).toEqual(Buffer.from(expected(record)));
    },
  );

  it.each([
    ['an id that is no UUID', { id: 'x' }],
    ['an id that is no text', { id: 7 }],
    ['a time without its zone', { takenAt: '2026-11-20T09:00:00' }],
    ['a division that is no number', { recipient: { division: 'x' } }],
    ['a digest that is not hexadecimal', { photos: ['xy'] }],
    ['a value that JSON does not have', { carrier: () => 0 }],
  ])('refuses %s', (_, change) => {
    expect(() => encodeRecord({ ...validRecord(NOW), ...change } as never)).toThrow();
  });

  it('refuses a record of 4,097 octets and takes one of 4,096', () => {
    const record = validRecord(NOW, { outlet: 'x'.repeat(300) });
    const room = MAX_RECORD_BYTES - encodeRecord(record).length;
    const outlet = 'x'.repeat(300 + room);
    expect(encodeRecord({ ...record, outlet }).length).toBe(MAX_RECORD_BYTES);
    expect(() => encodeRecord({ ...record, outlet: `${outlet}x` })).toThrow(RangeError);
    // After a refusal the next one is not disturbed.
    expect(encodeRecord(record)).toEqual(expected(record));
  });
});

describe('encodeRecordInto', () => {
  it('writes behind what is there, and nothing when there is no room', () => {
    const record = validRecord(NOW);
    const alone = encodeRecord(record);
    const buffer = new Uint8Array(10 + alone.length).fill(0xee);
    expect(encodeRecordInto(buffer, 10, record)).toBe(buffer.length);
    expect(buffer.subarray(0, 10)).toEqual(new Uint8Array(10).fill(0xee));
    expect(buffer.subarray(10)).toEqual(alone);
    for (const room of [0, 1, alone.length - 1]) {
      expect(() => encodeRecordInto(new Uint8Array(room), 0, record)).toThrow(RangeError);
    }
  });
});

describe('CborWriter', () => {
  it.each([0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])(
    'writes %d in the shortest form',
    (value) => {
      const buffer = new Uint8Array(9);
      const writer = new CborWriter(buffer);
      writer.unsigned(value);
      expect(buffer.subarray(0, writer.at)).toEqual(encode(value));
    },
  );
});
