/**
 * Many messages at once: blocks of ChaCha20 wait until there are four for a pass, whichever messages they are of, and while
 * a pass runs, Poly1305 takes in messages that are complete. The vectors and the scalar multiplier of a processor work
 * side by side, so that Poly1305 costs almost nothing.
 *
 * What Poly1305 takes in must lie in one piece: additional data | ciphertext | both lengths (RFC 8439 2.8), all without
 * padding, in pairs of blocks. The lengths stand where the tag will.
 */
import { AEAD_TAG_BYTES } from '../aead';
import { wipe } from '../bytes';
import { CHACHA20_BLOCK_BYTES } from '../chacha20';
import { MAX_CHUNK_RECORDS } from '../codes.gen';
import { polyBegin, polyFinishInto, wipePoly } from './limbs';
import { doubleRounds, doubleRoundsAndPoly, polyBlocks } from './rounds.gen';
import { beginLanes, FIRST, finishLanes, setLane, WORK, wipeLanes } from './words';

export const DOUBLE_ROUNDS: u32 = 10;
/** Octets that one double round takes into Poly1305. */
export const PAIR_BYTES: usize = 32;
const LANE_COUNT: usize = 4;

const MAX_MESSAGES: u32 = 2 * MAX_CHUNK_RECORDS;

/** One-time keys of Poly1305: the block 0 of each message. RFC 8439 2.6 */
const KEYS: usize = memory.data(32768, 16);

/** Message: from (4) | where its lengths are and its tag will be (4) */
const MESSAGE_BYTES: usize = 8;
const MESSAGES: usize = memory.data(4096, 16);

/** Where the lanes of an incomplete pass read, and what they write. */
const ZEROS: usize = memory.data(64, 16);
const UNUSED: usize = memory.data(64, 16);

let lanes: usize = 0;
/** Messages queued; of them those whose ciphertext is complete; of them those whose tag is written. */
let queued: u32 = 0;
let ready: u32 = 0;
let tagged: u32 = 0;
/** The message that Poly1305 is at: its next octets, and how many pairs of blocks. */
let next: usize = 0;
let pairs: u32 = 0;

/** Can the queue take a message that lies at `aad`, its text at `at`? Otherwise aead.ts can. */
export function fitsQueue(aad: usize, aadLength: usize, at: usize, length: usize): bool {
  return (
    aad + aadLength == at &&
    (aadLength & 15) == 0 &&
    length % CHACHA20_BLOCK_BYTES == 0 &&
    (aadLength + length + AEAD_TAG_BYTES) % PAIR_BYTES == 0
  );
}

/** Queues block 0 of the next message. Call queueMessage() before the next one's. */
export function queueKeyBlock(key: usize, nonce: u64): void {
  if (queued == MAX_MESSAGES) unreachable();
  queueBlock(key, 0, nonce, ZEROS, KEYS + queued * CHACHA20_BLOCK_BYTES);
}

/** Queues the blocks of a text, which are XORed in place. @param nonce its last eight octets; the first four are zeros */
export function queueText(key: usize, nonce: u64, at: usize, length: usize): void {
  let counter: u32 = 1;
  for (const end = at + length; at < end; at += CHACHA20_BLOCK_BYTES) {
    queueBlock(key, counter++, nonce, at, at);
  }
}

/**
 * Queues a message for its tag, which is written behind the text; what was queued of its blocks comes first.
 * Returns its number.
 */
export function queueMessage(aad: usize, aadLength: usize, at: usize, length: usize): u32 {
  const end = at + length;
  store<u64>(end, aadLength);
  store<u64>(end, length, 8);
  const message = MESSAGES + queued * MESSAGE_BYTES;
  store<u32>(message, <u32>aad);
  store<u32>(message, <u32>end, 4);
  return queued++;
}

/** Runs until messages 0 to `count` - 1 have their tags. */
export function finishTags(count: u32): void {
  if (ready < count) finishBlocks();
  while (tagged < count) {
    if (pairs == 0) beginMessage();
    polyBlocks(next, 2 * pairs);
    finishMessage();
  }
}

/** Runs a pass over the blocks that still wait. */
export function finishBlocks(): void {
  if (lanes == 0) return;
  while (lanes < LANE_COUNT) setLane(lanes++, ZEROS, 0, 0, ZEROS, UNUSED);
  runPass();
}

/** Nothing queued, and nothing left of what was. Nothing may wait any more. */
export function resetQueue(): void {
  wipe(KEYS, queued * CHACHA20_BLOCK_BYTES);
  wipe(MESSAGES, queued * MESSAGE_BYTES);
  wipe(UNUSED, CHACHA20_BLOCK_BYTES);
  wipePoly();
  wipeLanes();
  lanes = 0;
  queued = 0;
  ready = 0;
  tagged = 0;
  pairs = 0;
}

function queueBlock(key: usize, counter: u32, nonce: u64, input: usize, out: usize): void {
  // Only now: a message whose last block filled the pass is complete after it.
  if (lanes == LANE_COUNT) runPass();
  setLane(lanes++, key, counter, nonce, input, out);
}

function runPass(): void {
  beginLanes();
  let state = FIRST;
  let rounds = DOUBLE_ROUNDS;
  while (rounds > 0) {
    if (pairs == 0 && tagged < ready) beginMessage();
    const count = pairs == 0 ? rounds : min(rounds, pairs);
    if (pairs == 0) {
      doubleRounds(state, count);
    } else {
      doubleRoundsAndPoly(state, count, next);
      next += count * PAIR_BYTES;
      pairs -= count;
      if (pairs == 0) finishMessage();
    }
    rounds -= count;
    state = WORK;
  }
  finishLanes();
  lanes = 0;
  ready = queued;
}

function beginMessage(): void {
  const message = MESSAGES + tagged * MESSAGE_BYTES;
  next = load<u32>(message);
  const end = load<u32>(message, 4) + AEAD_TAG_BYTES;
  pairs = <u32>((end - next) / PAIR_BYTES);
  polyBegin(KEYS + tagged * CHACHA20_BLOCK_BYTES);
}

function finishMessage(): void {
  polyFinishInto(load<u32>(MESSAGES + tagged * MESSAGE_BYTES, 4));
  pairs = 0;
  tagged++;
}
