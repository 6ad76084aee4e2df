import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreement, cbor, judge, recipient, record, sender } from '../support/rules.ts';
import { describeVectors, fromHex as hex, toHex } from '../support/vectors.ts';

const repeated = (pattern: string, times: number, tail: string) =>
  hex(pattern.repeat(times) + tail);
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const replaced = (bytes: Uint8Array, from: Uint8Array, to: Uint8Array) => {
  const result = toHex(bytes).replace(toHex(from), toHex(to));
  expect(result).not.toBe(toHex(bytes));
  return hex(result);
};

describe('well-formed or not', () => {
  it('refuses a valid record that is cut at any octet', () => {
    const whole = cbor(record());
    expect(judge(whole).refusal).toBe('');
    for (let length = 0; length < whole.length; length++) {
      expect(judge(whole.subarray(0, length)).refusal).toBe('MALFORMED');
    }
  });

  it('refuses what follows a record', () => {
    const whole = cbor(record());
    expect(judge(joined(whole, whole)).refusal).toBe('MALFORMED');
    expect(judge(joined(whole, hex('00'))).refusal).toBe('MALFORMED');
  });

  it.each([
    ['a head cut off', 'a21901'],
    ['reserved additional information', 'a1011c'],
    ['two-octet simple value below 32', 'a101f818'.replace('18', '10')],
    ['break alone', 'ff'],
    ['break in a definite array', '82ff00'],
    ['break after a key', 'bf01ff'],
    ['indefinite integer', '1f'],
    ['indefinite tag', 'df00'],
    ['chunk of another type', '7f4161ff'],
    ['indefinite chunk', '7f7f6161ffff'],
    ['tag of nothing', 'c1'],
    ['length over what is left', '5803ffff'],
    ['length of 2^32 - 4', '5afffffffc00000000'],
    ['length of 2^64 - 9', '5bfffffffffffffff7'],
    ['array of 2^32 - 1', '9affffffff'],
    ['map of 2^63', 'bb8000000000000000'],
    ['33 levels', `${'81'.repeat(33)}00`],
  ])('%s is malformed', (_, text) => {
    expect(judge(hex(text)).refusal).toBe('MALFORMED');
  });
});

describe('the profile', () => {
  const whole = cbor(record());
  it.each([
    ['integer not in its shortest form', replaced(whole, hex('0601'), hex('061801'))],
    ['length not in its shortest form', replaced(whole, hex('02625346'), hex('0278025346'))],
    ['map length not in its shortest form', joined(hex('b808'), whole.subarray(1))],
    ['indefinite map', joined(hex('bf'), whole.subarray(1), hex('ff'))],
    ['indefinite text', replaced(whole, hex('02625346'), hex('027f625346ff'))],
    ['float', replaced(whole, hex('0601'), hex('06f93c00'))],
    ['null', replaced(whole, hex('0601'), hex('06f6'))],
    ['tag', replaced(whole, hex('0601'), hex('06c001'))],
    ['key twice', replaced(joined(hex('a9'), whole.subarray(1)), hex('0601'), hex('06010601'))],
    ['keys not sorted', cbor(new Map([...record()].reverse()))],
    ['inner keys not sorted', cbor(record([[11, new Map([...recipient()].reverse())]]))],
    ['array as key', hex('a18000')],
    ['depth 5', cbor(record([[12, [[[[new Uint8Array(32)]]]]]]))],
    ['32 levels', repeated('81', 32, '00')],
  ])('%s is not canonical', (_, bytes) => {
    expect(judge(bytes)).toMatchObject({ refusal: 'NOT_CANONICAL', field: '', masked: undefined });
  });

  it.each([
    ['over-long form', 'c0ae'],
    ['over-long form of 3', 'e08080'],
    ['surrogate', 'eda080'],
    ['above U+10FFFF', 'f4908080'],
    ['lone continuation', '80'],
    ['cut sequence', 'e4b8'],
    ['NUL', '00'],
  ])('text with %s is malformed', (_, octets) => {
    const bytes = replaced(
      whole,
      hex('02625346'),
      joined(hex('02'), Uint8Array.of(0x60 | (octets.length / 2)), hex(octets)),
    );
    expect(judge(bytes).refusal).toBe('MALFORMED');
  });

  it('holds 4,096 octets and no more', () => {
    const padded = (octets: number) => cbor(record([[11, recipient([[6, 'A'.repeat(octets)]])]]));
    const rest = padded(3000).length - 3000;
    expect(judge(padded(4096 - rest)).refusal).toBe('BAD_ADDRESS');
    expect(judge(padded(4097 - rest)).refusal).toBe('RECORD_TOO_LARGE');
    expect(judge(new Uint8Array(100_000)).refusal).toBe('RECORD_TOO_LARGE');
  });
});

