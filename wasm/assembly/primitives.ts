/**
 * The primitives by themselves, for known-answer tests and for clients.
 *
 * Parameters are lengths in octets. The fields stand one behind the other in IN, in the order that each function
 * tells; the result is at OUT. False means: lengths that do not fit the buffers, or the refusal that the function
 * names; there is no result then. Every function ends by wiping IN and all scratch; OUT is the host's to wipe.
 */
import { IN_BYTES } from './abi';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, aeadOpenInto, aeadSealInto } from './aead';
import { put, storeU64, wipe } from './bytes';
import { CHACHA20_KEY_BYTES, CHACHA20_NONCE_BYTES, chacha20XorInto } from './chacha20';
import { HKDF_PRK_BYTES, hkdfExpandInto, hkdfExtractInto } from './hkdf';
import { hmacInto } from './hmac';
import {
  HPKE_CONTEXT_BYTES,
  HPKE_ENC_BYTES,
  HPKE_SEQUENCE,
  hpkeExportInto,
  hpkeOpenInto,
  hpkeReceiverInto,
  hpkeSealInto,
  hpkeSenderInto,
} from './hpke';
import { IN, OUT } from './io';
import { polyBegin, polyFinishInto, wipePoly } from './kernels/limbs';
import { openMessageInto, sealMessageInto } from './kernels/message';
import { polyBlocks } from './kernels/rounds.gen';
import { POLY1305_KEY_BYTES, poly1305Into } from './poly1305';
import {
  SHA256_STATE_BYTES,
  sha256Begin,
  sha256FinishInto,
  sha256Into,
  sha256Update,
} from './sha256';
import { wipeCall } from './wipe';
import { X25519_BYTES, x25519BaseInto, x25519Into } from './x25519';

const HASH: usize = memory.data(SHA256_STATE_BYTES, 16);
const CONTEXT: usize = memory.data(HPKE_CONTEXT_BYTES, 16);
const ENC: usize = memory.data(HPKE_ENC_BYTES, 16);

/** Octets before the info of an HPKE call: a sender's two keys, or enc and a receiver's two keys. */
const SENDER_BYTES: usize = 2 * X25519_BYTES;
const RECEIVER_BYTES: usize = HPKE_ENC_BYTES + 2 * X25519_BYTES;

/** IN: message. OUT: digest (32). */
export function sha256(length: u32): bool {
  if (!fitsIn(length)) return end(false);
  sha256Into(OUT, IN, length);
  return end(true);
}

/** IN: a message taken in three parts. OUT: its digest (32), whatever the parts. */
export function sha256Parts(first: u32, second: u32, third: u32): bool {
  if (!fitsIn(<u64>first + second + third)) return end(false);
  sha256Begin(HASH);
  sha256Update(HASH, IN, first);
  sha256Update(HASH, IN + first, second);
  sha256Update(HASH, IN + first + second, third);
  sha256FinishInto(HASH, OUT);
  return end(true);
}

/** IN: key | message. OUT: code (32). */
export function hmacSha256(keyLength: u32, length: u32): bool {
  if (!fitsIn(<u64>keyLength + length)) return end(false);
  hmacInto(OUT, IN, keyLength, IN + keyLength, length);
  return end(true);
}

/** IN: salt | input keying material. OUT: pseudorandom key (32). */
export function hkdfExtract(saltLength: u32, ikmLength: u32): bool {
  if (!fitsIn(<u64>saltLength + ikmLength)) return end(false);
  hkdfExtractInto(OUT, IN, saltLength, IN + saltLength, ikmLength);
  return end(true);
}

/** IN: pseudorandom key (32) | info. OUT: `outLength` octets; false beyond 255 * 32. */
export function hkdfExpand(infoLength: u32, outLength: u32): bool {
  if (!fitsIn(<u64>HKDF_PRK_BYTES + infoLength)) return end(false);
  return end(hkdfExpandInto(OUT, outLength, IN, IN + HKDF_PRK_BYTES, infoLength));
}

