/** Keyed indexes and content tags in four lanes: equal to HMAC one by one, whatever the lengths and their order. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { concat, u16 } from '../../wire/bytes.ts';
import { findInMemory, newInstance } from '../support/wasm.ts';

const CODE_BYTES = 16;
/** Octets before a content tag's value: enterprise and record id. */
const PREFIX_BYTES = 32;
const MAX_JOBS = 16;

/** Around where padding takes another block (55, 119), around blocks, and the longest record. */
const LENGTHS = [0, 1, 54, 55, 56, 63, 64, 65, 118, 119, 120, 127, 128, 129, 4095, 4096, 4097];

interface Job {
  key: Uint8Array;
  prefix: Uint8Array;
  value: Uint8Array;
}

const { call, memory, outAt, primitives } = newInstance();
const pristine = memory.slice();

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function below(limit: number): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] as number) % limit;
}

/** A job whose prefix and value have `total` octets; a content tag's prefix where there is room for one. */
function jobOf(total: number): Job {
  const prefixLength = total >= PREFIX_BYTES && below(2) === 0 ? PREFIX_BYTES : 0;
  return { key: random(32), prefix: random(prefixLength), value: random(total - prefixLength) };
}

function encode({ key, prefix, value }: Job): Uint8Array {
  return concat(key, u16(prefix.length), u16(value.length), prefix, value);
}

/** The codes of one call; all memory but they must be as before the first one. */
function codes(jobs: Job[]): Uint8Array[] {
  expect(call('indexCodes', [jobs.length], ...jobs.map(encode))).toBe(1);
  const made = jobs.map((_, i) =>
    memory.slice(outAt + i * CODE_BYTES, outAt + (i + 1) * CODE_BYTES),
  );
  memory.fill(0, outAt, outAt + jobs.length * CODE_BYTES);
  expect(Buffer.compare(memory, pristine)).toBe(0);
  return made;
}

function expectEqual(jobs: Job[]): void {
  const expected = jobs.map(({ key, prefix, value }) => {
    const code = hmac(sha256, key, concat(prefix, value));
    expect(primitives.hmacSha256(key, concat(prefix, value))).toEqual(code);
    return code.subarray(0, CODE_BYTES);
  });
  expect(codes(jobs)).toEqual(expected);
}

function shuffled<T>(list: T[]): T[] {
  return list
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

describe('codes made in lanes', () => {
  it.each(LENGTHS)('of %i octets, one job to nine', (length) => {
    for (let count = 1; count <= (length > 1000 ? 5 : 9); count++) {
      expectEqual(Array.from({ length: count }, () => jobOf(length)));
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 16])('of %i jobs of mixed lengths in any order', (count) => {
    for (let round = 0; round < 40; round++) {
      const lengths = Array.from({ length: count }, () => LENGTHS[below(14)] as number);
      expectEqual(lengths.map(jobOf));
    }
  });

  it('of the longest beside the shortest, wherever they stand', () => {
    for (let round = 0; round < 24; round++) {
      expectEqual(shuffled([4128, 4096, 0, 0, 1, 55, 56, 64, 300]).map(jobOf));
    }
  });

  it('of a record as a chunk queues it: a tag over two pieces, four short values', () => {
    for (let length = 200; length < 400; length++) {
      const tag = { key: random(32), prefix: random(PREFIX_BYTES), value: random(length) };
      expectEqual([
        tag,
        ...[18, 12, 11, 11].map((short) => ({ ...jobOf(0), value: random(short) })),
      ]);
    }
  });

  it.each([1, 31, 33, 63, 64, 65, 127, 128, 200])(
    'behind a prefix of %i octets',
    (prefixLength) => {
      for (const length of LENGTHS.filter((length) => length < 1000)) {
        expectEqual([{ key: random(32), prefix: random(prefixLength), value: random(length) }]);
      }
    },
  );

  it('of one key and many values, of many keys and one value', () => {
    const { key, prefix, value } = jobOf(70);
    expectEqual(Array.from({ length: MAX_JOBS }, () => ({ ...jobOf(70), key })));
    expectEqual(Array.from({ length: MAX_JOBS }, () => ({ key: random(32), prefix, value })));
    expectEqual([
      { key, prefix, value },
      { key, prefix, value },
    ]);
  });

  it('leave nothing of keys and values behind', () => {
    const jobs = [300, 64, 0, 20, 130].map(jobOf);
    codes(jobs);
    for (const { key, prefix, value } of jobs) {
      for (const secret of [key, prefix, value].filter(({ length }) => length >= 16)) {
        expect(findInMemory(memory, secret.subarray(0, 16))).toBe(-1);
      }
    }
  });

  it('are refused when there are too many, or lengths go beyond the input', () => {
    const beyond = concat(random(32), u16(0), u16(0xffff));
    for (const [count, input] of [
      [MAX_JOBS + 1, encode(jobOf(1))],
      [-1, encode(jobOf(1))],
      [1, beyond],
      [2, concat(encode(jobOf(20)), beyond)],
    ] as const) {
      expect(call('indexCodes', [count], input)).toBe(0);
      expect(Buffer.compare(memory, pristine)).toBe(0);
    }
    expect(codes([])).toEqual([]);
  });
});
