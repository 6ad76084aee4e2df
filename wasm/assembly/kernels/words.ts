/**
 * Four ChaCha20 blocks (RFC 8439 2.3) side by side: one vector holds the same word of all four. Each block, a lane, has its
 * own key, nonce, counter and place, so that one pass can take blocks of different messages.
 */
import { wipe } from '../bytes';
import { CHACHA20_BLOCK_BYTES } from '../chacha20';

const WORDS_BYTES: usize = 256;

/** The words before the first round. "expand 32-byte k" is there from the start. RFC 8439 2.3 */
export const FIRST: usize = memory.data<u32>(
  [
    0x61707865, 0x61707865, 0x61707865, 0x61707865, 0x3320646e, 0x3320646e, 0x3320646e, 0x3320646e,
    0x79622d32, 0x79622d32, 0x79622d32, 0x79622d32, 0x6b206574, 0x6b206574, 0x6b206574, 0x6b206574,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ],
  16,
);
const KEY_WORDS: usize = 64;
const NONCE_WORDS: usize = 192;

/** The words after the rounds. */
export const WORK: usize = memory.data(WORDS_BYTES, 16);

/** The octets of a word rotated left by 16, then by 8, as `relaxed_swizzle` takes them: all below 16. */
export const ROTATIONS: usize = memory.data<u8>(
  [
    2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15,
    12, 13, 14,
  ],
  16,
);

/** Lane: counter | nonce (16) | key (4) | input (4) | output (4) | zeros (4) */
const LANE_BYTES: usize = 32;
const LANES_BYTES: usize = 4 * LANE_BYTES;
const LANES: usize = memory.data(LANES_BYTES, 16);

/**
 * Sets a lane: `out` = `input` XOR the block, 64 octets; `out` may be `input` itself.
 * @param low counter, and the nonce's first word above it @param high the nonce's other eight octets
 */
export function setLane(
  lane: usize,
  key: usize,
  low: u64,
  high: u64,
  input: usize,
  out: usize,
): void {
  const at = LANES + lane * LANE_BYTES;
  v128.store(at, i64x2.replace_lane(i64x2.splat(low), 1, high));
  store<u32>(at, <u32>key, 16);
  store<u32>(at, <u32>input, 20);
  store<u32>(at, <u32>out, 24);
}

/** From the lanes to FIRST. */
export function beginLanes(): void {
  const key0: usize = load<u32>(LANES, 16);
  const key1: usize = load<u32>(LANES, LANE_BYTES + 16);
  const key2: usize = load<u32>(LANES, 2 * LANE_BYTES + 16);
  const key3: usize = load<u32>(LANES, 3 * LANE_BYTES + 16);
  for (let half: usize = 0; half < 32; half += 16) {
    transposeInto(
      FIRST + KEY_WORDS + 4 * half,
      v128.load(key0 + half),
      v128.load(key1 + half),
      v128.load(key2 + half),
      v128.load(key3 + half),
    );
  }
  transposeInto(
    FIRST + NONCE_WORDS,
    v128.load(LANES),
    v128.load(LANES, LANE_BYTES),
    v128.load(LANES, 2 * LANE_BYTES),
    v128.load(LANES, 3 * LANE_BYTES),
  );
}

/** WORK + FIRST is the keystream; each lane's part of it goes over its input. RFC 8439 2.3.1, 2.4 */
export function finishLanes(): void {
  const in0: usize = load<u32>(LANES, 20);
  const in1: usize = load<u32>(LANES, LANE_BYTES + 20);
  const in2: usize = load<u32>(LANES, 2 * LANE_BYTES + 20);
  const in3: usize = load<u32>(LANES, 3 * LANE_BYTES + 20);
  const out0: usize = load<u32>(LANES, 24);
  const out1: usize = load<u32>(LANES, LANE_BYTES + 24);
  const out2: usize = load<u32>(LANES, 2 * LANE_BYTES + 24);
  const out3: usize = load<u32>(LANES, 3 * LANE_BYTES + 24);
  for (let at: usize = 0; at < CHACHA20_BLOCK_BYTES; at += 16) {
    const words = 4 * at;
    const w0 = i32x4.add(v128.load(WORK + words), v128.load(FIRST + words));
    const w1 = i32x4.add(v128.load(WORK + words, 16), v128.load(FIRST + words, 16));
    const w2 = i32x4.add(v128.load(WORK + words, 32), v128.load(FIRST + words, 32));
    const w3 = i32x4.add(v128.load(WORK + words, 48), v128.load(FIRST + words, 48));
    const low01 = v128.shuffle<u32>(w0, w1, 0, 4, 1, 5);
    const low23 = v128.shuffle<u32>(w2, w3, 0, 4, 1, 5);
    const high01 = v128.shuffle<u32>(w0, w1, 2, 6, 3, 7);
    const high23 = v128.shuffle<u32>(w2, w3, 2, 6, 3, 7);
    xorBlock(out0 + at, in0 + at, v128.shuffle<u64>(low01, low23, 0, 2));
    xorBlock(out1 + at, in1 + at, v128.shuffle<u64>(low01, low23, 1, 3));
    xorBlock(out2 + at, in2 + at, v128.shuffle<u64>(high01, high23, 0, 2));
    xorBlock(out3 + at, in3 + at, v128.shuffle<u64>(high01, high23, 1, 3));
  }
}

export function wipeLanes(): void {
  wipe(FIRST + KEY_WORDS, WORDS_BYTES - KEY_WORDS);
  wipe(WORK, WORDS_BYTES);
  wipe(LANES, LANES_BYTES);
}

function xorBlock(out: usize, input: usize, keystream: v128): void {
  v128.store(out, v128.xor(v128.load(input), keystream));
}

/** Four vectors of four words: rows become columns. */
function transposeInto(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const low01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const low23 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const high01 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const high23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(out, v128.shuffle<u64>(low01, low23, 1, 3), 16);
  v128.store(out, v128.shuffle<u64>(high01, high23, 0, 2), 32);
  v128.store(out, v128.shuffle<u64>(high01, high23, 1, 3), 48);
}

/** @param octets the first of ROTATIONS, held in a vector by the caller */
export function rotate16(x: v128, octets: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(x, octets);
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

/** @param octets the second of ROTATIONS; engines do better with shifts than with a plain shuffle here */
export function rotate8(x: v128, octets: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(x, octets);
  return v128.or(i32x4.shl(x, 8), i32x4.shr_u(x, 24));
}

export function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

export function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}