/** IN: key (32) | nonce (12) | data. OUT: data XOR the keystream from block `counter` on. */
export function chacha20(counter: u32, length: u32): bool {
  const nonce = IN + CHACHA20_KEY_BYTES;
  const data = nonce + CHACHA20_NONCE_BYTES;
  if (!fitsIn(<u64>(data - IN) + length)) return end(false);
  chacha20XorInto(OUT, data, length, IN, nonce, counter);
  return end(true);
}

/** IN: one-time key (32) | message. OUT: tag (16). */
export function poly1305(length: u32): bool {
  if (!fitsIn(<u64>POLY1305_KEY_BYTES + length)) return end(false);
  poly1305Into(OUT, IN, IN + POLY1305_KEY_BYTES, length);
  return end(true);
}

/** poly1305 of whole blocks, by the limbs of the kernels. */
export function poly1305Blocks(length: u32): bool {
  if (!fitsIn(<u64>POLY1305_KEY_BYTES + length) || (length & 15) != 0) return end(false);
  polyBegin(IN);
  polyBlocks(IN + POLY1305_KEY_BYTES, length / 16);
  polyFinishInto(OUT);
  wipePoly();
  return end(true);
}

/** IN: key (32) | nonce (12) | aad | plaintext. OUT: ciphertext | tag (16). */
export function aeadSeal(aadLength: u32, length: u32): bool {
  const nonce = IN + AEAD_KEY_BYTES;
  const aad = nonce + AEAD_NONCE_BYTES;
  if (!fitsIn(<u64>(aad - IN) + aadLength + length)) return end(false);
  aeadSealInto(OUT, IN, nonce, aad, aadLength, aad + aadLength, length);
  return end(true);
}

/** IN: key (32) | nonce (12) | aad | ciphertext | tag. OUT: plaintext; false when the tag is wrong. */
export function aeadOpen(aadLength: u32, lengthWithTag: u32): bool {
  const nonce = IN + AEAD_KEY_BYTES;
  const aad = nonce + AEAD_NONCE_BYTES;
  if (!fitsIn(<u64>(aad - IN) + aadLength + lengthWithTag)) return end(false);
  return end(aeadOpenInto(OUT, IN, nonce, aad, aadLength, aad + aadLength, lengthWithTag));
}

/** aeadSeal by the kernel for long messages. */
export function messageSeal(aadLength: u32, length: u32): bool {
  const nonce = IN + AEAD_KEY_BYTES;
  const aad = nonce + AEAD_NONCE_BYTES;
  if (!fitsIn(<u64>(aad - IN) + aadLength + length)) return end(false);
  sealMessageInto(OUT, IN, nonce, aad, aadLength, aad + aadLength, length);
  return end(true);
}

/** aeadOpen by the kernel for long messages. */
export function messageOpen(aadLength: u32, lengthWithTag: u32): bool {
  const nonce = IN + AEAD_KEY_BYTES;
  const aad = nonce + AEAD_NONCE_BYTES;
  if (!fitsIn(<u64>(aad - IN) + aadLength + lengthWithTag)) return end(false);
  return end(openMessageInto(OUT, IN, nonce, aad, aadLength, aad + aadLength, lengthWithTag));
}

/** IN: scalar (32) | u coordinate (32). OUT: shared point (32); false when it is all zeros. */
export function x25519(): bool {
  return end(x25519Into(OUT, IN, IN + X25519_BYTES));
}

/** IN: private key (32). OUT: public key (32). */
export function x25519Base(): bool {
  x25519BaseInto(OUT, IN);
  return end(true);
}

/**
 * Seals message number `sequence` of the context that its keys and info give.
 * IN: ephemeral private key (32) | receiver's public key (32) | info | aad | plaintext.
 * OUT: next sequence number (8) | enc (32) | ciphertext | tag.
 * False for a receiver's key of small order, and at the message limit. One ephemeral key and sequence number must
 * never seal two different messages.
 */
