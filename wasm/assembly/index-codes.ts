/** What a chunk's keyed indexes and content tags are made with, by itself: for tests that hold it equal to HMAC. */
import { IN_BYTES } from './abi';
import { loadU16, wipe } from './bytes';
import { HMAC_KEY_BYTES, hmacKeyInto } from './hmac';
import { indexMany, queueIndex, resetIndexJobs, wipeIndexJobs } from './index-jobs';
import { IN, OUT } from './io';
import { wipeCall } from './wipe';

const KEY_BYTES: usize = 32;
const CODE_BYTES: usize = 16;

/** Jobs that one call takes. */
const MAX_JOBS: u32 = 16;
const KEYS_BYTES: usize = 1024;
const KEYS: usize = memory.data(KEYS_BYTES, 16);

/**
 * The first 16 octets of HMAC(key, prefix | value) of several jobs at once.
 * IN, each job: key (32) | length of the prefix (2) | length of the value (2) | prefix | value. OUT: codes in that order.
 * False, and nothing written, when that is more than 16 jobs or than IN holds.
 */
export function indexCodes(count: u32): bool {
  const fits = count <= MAX_JOBS && queueCodes(count);
  if (fits) indexMany();
  wipeIndexJobs();
  wipe(KEYS, KEYS_BYTES);
  wipeCall(IN, IN_BYTES);
  return fits;
}

function queueCodes(count: u32): bool {
  resetIndexJobs();
  const end = IN + IN_BYTES;
  let at = IN;
  for (let i: u32 = 0; i < count; i++) {
    const prefix = at + KEY_BYTES + 4;
    if (prefix > end) return false;
    const prefixLength: usize = loadU16(at + KEY_BYTES);
    const value = prefix + prefixLength;
    const length: usize = loadU16(at + KEY_BYTES + 2);
    if (value + length > end) return false;
    const key = KEYS + i * HMAC_KEY_BYTES;
    hmacKeyInto(key, at, KEY_BYTES);
    queueIndex(OUT + i * CODE_BYTES, key, prefix, prefixLength, value, length);
    at = value + length;
  }
  return true;
}
