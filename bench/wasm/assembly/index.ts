/**
 * The module's own stages, driven as the benchmark needs them: records that were sealed one by one, and single operations in
 * a loop. Everything else is the shipped module; nothing of this file is shipped.
 */
import { AEAD_TAG_BYTES } from '../../../wasm/assembly/aead';
import { put, wipe } from '../../../wasm/assembly/bytes';
import { findEpoch, NATIONAL, VIEW_FULL, VIEW_MASKED } from '../../../wasm/assembly/epochs';
import {
  HPKE_CONTEXT_BYTES,
  HPKE_KEY,
  HPKE_SEQUENCE,
  hpkeOpenInto,
  hpkeSealInto,
} from '../../../wasm/assembly/hpke';
import { indexMany, queueIndex, resetIndexJobs } from '../../../wasm/assembly/index-jobs';
import { IN, OUT } from '../../../wasm/assembly/io';
import { findIndexKey, indexKey } from '../../../wasm/assembly/keys';
import { maskRecordInto } from '../../../wasm/assembly/mask';
import { openJobGood, openMany, queueOpen, resetOpenJobs } from '../../../wasm/assembly/open-jobs';
import {
  PLAIN,
  putBatch,
  REPLY,
  readRecords,
  recordAt,
  wipePipeline,
} from '../../../wasm/assembly/pipeline';
import { queueSeal, resetSealJobs, sealMany } from '../../../wasm/assembly/seal-jobs';
import { sha256Compress, sha256InitialInto } from '../../../wasm/assembly/sha256';
import { wipeCall } from '../../../wasm/assembly/wipe';
import { x25519BaseInto, x25519Into } from '../../../wasm/assembly/x25519';

export * from '../../../wasm/assembly/index';

/** Octets of one record's CBOR, and of the same sealed. */
const RECORD_BYTES: usize = 420;
const MESSAGE_BYTES: usize = 436;
/** Records that go through the stages together: as many as the buffer of a chunk holds. */
const GROUP: u32 = 39;

/** Sealed records, one behind the other: 256 of them. */
export const MESSAGES: usize = memory.data(111616, 16);
/** What the messages are sealed with (32), and who sent them (16). */
export const KEY: usize = memory.data(32, 16);
export const ENTERPRISE: usize = memory.data(16, 16);

/** The HPKE context that the messages are opened in: its base nonce is zero. */
const CONTEXT: usize = memory.data(HPKE_CONTEXT_BYTES, 16);

const STATE: usize = memory.data(256, 16);

/** Operations that one call of a loop makes at most at a time. */
const JOBS: u32 = 64;

/**
 * Opens, checks, masks, indexes and seals `count` records of MESSAGES, the first of which has the sequence number `first`.
 * OUT holds the packed batch of the last group. Returns its length, 0 when something does not open or is refused.
 */
export function ingestMessages(first: u32, count: u32, now: u64): u32 {
  let length: u32 = 0;
  for (let done: u32 = 0; done < count; done += GROUP) {
    const size = min(GROUP, count - done);
    length = ingestGroup(MESSAGES + done * MESSAGE_BYTES, first + done, size, now);
    if (length == 0) break;
  }
  wipeCall(MESSAGES, count * MESSAGE_BYTES);
  return length;
}

function ingestGroup(at: usize, first: u32, count: u32, now: u64): u32 {
  const fullEpoch = findEpoch(VIEW_FULL, NATIONAL, now, count);
  const maskedEpoch = findEpoch(VIEW_MASKED, ENTERPRISE, now, count);
  if (fullEpoch == 0 || maskedEpoch == 0) return 0;
  wipe(CONTEXT, HPKE_CONTEXT_BYTES);
  put(CONTEXT + HPKE_KEY, KEY, 32);
  store<u64>(CONTEXT, first, HPKE_SEQUENCE);
  for (let i: u32 = 0; i < count; i++) {
    const sealed = at + i * MESSAGE_BYTES;
    if (!hpkeOpenInto(CONTEXT, PLAIN + i * RECORD_BYTES, 0, 0, sealed, MESSAGE_BYTES)) return 0;
  }
  const read = readRecords(count * RECORD_BYTES, now, false);
  const end = putBatch(read, ENTERPRISE, fullEpoch, maskedEpoch, now);
  wipePipeline(count * RECORD_BYTES, read);
  wipe(CONTEXT, HPKE_CONTEXT_BYTES);
  return read == count ? <u32>(end - REPLY) : 0;
}

