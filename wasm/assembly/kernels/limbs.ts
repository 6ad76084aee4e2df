/**
 * Poly1305 (RFC 8439 2.5) on four limbs of 32 bits, for the kernels: 16 products a block, against 25 of poly1305.ts.
 *
 * Clamping leaves r four words below 2^28, of which r1 to r3 are multiples of 4. So what runs over 2^128 comes back as
 * t = r / 4 * 5, a whole number below 1.25 * 2^28: 2^128 * r = 2^130 * (r / 4), and 2^130 = 5 modulo the prime.
 *
 * Between blocks h0 < 2.25 * 2^32, h1 and h2 < 2^32, h3 < 2^34. With a block added the sums s stay below 3.25, 2, 2 and
 * 6 times 2^32, so the largest sum of products, s0 * r0 + s1 * t3 + s2 * t2 + s3 * t1, is below
 * (3.25 + 1.25 * (2 + 2 + 6)) * 2^60 = 15.75 * 2^60 < 2^64.
 */
import { wipe } from '../bytes';

/** h (4 x u64) | clamped r (4 x u64) | s (16) */
const POLY_BYTES: usize = 80;
export const POLY: usize = memory.data(POLY_BYTES, 16);
const R: usize = 32;
const S: usize = 64;

const LIMB_MASK: u64 = 0xffffffff;
/** Two bits above 2^128 stay in the top limb. */
const TOP_BITS: u64 = 34;
const TOP_MASK: u64 = 0x3ffffffff;

/** The bit 2^128 above a whole block, as it stands in the top limb. RFC 8439 2.5.1 */
export const ABOVE_BLOCK: u64 = 0x100000000;

/** Starts a message under a one-time key (32). */
export function polyBegin(key: usize): void {
  wipe(POLY, R);
  // The mask of `clamp`. RFC 8439 2.5.1
  store<u64>(POLY, load<u32>(key) & 0x0fffffff, R);
  store<u64>(POLY, load<u32>(key, 4) & 0x0ffffffc, R + 8);
  store<u64>(POLY, load<u32>(key, 8) & 0x0ffffffc, R + 16);
  store<u64>(POLY, load<u32>(key, 12) & 0x0ffffffc, R + 24);
  v128.store(POLY, v128.load(key, 16), S);
}

/** Writes the tag (16): (h mod 2^130 - 5) + s mod 2^128. */
export function polyFinishInto(out: usize): void {
  let h0 = load<u64>(POLY, 0);
  let h1 = load<u64>(POLY, 8);
  let h2 = load<u64>(POLY, 16);
  let h3 = load<u64>(POLY, 24);

  // Twice around: h0 may have run over, and then what comes back from the top.
  for (let i = 0; i < 2; i++) {
    h1 += h0 >> 32;
    h0 &= LIMB_MASK;
    h2 += h1 >> 32;
    h1 &= LIMB_MASK;
    h3 += h2 >> 32;
    h2 &= LIMB_MASK;
    h0 += (h3 >> TOP_BITS) * 5;
    h3 &= TOP_MASK;
  }

  // h is at least p exactly when h + 5 reaches 2^130; then h - p is h + 5 - 2^130.
  let carry = (h0 + 5) >> 32;
  carry = (h1 + carry) >> 32;
  carry = (h2 + carry) >> 32;
  carry = (h3 + carry) >> TOP_BITS;
  h0 += carry * 5;

  // Modulo 2^128 from here on: what stands above in h3 falls off.
  const low = h0 + (h1 << 32);
  const high = h2 + (h3 << 32) + <u64>(low < h0);
  const tagLow = low + load<u64>(POLY, S);
  const tagHigh = high + load<u64>(POLY, S + 8) + <u64>(tagLow < low);
  store<u64>(out, tagLow);
  store<u64>(out, tagHigh, 8);
}

export function wipePoly(): void {
  wipe(POLY, POLY_BYTES);
}
