/**
 * Keyed indexes and content tags of a whole chunk: collected first and then made in one go, in four lanes at once
 * (kernels/sha256x4.ts). A lane takes the next job as soon as it is done with its last, so that jobs of any lengths keep
 * all four busy to the end of the list.
 *
 * What is done when depends on the number and the lengths of the values alone, never on what is in them.
 */
import { put, storeU64, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import {
  SHA256X4_CHAINS_BYTES,
  sha256x4Compress,
  swapOctets,
  wipeSha256x4,
} from './kernels/sha256x4';
import { SHA256_BLOCK_BYTES, SHA256_BYTES, SHA256_CHAIN_BYTES } from './sha256';

/** Index job: destination (4) | key (4) | prefix (4) | prefix length (4) | value (4) | length (4). Five a record. */
const INDEX_JOB_SIZE: usize = 24;
const INDEX_JOBS: usize = memory.data(30720, 16);
const COUNT: usize = memory.data(4, 4);

/** The job that the next free lane takes. */
const NEXT: usize = memory.data(4, 4);

const LANES: usize = 4;

/** Lane: job, 0 for none (4) | octets of the message taken, or OUTER (4) | next block (4) | zeros (4) | room for a block */
const LANE_SIZE: usize = 80;
const LANES_AT: usize = memory.data(320, 16);
const TAKEN: usize = 4;
const BLOCK: usize = 8;
const ROOM: usize = 16;

/** The lane is at the one block of the outer hash. */
const OUTER: u32 = u32.MAX_VALUE;

/** Chaining value of each lane. */
const CHAINS: usize = memory.data(SHA256X4_CHAINS_BYTES, 16);

/** The least that padding takes: a bit, rounded up, and the length. FIPS 180-4 5.1.1 */
const PADDING_BYTES: usize = 9;

/** Where the length of the message stands in its last block. FIPS 180-4 5.1.1 */
const LENGTH_AT: usize = 56;

export function resetIndexJobs(): void {
  store<u32>(COUNT, 0);
}

/** Queues one code: the first 16 octets of HMAC(key, prefix | value) go to `to`. */
export function queueIndex(
  to: usize,
  key: usize,
  prefix: usize,
  prefixLength: usize,
  value: usize,
  length: usize,
): void {
  const count = load<u32>(COUNT);
  if (count == 5 * MAX_CHUNK_RECORDS) unreachable();
  const job = INDEX_JOBS + count * INDEX_JOB_SIZE;
  store<u32>(job, <u32>to);
  store<u32>(job + 4, <u32>key);
  store<u32>(job + 8, <u32>prefix);
  store<u32>(job + 12, <u32>prefixLength);
  store<u32>(job + 16, <u32>value);
  store<u32>(job + 20, <u32>length);
  store<u32>(COUNT, count + 1);
}

/** Makes every code that was queued. Its plain twin is `hmacWithKeyInto`. */
export function indexMany(): void {
  store<u32>(NEXT, <u32>INDEX_JOBS);
  for (let lane: usize = 0; lane < LANES; lane++) takeJob(lane);
  while (anyBusy()) {
    sha256x4Compress(CHAINS, nextBlock(0), nextBlock(1), nextBlock(2), nextBlock(3));
    for (let lane: usize = 0; lane < LANES; lane++) advance(lane);
  }
}

/** Forgets the jobs and wipes what was made on the way. */
export function wipeIndexJobs(): void {
  wipe(INDEX_JOBS, load<u32>(COUNT) * INDEX_JOB_SIZE);
  resetIndexJobs();
  store<u32>(NEXT, 0);
  wipe(LANES_AT, LANES * LANE_SIZE);
  wipe(CHAINS, SHA256X4_CHAINS_BYTES);
  wipeSha256x4();
}

function laneAt(lane: usize): usize {
  return LANES_AT + lane * LANE_SIZE;
}

function chainOf(lane: usize): usize {
  return CHAINS + lane * SHA256_CHAIN_BYTES;
}

/** Goes on from a chaining value: one of the two that a prepared key is. */
function setChain(lane: usize, chain: usize): void {
  v128.store(chainOf(lane), v128.load(chain));
  v128.store(chainOf(lane), v128.load(chain, 16), 16);
}

function nextBlock(lane: usize): usize {
  return load<u32>(laneAt(lane), BLOCK);
}

function anyBusy(): bool {
  let jobs: u32 = 0;
  for (let lane: usize = 0; lane < LANES; lane++) jobs |= load<u32>(laneAt(lane));
  return jobs != 0;
}

/** Begins the next job in a lane; without one, the lane goes on hashing its room for nobody. */
function takeJob(lane: usize): void {
  const at = laneAt(lane);
  const job = load<u32>(NEXT);
  if (job == <u32>INDEX_JOBS + load<u32>(COUNT) * <u32>INDEX_JOB_SIZE) {
    store<u32>(at, 0);
    store<u32>(at, <u32>(at + ROOM), BLOCK);
    return;
  }
  store<u32>(NEXT, job + <u32>INDEX_JOB_SIZE);
  store<u32>(at, job);
  store<u32>(at, 0, TAKEN);
  setChain(lane, load<u32>(job, 4));
  takeBlock(at, job);
}

/** What follows a block: the message's next one, the outer hash, the next job. */
function advance(lane: usize): void {
  const at = laneAt(lane);
  const job = load<u32>(at);
  if (job == 0) return;
  const taken = load<u32>(at, TAKEN);
  if (taken == OUTER) {
    v128.store(load<u32>(job), swapOctets(v128.load(chainOf(lane))));
    takeJob(lane);
    return;
  }
  const total = load<u32>(job, 12) + load<u32>(job, 20);
  if (taken >= total + PADDING_BYTES) takeOuterBlock(lane, job);
  else takeBlock(at, job);
}

/** The next block of prefix | value | padding: where it stands when it is whole, put together when it is not. */
function takeBlock(at: usize, job: usize): void {
  const prefixLength: usize = load<u32>(job, 12);
  const length: usize = load<u32>(job, 20);
  const value: usize = load<u32>(job, 16);
  const total = prefixLength + length;
  const taken: usize = load<u32>(at, TAKEN);
  const end = taken + SHA256_BLOCK_BYTES;
  store<u32>(at, <u32>end, TAKEN);
  if (taken >= prefixLength && end <= total) {
    store<u32>(at, <u32>(value + taken - prefixLength), BLOCK);
    return;
  }

  const room = at + ROOM;
  store<u32>(at, <u32>room, BLOCK);
  let to = room;
  for (let i: usize = 0; i < SHA256_BLOCK_BYTES; i += 16) v128.store(room + i, i64x2.splat(0));
  if (taken < prefixLength) {
    to = put(to, load<u32>(job, 8) + taken, min(SHA256_BLOCK_BYTES, prefixLength - taken));
  }
  const from = taken > prefixLength ? taken - prefixLength : 0;
  if (from < length) to = put(to, value + from, min(room + SHA256_BLOCK_BYTES - to, length - from));

  // One bit, zeros, and the length in bits, the key's block included. FIPS 180-4 5.1.1
  if (taken <= total && total < end) store<u8>(to, 0x80);
  if (total + PADDING_BYTES <= end) storeU64(room + LENGTH_AT, (SHA256_BLOCK_BYTES + total) << 3);
}

/** The inner digest and its padding, to be hashed under the outer key. RFC 2104 2 */
function takeOuterBlock(lane: usize, job: usize): void {
  const at = laneAt(lane);
  const chain = chainOf(lane);
  const room = at + ROOM;
  store<u32>(at, OUTER, TAKEN);
  store<u32>(at, <u32>room, BLOCK);
  v128.store(room, swapOctets(v128.load(chain)));
  v128.store(room, swapOctets(v128.load(chain, 16)), 16);
  v128.store(room, i64x2.splat(0), 32);
  v128.store(room, i64x2.splat(0), 48);
  store<u8>(room, 0x80, SHA256_BYTES);
  storeU64(room + LENGTH_AT, (SHA256_BLOCK_BYTES + SHA256_BYTES) << 3);
  setChain(lane, load<u32>(job, 4) + SHA256_CHAIN_BYTES);
}
