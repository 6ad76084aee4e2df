/** HKDF-SHA-256 (RFC 5869). */
import { wipe } from './bytes';
import {
  HMAC_BYTES,
  HMAC_KEY_BYTES,
  HMAC_STATE_BYTES,
  hmacBegin,
  hmacFinishInto,
  hmacKeyInto,
  hmacUpdate,
} from './hmac';

/** Octets of a pseudorandom key. */
export const HKDF_PRK_BYTES: usize = HMAC_BYTES;

/** Most octets that one key and info expand to. RFC 5869 2.3 */
export const HKDF_MAX_BYTES: usize = 255 * HMAC_BYTES;

const KEY: usize = memory.data(HMAC_KEY_BYTES, 16);
const STATE: usize = memory.data(HMAC_STATE_BYTES, 16);

/** T(i) of RFC 5869 2.3, and i. */
const BLOCK: usize = memory.data(HMAC_BYTES, 16);
const COUNTER: usize = memory.data(1, 1);

/** `out` = HKDF-Extract(salt, ikm), 32 octets. RFC 5869 2.2 */
export function hkdfExtractInto(
  out: usize,
  salt: usize,
  saltLength: usize,
  ikm: usize,
  ikmLength: usize,
): void {
  hkdfExtractPartsInto(out, salt, saltLength, 0, 0, ikm, ikmLength);
}

/** The same with the input keying material in two parts. An empty salt is one of zeros, as HMAC pads it. */
export function hkdfExtractPartsInto(
  out: usize,
  salt: usize,
  saltLength: usize,
  head: usize,
  headLength: usize,
  tail: usize,
  tailLength: usize,
): void {
  hmacKeyInto(KEY, salt, saltLength);
  hmacBegin(STATE, KEY);
  hmacUpdate(STATE, head, headLength);
  hmacUpdate(STATE, tail, tailLength);
  hmacFinishInto(out, STATE, KEY);
}

/**
 * `out` = HKDF-Expand(prk, info, outLength); `prk` has 32 octets, `info` may not overlap `out`. RFC 5869 2.3
 * False, and nothing written, when that is more than `HKDF_MAX_BYTES`.
 */
export function hkdfExpandInto(
  out: usize,
  outLength: usize,
  prk: usize,
  info: usize,
  infoLength: usize,
): bool {
  return hkdfExpandPartsInto(out, outLength, prk, 0, 0, info, infoLength);
}

/** The same with the info in two parts. */
export function hkdfExpandPartsInto(
  out: usize,
  outLength: usize,
  prk: usize,
  head: usize,
  headLength: usize,
  tail: usize,
  tailLength: usize,
): bool {
  if (outLength > HKDF_MAX_BYTES) return false;

  hmacKeyInto(KEY, prk, HKDF_PRK_BYTES);
  let counter: u8 = 0;
  for (let done: usize = 0; done < outLength; done += HMAC_BYTES) {
    // T(i) = HMAC(PRK, T(i-1) | info | i), where T(0) is empty.
    hmacBegin(STATE, KEY);
    if (counter > 0) hmacUpdate(STATE, BLOCK, HMAC_BYTES);
    hmacUpdate(STATE, head, headLength);
    hmacUpdate(STATE, tail, tailLength);
    store<u8>(COUNTER, ++counter);
    hmacUpdate(STATE, COUNTER, 1);
    hmacFinishInto(BLOCK, STATE, KEY);
    memory.copy(out + done, BLOCK, min(HMAC_BYTES, outLength - done));
  }
  return true;
}

export function wipeHkdf(): void {
  wipe(KEY, HMAC_KEY_BYTES);
  wipe(STATE, HMAC_STATE_BYTES);
  wipe(BLOCK, HMAC_BYTES);
  wipe(COUNTER, 1);
}
