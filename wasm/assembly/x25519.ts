/** X25519 (RFC 7748 5): the Montgomery ladder in constant time. */
import { wipe } from './bytes';
import {
  add,
  decode,
  ELEMENT_BYTES,
  encode,
  invert,
  multiply,
  multiplySmall,
  setSmall,
  square,
  subtract,
  wipeField25519,
} from './field25519';

export const X25519_BYTES: usize = 32;

/** (486662 - 2) / 4 of the curve equation. RFC 7748 5 */
const A24: i64 = 121665;

/** The u coordinate of the base point. RFC 7748 4.1 */
const BASE_POINT: usize = memory.data<u8>([
  9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

// The ladder's points (X2 : Z2) and (X3 : Z3) lie together so that one loop swaps them. Names as in RFC 7748 5.
const SCRATCH_BYTES: usize = 10 * ELEMENT_BYTES + X25519_BYTES;
const SCRATCH: usize = memory.data(SCRATCH_BYTES, 16);
const X1: usize = SCRATCH;
const X2: usize = X1 + ELEMENT_BYTES;
const Z2: usize = X2 + ELEMENT_BYTES;
const X3: usize = Z2 + ELEMENT_BYTES;
const Z3: usize = X3 + ELEMENT_BYTES;
const A: usize = Z3 + ELEMENT_BYTES;
const B: usize = A + ELEMENT_BYTES;
const C: usize = B + ELEMENT_BYTES;
const D: usize = C + ELEMENT_BYTES;
const E: usize = D + ELEMENT_BYTES;
const SCALAR: usize = E + ELEMENT_BYTES;

/**
 * `out` = X25519(scalar, u), 32 octets each.
 * False when the result is all zeros, from a point of small order: refuse then. RFC 7748 6.1, RFC 9180 7.1.4
 */
export function x25519Into(out: usize, scalar: usize, u: usize): bool {
  takeScalar(scalar);
  decode(X1, u);
  ladder();
  invert(Z2);
  multiply(X2, X2, Z2);
  encode(out, X2);
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

/** (X2 : Z2) = scalar * X1. RFC 7748 5 */
function ladder(): void {
  setSmall(X2, 1);
  setSmall(Z2, 0);
  memory.copy(X3, X1, ELEMENT_BYTES);
  setSmall(Z3, 1);

  let swap: i64 = 0;
  for (let t = 254; t >= 0; t--) {
    const bit = <i64>((load<u8>(SCALAR + (t >> 3)) >> <u8>(t & 7)) & 1);
    swapPoints(swap ^ bit);
    swap = bit;
    ladderStep();
  }
  swapPoints(swap);
}

/** Adds the two points, whose difference is X1, and doubles the first. RFC 7748 5 */
function ladderStep(): void {
  add(A, X2, Z2);
  subtract(B, X2, Z2);
  add(C, X3, Z3);
  subtract(D, X3, Z3);
  multiply(D, D, A);
  multiply(C, C, B);
  square(A, A, 1);
  square(B, B, 1);

  add(X3, D, C);
  square(X3, X3, 1);
  subtract(Z3, D, C);
  square(Z3, Z3, 1);
  multiply(Z3, Z3, X1);

  multiply(X2, A, B);
  subtract(E, A, B);
  multiplySmall(Z2, E, A24);
  add(Z2, Z2, A);
  multiply(Z2, Z2, E);
}

/** Exchanges both points when `bit` is 1; the same work when it is 0. */
function swapPoints(bit: i64): void {
  const mask = i64x2.splat(-bit);
  for (let at = X2; at < X3; at += 16) {
    const first = v128.load(at);
    const second = v128.load(at, 2 * ELEMENT_BYTES);
    const difference = v128.and(v128.xor(first, second), mask);
    v128.store(at, v128.xor(first, difference));
    v128.store(at, v128.xor(second, difference), 2 * ELEMENT_BYTES);
  }
}

function isZero(bytes: usize): bool {
  const any = v128.or(v128.load(bytes), v128.load(bytes, 16));
  return !v128.any_true(any);
}
