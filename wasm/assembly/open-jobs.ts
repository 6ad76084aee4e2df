/** Sealed parcels of one or more epochs: collected first and then opened in place in one go, as seal-jobs.ts seals them. */
import { AEAD_TAG_BYTES, aeadOpenInto } from './aead';
import { equalConstantTime, put, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import {
  finishBlocks,
  finishTags,
  fitsQueue,
  queueKeyBlock,
  queueMessage,
  queueText,
  resetQueue,
} from './kernels/queue';
import { POSITION_AT } from './seal-jobs';

/** Jobs that one openMany() takes. */
export const MAX_OPEN_JOBS: u32 = MAX_CHUNK_RECORDS;

/**
 * Open job: key (4) | additional data (4) | its length (4) | ciphertext and tag, becomes plaintext (4) | length of both (4) |
 * state (4) | number in the queue (4) | zeros (4) | tag (16)
 */
const OPEN_JOB_SIZE: usize = 48;
const OPEN_JOBS: usize = memory.data(12288, 16);
const STATE: usize = 20;
const MESSAGE: usize = 24;
const TAG: usize = 32;
const COUNT: usize = memory.data(4, 4);

const BAD: u32 = 0;
const GOOD: u32 = 1;
const QUEUED: u32 = 2;

const NONCE: usize = memory.data(12, 4);

export function resetOpenJobs(): void {
  wipe(OPEN_JOBS, load<u32>(COUNT) * OPEN_JOB_SIZE);
  store<u32>(COUNT, 0);
}

/**
 * Queues one parcel; returns its index. Traps beyond MAX_OPEN_JOBS.
 * @param key of the epoch (32) @param aad the parcel's additional data, which holds its position
 * @param at ciphertext and tag, `lengthWithTag` octets, which become plaintext and zeros
 */
export function queueOpen(
  key: usize,
  aad: usize,
  aadLength: usize,
  at: usize,
  lengthWithTag: usize,
): u32 {
  const index = load<u32>(COUNT);
  if (index == MAX_OPEN_JOBS) unreachable();
  const job = OPEN_JOBS + index * OPEN_JOB_SIZE;
  store<u32>(job, <u32>key);
  store<u32>(job + 4, <u32>aad);
  store<u32>(job + 8, <u32>aadLength);
  store<u32>(job + 12, <u32>at);
  store<u32>(job + 16, <u32>lengthWithTag);
  store<u32>(job, BAD, STATE);
  store<u32>(COUNT, index + 1);
  return index;
}

/**
 * Opens every job. Where a tag is wrong or missing, all of the job's octets, its tag included, become zeros.
 * Tags run ahead of texts, so that nothing is decrypted before its tag is known to be good.
 */
export function openMany(): void {
  const end = OPEN_JOBS + load<u32>(COUNT) * OPEN_JOB_SIZE;
  for (let job = OPEN_JOBS; job < end; job += OPEN_JOB_SIZE) beginJob(job);
  for (let job = OPEN_JOBS; job < end; job += OPEN_JOB_SIZE) {
    if (load<u32>(job, STATE) == QUEUED) finishJob(job);
    if (load<u32>(job, STATE) == BAD) wipe(load<u32>(job + 12), load<u32>(job + 16));
  }
  finishBlocks();
  resetQueue();
  wipe(NONCE, 12);
}

/** Whether the tag of a job was right; false before openMany(). */
export function openJobGood(index: u32): bool {
  return load<u32>(OPEN_JOBS + index * OPEN_JOB_SIZE, STATE) == GOOD;
}

/** Queues a job for its tag; opens it at once when the queue does not take it. */
function beginJob(job: usize): void {
  const key: usize = load<u32>(job);
  const aad: usize = load<u32>(job + 4);
  const aadLength: usize = load<u32>(job + 8);
  const at: usize = load<u32>(job + 12);
  const lengthWithTag: usize = load<u32>(job + 16);
  if (lengthWithTag < AEAD_TAG_BYTES) return;
  const length = lengthWithTag - AEAD_TAG_BYTES;
  if (fitsQueue(aad, aadLength, at, length)) {
    put(job + TAG, at + length, AEAD_TAG_BYTES);
    queueKeyBlock(key, load<u64>(aad + POSITION_AT));
    store<u32>(job, queueMessage(aad, aadLength, at, length), MESSAGE);
    store<u32>(job, QUEUED, STATE);
    return;
  }
  put(NONCE + 4, aad + POSITION_AT, 8);
  if (aeadOpenInto(at, key, NONCE, aad, aadLength, at, lengthWithTag)) {
    wipe(at + length, AEAD_TAG_BYTES);
    store<u32>(job, GOOD, STATE);
  }
}

/** Compares the tag; queues the text when it is good. */
function finishJob(job: usize): void {
  const at: usize = load<u32>(job + 12);
  const length = load<u32>(job + 16) - AEAD_TAG_BYTES;
  finishTags(load<u32>(job, MESSAGE) + 1);
  const good = equalConstantTime(at + length, job + TAG, AEAD_TAG_BYTES);
  store<u32>(job, good ? GOOD : BAD, STATE);
  if (!good) return;
  wipe(at + length, AEAD_TAG_BYTES);
  queueText(load<u32>(job), load<u64>(load<u32>(job + 4) + POSITION_AT), at, length);
}
