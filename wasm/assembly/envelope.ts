/** Both sides of an encapsulation (wire/envelope.ts): RFC 9458 section 4.3 with labels of our own. */
import {
  STATUS_DECRYPT_FAILED,
  STATUS_OK,
  STATUS_UNKNOWN_KEY,
  STATUS_UNSUPPORTED_SUITE,
} from './abi';
import { loadU16, put, putAscii, wipe } from './bytes';
import { hkdfExpandInto, hkdfExtractInto } from './hkdf';
import {
  HPKE_AEAD,
  HPKE_CONTEXT_BYTES,
  HPKE_KDF,
  HPKE_KEM,
  hpkeExportInto,
  hpkeReceiverInto,
  hpkeSenderInto,
} from './hpke';
import { edgePrivateKey, edgePublicKey, findEdgeKey } from './keys';

/** hdr: key id (1) | KEM (2) | KDF (2) | AEAD (2) */
export const HDR_BYTES: usize = 7;
export const ENC_BYTES: usize = 32;
/** hdr | enc */
export const HEAD_BYTES: usize = 39;
/** enterprise (16) | device (16) */
export const PARTY_BYTES: usize = 32;
export const RESPONSE_NONCE_BYTES: usize = 32;

/** The receiver's context of the request at hand. */
export const RECEIVER: usize = memory.data(HPKE_CONTEXT_BYTES, 16);
/** Exported secret (32) of the request at hand. */
export const SECRET: usize = memory.data(32, 16);

const INFO: usize = memory.data(128, 16);
const PRK: usize = memory.data(32, 16);
const SALT: usize = memory.data(64, 16);

/** STATUS_OK when hdr names our suite and a key that is valid now. */
export function checkHeader(hdr: usize, now: u64): u32 {
  if (loadU16(hdr + 1) != HPKE_KEM) return STATUS_UNSUPPORTED_SUITE;
  if (loadU16(hdr + 3) != HPKE_KDF) return STATUS_UNSUPPORTED_SUITE;
  if (loadU16(hdr + 5) != HPKE_AEAD) return STATUS_UNSUPPORTED_SUITE;
  return findEdgeKey(load<u8>(hdr), now) == 0 ? STATUS_UNKNOWN_KEY : STATUS_OK;
}

/**
 * Sets RECEIVER and SECRET up from hdr | enc. The party that signed the request is part of the HPKE info, so that a body
 * which somebody else signs again does not open.
 */
export function receive(head: usize, party: usize, streaming: bool, now: u64): u32 {
  const status = checkHeader(head, now);
  if (status != STATUS_OK) return status;
  const slot = findEdgeKey(load<u8>(head), now);
  const infoLength = putInfo(head, party, streaming);
  const enc = head + HDR_BYTES;
  const privateKey = edgePrivateKey(slot);
  const publicKey = edgePublicKey(slot);
  if (!hpkeReceiverInto(RECEIVER, enc, privateKey, publicKey, INFO, infoLength)) {
    return STATUS_DECRYPT_FAILED;
  }
  exportSecret(SECRET, RECEIVER, streaming);
  return STATUS_OK;
}

/**
 * The other side: makes the sender's context, writes enc (32) and the exported secret (32).
 * False when the receiver's key is of low order.
 */
export function sendInto(
  context: usize,
  secret: usize,
  enc: usize,
  ephemeral: usize,
  publicKey: usize,
  hdr: usize,
  party: usize,
  streaming: bool,
): bool {
  const infoLength = putInfo(hdr, party, streaming);
  if (!hpkeSenderInto(context, enc, ephemeral, publicKey, INFO, infoLength)) return false;
  exportSecret(secret, context, streaming);
  return true;
}

function exportSecret(secret: usize, context: usize, streaming: bool): void {
  hpkeExportInto(context, secret, 32, INFO, putResponseLabel(INFO, streaming) - INFO);
}

/** The HPKE info: label | 0 | hdr | 1 | party. Returns its length. */
function putInfo(hdr: usize, party: usize, streaming: bool): usize {
  const at = putRequestLabel(INFO, streaming);
  store<u8>(at, 0);
  const end = put(at + 1, hdr, HDR_BYTES);
  store<u8>(end, 1);
  return put(end + 1, party, PARTY_BYTES) - INFO;
}

/** Key (32) and nonce (12) of an answer from secret, enc and response nonce: RFC 9458 section 4.4. */
export function answerKeyInto(
  key: usize,
  nonce: usize,
  secret: usize,
  enc: usize,
  salt: usize,
): void {
  put(put(SALT, enc, ENC_BYTES), salt, RESPONSE_NONCE_BYTES);
  hkdfExtractInto(PRK, SALT, ENC_BYTES + RESPONSE_NONCE_BYTES, secret, 32);
  hkdfExpandInto(key, 32, PRK, INFO, putAscii(INFO, 'key') - INFO);
  hkdfExpandInto(nonce, 12, PRK, INFO, putAscii(INFO, 'nonce') - INFO);
}

export function wipeEnvelope(): void {
  wipe(RECEIVER, HPKE_CONTEXT_BYTES);
  wipe(SECRET, 32);
  wipe(PRK, 32);
}

function putRequestLabel(to: usize, streaming: bool): usize {
  return streaming
    ? putAscii(to, 'message/sealpost-parcel chunked request')
    : putAscii(to, 'message/sealpost-parcel request');
}

function putResponseLabel(to: usize, streaming: bool): usize {
  return streaming
    ? putAscii(to, 'message/sealpost-parcel chunked response')
    : putAscii(to, 'message/sealpost-parcel response');
}