describe('the schema', () => {
  it.each([
    ['no map', [1, 2], 'WRONG_TYPE', ''],
    ['an integer', 7, 'WRONG_TYPE', ''],
    ['an empty map', new Map(), 'MISSING_FIELD', 'id'],
    ['a text key', new Map([['a', 1]]), 'UNKNOWN_FIELD', ''],
    ['a negative key', new Map([[-1, 1]]), 'UNKNOWN_FIELD', ''],
    ['key 0', record([[0, 1]]), 'UNKNOWN_FIELD', ''],
    ['key 14', record([[14, 1]]), 'UNKNOWN_FIELD', ''],
    ['key 24', record([[24, 1]]), 'UNKNOWN_FIELD', ''],
    ['an unknown key of the sender', record([[7, sender([[9, 1]])]]), 'UNKNOWN_FIELD', 'sender'],
    [
      'an unknown key of the recipient',
      record([[11, recipient([[1, 1]])]]),
      'UNKNOWN_FIELD',
      'recipient',
    ],
    [
      'an unknown key of the agreement',
      record([
        [7, undefined],
        [8, agreement([[4, '王五']])],
      ]),
      'UNKNOWN_FIELD',
      'agreement',
    ],
    ['a short id', record([[1, new Uint8Array(15)]]), 'BAD_LENGTH', 'id'],
    ['an id as text', record([[1, 'x'.repeat(16)]]), 'WRONG_TYPE', 'id'],
    ['a time as text', record([[4, '2026']]), 'WRONG_TYPE', 'takenAt'],
    ['a negative time', record([[4, -1]]), 'WRONG_TYPE', 'takenAt'],
    ['a sender as text', record([[7, '王五']]), 'WRONG_TYPE', 'sender'],
    ['a flag as integer', record([[7, sender([[8, 1]])]]), 'WRONG_TYPE', 'sender.settledAbroad'],
    ['a name as integer', record([[11, recipient([[4, 7]])]]), 'WRONG_TYPE', 'recipient.name'],
    ['a photo as text', record([[12, ['x'.repeat(32)]]]), 'WRONG_TYPE', 'photos'],
    [
      'a token of none',
      record([
        [7, undefined],
        [9, new Uint8Array(0)],
      ]),
      'BAD_LENGTH',
      'token',
    ],
  ])('%s', (_, value, refusal, field) => {
    expect(judge(cbor(value))).toMatchObject({ refusal, field });
  });

  it.each([
    [[1], 'id'],
    [[2], 'carrier'],
    [[3], 'waybill'],
    [[4], 'takenAt'],
    [[5], 'outlet'],
    [[6], 'goods'],
    [[11], 'recipient'],
    [[7, 1], 'sender.docType'],
    [[7, 2], 'sender.docNumber'],
    [[7, 4], 'sender.name'],
    [[7, 5], 'sender.phone'],
    [[7, 6], 'sender.address'],
    [[7, 7], 'sender.division'],
    [[11, 4], 'recipient.name'],
    [[11, 5], 'recipient.phone'],
    [[11, 6], 'recipient.address'],
    [[11, 7], 'recipient.division'],
  ] as [number[], string][])('misses %j', ([key, inner], field) => {
    const part = key === 7 ? sender : recipient;
    const value =
      inner === undefined
        ? record([[key as number, undefined]])
        : record([[key as number, part([[inner, undefined]])]]);
    expect(judge(value)).toMatchObject({ refusal: 'MISSING_FIELD', field });
  });
});

