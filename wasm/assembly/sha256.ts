/**
 * SHA-256 (FIPS 180-4).
 *
 * State: chaining value (32, words in the machine's order) | octets hashed so far (8) | unfinished block (64)
 */
import { loadU32, storeU32, storeU64, wipe } from './bytes';

export const SHA256_BYTES: usize = 32;
export const SHA256_BLOCK_BYTES: usize = 64;

/** Octets of a chaining value H(i), the state between two blocks. */
export const SHA256_CHAIN_BYTES: usize = 32;

/** Octets of a running hash. */
export const SHA256_STATE_BYTES: usize = 104;

const COUNT: usize = 32;
const BLOCK: usize = 40;

/** Where the length of the message stands in the last block. FIPS 180-4 5.1.1 */
const LENGTH_AT: usize = 56;

/** First 32 bits of the fractional parts of the square roots of the first 8 primes. FIPS 180-4 5.3.3 */
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. FIPS 180-4 4.2.2 */
export const SHA256_K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Message schedule W. */
const W_BYTES: usize = 256;
const W: usize = memory.data(W_BYTES, 16);

const ONE_SHOT: usize = memory.data(SHA256_STATE_BYTES, 16);

/** Hashes `length` octets at `message`. */
export function sha256Into(out: usize, message: usize, length: usize): void {
  sha256Begin(ONE_SHOT);
  sha256Update(ONE_SHOT, message, length);
  sha256FinishInto(ONE_SHOT, out);
}

export function sha256Begin(state: usize): void {
  sha256Resume(state, INITIAL, 0);
}

/** Goes on from the chaining value after `count` octets, which must be whole blocks: what HMAC keeps of its key. */
export function sha256Resume(state: usize, chain: usize, count: u64): void {
  memory.copy(state, chain, SHA256_CHAIN_BYTES);
  store<u64>(state, count, COUNT);
}

/** The chaining value before the first block. */
export function sha256InitialInto(chain: usize): void {
  memory.copy(chain, INITIAL, SHA256_CHAIN_BYTES);
}

/** Hashes the next part of a message; the parts may be of any length. */
export function sha256Update(state: usize, message: usize, length: usize): void {
  const count = load<u64>(state, COUNT);
  const held = <usize>(count % SHA256_BLOCK_BYTES);
  const block = state + BLOCK;
  store<u64>(state, count + length, COUNT);

  if (held + length < SHA256_BLOCK_BYTES) {
    memory.copy(block + held, message, length);
    return;
  }
  if (held > 0) {
    const missing = SHA256_BLOCK_BYTES - held;
    memory.copy(block + held, message, missing);
    sha256Compress(state, block, 1);
    message += missing;
    length -= missing;
  }
  const blocks = length / SHA256_BLOCK_BYTES;
  sha256Compress(state, message, blocks);
  const hashed = blocks * SHA256_BLOCK_BYTES;
  memory.copy(block, message + hashed, length - hashed);
}

/** Writes the digest (32). The state is used up: wiped. */
export function sha256FinishInto(state: usize, out: usize): void {
  const count = load<u64>(state, COUNT);
  const held = <usize>(count % SHA256_BLOCK_BYTES);
  const block = state + BLOCK;

  // One bit, zeros, and the length in bits in the last 8 octets of a block. FIPS 180-4 5.1.1
  store<u8>(block + held, 0x80);
  memory.fill(block + held + 1, 0, SHA256_BLOCK_BYTES - held - 1);
  if (held >= LENGTH_AT) {
    sha256Compress(state, block, 1);
    memory.fill(block, 0, LENGTH_AT);
  }
  storeU64(block + LENGTH_AT, count << 3);
  sha256Compress(state, block, 1);

  for (let i: usize = 0; i < SHA256_BYTES; i += 4) storeU32(out + i, load<u32>(state + i));
  wipe(state, SHA256_STATE_BYTES);
}

/** Takes `blocks` whole blocks into the chaining value. FIPS 180-4 6.2.2 */
export function sha256Compress(chain: usize, message: usize, blocks: usize): void {
  for (const end = message + blocks * SHA256_BLOCK_BYTES; message < end; message += 64) {
    schedule(message);

    let a = load<u32>(chain, 0);
    let b = load<u32>(chain, 4);
    let c = load<u32>(chain, 8);
    let d = load<u32>(chain, 12);
    let e = load<u32>(chain, 16);
    let f = load<u32>(chain, 20);
    let g = load<u32>(chain, 24);
    let h = load<u32>(chain, 28);

    for (let t: usize = 0; t < W_BYTES; t += 4) {
      const t1 = h + sum1(e) + choose(e, f, g) + load<u32>(SHA256_K + t) + load<u32>(W + t);
      const t2 = sum0(a) + majority(a, b, c);
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }

    store<u32>(chain, load<u32>(chain, 0) + a, 0);
    store<u32>(chain, load<u32>(chain, 4) + b, 4);
    store<u32>(chain, load<u32>(chain, 8) + c, 8);
    store<u32>(chain, load<u32>(chain, 12) + d, 12);
    store<u32>(chain, load<u32>(chain, 16) + e, 16);
    store<u32>(chain, load<u32>(chain, 20) + f, 20);
    store<u32>(chain, load<u32>(chain, 24) + g, 24);
    store<u32>(chain, load<u32>(chain, 28) + h, 28);
  }
}

/** Zeroes the scratch that every hash leaves behind. */
export function wipeSha256(): void {
  wipe(W, W_BYTES);
  wipe(ONE_SHOT, SHA256_STATE_BYTES);
}

/** FIPS 180-4 6.2.2 step 1 */
function schedule(block: usize): void {
  for (let t: usize = 0; t < 64; t += 4) store<u32>(W + t, loadU32(block + t));
  for (let w = W + 64; w < W + W_BYTES; w += 4) {
    const recent = load<u32>(w - 8);
    const old = load<u32>(w - 60);
    const sigma1 = rotr<u32>(recent, 17) ^ rotr<u32>(recent, 19) ^ (recent >> 10);
    const sigma0 = rotr<u32>(old, 7) ^ rotr<u32>(old, 18) ^ (old >> 3);
    store<u32>(w, sigma1 + load<u32>(w - 28) + sigma0 + load<u32>(w - 64));
  }
}

// FIPS 180-4 4.1.2

function sum0(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function sum1(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}
