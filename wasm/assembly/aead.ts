/** AEAD_CHACHA20_POLY1305 (RFC 8439 2.8). */
import { equalConstantTime, wipe } from './bytes';
import {
  CHACHA20_BLOCK_BYTES,
  CHACHA20_KEY_BYTES,
  CHACHA20_NONCE_BYTES,
  chacha20KeystreamInto,
  chacha20XorInto,
  KEYSTREAM_BYTES,
  xorInto,
} from './chacha20';
import {
  POLY1305_STATE_BYTES,
  POLY1305_TAG_BYTES,
  poly1305Begin,
  poly1305FinishInto,
  poly1305UpdatePadded,
  wipePoly1305,
} from './poly1305';

export const AEAD_KEY_BYTES: usize = CHACHA20_KEY_BYTES;
export const AEAD_NONCE_BYTES: usize = CHACHA20_NONCE_BYTES;
export const AEAD_TAG_BYTES: usize = POLY1305_TAG_BYTES;

/** Blocks 0 to 3: the Poly1305 key (RFC 8439 2.6) and the keystream of the first 192 octets. */
const FIRST_KEYSTREAM: usize = memory.data(KEYSTREAM_BYTES, 16);
const FIRST_DATA_BYTES: usize = KEYSTREAM_BYTES - CHACHA20_BLOCK_BYTES;

const POLY: usize = memory.data(POLY1305_STATE_BYTES, 16);
const LENGTHS: usize = memory.data(16, 16);
const TAG: usize = memory.data(POLY1305_TAG_BYTES, 16);

/**
 * Writes ciphertext | tag: `length` + 16 octets. `out` may be `plaintext` itself.
 * A nonce must never come twice under one key.
 */
export function aeadSealInto(
  out: usize,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: usize,
  plaintext: usize,
  length: usize,
): void {
  chacha20KeystreamInto(FIRST_KEYSTREAM, key, nonce, 0);
  xorMessageInto(out, plaintext, length, key, nonce);
  tagInto(out + length, aad, aadLength, out, length);
}

/**
 * Checks the tag first, in constant time, then writes `lengthWithTag` - 16 octets of plaintext.
 * `out` may be `ciphertext` itself. False, and nothing written, when the tag is wrong or missing.
 */
export function aeadOpenInto(
  out: usize,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: usize,
  ciphertext: usize,
  lengthWithTag: usize,
): bool {
  if (lengthWithTag < AEAD_TAG_BYTES) return false;
  const length = lengthWithTag - AEAD_TAG_BYTES;

  chacha20KeystreamInto(FIRST_KEYSTREAM, key, nonce, 0);
  tagInto(TAG, aad, aadLength, ciphertext, length);
  if (!equalConstantTime(TAG, ciphertext + length, AEAD_TAG_BYTES)) return false;
  xorMessageInto(out, ciphertext, length, key, nonce);
  return true;
}

export function wipeAead(): void {
  wipe(FIRST_KEYSTREAM, KEYSTREAM_BYTES);
  wipe(POLY, POLY1305_STATE_BYTES);
  wipe(LENGTHS, 16);
  wipe(TAG, POLY1305_TAG_BYTES);
  wipePoly1305();
}

/** The message begins at block 1 of the keystream. RFC 8439 2.8 */
function xorMessageInto(out: usize, input: usize, length: usize, key: usize, nonce: usize): void {
  const first = min(length, FIRST_DATA_BYTES);
  xorInto(out, input, FIRST_KEYSTREAM + CHACHA20_BLOCK_BYTES, first);
  chacha20XorInto(out + first, input + first, length - first, key, nonce, 4);
}

/** aad | pad16 | ciphertext | pad16 | both lengths, little-endian. RFC 8439 2.8 */
function tagInto(out: usize, aad: usize, aadLength: usize, ciphertext: usize, length: usize): void {
  poly1305Begin(POLY, FIRST_KEYSTREAM);
  poly1305UpdatePadded(POLY, aad, aadLength);
  poly1305UpdatePadded(POLY, ciphertext, length);
  store<u64>(LENGTHS, aadLength);
  store<u64>(LENGTHS, length, 8);
  poly1305UpdatePadded(POLY, LENGTHS, 16);
  poly1305FinishInto(out, POLY);
}
