/**
 * Work that is collected over a chunk and then done in one go, so that a kernel can take several messages at once:
 * keyed indexes and content tags, and the sealing of parcels in place.
 */
import { aeadSealInto } from './aead';
import { put, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import { HMAC_STATE_BYTES, hmacBegin, hmacFinishInto, hmacUpdate } from './hmac';

const INDEX_BYTES: usize = 16;

/** Index job: destination (4) | key (4) | prefix (4) | prefix length (4) | value (4) | length (4). Five a record. */
const INDEX_JOB_SIZE: usize = 24;
const INDEX_JOBS: usize = memory.data(30720, 16);

/** Seal job: key (4) | additional data (4) | its length (4) | padded plaintext, becomes ciphertext (4) | its length (4). */
const SEAL_JOB_SIZE: usize = 20;
const SEAL_JOBS: usize = memory.data(10240, 16);

const COUNTS: usize = memory.data(8, 8);
const STATE: usize = memory.data(HMAC_STATE_BYTES, 16);
const CODE: usize = memory.data(32, 16);
const NONCE: usize = memory.data(12, 4);

/** Where a parcel's additional data holds its position (wire/parcel.ts). */
const POSITION_AT: usize = 26;

export function resetJobs(): void {
  store<u64>(COUNTS, 0);
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
  const count = load<u32>(COUNTS);
  if (count == 5 * MAX_CHUNK_RECORDS) unreachable();
  const job = INDEX_JOBS + count * INDEX_JOB_SIZE;
  store<u32>(job, <u32>to);
  store<u32>(job + 4, <u32>key);
  store<u32>(job + 8, <u32>prefix);
  store<u32>(job + 12, <u32>prefixLength);
  store<u32>(job + 16, <u32>value);
  store<u32>(job + 20, <u32>length);
  store<u32>(COUNTS, count + 1);
}

/** Queues one parcel: the padded plaintext behind its additional data becomes ciphertext and tag. */
export function queueSeal(
  key: usize,
  aad: usize,
  aadLength: usize,
  at: usize,
  length: usize,
): void {
  const count = load<u32>(COUNTS + 4);
  if (count == 2 * MAX_CHUNK_RECORDS) unreachable();
  const job = SEAL_JOBS + count * SEAL_JOB_SIZE;
  store<u32>(job, <u32>key);
  store<u32>(job + 4, <u32>aad);
  store<u32>(job + 8, <u32>aadLength);
  store<u32>(job + 12, <u32>at);
  store<u32>(job + 16, <u32>length);
  store<u32>(COUNTS + 4, count + 1);
}

export function indexMany(): void {
  const end = INDEX_JOBS + load<u32>(COUNTS) * INDEX_JOB_SIZE;
  for (let job = INDEX_JOBS; job < end; job += INDEX_JOB_SIZE) {
    const key = load<u32>(job + 4);
    hmacBegin(STATE, key);
    hmacUpdate(STATE, load<u32>(job + 8), load<u32>(job + 12));
    hmacUpdate(STATE, load<u32>(job + 16), load<u32>(job + 20));
    hmacFinishInto(CODE, STATE, key);
    put(load<u32>(job), CODE, INDEX_BYTES);
  }
}

export function sealMany(): void {
  const end = SEAL_JOBS + load<u32>(COUNTS + 4) * SEAL_JOB_SIZE;
  for (let job = SEAL_JOBS; job < end; job += SEAL_JOB_SIZE) {
    const aad = load<u32>(job + 4);
    const at = load<u32>(job + 12);
    // Nonce: 00000000 | position (8), which is unique in its epoch
    put(NONCE + 4, aad + POSITION_AT, 8);
    aeadSealInto(at, load<u32>(job), NONCE, aad, load<u32>(job + 8), at, load<u32>(job + 16));
  }
}

export function wipeJobs(): void {
  wipe(STATE, HMAC_STATE_BYTES);
  wipe(CODE, 32);
}