describe('any input', () => {
  const anyValue = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      fc.string({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc
        .array(fc.tuple(fc.integer({ min: 0, max: 15 }), tie('value')), { maxLength: 6 })
        .map((entries) => new Map(entries)),
    ),
  })).value;

  it('is refused or accepted, never trapped on: octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(judge(bytes).refusal).not.toBe('');
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused or accepted, never trapped on: a record with an octet changed', () => {
    const whole = cbor(record());
    const refusals = new Set<string>();
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x20, 0x80, 0xff]) {
        const bytes = whole.slice();
        bytes[at] = (bytes[at] as number) ^ flip;
        refusals.add(judge(bytes).refusal);
      }
    }
    expect(refusals.size).toBeGreaterThan(10);
  });

  it('names the first field that has another type, as a plain reading of the schema does', () => {
    const types: Record<number, (value: unknown) => boolean> = {
      2: isText,
      3: isText,
      4: isUint,
      5: isText,
      6: isUint,
      7: isMap,
      11: isMap,
      12: Array.isArray,
    };
    const names: Record<number, string> = {
      2: 'carrier',
      3: 'waybill',
      4: 'takenAt',
      5: 'outlet',
      6: 'goods',
      7: 'sender',
      11: 'recipient',
      12: 'photos',
    };
    const keys = Object.keys(types).map(Number);
    fc.assert(
      fc.property(fc.constantFrom(...keys), anyValue, (key, value) => {
        const bytes = cbor(record([[key, sortedMaps(value)]]));
        if (
          !types[key]?.(value) &&
          nesting(value) <= 3 &&
          !JSON.stringify(plain(value)).includes('\\u0000')
        ) {
          expect(judge(bytes)).toMatchObject({ refusal: 'WRONG_TYPE', field: names[key] });
        } else {
          judge(bytes);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

it('passes deep nesting and many keys without recursion', () => {
  expect(judge(repeated('81', 4000, '00')).refusal).toBe('MALFORMED');
  expect(judge(repeated('81', 200_000, '00')).refusal).toBe('RECORD_TOO_LARGE');
  const keys = Array.from({ length: 800 }, (_, i) => [i + 1000, 0] as [number, number]);
  expect(judge(cbor(new Map(keys))).refusal).toBe('UNKNOWN_FIELD');
});

describeVectors<{ cases: { id: string; hex: string; expect: string }[] }>(
  'cbor_attack.json',
  ({ cases }) => {
    it.each(cases)('$id', ({ id, hex: text, expect: verdict }) => {
      const { refusal } = judge(hex(text));
      // What a decoder may accept is deterministic CBOR all the same, and only no record: its keys are texts.
      if (verdict === 'reject') expect(refusal).not.toBe('');
      else expect([id, refusal]).toEqual([id, 'UNKNOWN_FIELD']);
    });
  },
);

describeVectors<{ hex: string }[]>('cbor_appendix_a.json', (examples) => {
  // Outside the profile: floats, other simple values, tags, indefinite lengths.
  const outside = /^(f[^45]|c|d|[579b]f|8.*9f|826161bf)/;
  it.each(examples)('$hex', ({ hex: text }) => {
    const { refusal } = judge(hex(text));
    // simple(24) is an example of RFC 7049; RFC 8949 section 3.3 has made it malformed.
    if (text === 'f818') expect(refusal).toBe('MALFORMED');
    else if (outside.test(text)) expect(refusal).toBe('NOT_CANONICAL');
    else expect(['WRONG_TYPE', 'UNKNOWN_FIELD', 'MISSING_FIELD']).toContain(refusal);
  });
});

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isUint(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function isMap(value: unknown): boolean {
  return value instanceof Map;
}

function sortedMaps(value: unknown): unknown {
  if (value instanceof Map)
    return new Map(
      [...value].map(([k, v]) => [k, sortedMaps(v)] as const).sort(([a], [b]) => a - b),
    );
  return Array.isArray(value) ? value.map(sortedMaps) : value;
}

function nesting(value: unknown): number {
  if (value instanceof Map) return 1 + Math.max(0, ...[...value.values()].map(nesting));
  return Array.isArray(value) ? 1 + Math.max(0, ...value.map(nesting)) : 0;
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return [...value.values()].map(plain);
  return Array.isArray(value) ? value.map(plain) : value;
}
