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

/** Writes the one representative from 0 to p - 1, little-endian. RFC 7748 5 */
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

  // The limbs sum up to between -p and 2p. The quotient by p is the carry that comes out of the top when 19 is
  // added with the carry of the top limb: adding 19 * quotient and dropping bit 255 then takes it off.
  let quotient = (19 * a9 + (1 << 24)) >> 25;
  quotient = (a0 + quotient) >> 26;
  quotient = (a1 + quotient) >> 25;
  quotient = (a2 + quotient) >> 26;
  quotient = (a3 + quotient) >> 25;
  quotient = (a4 + quotient) >> 26;
  quotient = (a5 + quotient) >> 25;
  quotient = (a6 + quotient) >> 26;
  quotient = (a7 + quotient) >> 25;
  quotient = (a8 + quotient) >> 26;
  quotient = (a9 + quotient) >> 25;
  a0 += 19 * quotient;
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
 * out = a * b. A product of limbs i and j belongs to limb i + j: twice, when both are odd (their half bits add up),
 * and 19 times on limb i + j - 10 when it runs over the top (2^255 = 19 modulo p).
 */
export function multiply(out: usize, a: usize, b: usize): void {
  const a0 = load<i64>(a);
  const a1 = load<i64>(a, 8);
  const a2 = load<i64>(a, 16);
  const a3 = load<i64>(a, 24);
  const a4 = load<i64>(a, 32);
  const a5 = load<i64>(a, 40);
  const a6 = load<i64>(a, 48);
  const a7 = load<i64>(a, 56);
  const a8 = load<i64>(a, 64);
  const a9 = load<i64>(a, 72);
  const b0 = load<i64>(b);
  const b1 = load<i64>(b, 8);
  const b2 = load<i64>(b, 16);
  const b3 = load<i64>(b, 24);
  const b4 = load<i64>(b, 32);
  const b5 = load<i64>(b, 40);
  const b6 = load<i64>(b, 48);
  const b7 = load<i64>(b, 56);
  const b8 = load<i64>(b, 64);
  const b9 = load<i64>(b, 72);
  const d1 = 2 * a1;
  const d3 = 2 * a3;
  const d5 = 2 * a5;
  const d7 = 2 * a7;
  const d9 = 2 * a9;

  const h0 =
    a0 * b0 +
    19 * (d1 * b9 + a2 * b8 + d3 * b7 + a4 * b6 + d5 * b5 + a6 * b4 + d7 * b3 + a8 * b2 + d9 * b1);
  const h1 =
    a0 * b1 +
    a1 * b0 +
    19 * (a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2);
  const h2 =
    a0 * b2 +
    d1 * b1 +
    a2 * b0 +
    19 * (d3 * b9 + a4 * b8 + d5 * b7 + a6 * b6 + d7 * b5 + a8 * b4 + d9 * b3);
  const h3 =
    a0 * b3 +
    a1 * b2 +
    a2 * b1 +
    a3 * b0 +
    19 * (a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4);
  const h4 =
    a0 * b4 +
    d1 * b3 +
    a2 * b2 +
    d3 * b1 +
    a4 * b0 +
    19 * (d5 * b9 + a6 * b8 + d7 * b7 + a8 * b6 + d9 * b5);
  const h5 =
    a0 * b5 +
    a1 * b4 +
    a2 * b3 +
    a3 * b2 +
    a4 * b1 +
    a5 * b0 +
    19 * (a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6);
  const h6 =
    a0 * b6 +
    d1 * b5 +
    a2 * b4 +
    d3 * b3 +
    a4 * b2 +
    d5 * b1 +
    a6 * b0 +
    19 * (d7 * b9 + a8 * b8 + d9 * b7);
  const h7 =
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    19 * (a8 * b9 + a9 * b8);
  const h8 =
    a0 * b8 +
    d1 * b7 +
    a2 * b6 +
    d3 * b5 +
    a4 * b4 +
    d5 * b3 +
    a6 * b2 +
    d7 * b1 +
    a8 * b0 +
    19 * (d9 * b9);
  const h9 =
    a0 * b9 +
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    a9 * b0;
  storeCarried(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
}

/** out = a^(2^times), `times` at least 1: the same sums with equal products taken together. */
export function square(out: usize, a: usize, times: i32): void {
  for (; times > 0; times--) {
    squareOnce(out, a);
    a = out;
  }
}

function squareOnce(out: usize, a: usize): void {
  const a0 = load<i64>(a);
  const a1 = load<i64>(a, 8);
  const a2 = load<i64>(a, 16);
  const a3 = load<i64>(a, 24);
  const a4 = load<i64>(a, 32);
  const a5 = load<i64>(a, 40);
  const a6 = load<i64>(a, 48);
  const a7 = load<i64>(a, 56);
  const a8 = load<i64>(a, 64);
  const a9 = load<i64>(a, 72);

  const h0 = a0 * a0 + 38 * (2 * a1 * a9 + a2 * a8 + 2 * a3 * a7 + a4 * a6 + a5 * a5);
  const h1 = 2 * a0 * a1 + 38 * (a2 * a9 + a3 * a8 + a4 * a7 + a5 * a6);
  const h2 = 2 * (a0 * a2 + a1 * a1) + 38 * (2 * a3 * a9 + a4 * a8 + 2 * a5 * a7) + 19 * a6 * a6;
  const h3 = 2 * (a0 * a3 + a1 * a2) + 38 * (a4 * a9 + a5 * a8 + a6 * a7);
  const h4 = 2 * (a0 * a4 + 2 * a1 * a3) + a2 * a2 + 38 * (2 * a5 * a9 + a6 * a8 + a7 * a7);
  const h5 = 2 * (a0 * a5 + a1 * a4 + a2 * a3) + 38 * (a6 * a9 + a7 * a8);
  const h6 = 2 * (a0 * a6 + 2 * a1 * a5 + a2 * a4 + a3 * a3) + 38 * 2 * a7 * a9 + 19 * a8 * a8;
  const h7 = 2 * (a0 * a7 + a1 * a6 + a2 * a5 + a3 * a4) + 38 * a8 * a9;
  const h8 = 2 * (a0 * a8 + 2 * a1 * a7 + a2 * a6 + 2 * a3 * a5) + a4 * a4 + 38 * a9 * a9;
  const h9 = 2 * (a0 * a9 + a1 * a8 + a2 * a7 + a3 * a6 + a4 * a5);
  storeCarried(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
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
