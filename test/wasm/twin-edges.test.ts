/** Single cases at the edges of the rules that the comparison with the twin, or the fuzzer, has brought up. */
import { describe, expect, it } from 'vitest';
import { checkRecord } from '../../wasm/host/check.ts';
import { parseResults } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { REFUSALS } from '../../wire/codes.ts';
import {
  agreement,
  cbor,
  instance,
  judge,
  maskedField,
  recipient,
  record,
  sender,
  uuid7,
} from '../support/rules.ts';
import { loadModule } from '../support/wasm.ts';
import { NOW, opened, randomParty, TestEdge } from '../twin/edge.ts';

const RESIDENT = 1;
const FPR: [number, unknown][] = [
  [1, 4],
  [2, 'KAZ110090123105'],
];

describe('names', () => {
  it.each([
    ['王·', '', 'any visible character: separators too'],
    ['·王·五·', '', 'the same'],
    ['王\ue900', 'BAD_NAME', 'private use that no table maps'],
  ])('%j of a recipient (%s): %s', (name, refusal) => {
    expect(judge(record([[11, recipient([[4, name]])]])).refusal).toBe(refusal);
  });

  it.each([
    ['Nguyễn Văn Đức', ''],
    ['Ng·uyễn', ''],
    ['Nguyễn·', 'BAD_NAME'],
    ['Nguyễn··Văn', 'BAD_NAME'],
    ['Ξένος', 'BAD_NAME'],
    ['×ab', 'BAD_NAME'],
  ])('%j on a passport or permit: %s', (name, refusal) => {
    expect(judge(record([[7, sender([...FPR, [4, name]])]])).refusal).toBe(refusal);
  });

  it.each([
    ['a Han character of extension J', '\u{33400}某', ''],
    ['a noncharacter of plane 2', '\u{2fffe}某', 'BAD_NAME'],
    ['a noncharacter of plane 3', '\u{3ffff}某', 'BAD_NAME'],
    ['plane 4', '\u{40000}某', 'BAD_NAME'],
  ])('%s on a resident card', (_, name, refusal) => {
    expect(
      judge(
        record([
          [
            7,
            sender([
              [1, RESIDENT],
              [4, name],
            ]),
          ],
        ]),
      ).refusal,
    ).toBe(refusal);
  });

  it('a noncharacter is no letter of a military number', () => {
    const number = (text: string) =>
      judge(
        record([
          [
            7,
            sender([
              [1, 9],
              [2, text],
            ]),
          ],
        ]),
      ).refusal;
    expect(number('军字第\u{2f800}号')).toBe('');
    expect(number('军字第\u{2ffff}号')).toBe('BAD_FORM');
  });
});

describe('phones', () => {
  it.each([
    ['001-1234567', '', '***-***4567'],
    ['0011234567', '', '******4567'],
    ['-13800138000', 'BAD_PHONE', undefined],
    ['+86-13800138000', '', '*******8000'],
    ['+86--13800138000', 'BAD_PHONE', undefined],
    ['1440-012-34567-8', 'BAD_PHONE', undefined],
    ['14400123456-78', '', '*********56-78'],
    ['4-001234567', 'BAD_PHONE', undefined],
    ['400-1-2-3-4-5-6-7', '', '***-*-*-*-4-5-6-7'],
  ])('%s: %s', (phone, refusal, masked) => {
    const verdict = judge(record([[7, sender([[5, phone]])]]));
    expect([verdict.refusal, maskedField(verdict, 7, 5)]).toEqual([refusal, masked]);
  });
});

it('numbers and codes of more than 160 octets are not looked at', () => {
  const padded = (text: string, octets: number) => text.padEnd(octets, ' ');
  const number = (octets: number) =>
    judge(record([[7, sender([[2, padded('11010519491231002X', octets)]])]])).refusal;
  expect([number(160), number(161)]).toEqual(['', 'BAD_FORM']);
  expect(judge(record([[3, padded('SF1234567890123', 161)]])).refusal).toBe('BAD_WAYBILL');
  expect(judge(record([[2, padded('SF', 161)]])).refusal).toBe('BAD_CARRIER');
  expect(judge(record([[5, padded('GY', 161)]])).refusal).toBe('BAD_OUTLET');
});

it('a refused record has no warnings', () => {
  const flaggedThenRefused = record([
    [3, 'ANYTHING'],
    [6, 0],
  ]);
  const { refusal, warnings } = checkRecord(instance, cbor(flaggedThenRefused), NOW);
  expect({ refusal, warnings }).toEqual({ refusal: REFUSALS.BAD_GOODS, warnings: 0 });
});

it('a chunk of too many records is told so, whatever is wrong with the last', () => {
  const edge = new TestEdge(loadModule());
  const party = randomParty();
  edge.startEpochs(party);
  const stream = edge.stream(party);
  const { request } = opened(edge.session.openStream(stream.head, party, NOW));
  const codes = (records: number) =>
    parseResults(
      opened(edge.session.openChunk(request, stream.seal(0, new Uint8Array(records)), false, NOW))
        .drafts,
    ).map(({ code }) => code);
  expect(codes(256)).toEqual(Array(256).fill(REFUSALS.WRONG_TYPE));
  expect(codes(257).at(-1)).toBe(REFUSALS.TOO_MANY_RECORDS);
});

it('a chunk full of the smallest records that are valid is stored whole', () => {
  const edge = new TestEdge(loadModule());
  const party = randomParty();
  edge.startEpochs(party);
  const stream = edge.stream(party);
  const { request } = opened(edge.session.openStream(stream.head, party, NOW));
  const least = (index: number) => {
    const id = uuid7(NOW);
    new DataView(id.buffer).setUint16(14, index);
    return cbor(
      record([
        [1, id],
        [2, 'AB'],
        [3, '123456'],
        [5, 'A'],
        [7, undefined],
        [
          8,
          agreement([
            [1, 'A123'],
            [5, '95311'],
            [6, 'ABCD'],
          ]),
        ],
        [
          11,
          recipient([
            [4, 'AB'],
            [5, '95311'],
            [6, 'ABCD'],
          ]),
        ],
      ]),
    );
  };
  const size = least(0).length;
  // What wire/limits.ts counts on for the records of a chunk.
  expect(size).toBeGreaterThan(16_384 / 256);
  const count = Math.floor(16_384 / size);
  const records = Array.from({ length: count }, (_, index) => least(index));
  const chunk = new Uint8Array(Buffer.concat(records));
  const { batch, drafts } = opened(
    edge.session.openChunk(request, stream.seal(0, chunk), false, NOW),
  );
  expect(drafts.length).toBe(32 * count);
  expect(parseBatch(batch).count).toBe(count);
});
