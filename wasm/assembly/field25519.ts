/**
 * The field of integers modulo p = 2^255 - 19, for X25519 (RFC 7748 4.1), two elements side by side in the lanes of
 * f64x2: a pair.
 *
 * An element is the sum of 12 limbs in radix 2^21.25. Limb i is a whole multiple of 2^e(i), e(i) = ceil(21.25 i), written
 * as the double that it is: products need no shifting to where they belong. Doubles are used as integers: nothing here is
 * ever rounded, because every sum stays below 2^53 times its unit. Carried limbs are at most 2^(e(i+1) - 1) + 0.03%;
 * from sums and differences of two carried elements `multiply` and `square` make columns of at most 2^51 units
 * (test/wasm/x25519-twin.test.ts works it out). The order of additions therefore does not matter, and no engine may give
 * another result. No branch and no address depends on a value, and none is ever subnormal, which processors are slow at.
 */
import { wipe } from './bytes';

/** Octets of a pair in memory: limb i of both elements at 16 i. */
export const PAIR_BYTES: usize = 192;

/** Octets of a factor: limb i of both elements folded, times 19 * 2^-255, at 16 i (limb 0 unused), then the pair. */
export const FACTOR_BYTES: usize = 384;

/** 2^e(i) for limb i. */
const UNITS: usize = memory.data<u64>([
  0x3ff0000000000000, 0x4150000000000000, 0x42a0000000000000, 0x43f0000000000000,
  0x4540000000000000, 0x46a0000000000000, 0x47f0000000000000, 0x4940000000000000,
  0x4a90000000000000, 0x4bf0000000000000, 0x4d40000000000000, 0x4e90000000000000,
]);

/** The double 1.0, whose exponent is half way between those of 2^n and 2^-n. */
const ONE: u64 = 0x3ff0000000000000;

/** 3 * 2^(51 + e(i+1)): added to limb i and taken off again, it leaves the nearest multiple of 2^e(i+1). */
const ROUNDERS: usize = memory.data<u64>([
  0x4498000000000000, 0x45e8000000000000, 0x4738000000000000, 0x4888000000000000,
  0x49e8000000000000, 0x4b38000000000000, 0x4c88000000000000, 0x4dd8000000000000,
  0x4f38000000000000, 0x5088000000000000, 0x51d8000000000000, 0x5328000000000000,
]);

/** 19 * 2^-255: 2^255 is 19 modulo p. */
const FOLD: usize = memory.data<u64>([0x3043000000000000]);

const SCRATCH_BYTES: usize = FACTOR_BYTES + 4 * PAIR_BYTES;
const SCRATCH: usize = memory.data(SCRATCH_BYTES, 16);
const FACTOR: usize = SCRATCH;
const A: usize = FACTOR + FACTOR_BYTES;
const B: usize = A + PAIR_BYTES;
const C: usize = B + PAIR_BYTES;
const D: usize = C + PAIR_BYTES;

/**
 * The first element of a pair from 32 octets; the other is left as it is. decodeUCoordinate of RFC 7748 5: the top bit is
 * ignored, values from p to 2^255 - 1 are taken as they are.
 */
export function decode(out: usize, bytes: usize): void {
  // Every third limb begins with a word: e(3 k) = 64 k. One limb in a word, at another place in each, has 22 bits.
  decodeWord(out, load<u64>(bytes), 0, 22, 43);
  decodeWord(out, load<u64>(bytes, 8), 3, 21, 43);
  decodeWord(out, load<u64>(bytes, 16), 6, 21, 42);
  decodeWord(out, load<u64>(bytes, 24) & i64.MAX_VALUE, 9, 21, 42);
}

/** Three limbs from a word, which begin at its bits 0, `second` and `third`. */
function decodeWord(out: usize, word: u64, limb: usize, second: u64, third: u64): void {
  storeLimb(out, limb, word & ((1 << second) - 1));
  storeLimb(out, limb + 1, (word >> second) & ((1 << (third - second)) - 1));
  storeLimb(out, limb + 2, word >> third);
}

