/** ChaCha20 (RFC 8439 2.3 and 2.4), four blocks at once: one vector holds the same word of all four. */
import { wipe } from './bytes';

export const CHACHA20_KEY_BYTES: usize = 32;
export const CHACHA20_NONCE_BYTES: usize = 12;
export const CHACHA20_BLOCK_BYTES: usize = 64;

/** Octets that `chacha20KeystreamInto` writes: four blocks. */
export const KEYSTREAM_BYTES: usize = 256;

const KEYSTREAM: usize = memory.data(KEYSTREAM_BYTES, 16);

/**
 * `out` = `input` XOR the keystream from block `counter` on; `out` may be `input` itself. RFC 8439 2.4
 * The counter wraps at 2^32: 256 GiB, more than the module's memory holds.
 */
export function chacha20XorInto(
  out: usize,
  input: usize,
  length: usize,
  key: usize,
  nonce: usize,
  counter: u32,
): void {
  for (let done: usize = 0; done < length; done += KEYSTREAM_BYTES) {
    chacha20KeystreamInto(KEYSTREAM, key, nonce, counter);
    xorInto(out + done, input + done, KEYSTREAM, min(KEYSTREAM_BYTES, length - done));
    counter += 4;
  }
}

/** Writes the four keystream blocks `counter` to `counter + 3`. RFC 8439 2.3 */
export function chacha20KeystreamInto(out: usize, key: usize, nonce: usize, counter: u32): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));

  // "expand 32-byte k", the key, the counter, the nonce. RFC 8439 2.3
  let x0 = i32x4.splat(0x61707865);
  let x1 = i32x4.splat(0x3320646e);
  let x2 = i32x4.splat(0x79622d32);
  let x3 = i32x4.splat(0x6b206574);
  let x4 = v128.load32_splat(key, 0);
  let x5 = v128.load32_splat(key, 4);
  let x6 = v128.load32_splat(key, 8);
  let x7 = v128.load32_splat(key, 12);
  let x8 = v128.load32_splat(key, 16);
  let x9 = v128.load32_splat(key, 20);
  let x10 = v128.load32_splat(key, 24);
  let x11 = v128.load32_splat(key, 28);
  let x12 = counters;
  let x13 = v128.load32_splat(nonce, 0);
  let x14 = v128.load32_splat(nonce, 4);
  let x15 = v128.load32_splat(nonce, 8);

  for (let round = 0; round < 20; round += 2) {
    // Column round. RFC 8439 2.3
    x0 = i32x4.add(x0, x4);
    x12 = rotate16(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = rotate12(v128.xor(x4, x8));
    x0 = i32x4.add(x0, x4);
    x12 = rotate8(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = rotate7(v128.xor(x4, x8));

    x1 = i32x4.add(x1, x5);
    x13 = rotate16(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = rotate12(v128.xor(x5, x9));
    x1 = i32x4.add(x1, x5);
    x13 = rotate8(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = rotate7(v128.xor(x5, x9));

    x2 = i32x4.add(x2, x6);
    x14 = rotate16(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = rotate12(v128.xor(x6, x10));
    x2 = i32x4.add(x2, x6);
    x14 = rotate8(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = rotate7(v128.xor(x6, x10));

    x3 = i32x4.add(x3, x7);
    x15 = rotate16(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = rotate12(v128.xor(x7, x11));
    x3 = i32x4.add(x3, x7);
    x15 = rotate8(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = rotate7(v128.xor(x7, x11));

    // Diagonal round.
    x0 = i32x4.add(x0, x5);
    x15 = rotate16(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = rotate12(v128.xor(x5, x10));
    x0 = i32x4.add(x0, x5);
    x15 = rotate8(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = rotate7(v128.xor(x5, x10));

    x1 = i32x4.add(x1, x6);
    x12 = rotate16(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = rotate12(v128.xor(x6, x11));
    x1 = i32x4.add(x1, x6);
    x12 = rotate8(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = rotate7(v128.xor(x6, x11));

    x2 = i32x4.add(x2, x7);
    x13 = rotate16(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = rotate12(v128.xor(x7, x8));
    x2 = i32x4.add(x2, x7);
    x13 = rotate8(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = rotate7(v128.xor(x7, x8));

    x3 = i32x4.add(x3, x4);
    x14 = rotate16(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = rotate12(v128.xor(x4, x9));
    x3 = i32x4.add(x3, x4);
    x14 = rotate8(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = rotate7(v128.xor(x4, x9));
  }

  storeTransposed(
    out,
    i32x4.add(x0, i32x4.splat(0x61707865)),
    i32x4.add(x1, i32x4.splat(0x3320646e)),
    i32x4.add(x2, i32x4.splat(0x79622d32)),
    i32x4.add(x3, i32x4.splat(0x6b206574)),
  );
  storeTransposed(
    out + 16,
    i32x4.add(x4, v128.load32_splat(key, 0)),
    i32x4.add(x5, v128.load32_splat(key, 4)),
    i32x4.add(x6, v128.load32_splat(key, 8)),
    i32x4.add(x7, v128.load32_splat(key, 12)),
  );
  storeTransposed(
    out + 32,
    i32x4.add(x8, v128.load32_splat(key, 16)),
    i32x4.add(x9, v128.load32_splat(key, 20)),
    i32x4.add(x10, v128.load32_splat(key, 24)),
    i32x4.add(x11, v128.load32_splat(key, 28)),
  );
  storeTransposed(
    out + 48,
    i32x4.add(x12, counters),
    i32x4.add(x13, v128.load32_splat(nonce, 0)),
    i32x4.add(x14, v128.load32_splat(nonce, 4)),
    i32x4.add(x15, v128.load32_splat(nonce, 8)),
  );
}

/** `out` = `a` XOR `b`; `out` may be either of them. */
export function xorInto(out: usize, a: usize, b: usize, length: usize): void {
  const whole = length & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(out + i, v128.xor(v128.load(a + i), v128.load(b + i)));
  for (; i < length; i++) store<u8>(out + i, load<u8>(a + i) ^ load<u8>(b + i));
}

export function wipeChacha20(): void {
  wipe(KEYSTREAM, KEYSTREAM_BYTES);
}

/** Writes words 4n to 4n+3 of all four blocks: from a vector per word to a vector per block. */
function storeTransposed(out: usize, w0: v128, w1: v128, w2: v128, w3: v128): void {
  const low01 = v128.shuffle<u32>(w0, w1, 0, 4, 1, 5);
  const low23 = v128.shuffle<u32>(w2, w3, 0, 4, 1, 5);
  const high01 = v128.shuffle<u32>(w0, w1, 2, 6, 3, 7);
  const high23 = v128.shuffle<u32>(w2, w3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(out, v128.shuffle<u64>(low01, low23, 1, 3), CHACHA20_BLOCK_BYTES);
  v128.store(out, v128.shuffle<u64>(high01, high23, 0, 2), 2 * CHACHA20_BLOCK_BYTES);
  v128.store(out, v128.shuffle<u64>(high01, high23, 1, 3), 3 * CHACHA20_BLOCK_BYTES);
}

// Rotations by whole octets are one shuffle.

function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}
