/**
 * Keyed indexes and content tags of a whole chunk: collected first and then made in one go, so that a kernel can take
 * several at once.
 */
import { put, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import { HMAC_STATE_BYTES, hmacBegin, hmacFinishInto, hmacUpdate } from './hmac';

const INDEX_BYTES: usize = 16;

/** Index job: destination (4) | key (4) | prefix (4) | prefix length (4) | value (4) | length (4). Five a record. */
const INDEX_JOB_SIZE: usize = 24;
const INDEX_JOBS: usize = memory.data(30720, 16);
const COUNT: usize = memory.data(4, 4);

const STATE: usize = memory.data(HMAC_STATE_BYTES, 16);
const CODE: usize = memory.data(32, 16);

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

export function indexMany(): void {
  const end = INDEX_JOBS + load<u32>(COUNT) * INDEX_JOB_SIZE;
  for (let job = INDEX_JOBS; job < end; job += INDEX_JOB_SIZE) {
    const key = load<u32>(job + 4);
    hmacBegin(STATE, key);
    hmacUpdate(STATE, load<u32>(job + 8), load<u32>(job + 12));
    hmacUpdate(STATE, load<u32>(job + 16), load<u32>(job + 20));
    hmacFinishInto(CODE, STATE, key);
    put(load<u32>(job), CODE, INDEX_BYTES);
  }
}

export function wipeIndexJobs(): void {
  wipe(STATE, HMAC_STATE_BYTES);
  wipe(CODE, 32);
}