function storeLimb(out: usize, limb: usize, value: u64): void {
  store<f64>(out + 16 * limb, <f64>(<i64>value) * load<f64>(UNITS + 8 * limb));
}

/** Writes the one representative from 0 to p - 1 of a carried pair's first element, little-endian. RFC 7748 5 */
export function encode(out: usize, a: usize): void {
  // Carried limbs stand for a value between -p and p. What comes out of the top is then -1 below 0, else 0.
  let carry: i64 = 0;
  for (let limb: usize = 0; limb < 12; limb++) carry = (loadLimb(a, limb) + carry) >> bits(limb);

  // Below 0, p = 2^255 - 19 is added: 19 off here, 2^255 by dropping the carry out of the top.
  carry *= 19;
  for (let word: usize = 0; word < 4; word++) {
    let value: i64 = 0;
    let place: i64 = 0;
    for (let limb = 3 * word; limb < 3 * word + 3; limb++) {
      carry += loadLimb(a, limb);
      value |= (carry & ((1 << bits(limb)) - 1)) << place;
      carry >>= bits(limb);
      place += bits(limb);
    }
    store<i64>(out + 8 * word, value);
  }
}

/** Limb of the first element, in its unit: times 2^-e(limb), since dividing takes a time of its own for each value. */
function loadLimb(a: usize, limb: usize): i64 {
  const perUnit = reinterpret<f64>(2 * ONE - load<u64>(UNITS + 8 * limb));
  return <i64>(load<f64>(a + 16 * limb) * perUnit);
}

/** e(limb + 1) - e(limb) */
function bits(limb: usize): i64 {
  return limb % 4 == 0 ? 22 : 21;
}

/** The limb at `at` of a factor: its fold, and itself. */
export function storeFactorLimb(at: usize, limb: v128): void {
  v128.store(at, times(limb, v128.load64_splat(FOLD)));
  v128.store(at, limb, PAIR_BYTES);
}

/** out = a * b, carried, where b is a factor. Neither has limbs larger than a sum of two carried elements. */
export function multiply(out: usize, a: usize, b: usize): void {
  let h0 = f64x2.splat(0);
  let h1 = f64x2.splat(0);
  let h2 = f64x2.splat(0);
  let h3 = f64x2.splat(0);
  let h4 = f64x2.splat(0);
  let h5 = f64x2.splat(0);
  let h6 = f64x2.splat(0);
  let h7 = f64x2.splat(0);
  let h8 = f64x2.splat(0);
  let h9 = f64x2.splat(0);
  let h10 = f64x2.splat(0);
  let h11 = f64x2.splat(0);
  // Row i of the schoolbook: a's limb i times b, limbs beyond the top folded back to the bottom.
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const limb = v128.load(a + i);
    const row = b + PAIR_BYTES - i;
    h0 = plus(h0, times(limb, v128.load(row)));
    h1 = plus(h1, times(limb, v128.load(row, 16)));
    h2 = plus(h2, times(limb, v128.load(row, 32)));
    h3 = plus(h3, times(limb, v128.load(row, 48)));
    h4 = plus(h4, times(limb, v128.load(row, 64)));
    h5 = plus(h5, times(limb, v128.load(row, 80)));
    h6 = plus(h6, times(limb, v128.load(row, 96)));
    h7 = plus(h7, times(limb, v128.load(row, 112)));
    h8 = plus(h8, times(limb, v128.load(row, 128)));
    h9 = plus(h9, times(limb, v128.load(row, 144)));
    h10 = plus(h10, times(limb, v128.load(row, 160)));
    h11 = plus(h11, times(limb, v128.load(row, 176)));
  }
  storeCarried(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11);
}

