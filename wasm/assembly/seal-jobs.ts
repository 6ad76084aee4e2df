/** Parcels of a whole chunk: collected first and then sealed in place in one go, so that a kernel can take several at once. */
import { aeadSealInto } from './aead';
import { put, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import {
  finishTags,
  fitsQueue,
  queueKeyBlock,
  queueMessage,
  queueText,
  resetQueue,
} from './kernels/queue';

/** Seal job: key (4) | additional data (4) | its length (4) | padded plaintext, becomes ciphertext (4) | its length (4). */
const SEAL_JOB_SIZE: usize = 20;
const SEAL_JOBS: usize = memory.data(10240, 16);
const COUNT: usize = memory.data(4, 4);

const NONCE: usize = memory.data(12, 4);

/** Where a parcel's additional data holds its position (wire/parcel.ts), the nonce behind four zeros. */
export const POSITION_AT: usize = 26;

export function resetSealJobs(): void {
  store<u32>(COUNT, 0);
}

/** Queues one parcel: the padded plaintext behind its additional data becomes ciphertext and tag. */
export function queueSeal(
  key: usize,
  aad: usize,
  aadLength: usize,
  at: usize,
  length: usize,
): void {
  const count = load<u32>(COUNT);
  if (count == 2 * MAX_CHUNK_RECORDS) unreachable();
  const job = SEAL_JOBS + count * SEAL_JOB_SIZE;
  store<u32>(job, <u32>key);
  store<u32>(job + 4, <u32>aad);
  store<u32>(job + 8, <u32>aadLength);
  store<u32>(job + 12, <u32>at);
  store<u32>(job + 16, <u32>length);
  store<u32>(COUNT, count + 1);
}

/** Seals every job, and there are none then. Parcels of all sizes fit the queue; anything else goes one by one. */
export function sealMany(): void {
  let messages: u32 = 0;
  const end = SEAL_JOBS + load<u32>(COUNT) * SEAL_JOB_SIZE;
  for (let job = SEAL_JOBS; job < end; job += SEAL_JOB_SIZE) {
    const key: usize = load<u32>(job);
    const aad: usize = load<u32>(job + 4);
    const aadLength: usize = load<u32>(job + 8);
    const at: usize = load<u32>(job + 12);
    const length: usize = load<u32>(job + 16);
    if (fitsQueue(aad, aadLength, at, length)) {
      const nonce = load<u64>(aad + POSITION_AT);
      queueKeyBlock(key, nonce);
      queueText(key, nonce, at, length);
      messages = queueMessage(aad, aadLength, at, length) + 1;
    } else {
      put(NONCE + 4, aad + POSITION_AT, 8);
      aeadSealInto(at, key, NONCE, aad, aadLength, at, length);
    }
  }
  finishTags(messages);
  resetQueue();
  wipe(NONCE, 12);
  wipe(SEAL_JOBS, end - SEAL_JOBS);
  resetSealJobs();
}