/** Opens a chunk of `length` octets `times` times, as a stream's are opened. */
export function loopOpenChunk(length: u32, times: u32): bool {
  wipe(STATE, HPKE_CONTEXT_BYTES);
  memory.fill(PLAIN, 0x5a, length);
  hpkeSealInto(STATE, OUT, 0, 0, PLAIN, length);
  let good = true;
  for (let i: u32 = 0; i < times; i++) {
    store<u64>(STATE, 0, HPKE_SEQUENCE);
    good = hpkeOpenInto(STATE, PLAIN, 0, 0, OUT, length + AEAD_TAG_BYTES) && good;
  }
  return good;
}

/** Opens as many full parcels as JOBS `times` times; they are copied to where they are opened. */
export function loopOpenParcels(aadLength: u32, length: u32, times: u32): bool {
  const size = aadLength + length + AEAD_TAG_BYTES;
  loopSeal(aadLength, length, 1);
  let good = true;
  for (let i: u32 = 0; i < times; i++) {
    put(MESSAGES, OUT, JOBS * size);
    resetOpenJobs();
    for (let job: u32 = 0; job < JOBS; job++) {
      const aad = MESSAGES + job * size;
      queueOpen(KEY, aad, aadLength, aad + aadLength, length + AEAD_TAG_BYTES);
    }
    openMany();
    for (let job: u32 = 0; job < JOBS; job++) good = openJobGood(job) && good;
  }
  return good;
}

/** Opens a message of one record `times` times, by itself. */
export function loopOpenMessage(times: u32): bool {
  return loopOpenChunk(RECORD_BYTES, times);
}

/** Seals `times` × JOBS values of `length` octets with `aadLength` octets of additional data. */
export function loopSeal(aadLength: u32, length: u32, times: u32): void {
  const stride = aadLength + length + AEAD_TAG_BYTES;
  for (let i: u32 = 0; i < times; i++) {
    resetSealJobs();
    for (let job: u32 = 0; job < JOBS; job++) {
      const aad = OUT + job * stride;
      queueSeal(KEY, aad, aadLength, aad + aadLength, length);
    }
    sealMany();
  }
}

/** Makes `times` × JOBS times the five codes of a record: a content tag over `length` octets and four indexes over 18. */
export function loopIndex(length: u32, now: u64, times: u32): void {
  const key = findIndexKey(now);
  for (let i: u32 = 0; i < times; i++) {
    resetIndexJobs();
    for (let job: u32 = 0; job < JOBS; job++) {
      const to = OUT + job * 80;
      queueIndex(to + 64, indexKey(key, 4), PLAIN, 32, PLAIN + 32, length);
      for (let purpose: u32 = 0; purpose < 4; purpose++) {
        queueIndex(to + purpose * 16, indexKey(key, purpose), 0, 0, PLAIN + purpose * 32, 18);
      }
    }
    indexMany();
  }
}

/** Parses, validates and masks the `length` octets of records in IN `times` times. Returns how many records they are. */
export function loopRead(length: u32, now: u64, times: u32): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < times; i++) {
    put(PLAIN, IN, length);
    count = readRecords(length, now, false);
    for (let r: u32 = 0; r < count; r++) maskRecordInto(OUT, recordAt(r));
    wipePipeline(length, count);
  }
  return count;
}

/** One scalar multiplication each, the result being the next scalar. */
export function loopX25519(times: u32): void {
  memory.fill(STATE, 9, 64);
  for (let i: u32 = 0; i < times; i++) x25519Into(STATE, STATE, STATE + 32);
}

export function loopX25519Base(times: u32): void {
  memory.fill(STATE, 9, 64);
  for (let i: u32 = 0; i < times; i++) x25519BaseInto(STATE + 32, STATE);
}

/** Compresses `times` × JOBS blocks of 64 octets. */
export function loopSha256(times: u32): void {
  sha256InitialInto(STATE);
  for (let i: u32 = 0; i < times; i++) sha256Compress(STATE, PLAIN, JOBS);
}

/** Zeroes what the loops have left. */
export function endLoops(): void {
  wipe(PLAIN, 16384);
  wipe(STATE, 256);
}