/** out = a * a, carried, as `multiply` with equal products taken once and doubled. */
export function square(out: usize, a: usize): void {
  const a0 = v128.load(a);
  const a1 = v128.load(a, 16);
  const a2 = v128.load(a, 32);
  const a3 = v128.load(a, 48);
  const a4 = v128.load(a, 64);
  const a5 = v128.load(a, 80);
  const a6 = v128.load(a, 96);
  const a7 = v128.load(a, 112);
  const a8 = v128.load(a, 128);
  const a9 = v128.load(a, 144);
  const a10 = v128.load(a, 160);
  const a11 = v128.load(a, 176);
  const fold = v128.load64_splat(FOLD);
  const f6 = times(a6, fold);
  const f7 = times(a7, fold);
  const f8 = times(a8, fold);
  const f9 = times(a9, fold);
  const f10 = times(a10, fold);
  const f11 = times(a11, fold);

  const h0 = plus(
    products(a0, a0, a6, f6),
    twice(plus(plus(products(a1, f11, a2, f10), products(a3, f9, a4, f8)), times(a5, f7))),
  );
  const h1 = twice(
    plus(plus(products(a0, a1, a2, f11), products(a3, f10, a4, f9)), products(a5, f8, a6, f7)),
  );
  const h2 = plus(
    products(a1, a1, a7, f7),
    twice(plus(plus(products(a0, a2, a3, f11), products(a4, f10, a5, f9)), times(a6, f8))),
  );
  const h3 = twice(
    plus(plus(products(a0, a3, a1, a2), products(a4, f11, a5, f10)), products(a6, f9, a7, f8)),
  );
  const h4 = plus(
    products(a2, a2, a8, f8),
    twice(plus(plus(products(a0, a4, a1, a3), products(a5, f11, a6, f10)), times(a7, f9))),
  );
  const h5 = twice(
    plus(plus(products(a0, a5, a1, a4), products(a2, a3, a6, f11)), products(a7, f10, a8, f9)),
  );
  const h6 = plus(
    products(a3, a3, a9, f9),
    twice(plus(plus(products(a0, a6, a1, a5), products(a2, a4, a7, f11)), times(a8, f10))),
  );
  const h7 = twice(
    plus(plus(products(a0, a7, a1, a6), products(a2, a5, a3, a4)), products(a8, f11, a9, f10)),
  );
  const h8 = plus(
    products(a4, a4, a10, f10),
    twice(plus(plus(products(a0, a8, a1, a7), products(a2, a6, a3, a5)), times(a9, f11))),
  );
  const h9 = twice(
    plus(plus(products(a0, a9, a1, a8), products(a2, a7, a3, a6)), products(a4, a5, a10, f11)),
  );
  const h10 = plus(
    products(a5, a5, a11, f11),
    twice(plus(plus(products(a0, a10, a1, a9), products(a2, a8, a3, a7)), times(a4, a6))),
  );
  const h11 = twice(
    plus(plus(products(a0, a11, a1, a10), products(a2, a9, a3, a8)), products(a4, a7, a5, a6)),
  );
  storeCarried(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11);
}

/** a's first element = its inverse by Fermat's little theorem, a^(p - 2), 0 for 0. The exponent is 2^255 - 21. */
export function invert(a: usize): void {
  // A name such as a_n below means a^(2^n - 1).
  squareTimes(A, a, 1);
  squareTimes(B, A, 2);
  multiplyPair(B, B, a); // a^9
  multiplyPair(A, A, B); // a^11
  squareTimes(C, A, 1);
  multiplyPair(B, B, C); // a_5
  squareTimes(C, B, 5);
  multiplyPair(B, B, C); // a_10
  squareTimes(C, B, 10);
  multiplyPair(C, C, B); // a_20
  squareTimes(D, C, 20);
  multiplyPair(C, C, D); // a_40
  squareTimes(C, C, 10);
  multiplyPair(B, B, C); // a_50
  squareTimes(C, B, 50);
  multiplyPair(C, C, B); // a_100
  squareTimes(D, C, 100);
  multiplyPair(C, C, D); // a_200
  squareTimes(C, C, 50);
  multiplyPair(B, B, C); // a_250
  squareTimes(B, B, 5);
  multiplyPair(a, A, B);
}

/** out = a^(2^times), `times` at least 1. */
function squareTimes(out: usize, a: usize, times: i32): void {
  for (; times > 0; times--) {
    square(out, a);
    a = out;
  }
}

