/** X25519 of the module against its plain twin, and why its doubles hold whole numbers exactly. */
import { x25519 as library } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { newInstance } from '../support/wasm.ts';
import { encodeLittleEndian, P, x25519 } from '../twin/x25519.ts';

const { primitives } = newInstance();

/** Coordinates of the points of small order: RFC 7748 6.1 and https://cr.yp.to/ecdh.html#validate. */
const SMALL_ORDER = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  P - 1n,
  P,
  P + 1n,
];

/** Around the prime, the powers of two where limbs meet, limbs that are all ones, and what only looks different. */
const POINTS = [
  ...[2n, 3n, 4n, 9n, 19n, P - 3n, P - 2n, P + 2n, P + 18n, 2n ** 255n - 2n, 2n ** 255n - 1n],
  ...[22, 43, 64, 85, 107, 128, 149, 170, 192, 213, 234, 254].flatMap((e) => [
    2n ** BigInt(e) - 1n,
    2n ** BigInt(e),
    2n ** BigInt(e) + 1n,
    P - 2n ** BigInt(e),
    2n ** BigInt(e - 1),
  ]),
  // All limbs at half of their range, where carries turn over.
  (2n ** 255n - 1n) / 3n,
  (2n ** 254n - 1n) / 3n,
];

const SCALARS = [
  0n,
  1n,
  2n ** 254n,
  2n ** 255n - 1n,
  2n ** 256n - 1n,
  P,
  // The order of the base point, and its neighbours after clamping.
  2n ** 252n + 27742317777372353535851937790883648493n,
  8n * (2n ** 252n + 27742317777372353535851937790883648493n),
].map(encodeLittleEndian);

function random(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

function expectEqual(scalar: Uint8Array, u: Uint8Array): void {
  const expected = x25519(scalar, u);
  const zeros = expected.every((octet) => octet === 0);
  expect(primitives.x25519(scalar, u)).toEqual(zeros ? undefined : expected);
}

describe('X25519 equals its twin', () => {
  it('on random scalars and points, as another library does', () => {
    for (let i = 0; i < 150; i++) {
      const [scalar, u] = [random(), random()];
      expectEqual(scalar, u);
      expect(x25519(scalar, u)).toEqual(library.scalarMult(scalar, u));
    }
  });

  it('on points at the edges of the field and of limbs, with and without the top bit', () => {
    for (const point of POINTS) {
      for (const top of [0n, 2n ** 255n]) expectEqual(random(), encodeLittleEndian(point + top));
    }
  });

  it('on scalars at their edges', () => {
    for (const scalar of SCALARS) {
      expectEqual(scalar, random());
      expectEqual(scalar, encodeLittleEndian(9n));
      expect(primitives.x25519Base(scalar)).toEqual(x25519(scalar, encodeLittleEndian(9n)));
    }
  });

  it('on points of small order, which give zeros and are refused', () => {
    for (const point of SMALL_ORDER) {
      for (const top of [0n, 2n ** 255n]) {
        const u = encodeLittleEndian(point + top);
        expect(x25519(random(), u)).toEqual(new Uint8Array(32));
        expect(primitives.x25519(random(), u)).toBeUndefined();
      }
    }
  });

  it('after one thousand results that each are the next scalar or point', () => {
    let [k, u] = [random(), random()];
    for (let i = 0; i < 1000; i++) {
      const next = primitives.x25519(k, u) as Uint8Array;
      if (i % 50 === 0) expect(next).toEqual(x25519(k, u));
      [k, u] = [next, k];
    }
  });
});

// Sizes as the doubles of wasm/assembly/field25519.ts have them, in exact fractions of 2^FRACTION.
const LIMBS = 12;
const FRACTION = 600n;
const exponents = Array.from({ length: LIMBS + 1 }, (_, i) => BigInt(Math.ceil(21.25 * i)));
const unit = (limb: number) => 1n << (FRACTION + (exponents[limb] as bigint));
const foldUp = (size: bigint) => ((size * 19n) >> 255n) + 1n;

/** The largest columns that multiplying two elements with limbs of these sizes makes. */
function columnsOf(a: bigint[], b: bigint[]): bigint[] {
  const columns = Array<bigint>(LIMBS).fill(0n);
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      const product = (x * y) >> FRACTION;
      const k = (i + j) % LIMBS;
      columns[k] = (columns[k] as bigint) + (i + j < LIMBS ? product : foldUp(product));
    });
  });
  return columns;
}

/** The largest limbs that carrying leaves: out of the even ones, the odd ones, the even ones again. */
function carried(columns: bigint[]): bigint[] {
  const sizes = [...columns];
  for (const first of [0, 1, 0]) {
    for (let i = first; i < LIMBS; i += 2) {
      const half = unit(i + 1) / 2n;
      const carry = (sizes[i] as bigint) + half;
      if ((sizes[i] as bigint) > half) sizes[i] = half;
      const next = (i + 1) % LIMBS;
      sizes[next] = (sizes[next] as bigint) + (next === 0 ? foldUp(carry) : carry);
    }
  }
  return sizes;
}

describe('doubles as whole numbers', () => {
  // The second is what `decode` gives: up to twice a carried limb. One is added to the first limb: X1 + 1.
  const halves = Array.from({ length: LIMBS }, (_, i) => unit(i + 1) / 2n);
  const operand = (limbs: bigint[]) => limbs.map((size, i) => 2n * size + (i === 0 ? unit(0) : 0n));

  it('columns of sums of carried elements stay below 2^51 units, where 2^53 are exact', () => {
    let limbs = halves;
    for (let round = 0; round < 4; round++) {
      const columns = columnsOf(operand(limbs), operand(limbs));
      columns.forEach((size, i) => {
        expect(size).toBeLessThan(unit(i) << 51n);
      });
      limbs = carried(columns);
      limbs.forEach((size, i) => {
        expect((size * 10_000n) / (halves[i] as bigint)).toBeLessThanOrEqual(10_003n);
      });
    }
  });

  it('a carried element is between -p and p, which encoding relies on', () => {
    const limbs = carried(columnsOf(operand(halves), operand(halves)));
    expect(limbs.reduce((sum, size) => sum + size) >> FRACTION).toBeLessThan(P);
  });

  it('the units of a product are whole multiples of the unit of its column', () => {
    for (let i = 0; i < LIMBS; i++) {
      for (let j = 0; j < LIMBS; j++) {
        const product = (exponents[i] as bigint) + (exponents[j] as bigint);
        const column = exponents[(i + j) % LIMBS] as bigint;
        expect(product - (i + j < LIMBS ? 0n : 255n)).toBeGreaterThanOrEqual(column);
      }
    }
  });
});
