/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1).
 *
 * A prepared key is what is left of the key after its two first blocks:
 * chaining value after K ^ ipad (32) | chaining value after K ^ opad (32)
 */
import { wipe } from './bytes';
import {
  SHA256_BLOCK_BYTES,
  SHA256_BYTES,
  SHA256_CHAIN_BYTES,
  SHA256_STATE_BYTES,
  sha256Compress,
  sha256FinishInto,
  sha256InitialInto,
  sha256Into,
  sha256Resume,
  sha256Update,
} from './sha256';

export const HMAC_BYTES: usize = SHA256_BYTES;

/** Octets of a prepared key. */
export const HMAC_KEY_BYTES: usize = 64;

/** Octets of a running HMAC. */
export const HMAC_STATE_BYTES: usize = SHA256_STATE_BYTES;

const OUTER: usize = SHA256_CHAIN_BYTES;

const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5c;

const PADDED_KEY: usize = memory.data(SHA256_BLOCK_BYTES, 16);
const ONE_SHOT_KEY: usize = memory.data(HMAC_KEY_BYTES, 16);
const STATE: usize = memory.data(HMAC_STATE_BYTES, 16);
const INNER_DIGEST: usize = memory.data(SHA256_BYTES, 16);

/** The whole of it: `out` = HMAC(key, message), 32 octets. */
export function hmacInto(
  out: usize,
  key: usize,
  keyLength: usize,
  message: usize,
  length: usize,
): void {
  hmacKeyInto(ONE_SHOT_KEY, key, keyLength);
  hmacWithKeyInto(out, ONE_SHOT_KEY, message, length);
}

/** Prepares a key of any length, so that each message costs two blocks less. */
export function hmacKeyInto(hmacKey: usize, key: usize, keyLength: usize): void {
  wipe(PADDED_KEY, SHA256_BLOCK_BYTES);
  // Longer keys are hashed first. RFC 2104 2
  if (keyLength > SHA256_BLOCK_BYTES) sha256Into(PADDED_KEY, key, keyLength);
  else memory.copy(PADDED_KEY, key, keyLength);

  xorPaddedKey(IPAD);
  sha256InitialInto(hmacKey);
  sha256Compress(hmacKey, PADDED_KEY, 1);
  xorPaddedKey(IPAD ^ OPAD);
  sha256InitialInto(hmacKey + OUTER);
  sha256Compress(hmacKey + OUTER, PADDED_KEY, 1);
}

/** `out` = HMAC(key, message) with a prepared key. */
export function hmacWithKeyInto(out: usize, hmacKey: usize, message: usize, length: usize): void {
  hmacBegin(STATE, hmacKey);
  hmacUpdate(STATE, message, length);
  hmacFinishInto(out, STATE, hmacKey);
}

/** Begins a message that comes in parts. */
export function hmacBegin(state: usize, hmacKey: usize): void {
  sha256Resume(state, hmacKey, SHA256_BLOCK_BYTES);
}

export function hmacUpdate(state: usize, message: usize, length: usize): void {
  sha256Update(state, message, length);
}

/** Writes the code (32) of a message begun with the same key. The state is used up: wiped. */
export function hmacFinishInto(out: usize, state: usize, hmacKey: usize): void {
  sha256FinishInto(state, INNER_DIGEST);
  sha256Resume(state, hmacKey + OUTER, SHA256_BLOCK_BYTES);
  sha256Update(state, INNER_DIGEST, SHA256_BYTES);
  sha256FinishInto(state, out);
}

export function wipeHmac(): void {
  wipe(PADDED_KEY, SHA256_BLOCK_BYTES);
  wipe(ONE_SHOT_KEY, HMAC_KEY_BYTES);
  wipe(STATE, HMAC_STATE_BYTES);
  wipe(INNER_DIGEST, SHA256_BYTES);
}

function xorPaddedKey(pad: u8): void {
  const pads = i8x16.splat(pad);
  for (let at = PADDED_KEY; at < PADDED_KEY + SHA256_BLOCK_BYTES; at += 16) {
    v128.store(at, v128.xor(v128.load(at), pads));
  }
}
