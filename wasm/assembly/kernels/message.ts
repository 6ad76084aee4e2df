/**
 * AEAD_CHACHA20_POLY1305 (RFC 8439 2.8) of one message: Poly1305 of the ciphertext that is there already runs between the
 * rounds of ChaCha20 for the blocks that follow. aead.ts is the readable twin.
 */
import { AEAD_TAG_BYTES } from '../aead';
import { equalConstantTime, wipe } from '../bytes';
import { CHACHA20_BLOCK_BYTES, chacha20KeystreamInto, KEYSTREAM_BYTES, xorInto } from '../chacha20';
import { polyBegin, polyFinishInto, wipePoly } from './limbs';
import { DOUBLE_ROUNDS, PAIR_BYTES } from './queue';
import { doubleRounds, doubleRoundsAndPoly, polyBlocks } from './rounds.gen';
import { beginLanes, FIRST, finishLanes, setLane, WORK, wipeLanes } from './words';

/** From here on there is a pass, with something for Poly1305 to do meanwhile. Below, aead.ts is as fast. */
export const PASS_PAYS_BYTES: usize = KEYSTREAM_BYTES - CHACHA20_BLOCK_BYTES + 1;

/** The last keystream, of which less than all is used, and blocks of Poly1305 that are padded. */
const KEYSTREAM: usize = memory.data(KEYSTREAM_BYTES, 16);
const ZEROS: usize = memory.data(64, 16);
const BLOCK: usize = memory.data(16, 16);
const TAG: usize = memory.data(AEAD_TAG_BYTES, 16);

/** Poly1305 of the message so far: the next octets to take in. */
let next: usize = 0;

/** Writes ciphertext | tag: `length` + 16 octets. `out` may be `plaintext` itself. A nonce must never come twice under one key. */
export function sealMessageInto(
  out: usize,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: usize,
  plaintext: usize,
  length: usize,
): void {
  next = out;
  const first = begin(out, key, nonce, aad, aadLength, plaintext, length);
  for (let done = first; done < length; done += KEYSTREAM_BYTES) {
    pass(out + done, key, nonce, plaintext + done, length - done, block(done), out + done);
  }
  finishInto(out + length, aadLength, out, length);
}

/**
 * Writes `lengthWithTag` - 16 octets of plaintext before the tag is known. False, and all of them zeros again, when it is
 * wrong; false, and nothing written, when it is missing. `out` and `ciphertext` must not overlap.
 */
export function openMessageInto(
  out: usize,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: usize,
  ciphertext: usize,
  lengthWithTag: usize,
): bool {
  if (lengthWithTag < AEAD_TAG_BYTES) return false;
  const length = lengthWithTag - AEAD_TAG_BYTES;
  next = ciphertext;
  const first = begin(out, key, nonce, aad, aadLength, ciphertext, length);
  const end = ciphertext + length;
  for (let done = first; done < length; done += KEYSTREAM_BYTES) {
    pass(out + done, key, nonce, ciphertext + done, length - done, block(done), end);
  }
  finishInto(TAG, aadLength, ciphertext, length);
  const good = equalConstantTime(TAG, end, AEAD_TAG_BYTES);
  if (!good) wipe(out, length);
  wipe(TAG, AEAD_TAG_BYTES);
  return good;
}

/** The number of the block that octet `done` of the message begins. */
function block(done: usize): u32 {
  return <u32>(done / CHACHA20_BLOCK_BYTES + 1);
}

/** Blocks 0 to 3: the Poly1305 key, with which the additional data is taken in, and up to 192 octets; returns how many. */
function begin(
  out: usize,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: usize,
  input: usize,
  length: usize,
): usize {
  chacha20KeystreamInto(KEYSTREAM, key, nonce, 0);
  polyBegin(KEYSTREAM);
  const whole = aadLength & ~15;
  polyBlocks(aad, whole / 16);
  takePadded(aad + whole, aadLength - whole);
  const first = min(length, KEYSTREAM_BYTES - CHACHA20_BLOCK_BYTES);
  xorInto(out, input, KEYSTREAM + CHACHA20_BLOCK_BYTES, first);
  return first;
}

/** Four blocks from block `counter` on, or what is left of the message; meanwhile Poly1305 takes in what lies before `end`. */
function pass(
  out: usize,
  key: usize,
  nonce: usize,
  input: usize,
  left: usize,
  counter: u32,
  end: usize,
): void {
  const whole = left >= KEYSTREAM_BYTES;
  const from = whole ? input : ZEROS;
  const to = whole ? out : KEYSTREAM;
  const head = (<u64>load<u32>(nonce)) << 32;
  const tail = load<u64>(nonce, 4);
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = lane * CHACHA20_BLOCK_BYTES;
    setLane(lane, key, head | (counter + <u32>lane), tail, whole ? from + at : ZEROS, to + at);
  }
  beginLanes();
  const rounds = min(DOUBLE_ROUNDS, <u32>((end - next) / PAIR_BYTES));
  doubleRoundsAndPoly(FIRST, rounds, next);
  next += rounds * PAIR_BYTES;
  if (rounds < DOUBLE_ROUNDS) doubleRounds(WORK, DOUBLE_ROUNDS - rounds);
  finishLanes();
  if (!whole) xorInto(out, input, KEYSTREAM, left);
}

/** Takes in the rest of the ciphertext and both lengths, writes the tag and wipes all scratch. RFC 8439 2.8 */
function finishInto(out: usize, aadLength: usize, ciphertext: usize, length: usize): void {
  const left = ciphertext + length - next;
  const whole = left & ~15;
  polyBlocks(next, whole / 16);
  takePadded(next + whole, left - whole);
  store<u64>(BLOCK, aadLength);
  store<u64>(BLOCK, length, 8);
  polyBlocks(BLOCK, 1);
  polyFinishInto(out);
  wipe(KEYSTREAM, KEYSTREAM_BYTES);
  wipe(BLOCK, 16);
  wipePoly();
  wipeLanes();
}

/** Takes in less than a block, with zeros behind it. */
function takePadded(from: usize, length: usize): void {
  if (length == 0) return;
  wipe(BLOCK, 16);
  memory.copy(BLOCK, from, length);
  polyBlocks(BLOCK, 1);
}
