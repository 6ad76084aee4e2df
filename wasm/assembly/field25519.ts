/**
 * The field of integers modulo p = 2^255 - 19, for X25519 (RFC 7748 4.1).
 *
 * An element is ten signed limbs (i64) in radix 2^25.5: limb i counts 2^ceil(25.5 i), so even limbs hold 26 bits and
 * odd ones 25. Multiplying takes limbs of twice that and gives carried ones, within plus and minus half their range:
 * sums and differences of two products need no carry of their own. No branch and no address depends on a value.
 */
import { wipe } from './bytes';

/** Octets of an element in memory. */
export const ELEMENT_BYTES: usize = 80;

const MASK26: i64 = 0x3ffffff;
const MASK25: i64 = 0x1ffffff;

const SCRATCH_BYTES: usize = 4 * ELEMENT_BYTES;
const SCRATCH: usize = memory.data(SCRATCH_BYTES, 16);
const A: usize = SCRATCH;
const B: usize = A + ELEMENT_BYTES;
const C: usize = B + ELEMENT_BYTES;
const D: usize = C + ELEMENT_BYTES;

/** decodeUCoordinate of RFC 7748 5: the top bit is ignored, values from p to 2^255 - 1 are taken as they are. */
export function decode(out: usize, bytes: usize): void {
  store<i64>(out, load<u32>(bytes) & MASK26);
  store<i64>(out, (load<u32>(bytes, 3) >> 2) & MASK25, 8);
  store<i64>(out, (load<u32>(bytes, 6) >> 3) & MASK26, 16);
  store<i64>(out, (load<u32>(bytes, 9) >> 5) & MASK25, 24);
  store<i64>(out, (load<u32>(bytes, 12) >> 6) & MASK26, 32);
  store<i64>(out, load<u32>(bytes, 16) & MASK25, 40);
  store<i64>(out, (load<u32>(bytes, 19) >> 1) & MASK26, 48);
  store<i64>(out, (load<u32>(bytes, 22) >> 3) & MASK25, 56);
  store<i64>(out, (load<u32>(bytes, 25) >> 4) & MASK26, 64);
  store<i64>(out, (load<u32>(bytes, 28) >> 6) & MASK25, 72);
}

/** Writes a product's one representative from 0 to p - 1, little-endian. RFC 7748 5 */
export function encode(out: usize, a: usize): void {
  let a0 = load<i64>(a);
  let a1 = load<i64>(a, 8);
  let a2 = load<i64>(a, 16);
  let a3 = load<i64>(a, 24);
  let a4 = load<i64>(a, 32);
  let a5 = load<i64>(a, 40);
  let a6 = load<i64>(a, 48);
  let a7 = load<i64>(a, 56);
  let a8 = load<i64>(a, 64);
  let a9 = load<i64>(a, 72);

  // Carried limbs stand for a value between -p and p. What comes out of the top is then -1 below 0, else 0.
  let carry = a0 >> 26;
  carry = (a1 + carry) >> 25;
  carry = (a2 + carry) >> 26;
  carry = (a3 + carry) >> 25;
  carry = (a4 + carry) >> 26;
  carry = (a5 + carry) >> 25;
  carry = (a6 + carry) >> 26;
  carry = (a7 + carry) >> 25;
  carry = (a8 + carry) >> 26;
  carry = (a9 + carry) >> 25;

  // Below 0, p = 2^255 - 19 is added: 19 off here, 2^255 by dropping the carry out of the top.
  a0 += 19 * carry;
  a1 += a0 >> 26;
  a0 &= MASK26;
  a2 += a1 >> 25;
  a1 &= MASK25;
  a3 += a2 >> 26;
  a2 &= MASK26;
  a4 += a3 >> 25;
  a3 &= MASK25;
  a5 += a4 >> 26;
  a4 &= MASK26;
  a6 += a5 >> 25;
  a5 &= MASK25;
  a7 += a6 >> 26;
  a6 &= MASK26;
  a8 += a7 >> 25;
  a7 &= MASK25;
  a9 += a8 >> 26;
  a8 &= MASK26;
  a9 &= MASK25;

  store<i64>(out, a0 | (a1 << 26) | (a2 << 51));
  store<i64>(out, (a2 >> 13) | (a3 << 13) | (a4 << 38), 8);
  store<i64>(out, a5 | (a6 << 25) | (a7 << 51), 16);
  store<i64>(out, (a7 >> 13) | (a8 << 12) | (a9 << 38), 24);
}

