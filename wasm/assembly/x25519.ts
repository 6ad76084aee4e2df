/** X25519 (RFC 7748 5): the Montgomery ladder in constant time, its multiplications two side by side. */
import { wipe } from './bytes';
import {
  decode,
  encode,
  FACTOR_BYTES,
  invert,
  multiply,
  multiplyPair,
  PAIR_BYTES,
  square,
  storeFactorLimb,
  wipeField25519,
} from './field25519';

export const X25519_BYTES: usize = 32;

/** (486662 - 2) / 4 of the curve equation. RFC 7748 5 */
const A24: f64 = 121665;

/** The u coordinate of the base point. RFC 7748 4.1 */
const BASE_POINT: usize = memory.data<u8>([
  9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** The sign of the second lane, then of the first. */
const SIGNS: usize = memory.data<u64>([0, 0x8000000000000000, 0x8000000000000000, 0], 16);

// Names of elements as in RFC 7748 5; two of them side by side make a pair.
const SCRATCH_BYTES: usize = 6 * PAIR_BYTES + FACTOR_BYTES + X25519_BYTES;
const SCRATCH: usize = memory.data(SCRATCH_BYTES, 16);
/** (x1, unused) */
const X1: usize = SCRATCH;
/** The ladder's points: (x2, z2) and (x3, z3). */
const P2: usize = X1 + PAIR_BYTES;
const P3: usize = P2 + PAIR_BYTES;
/** What a step multiplies and squares. */
const L: usize = P3 + PAIR_BYTES;
const M: usize = L + PAIR_BYTES;
const S: usize = M + PAIR_BYTES;
const F: usize = S + PAIR_BYTES;
const SCALAR: usize = F + FACTOR_BYTES;

/**
 * `out` = X25519(scalar, u), 32 octets each.
 * False when the result is all zeros, from a point of small order: refuse then. RFC 7748 6.1, RFC 9180 7.1.4
 */
export function x25519Into(out: usize, scalar: usize, u: usize): bool {
  takeScalar(scalar);
  decode(X1, u);
  ladder();
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) v128.store(L + i, swapLanes(v128.load(P2 + i)));
  invert(L);
  multiplyPair(P2, P2, L);
  encode(out, P2);
  return !isZero(out);
}

/** `out` = the public key of a private key. RFC 7748 6.1 */
export function x25519BaseInto(out: usize, scalar: usize): void {
  x25519Into(out, scalar, BASE_POINT);
}

export function wipeX25519(): void {
  wipe(SCRATCH, SCRATCH_BYTES);
  wipeField25519();
}

/** decodeScalar25519 of RFC 7748 5 */
function takeScalar(scalar: usize): void {
  memory.copy(SCALAR, scalar, X25519_BYTES);
  store<u8>(SCALAR, load<u8>(SCALAR) & 248);
  store<u8>(SCALAR, (load<u8>(SCALAR, 31) & 127) | 64, 31);
}

/** (x2, z2) = scalar * (x1, 1). RFC 7748 5 */
function ladder(): void {
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    v128.store(P2 + i, i64x2.splat(0));
    v128.store(P3 + i, firsts(v128.load(X1 + i), i64x2.splat(0)));
  }
  store<f64>(P2, 1);
  store<f64>(P3, 1, 8);

  let swap: i64 = 0;
  for (let t = 254; t >= 0; t--) {
    const bit = <i64>((load<u8>(SCALAR + (t >> 3)) >> <u8>(t & 7)) & 1);
    ladderStep(swap ^ bit);
    swap = bit;
  }
  swapPoints(swap);
}

/**
 * Exchanges both points when `swap` is 1, with the same work when it is 0; then adds them, whose difference is X1, and
 * doubles the first. RFC 7748 5
 */
function ladderStep(swap: i64): void {
  swapPoints(swap);
  const minusFirst = v128.load(SIGNS, 16);
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const q = v128.load(P3 + i);
    storeFactorLimb(F + i, sumAndDifference(v128.load(P2 + i))); // (A, B)
    v128.store(L + i, f64x2.add(q, v128.xor(swapLanes(q), minusFirst))); // (D, C)
  }
  multiply(M, L, F); // (DA, CB)
  square(S, F + PAIR_BYTES); // (AA, BB)

  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const squares = v128.load(S + i);
    const e = f64x2.sub(squares, swapLanes(squares));
    v128.store(L + i, firsts(squares, e)); // (AA, E)
    storeFactorLimb(F + i, seconds(squares, i64x2.splat(0))); // (BB, 0)
    v128.store(M + i, sumAndDifference(v128.load(M + i))); // (DA + CB, DA - CB)
  }
  store<f64>(F, A24, PAIR_BYTES + 8); // (BB, a24)
  square(P3, M); // (x3, (DA - CB)^2)
  multiply(P2, L, F); // (x2, a24 * E)

  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const l = v128.load(L + i);
    const sum = f64x2.add(l, swapLanes(v128.load(P2 + i)));
    v128.store(M + i, seconds(l, v128.load(P3 + i))); // (E, (DA - CB)^2)
    storeFactorLimb(F + i, firsts(sum, v128.load(X1 + i))); // (AA + a24 * E, x1)
  }
  multiply(M, M, F); // (z2, z3)
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const z = v128.load(M + i);
    v128.store(P2 + i, firsts(v128.load(P2 + i), z));
    v128.store(P3 + i, v128.shuffle<u64>(v128.load(P3 + i), z, 0, 3));
  }
}

function swapPoints(swap: i64): void {
  const mask = i64x2.splat(-swap);
  for (let i: usize = 0; i < PAIR_BYTES; i += 16) {
    const first = v128.load(P2 + i);
    const second = v128.load(P3 + i);
    const difference = v128.and(v128.xor(first, second), mask);
    v128.store(P2 + i, v128.xor(first, difference));
    v128.store(P3 + i, v128.xor(second, difference));
  }
}

/** (x, y) becomes (x + y, x - y). */
function sumAndDifference(pair: v128): v128 {
  return f64x2.add(v128.xor(pair, v128.load(SIGNS)), swapLanes(pair));
}

function swapLanes(pair: v128): v128 {
  return v128.shuffle<u64>(pair, pair, 1, 0);
}

function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 0, 2);
}

function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 1, 3);
}

function isZero(bytes: usize): bool {
  const any = v128.or(v128.load(bytes), v128.load(bytes, 16));
  return !v128.any_true(any);
}
