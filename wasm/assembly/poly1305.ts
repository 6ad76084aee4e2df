/**
 * Poly1305 (RFC 8439 2.5) on five limbs of 26 bits, so that every product and sum fits 64 bits.
 *
 * State, 96 octets: accumulator h (5 x u64) | clamped r (5 x u64) | s (16)
 */
import { wipe } from './bytes';

export const POLY1305_KEY_BYTES: usize = 32;
export const POLY1305_TAG_BYTES: usize = 16;
export const POLY1305_BLOCK_BYTES: usize = 16;
export const POLY1305_STATE_BYTES: usize = 96;

const R: usize = 40;
const S: usize = 80;

const LIMB_BITS: u64 = 26;
const LIMB_MASK: u64 = 0x3ffffff;

/** The bit 2^128 above a whole block, as it stands in the top limb. RFC 8439 2.5.1 */
const ABOVE_BLOCK: u64 = 1 << 24;

const ONE_SHOT: usize = memory.data(POLY1305_STATE_BYTES, 16);
const LAST_BLOCK: usize = memory.data(POLY1305_BLOCK_BYTES, 16);

/** `out` = the tag (16) of a message under a one-time key (32). */
export function poly1305Into(out: usize, key: usize, message: usize, length: usize): void {
  const whole = length & ~15;
  poly1305Begin(ONE_SHOT, key);
  addBlocks(ONE_SHOT, message, whole, ABOVE_BLOCK);
  if (whole < length) {
    // The bit above a short block is written into it. RFC 8439 2.5.1
    takeLastBlock(message + whole, length - whole);
    store<u8>(LAST_BLOCK + length - whole, 1);
    addBlocks(ONE_SHOT, LAST_BLOCK, POLY1305_BLOCK_BYTES, 0);
  }
  poly1305FinishInto(out, ONE_SHOT);
}

export function poly1305Begin(state: usize, key: usize): void {
  wipe(state, R);
  // The mask of `clamp` in RFC 8439 2.5.1, cut into limbs.
  store<u64>(state, load<u32>(key) & 0x3ffffff, R);
  store<u64>(state, (load<u32>(key, 3) >> 2) & 0x3ffff03, R + 8);
  store<u64>(state, (load<u32>(key, 6) >> 4) & 0x3ffc0ff, R + 16);
  store<u64>(state, (load<u32>(key, 9) >> 6) & 0x3f03fff, R + 24);
  store<u64>(state, (load<u32>(key, 12) >> 8) & 0x00fffff, R + 32);
  v128.store(state, v128.load(key, 16), S);
}

/** Takes a part of the message and zeros up to a whole block, as the AEAD does with each of its parts. RFC 8439 2.8 */
export function poly1305UpdatePadded(state: usize, message: usize, length: usize): void {
  const whole = length & ~15;
  addBlocks(state, message, whole, ABOVE_BLOCK);
  if (whole < length) {
    takeLastBlock(message + whole, length - whole);
    addBlocks(state, LAST_BLOCK, POLY1305_BLOCK_BYTES, ABOVE_BLOCK);
  }
}

/** Writes the tag: (h mod 2^130 - 5) + s mod 2^128. The state is used up: wiped. */
export function poly1305FinishInto(out: usize, state: usize): void {
  let h0 = load<u64>(state, 0);
  let h1 = load<u64>(state, 8);
  let h2 = load<u64>(state, 16);
  let h3 = load<u64>(state, 24);
  let h4 = load<u64>(state, 32);

  // Down to 26 bits a limb; only h0 may stay a little above, which the sums below bear.
  h1 += h0 >> LIMB_BITS;
  h0 &= LIMB_MASK;
  h2 += h1 >> LIMB_BITS;
  h1 &= LIMB_MASK;
  h3 += h2 >> LIMB_BITS;
  h2 &= LIMB_MASK;
  h4 += h3 >> LIMB_BITS;
  h3 &= LIMB_MASK;
  h0 += (h4 >> LIMB_BITS) * 5;
  h4 &= LIMB_MASK;

  // h is at least p exactly when h + 5 reaches 2^130; then h - p is h + 5 - 2^130.
  let carry = (h0 + 5) >> LIMB_BITS;
  carry = (h1 + carry) >> LIMB_BITS;
  carry = (h2 + carry) >> LIMB_BITS;
  carry = (h3 + carry) >> LIMB_BITS;
  carry = (h4 + carry) >> LIMB_BITS;
  h0 += carry * 5;

  // Modulo 2^128 from here on: what stands above in h4 falls off.
  const low = h0 + (h1 << 26) + (h2 << 52);
  const high = (h2 >> 12) + (h3 << 14) + (h4 << 40) + <u64>(low < h2 << 52);
  const tagLow = low + load<u64>(state, S);
  const tagHigh = high + load<u64>(state, S + 8) + <u64>(tagLow < low);
  store<u64>(out, tagLow);
  store<u64>(out, tagHigh, 8);
  wipe(state, POLY1305_STATE_BYTES);
}

export function wipePoly1305(): void {
  wipe(ONE_SHOT, POLY1305_STATE_BYTES);
  wipe(LAST_BLOCK, POLY1305_BLOCK_BYTES);
}

function takeLastBlock(from: usize, length: usize): void {
  wipe(LAST_BLOCK, POLY1305_BLOCK_BYTES);
  memory.copy(LAST_BLOCK, from, length);
}

/** h = (h + block) * r mod 2^130 - 5 for each block; limbs come out at most a little over 26 bits. */
function addBlocks(state: usize, message: usize, length: usize, above: u64): void {
  const r0 = load<u64>(state, R);
  const r1 = load<u64>(state, R + 8);
  const r2 = load<u64>(state, R + 16);
  const r3 = load<u64>(state, R + 24);
  const r4 = load<u64>(state, R + 32);
  // 2^130 = 5 modulo the prime, so what runs over the top comes back five times.
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;

  let h0 = load<u64>(state, 0);
  let h1 = load<u64>(state, 8);
  let h2 = load<u64>(state, 16);
  let h3 = load<u64>(state, 24);
  let h4 = load<u64>(state, 32);

  for (const end = message + length; message < end; message += POLY1305_BLOCK_BYTES) {
    h0 += load<u32>(message) & LIMB_MASK;
    h1 += (load<u32>(message, 3) >> 2) & LIMB_MASK;
    h2 += (load<u32>(message, 6) >> 4) & LIMB_MASK;
    h3 += load<u32>(message, 9) >> 6;
    h4 += (load<u32>(message, 12) >> 8) | above;

    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    let d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;

    d1 += d0 >> LIMB_BITS;
    d2 += d1 >> LIMB_BITS;
    d3 += d2 >> LIMB_BITS;
    d4 += d3 >> LIMB_BITS;
    h0 = (d0 & LIMB_MASK) + (d4 >> LIMB_BITS) * 5;
    h1 = (d1 & LIMB_MASK) + (h0 >> LIMB_BITS);
    h0 &= LIMB_MASK;
    h2 = d2 & LIMB_MASK;
    h3 = d3 & LIMB_MASK;
    h4 = d4 & LIMB_MASK;
  }

  store<u64>(state, h0, 0);
  store<u64>(state, h1, 8);
  store<u64>(state, h2, 16);
  store<u64>(state, h3, 24);
  store<u64>(state, h4, 32);
}