/** out = a small whole number. */
export function setSmall(out: usize, value: i64): void {
  wipe(out, ELEMENT_BYTES);
  store<i64>(out, value);
}

/** out = a + b, not carried. */
export function add(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < ELEMENT_BYTES; i += 16) {
    v128.store(out + i, i64x2.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** out = a - b, not carried. */
export function subtract(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < ELEMENT_BYTES; i += 16) {
    v128.store(out + i, i64x2.sub(v128.load(a + i), v128.load(b + i)));
  }
}

/**
 * out = a * b. An element is E(y) + 2^26 * O(y) with y = 2^51, its even and its odd limbs. The product is then
 * EE + 2^26 * (EO + OE) + 2y * OO, modulo y^5 = 2^255 = 19, and (E + O)(E + O) - EE - OO gives the middle at the
 * price of one multiplication of five limbs instead of two.
 */
export function multiply(out: usize, a: usize, b: usize): void {
  const e0 = load<i64>(a);
  const e1 = load<i64>(a, 16);
  const e2 = load<i64>(a, 32);
  const e3 = load<i64>(a, 48);
  const e4 = load<i64>(a, 64);
  const o0 = load<i64>(a, 8);
  const o1 = load<i64>(a, 24);
  const o2 = load<i64>(a, 40);
  const o3 = load<i64>(a, 56);
  const o4 = load<i64>(a, 72);
  const f0 = load<i64>(b);
  const f1 = load<i64>(b, 16);
  const f2 = load<i64>(b, 32);
  const f3 = load<i64>(b, 48);
  const f4 = load<i64>(b, 64);
  const p0 = load<i64>(b, 8);
  const p1 = load<i64>(b, 24);
  const p2 = load<i64>(b, 40);
  const p3 = load<i64>(b, 56);
  const p4 = load<i64>(b, 72);
  const s0 = e0 + o0;
  const s1 = e1 + o1;
  const s2 = e2 + o2;
  const s3 = e3 + o3;
  const s4 = e4 + o4;
  const t0 = f0 + p0;
  const t1 = f1 + p1;
  const t2 = f2 + p2;
  const t3 = f3 + p3;
  const t4 = f4 + p4;

  const ee0 = e0 * f0 + times19(e1 * f4 + e2 * f3 + e3 * f2 + e4 * f1);
  const ee1 = e0 * f1 + e1 * f0 + times19(e2 * f4 + e3 * f3 + e4 * f2);
  const ee2 = e0 * f2 + e1 * f1 + e2 * f0 + times19(e3 * f4 + e4 * f3);
  const ee3 = e0 * f3 + e1 * f2 + e2 * f1 + e3 * f0 + times19(e4 * f4);
  const ee4 = e0 * f4 + e1 * f3 + e2 * f2 + e3 * f1 + e4 * f0;

  const oo0 = o0 * p0 + times19(o1 * p4 + o2 * p3 + o3 * p2 + o4 * p1);
  const oo1 = o0 * p1 + o1 * p0 + times19(o2 * p4 + o3 * p3 + o4 * p2);
  const oo2 = o0 * p2 + o1 * p1 + o2 * p0 + times19(o3 * p4 + o4 * p3);
  const oo3 = o0 * p3 + o1 * p2 + o2 * p1 + o3 * p0 + times19(o4 * p4);
  const oo4 = o0 * p4 + o1 * p3 + o2 * p2 + o3 * p1 + o4 * p0;

  const ss0 = s0 * t0 + times19(s1 * t4 + s2 * t3 + s3 * t2 + s4 * t1);
  const ss1 = s0 * t1 + s1 * t0 + times19(s2 * t4 + s3 * t3 + s4 * t2);
  const ss2 = s0 * t2 + s1 * t1 + s2 * t0 + times19(s3 * t4 + s4 * t3);
  const ss3 = s0 * t3 + s1 * t2 + s2 * t1 + s3 * t0 + times19(s4 * t4);
  const ss4 = s0 * t4 + s1 * t3 + s2 * t2 + s3 * t1 + s4 * t0;

  storeCarried(
    out,
    ee0 + 2 * times19(oo4),
    ss0 - ee0 - oo0,
    ee1 + 2 * oo0,
    ss1 - ee1 - oo1,
    ee2 + 2 * oo1,
    ss2 - ee2 - oo2,
    ee3 + 2 * oo2,
    ss3 - ee3 - oo3,
    ee4 + 2 * oo3,
    ss4 - ee4 - oo4,
  );
}

/** out = a^(2^times), `times` at least 1. */
export function square(out: usize, a: usize, times: i32): void {
  for (; times > 0; times--) {
    squareOnce(out, a);
    a = out;
  }
}

/** out = a * a, as in `multiply` with equal products taken together. */
function squareOnce(out: usize, a: usize): void {
  const e0 = load<i64>(a);
  const e1 = load<i64>(a, 16);
  const e2 = load<i64>(a, 32);
  const e3 = load<i64>(a, 48);
  const e4 = load<i64>(a, 64);
  const o0 = load<i64>(a, 8);
  const o1 = load<i64>(a, 24);
  const o2 = load<i64>(a, 40);
  const o3 = load<i64>(a, 56);
  const o4 = load<i64>(a, 72);
  const s0 = e0 + o0;
  const s1 = e1 + o1;
  const s2 = e2 + o2;
  const s3 = e3 + o3;
  const s4 = e4 + o4;

  const ee0 = e0 * e0 + 2 * times19(e1 * e4 + e2 * e3);
  const ee1 = 2 * e0 * e1 + times19(2 * e2 * e4 + e3 * e3);
  const ee2 = 2 * e0 * e2 + e1 * e1 + 2 * times19(e3 * e4);
  const ee3 = 2 * (e0 * e3 + e1 * e2) + times19(e4 * e4);
  const ee4 = 2 * (e0 * e4 + e1 * e3) + e2 * e2;

  const oo0 = o0 * o0 + 2 * times19(o1 * o4 + o2 * o3);
  const oo1 = 2 * o0 * o1 + times19(2 * o2 * o4 + o3 * o3);
  const oo2 = 2 * o0 * o2 + o1 * o1 + 2 * times19(o3 * o4);
  const oo3 = 2 * (o0 * o3 + o1 * o2) + times19(o4 * o4);
  const oo4 = 2 * (o0 * o4 + o1 * o3) + o2 * o2;

  const ss0 = s0 * s0 + 2 * times19(s1 * s4 + s2 * s3);
  const ss1 = 2 * s0 * s1 + times19(2 * s2 * s4 + s3 * s3);
  const ss2 = 2 * s0 * s2 + s1 * s1 + 2 * times19(s3 * s4);
  const ss3 = 2 * (s0 * s3 + s1 * s2) + times19(s4 * s4);
  const ss4 = 2 * (s0 * s4 + s1 * s3) + s2 * s2;

  storeCarried(
    out,
    ee0 + 2 * times19(oo4),
    ss0 - ee0 - oo0,
    ee1 + 2 * oo0,
    ss1 - ee1 - oo1,
    ee2 + 2 * oo1,
    ss2 - ee2 - oo2,
    ee3 + 2 * oo2,
    ss3 - ee3 - oo3,
    ee4 + 2 * oo3,
    ss4 - ee4 - oo4,
  );
}

/** In scaled additions, since multiplications are what the processor has fewest of. */
function times19(x: i64): i64 {
  return x + 2 * (x + 8 * x);
}

/** out = a * factor, a factor of up to 2^34. */
export function multiplySmall(out: usize, a: usize, factor: i64): void {
  storeCarried(
    out,
    factor * load<i64>(a),
    factor * load<i64>(a, 8),
    factor * load<i64>(a, 16),
    factor * load<i64>(a, 24),
    factor * load<i64>(a, 32),
    factor * load<i64>(a, 40),
    factor * load<i64>(a, 48),
    factor * load<i64>(a, 56),
    factor * load<i64>(a, 64),
    factor * load<i64>(a, 72),
  );
}

/** a = a^(p - 2), its inverse by Fermat's little theorem; 0 for 0. The exponent is 2^255 - 21. */
export function invert(a: usize): void {
  // A name such as a_n below means a^(2^n - 1).
  square(A, a, 1);
  square(B, A, 2);
  multiply(B, B, a); // a^9
  multiply(A, A, B); // a^11
  square(C, A, 1);
  multiply(B, B, C); // a_5
  square(C, B, 5);
  multiply(B, B, C); // a_10
  square(C, B, 10);
  multiply(C, C, B); // a_20
  square(D, C, 20);
  multiply(C, C, D); // a_40
  square(C, C, 10);
  multiply(B, B, C); // a_50
  square(C, B, 50);
  multiply(C, C, B); // a_100
  square(D, C, 100);
  multiply(C, C, D); // a_200
  square(C, C, 50);
  multiply(B, B, C); // a_250
  square(B, B, 5);
  multiply(a, A, B);
}

export function wipeField25519(): void {
  wipe(SCRATCH, SCRATCH_BYTES);
}

/**
 * Brings limbs of up to 62 bits down to 26 and 25 and stores them. Two chains run side by side, from limb 0 and
 * from limb 4; carries are rounded to the nearest, so limbs end between minus and plus half their range.
 */
function storeCarried(
  out: usize,
  h0: i64,
  h1: i64,
  h2: i64,
  h3: i64,
  h4: i64,
  h5: i64,
  h6: i64,
  h7: i64,
  h8: i64,
  h9: i64,
): void {
  let carry: i64;
  carry = over26(h0);
  h1 += carry;
  h0 -= carry << 26;
  carry = over26(h4);
  h5 += carry;
  h4 -= carry << 26;
  carry = over25(h1);
  h2 += carry;
  h1 -= carry << 25;
  carry = over25(h5);
  h6 += carry;
  h5 -= carry << 25;
  carry = over26(h2);
  h3 += carry;
  h2 -= carry << 26;
  carry = over26(h6);
  h7 += carry;
  h6 -= carry << 26;
  carry = over25(h3);
  h4 += carry;
  h3 -= carry << 25;
  carry = over25(h7);
  h8 += carry;
  h7 -= carry << 25;
  carry = over26(h4);
  h5 += carry;
  h4 -= carry << 26;
  carry = over26(h8);
  h9 += carry;
  h8 -= carry << 26;
  carry = over25(h9);
  h0 += 19 * carry;
  h9 -= carry << 25;
  carry = over26(h0);
  h1 += carry;
  h0 -= carry << 26;

  store<i64>(out, h0);
  store<i64>(out, h1, 8);
  store<i64>(out, h2, 16);
  store<i64>(out, h3, 24);
  store<i64>(out, h4, 32);
  store<i64>(out, h5, 40);
  store<i64>(out, h6, 48);
  store<i64>(out, h7, 56);
  store<i64>(out, h8, 64);
  store<i64>(out, h9, 72);
}

/** The carry out of an even limb, 26 bits. */
function over26(limb: i64): i64 {
  return (limb + (1 << 25)) >> 26;
}

/** The carry out of an odd limb, 25 bits. */
function over25(limb: i64): i64 {
  return (limb + (1 << 24)) >> 25;
}