export function hpkeSeal(infoLength: u32, sequence: u64, aadLength: u32, length: u32): bool {
  if (!fitsIn(<u64>SENDER_BYTES + infoLength + aadLength + length)) return end(false);
  if (!setUpSender(infoLength)) return end(false);
  store<u64>(CONTEXT, sequence, HPKE_SEQUENCE);
  const aad = IN + SENDER_BYTES + infoLength;
  const out = OUT + 8 + HPKE_ENC_BYTES;
  if (!hpkeSealInto(CONTEXT, out, aad, aadLength, aad + aadLength, length)) return end(false);
  storeU64(OUT, load<u64>(CONTEXT, HPKE_SEQUENCE));
  put(OUT + 8, ENC, HPKE_ENC_BYTES);
  return end(true);
}

/**
 * Opens message number `sequence` of the context that its keys and info give.
 * IN: enc (32) | private key (32) | public key (32) | info | aad | ciphertext | tag.
 * OUT: next sequence number (8) | plaintext. False for an enc of small order, at the message limit, and when the tag
 * is wrong: then the sequence number, unchanged, is all that was written.
 */
export function hpkeOpen(infoLength: u32, sequence: u64, aadLength: u32, lengthWithTag: u32): bool {
  if (!fitsIn(<u64>RECEIVER_BYTES + infoLength + aadLength + lengthWithTag)) return end(false);
  if (!setUpReceiver(infoLength)) return end(false);
  store<u64>(CONTEXT, sequence, HPKE_SEQUENCE);
  const aad = IN + RECEIVER_BYTES + infoLength;
  const sealed = aad + aadLength;
  const opened = hpkeOpenInto(CONTEXT, OUT + 8, aad, aadLength, sealed, lengthWithTag);
  storeU64(OUT, load<u64>(CONTEXT, HPKE_SEQUENCE));
  return end(opened);
}

/**
 * IN: ephemeral private key (32) | receiver's public key (32) | info | exporter context. OUT: `outLength` octets.
 * False for a receiver's key of small order, and beyond 255 * 32 octets.
 */
export function hpkeSenderExport(infoLength: u32, contextLength: u32, outLength: u32): bool {
  if (!fitsIn(<u64>SENDER_BYTES + infoLength + contextLength)) return end(false);
  if (!setUpSender(infoLength)) return end(false);
  const exporterContext = IN + SENDER_BYTES + infoLength;
  return end(hpkeExportInto(CONTEXT, OUT, outLength, exporterContext, contextLength));
}

/**
 * IN: enc (32) | private key (32) | public key (32) | info | exporter context. OUT: `outLength` octets.
 * False for an enc of small order, and beyond 255 * 32 octets.
 */
export function hpkeReceiverExport(infoLength: u32, contextLength: u32, outLength: u32): bool {
  if (!fitsIn(<u64>RECEIVER_BYTES + infoLength + contextLength)) return end(false);
  if (!setUpReceiver(infoLength)) return end(false);
  const exporterContext = IN + RECEIVER_BYTES + infoLength;
  return end(hpkeExportInto(CONTEXT, OUT, outLength, exporterContext, contextLength));
}

function setUpSender(infoLength: usize): bool {
  const publicKey = IN + X25519_BYTES;
  return hpkeSenderInto(CONTEXT, ENC, IN, publicKey, IN + SENDER_BYTES, infoLength);
}

function setUpReceiver(infoLength: usize): bool {
  const privateKey = IN + HPKE_ENC_BYTES;
  const publicKey = privateKey + X25519_BYTES;
  return hpkeReceiverInto(CONTEXT, IN, privateKey, publicKey, IN + RECEIVER_BYTES, infoLength);
}

/** No result is longer than its input by more than OUT is than IN, but for the expansions, which have bounds. */
function fitsIn(length: u64): bool {
  return length <= IN_BYTES;
}

/** What every function does last. */
function end(result: bool): bool {
  wipe(HASH, SHA256_STATE_BYTES);
  wipe(CONTEXT, HPKE_CONTEXT_BYTES);
  wipe(ENC, HPKE_ENC_BYTES);
  wipeCall(IN, IN_BYTES);
  return result;
}
