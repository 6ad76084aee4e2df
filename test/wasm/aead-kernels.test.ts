/** The kernels for many messages and for long ones, held equal to the readable AEAD and to another library. */
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { describe, expect, it } from 'vitest';
import { PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { concat, u16 } from '../../wire/bytes.ts';
import { findInMemory, newInstance } from '../support/wasm.ts';
import { keystream } from '../twin/needles.ts';

const TAG = 16;
/** Where a parcel's additional data holds its position, which is the nonce behind four zeros (wire/parcel.ts). */
const POSITION_AT = 26;
const HEAD_BYTES = 37;
const GOOD_AT = 36;

/** Additional data and text of parcels: the views, then the larger buckets. */
const MASKED = [80, 320] as const;
const FULL = [144, 448] as const;
const LARGER = [
  [144, 960],
  [80, 1984],
  [144, 4288],
] as const;
/** What the queue does not take: blocks that are not whole, an odd number of them, additional data of odd lengths. */
const ODD = [
  [80, 319],
  [80, 321],
  [144, 447],
  [64, 448],
  [79, 320],
  [34, 1],
] as const;

type Shape = readonly [aad: number, text: number];

interface Job {
  key: Uint8Array;
  aad: Uint8Array;
  text: Uint8Array;
  sealed: Uint8Array;
}

/** Jobs of these shapes under two keys, most of them under the first. */
function jobsOf(shapes: readonly Shape[]): Job[] {
  const keys = [random(32), random(32)];
  return shapes.map(([aadLength, length], i) => {
    const [key, aad, text] = [keys[(i % 3) >> 1] as Uint8Array, random(aadLength), random(length)];
    const nonce = concat(new Uint8Array(4), aad.subarray(POSITION_AT, POSITION_AT + 8));
    return { key, aad, text, sealed: chacha20poly1305(key, nonce, aad).encrypt(text) };
  });
}

/** As wasm/assembly/job-lists.ts lays it out. */
function list(jobs: Job[], texts: Uint8Array[]): Uint8Array {
  return concat(
    ...jobs.map(({ key, aad }, i) => {
      const text = texts[i] as Uint8Array;
      return concat(key, u16(aad.length), u16(text.length), Uint8Array.of(0), aad, text);
    }),
  );
}

function roomForTag(text: Uint8Array): Uint8Array {
  return concat(text, new Uint8Array(TAG));
}

/** The texts of a list, and what it says of each. */
function taken(bytes: Uint8Array, jobs: Job[]) {
  let at = 0;
  return jobs.map(({ aad, sealed }) => {
    const good = bytes[at + GOOD_AT] === 1;
    const text = at + HEAD_BYTES + aad.length;
    at = text + sealed.length;
    return { good, text: bytes.subarray(text, at) };
  });
}

const LISTS: [string, readonly Shape[]][] = [
  ['none', []],
  ['one full', [FULL]],
  ['one masked', [MASKED]],
  ['both views of one record', [FULL, MASKED]],
  ...[2, 3, 4, 5, 7, 8, 9].map((n): [string, Shape[]] => [`${n} masked`, Array(n).fill(MASKED)]),
  ['both views of many records', Array.from({ length: 18 }, () => [FULL, MASKED]).flat()],
  ['no text', [[80, 0], FULL, [80, 0]]],
  ['the larger buckets', [...LARGER, FULL, ...LARGER, MASKED]],
  ['none that the queue takes', [...ODD]],
  ['those that the queue takes between others', ODD.flatMap((odd) => [MASKED, odd, FULL])],
];

describe.each([RELAXED_FILE, PLAIN_FILE])('%s', (file) => {
  const { memory, primitives } = newInstance(file);
  const pristine = memory.slice();

  describe('many messages at once', () => {
    it.each(LISTS)('seals and opens as another library does: %s', (_, shapes) => {
      const jobs = jobsOf(shapes);
      const sealed = primitives.sealList(
        list(
          jobs,
          jobs.map(({ text }) => roomForTag(text)),
        ),
      );
      const theirs = jobs.map((job) => job.sealed);
      expect(taken(sealed, jobs).map(({ text }) => text)).toEqual(theirs);
      const opened = primitives.openList(list(jobs, theirs));
      expect(taken(opened, jobs)).toEqual(
        // Where the tag was, zeros.
        jobs.map(({ text }) => ({ good: true, text: roomForTag(text) })),
      );
      expect(Buffer.compare(memory, pristine)).toBe(0);
    });

    it('random lists', () => {
      const shapes = [FULL, FULL, MASKED, MASKED, ...LARGER.slice(0, 2), ...ODD];
      for (let i = 0; i < 60; i++) {
        const picked = random(i % 12).map((octet) => octet % shapes.length);
        const jobs = jobsOf([...picked].map((pick) => shapes[pick] as Shape));
        const plain = jobs.map(({ text }) => roomForTag(text));
        const sealed = primitives.sealList(list(jobs, plain));
        expect(taken(sealed, jobs).map(({ text }) => text)).toEqual(jobs.map((j) => j.sealed));
      }
    });

    it.each([
      ['in one job', (i: number) => i === 3],
      ['in the first', (i: number) => i === 0],
      ['in the last', (i: number) => i === 13],
      ['in every other', (i: number) => i % 2 === 1],
      ['in all', () => true],
    ])('a wrong tag %s: its octets are zeros, the others open, nothing is left', (_, wrong) => {
      const jobs = jobsOf(
        Array.from({ length: 14 }, (_, i) => [FULL, MASKED, [144, 447]][i % 3]) as Shape[],
      );
      for (const place of ['tag', 'text', 'additional data'] as const) {
        const forged = jobs.map((job, i) => (wrong(i) ? forge(job, place) : job));
        const opened = primitives.openList(
          list(
            forged,
            forged.map(({ sealed }) => sealed),
          ),
        );
        expect(taken(opened, jobs)).toEqual(
          jobs.map(({ text, sealed }, i) =>
            wrong(i)
              ? { good: false, text: new Uint8Array(sealed.length) }
              : { good: true, text: roomForTag(text) },
          ),
        );
        expect(Buffer.compare(memory, pristine)).toBe(0);
      }
    });

    it('refuses a list that ends elsewhere, has too little additional data, or no room for a tag', () => {
      const [job] = jobsOf([MASKED]) as [Job];
      const good = list([job], [job.sealed]);
      expect(() => primitives.openList(good.subarray(0, -1))).toThrow();
      expect(() => primitives.openList(concat(good, Uint8Array.of(0)))).toThrow();
      const short = { ...job, aad: job.aad.subarray(0, 33) };
      expect(() => primitives.openList(list([short], [short.sealed]))).toThrow();
      expect(() => primitives.sealList(list([job], [new Uint8Array(15)]))).toThrow();
      expect(Buffer.compare(memory, pristine)).toBe(0);
    });
  });

  describe('one long message', () => {
    /** Around blocks (64), the first keystream (192), passes (256), pairs of Poly1305 blocks (32), and the largest chunk. */
    const LENGTHS = [
      ...[0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 191, 192, 193, 207, 208, 209, 255, 256, 257],
      ...[419, 420, 447, 448, 449, 511, 512, 513, 703, 704, 705, 960, 4095, 4096, 4097],
      ...[16_383, 16_384],
    ];

    it.each(LENGTHS)('%i octets', (length) => {
      for (const aadLength of [0, 5, 15, 16, 17, 144]) {
        const [key, nonce] = [random(32), random(12)];
        const [aad, plaintext] = [random(aadLength), random(length)];
        const expected = chacha20poly1305(key, nonce, aad).encrypt(plaintext);
        expect(primitives.messageSeal(key, nonce, aad, plaintext)).toEqual(expected);
        expect(primitives.aeadSeal(key, nonce, aad, plaintext)).toEqual(expected);
        expect(primitives.messageOpen(key, nonce, aad, expected)).toEqual(plaintext);
      }
      expect(Buffer.compare(memory, pristine)).toBe(0);
    });

    it('a counter beyond one octet, and words of all ones', () => {
      const [key, nonce] = [new Uint8Array(32).fill(255), new Uint8Array(12).fill(255)];
      const plaintext = new Uint8Array(16_384).fill(255);
      const expected = chacha20poly1305(key, nonce).encrypt(plaintext);
      expect(primitives.messageSeal(key, nonce, new Uint8Array(), plaintext)).toEqual(expected);
    });

    it.each([16, 192, 193, 448, 4097, 16_384])(
      'no altered %i octets open, nothing is left',
      (n) => {
        const [key, nonce, aad, plaintext] = [random(32), random(12), random(5), random(n)];
        const sealed = primitives.messageSeal(key, nonce, aad, plaintext);
        const places = [0, n - 1, n, n + 15, Math.floor(n / 2), Math.floor(n / 3)];
        for (const place of places) {
          const forged = sealed.slice();
          forged[place] = (forged[place] as number) ^ 0x10;
          expect(primitives.messageOpen(key, nonce, aad, forged)).toBeUndefined();
          expect(Buffer.compare(memory, pristine)).toBe(0);
        }
        expect(primitives.messageOpen(key, nonce, aad.subarray(1), sealed)).toBeUndefined();
        expect(
          primitives.messageOpen(key, nonce, aad, sealed.subarray(0, TAG - 1)),
        ).toBeUndefined();
        expect(Buffer.compare(memory, pristine)).toBe(0);
      },
    );

    it('before the host has wiped the output, a refused message is not there', () => {
      const { call, memory: all } = newInstance(file);
      const [key, nonce, aad, plaintext] = [random(32), random(12), random(5), random(8192)];
      const forged = chacha20poly1305(key, nonce, aad).encrypt(plaintext);
      forged[4000] = (forged[4000] as number) ^ 1;
      expect(call('messageOpen', [aad.length, forged.length], key, nonce, aad, forged)).toBe(0);
      for (let at = 0; at + 16 <= plaintext.length; at += 8) {
        expect(findInMemory(all, plaintext.subarray(at, at + 16))).toBe(-1);
      }
      for (const block of keystream(key, nonce)) expect(findInMemory(all, block)).toBe(-1);
      expect(Buffer.compare(all, pristine)).toBe(0);
    });
  });
});

describe('Poly1305 on limbs of 32 bits', () => {
  const { memory, primitives } = newInstance();
  const pristine = memory.slice();

  /** Octets that make words of r, and of the accumulator after some blocks, as large or as small as they can be. */
  const fills = [0x00, 0x01, 0x04, 0x7f, 0x80, 0xfb, 0xfc, 0xff];

  it('the largest sums, the longest carries', () => {
    for (const r of fills) {
      for (const s of fills) {
        const key = new Uint8Array(32).fill(r, 0, 16).fill(s, 16);
        for (const octet of fills) {
          for (const blocks of [0, 1, 2, 3, 8, 65, 1024]) {
            const message = new Uint8Array(16 * blocks).fill(octet);
            expect(primitives.poly1305Blocks(key, message)).toEqual(poly1305(message, key));
          }
        }
      }
    }
    expect(Buffer.compare(memory, pristine)).toBe(0);
  });

  it('accumulators on both sides of the prime', () => {
    // With r = 1 the accumulator is the sum of the blocks and of 2^128 for each of them.
    const key = new Uint8Array(32);
    key[0] = 1;
    for (let low = 0; low < 256; low++) {
      const message = new Uint8Array(48).fill(255, 0, 32);
      message[16] = low;
      for (const length of [32, 48]) {
        const part = message.subarray(0, length);
        expect(primitives.poly1305Blocks(key, part)).toEqual(poly1305(part, key));
      }
    }
    // 2^129 - 1 and 2^129 - 4 make the prime itself, which is 0.
    const prime = new Uint8Array(32).fill(255);
    prime[16] = 0xfc;
    expect(primitives.poly1305Blocks(key, prime)).toEqual(new Uint8Array(16));
  });

  it('random keys and messages', () => {
    for (let i = 0; i < 3000; i++) {
      const [key, message] = [random(32), random(16 * (i % 40))];
      expect(primitives.poly1305Blocks(key, message)).toEqual(poly1305(message, key));
      expect(primitives.poly1305(key, message)).toEqual(poly1305(message, key));
    }
  });
});

function forge(job: Job, place: 'tag' | 'text' | 'additional data'): Job {
  const [aad, sealed] = [job.aad.slice(), job.sealed.slice()];
  const bytes = place === 'additional data' ? aad : sealed;
  const at = place === 'tag' ? sealed.length - 1 - ((random(1)[0] as number) % TAG) : 3;
  bytes[at] = (bytes[at] as number) ^ 0x40;
  return { ...job, aad, sealed };
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