/** out = a * b, where b is a pair like a. */
export function multiplyPair(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) storeFactorLimb(FACTOR + i, v128.load(b + i));
  multiply(out, a, FACTOR);
}

export function wipeField25519(): void {
  wipe(SCRATCH, SCRATCH_BYTES);
}

/**
 * Brings columns of up to 2^53 units down to carried limbs and stores them. Carries go to the nearest, first out of every
 * other limb at once, so that none waits for the one before it; the third time they are small.
 */
function storeCarried(
  out: usize,
  h0: v128,
  h1: v128,
  h2: v128,
  h3: v128,
  h4: v128,
  h5: v128,
  h6: v128,
  h7: v128,
  h8: v128,
  h9: v128,
  h10: v128,
  h11: v128,
): void {
  let carry: v128;
  carry = carryOf(h0, 0);
  h0 = minus(h0, carry);
  h1 = plus(h1, carry);
  carry = carryOf(h2, 2);
  h2 = minus(h2, carry);
  h3 = plus(h3, carry);
  carry = carryOf(h4, 4);
  h4 = minus(h4, carry);
  h5 = plus(h5, carry);
  carry = carryOf(h6, 6);
  h6 = minus(h6, carry);
  h7 = plus(h7, carry);
  carry = carryOf(h8, 8);
  h8 = minus(h8, carry);
  h9 = plus(h9, carry);
  carry = carryOf(h10, 10);
  h10 = minus(h10, carry);
  h11 = plus(h11, carry);
  carry = carryOf(h1, 1);
  h1 = minus(h1, carry);
  h2 = plus(h2, carry);
  carry = carryOf(h3, 3);
  h3 = minus(h3, carry);
  h4 = plus(h4, carry);
  carry = carryOf(h5, 5);
  h5 = minus(h5, carry);
  h6 = plus(h6, carry);
  carry = carryOf(h7, 7);
  h7 = minus(h7, carry);
  h8 = plus(h8, carry);
  carry = carryOf(h9, 9);
  h9 = minus(h9, carry);
  h10 = plus(h10, carry);
  carry = carryOf(h11, 11);
  h11 = minus(h11, carry);
  h0 = plus(h0, times(carry, v128.load64_splat(FOLD)));
  carry = carryOf(h0, 0);
  h0 = minus(h0, carry);
  h1 = plus(h1, carry);
  carry = carryOf(h2, 2);
  h2 = minus(h2, carry);
  h3 = plus(h3, carry);
  carry = carryOf(h4, 4);
  h4 = minus(h4, carry);
  h5 = plus(h5, carry);
  carry = carryOf(h6, 6);
  h6 = minus(h6, carry);
  h7 = plus(h7, carry);
  carry = carryOf(h8, 8);
  h8 = minus(h8, carry);
  h9 = plus(h9, carry);
  carry = carryOf(h10, 10);
  h10 = minus(h10, carry);
  h11 = plus(h11, carry);
  v128.store(out, h0);
  v128.store(out, h1, 16);
  v128.store(out, h2, 32);
  v128.store(out, h3, 48);
  v128.store(out, h4, 64);
  v128.store(out, h5, 80);
  v128.store(out, h6, 96);
  v128.store(out, h7, 112);
  v128.store(out, h8, 128);
  v128.store(out, h9, 144);
  v128.store(out, h10, 160);
  v128.store(out, h11, 176);
}

/** What limb number `limb` hands on to the next. */
function carryOf(value: v128, limb: usize): v128 {
  const rounder = v128.load64_splat(ROUNDERS + 8 * limb);
  return minus(plus(value, rounder), rounder);
}

function plus(x: v128, y: v128): v128 {
  return f64x2.add(x, y);
}

function minus(x: v128, y: v128): v128 {
  return f64x2.sub(x, y);
}

function times(x: v128, y: v128): v128 {
  return f64x2.mul(x, y);
}

/** a * b + c * d */
function products(a: v128, b: v128, c: v128, d: v128): v128 {
  return plus(times(a, b), times(c, d));
}

function twice(x: v128): v128 {
  return f64x2.add(x, x);
}
