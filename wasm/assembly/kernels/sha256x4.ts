/**
 * SHA-256 compression (FIPS 180-4 6.2.2) of four independent messages at once: lane i of every vector belongs to
 * message i. Its plain twin is `sha256Compress`.
 *
 * The loop over the rounds is rolled on purpose: unrolled, its code is no faster by itself and crowds other work out of
 * the instruction cache. Each pass also makes the schedule's word of 16 rounds later, which fills the gaps that the
 * dependency from round to round leaves.
 */
import { wipe } from '../bytes';
import { SHA256_CHAIN_BYTES, SHA256_K } from '../sha256';

const LANES: usize = 4;

/** Octets of four chaining values, one behind the other. */
export const SHA256X4_CHAINS_BYTES: usize = LANES * SHA256_CHAIN_BYTES;

/** Message schedule: word t of the four messages is the vector at W + 16 t. */
const W_BYTES: usize = 64 * 16;
const W: usize = memory.data(W_BYTES, 16);

/** Chaining values in lanes: word i of all four is the vector at H + 16 i. */
const H: usize = memory.data(SHA256X4_CHAINS_BYTES, 16);

/** Takes a block (64) into each of four chaining values: `block0` into the first at `chains`, and so on. */
export function sha256x4Compress(
  chains: usize,
  block0: usize,
  block1: usize,
  block2: usize,
  block3: usize,
): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const w = W + LANES * i;
    transposeInto(w, 16, block0 + i, block1 + i, block2 + i, block3 + i);
    for (let t = w; t < w + 64; t += 16) v128.store(t, swapOctets(v128.load(t)));
  }
  for (let i: usize = 0; i < 32; i += 16) {
    const chain = chains + i;
    transposeInto(H + LANES * i, 16, chain, chain + 32, chain + 64, chain + 96);
  }

  let a = v128.load(H);
  let b = v128.load(H, 16);
  let c = v128.load(H, 32);
  let d = v128.load(H, 48);
  let e = v128.load(H, 64);
  let f = v128.load(H, 80);
  let g = v128.load(H, 96);
  let h = v128.load(H, 112);

  for (let t: usize = 0; t < 64; t++) {
    const w = W + 16 * t;
    const word = v128.load(w);
    const t1 = add(
      add(add(h, sum1(e)), choose(e, f, g)),
      add(v128.load32_splat(SHA256_K + 4 * t), word),
    );
    const t2 = add(sum0(a), majority(a, b, c));
    h = g;
    g = f;
    f = e;
    e = add(d, t1);
    d = c;
    c = b;
    b = a;
    a = add(t1, t2);

    if (t < 48) {
      const recent = add(sigma1(v128.load(w, 16 * 14)), v128.load(w, 16 * 9));
      v128.store(w, add(recent, add(sigma0(v128.load(w, 16)), word)), 16 * 16);
    }
  }

  v128.store(H, add(v128.load(H), a));
  v128.store(H, add(v128.load(H, 16), b), 16);
  v128.store(H, add(v128.load(H, 32), c), 32);
  v128.store(H, add(v128.load(H, 48), d), 48);
  v128.store(H, add(v128.load(H, 64), e), 64);
  v128.store(H, add(v128.load(H, 80), f), 80);
  v128.store(H, add(v128.load(H, 96), g), 96);
  v128.store(H, add(v128.load(H, 112), h), 112);
  for (let i: usize = 0; i < 32; i += 16) {
    const word = H + LANES * i;
    transposeInto(chains + i, 32, word, word + 16, word + 32, word + 48);
  }
}

export function wipeSha256x4(): void {
  wipe(W, W_BYTES);
  wipe(H, SHA256X4_CHAINS_BYTES);
}

/** Turns four rows of four words (u32) into columns; column i goes to `to` + i * `stride`. */
function transposeInto(
  to: usize,
  stride: usize,
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
): void {
  const a = v128.load(row0);
  const b = v128.load(row1);
  const c = v128.load(row2);
  const d = v128.load(row3);
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(abLow, cdLow, 0, 2));
  v128.store(to + stride, v128.shuffle<u64>(abLow, cdLow, 1, 3));
  v128.store(to + 2 * stride, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  v128.store(to + 3 * stride, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
}

/** Reverses the octets of each word. */
export function swapOctets(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// FIPS 180-4 4.1.2

function sum0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 2), rotate(x, 13)), rotate(x, 22));
}

function sum1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 6), rotate(x, 11)), rotate(x, 25));
}

function sigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 7), rotate(x, 18)), i32x4.shr_u(x, 3));
}

function sigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 17), rotate(x, 19)), i32x4.shr_u(x, 10));
}

function choose(x: v128, y: v128, z: v128): v128 {
  return v128.xor(z, v128.and(x, v128.xor(y, z)));
}

function majority(x: v128, y: v128, z: v128): v128 {
  return v128.or(v128.and(x, y), v128.and(z, v128.or(x, y)));
}

/** To the right, by 1 to 31 bits. */
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

function add(x: v128, y: v128): v128 {
  return i32x4.add(x, y);
}
