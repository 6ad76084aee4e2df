/**
 * HPKE (RFC 9180) in base mode for one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
 *
 * Context, 88 octets (RFC 9180 5.1):
 * key (32) | base nonce (12) | zeros (4) | sequence number (u64, the machine's order) | exporter secret (32)
 */
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, aeadOpenInto, aeadSealInto } from './aead';
import { put, putAscii, storeU16, wipe } from './bytes';
import { hkdfExpandPartsInto, hkdfExtractPartsInto } from './hkdf';
import { openMessageInto, PASS_PAYS_BYTES, sealMessageInto } from './kernels/message';
import { X25519_BYTES, x25519BaseInto, x25519Into } from './x25519';

/** DHKEM(X25519, HKDF-SHA256). RFC 9180 7.1 */
export const HPKE_KEM: u32 = 0x0020;
/** HKDF-SHA256. RFC 9180 7.2 */
export const HPKE_KDF: u32 = 0x0001;
/** ChaCha20Poly1305. RFC 9180 7.3 */
export const HPKE_AEAD: u32 = 0x0003;

/** Octets of an encapsulated key. */
export const HPKE_ENC_BYTES: usize = X25519_BYTES;

export const HPKE_CONTEXT_BYTES: usize = 88;

// Offsets in a context.
export const HPKE_KEY: usize = 0;
export const HPKE_BASE_NONCE: usize = 32;
export const HPKE_SEQUENCE: usize = 48;
export const HPKE_EXPORTER_SECRET: usize = 56;

/**
 * The sequence number that no message may use. The RFC's own limit, 2^96 - 1 (RFC 9180 5.2), is far beyond what a
 * u64 counts.
 */
export const HPKE_MESSAGE_LIMIT: u64 = u64.MAX_VALUE;

/** mode_base. RFC 9180 5, table 1 */
const MODE_BASE: u8 = 0;

/** Nh of the KDF and Nsecret of the KEM. */
const SECRET_BYTES: usize = 32;

// Which suite_id a label is bound to: RFC 9180 4.1 for the KEM, 5.1 for everything after it.
const SUITE_KEM: bool = false;
const SUITE_HPKE: bool = true;

/** "HPKE-v1" | suite_id | label: 17 octets and the longest label, "shared_secret". Expanding puts 2 more before it. */
const LABELED_BYTES: usize = 32;
const LABELED: usize = memory.data(LABELED_BYTES, 16);

/** mode | psk_id_hash | info_hash. RFC 9180 5.1 */
const SCHEDULE_CONTEXT_BYTES: usize = 1 + 2 * SECRET_BYTES;
const SCHEDULE_CONTEXT: usize = memory.data(SCHEDULE_CONTEXT_BYTES, 16);

/** enc | pkR. RFC 9180 4.1 */
const KEM_CONTEXT_BYTES: usize = 2 * X25519_BYTES;
const KEM_CONTEXT: usize = memory.data(KEM_CONTEXT_BYTES, 16);

const DH: usize = memory.data(X25519_BYTES, 16);
const EXTRACTED: usize = memory.data(SECRET_BYTES, 16);
const SHARED_SECRET: usize = memory.data(SECRET_BYTES, 16);
const NONCE: usize = memory.data(16, 16);

/**
 * SetupBaseR: makes the context of a receiver from `enc`, its private and its public key (32 each). RFC 9180 5.1.1
 * False when the shared point is all zeros; the context then seals and opens nothing.
 */
export function hpkeReceiverInto(
  context: usize,
  enc: usize,
  privateKey: usize,
  publicKey: usize,
  info: usize,
  infoLength: usize,
): bool {
  if (!x25519Into(DH, privateKey, enc)) return close(context);
  keySchedule(context, enc, publicKey, info, infoLength);
  return true;
}

/**
 * SetupBaseS: makes the context of a sender and writes `enc` (32). RFC 9180 5.1.1
 * `ephemeralPrivateKey` (32) is fresh randomness, used for nothing else.
 * False when the receiver's key gives a shared point of all zeros; the context then seals and opens nothing.
 */
export function hpkeSenderInto(
  context: usize,
  enc: usize,
  ephemeralPrivateKey: usize,
  publicKey: usize,
  info: usize,
  infoLength: usize,
): bool {
  if (!x25519Into(DH, ephemeralPrivateKey, publicKey)) return close(context);
  x25519BaseInto(enc, ephemeralPrivateKey);
  keySchedule(context, enc, publicKey, info, infoLength);
  return true;
}

/**
 * ContextS.Seal: writes ciphertext | tag and counts the message. RFC 9180 5.2
 * False, and nothing written, at the message limit.
 */
export function hpkeSealInto(
  context: usize,
  out: usize,
  aad: usize,
  aadLength: usize,
  plaintext: usize,
  length: usize,
): bool {
  if (!takeNonce(context)) return false;
  const key = context + HPKE_KEY;
  if (length >= PASS_PAYS_BYTES) {
    sealMessageInto(out, key, NONCE, aad, aadLength, plaintext, length);
  } else {
    aeadSealInto(out, key, NONCE, aad, aadLength, plaintext, length);
  }
  countMessage(context);
  return true;
}

/**
 * ContextR.Open: writes the plaintext and counts the message. RFC 9180 5.2
 * False, nothing to be read in `out` and nothing counted, when the tag is wrong or the message limit reached.
 */
export function hpkeOpenInto(
  context: usize,
  out: usize,
  aad: usize,
  aadLength: usize,
  ciphertext: usize,
  lengthWithTag: usize,
): bool {
  if (!takeNonce(context)) return false;
  const key = context + HPKE_KEY;
  // The kernel writes while it still reads for the tag.
  const apart = out + lengthWithTag <= ciphertext || ciphertext + lengthWithTag <= out;
  const opened =
    apart && lengthWithTag >= PASS_PAYS_BYTES
      ? openMessageInto(out, key, NONCE, aad, aadLength, ciphertext, lengthWithTag)
      : aeadOpenInto(out, key, NONCE, aad, aadLength, ciphertext, lengthWithTag);
  if (opened) countMessage(context);
  return opened;
}

/** Context.Export. RFC 9180 5.3. False, and nothing written, beyond 255 * 32 octets. */
export function hpkeExportInto(
  context: usize,
  out: usize,
  outLength: usize,
  exporterContext: usize,
  exporterContextLength: usize,
): bool {
  return labeledExpandInto(
    out,
    outLength,
    SUITE_HPKE,
    context + HPKE_EXPORTER_SECRET,
    'sec',
    exporterContext,
    exporterContextLength,
  );
}

export function wipeHpke(): void {
  wipe(LABELED, LABELED_BYTES);
  wipe(SCHEDULE_CONTEXT, SCHEDULE_CONTEXT_BYTES);
  wipe(KEM_CONTEXT, KEM_CONTEXT_BYTES);
  wipe(DH, X25519_BYTES);
  wipe(EXTRACTED, SECRET_BYTES);
  wipe(SHARED_SECRET, SECRET_BYTES);
  wipe(NONCE, 16);
}

/** A context without keys, already at its limit. */
function close(context: usize): bool {
  wipe(context, HPKE_CONTEXT_BYTES);
  store<u64>(context, HPKE_MESSAGE_LIMIT, HPKE_SEQUENCE);
  return false;
}

/** From DH to the context: ExtractAndExpand (RFC 9180 4.1), then KeySchedule without a PSK (RFC 9180 5.1). */
function keySchedule(
  context: usize,
  enc: usize,
  publicKey: usize,
  info: usize,
  infoLength: usize,
): void {
  put(put(KEM_CONTEXT, enc, HPKE_ENC_BYTES), publicKey, X25519_BYTES);
  labeledExtractInto(EXTRACTED, SUITE_KEM, 0, 0, 'eae_prk', DH, X25519_BYTES);
  labeledExpandInto(
    SHARED_SECRET,
    SECRET_BYTES,
    SUITE_KEM,
    EXTRACTED,
    'shared_secret',
    KEM_CONTEXT,
    KEM_CONTEXT_BYTES,
  );

  store<u8>(SCHEDULE_CONTEXT, MODE_BASE);
  labeledExtractInto(SCHEDULE_CONTEXT + 1, SUITE_HPKE, 0, 0, 'psk_id_hash', 0, 0);
  const infoHash = SCHEDULE_CONTEXT + 1 + SECRET_BYTES;
  labeledExtractInto(infoHash, SUITE_HPKE, 0, 0, 'info_hash', info, infoLength);

  labeledExtractInto(EXTRACTED, SUITE_HPKE, SHARED_SECRET, SECRET_BYTES, 'secret', 0, 0);
  wipe(context, HPKE_CONTEXT_BYTES);
  expandScheduleInto(context + HPKE_KEY, AEAD_KEY_BYTES, 'key');
  expandScheduleInto(context + HPKE_BASE_NONCE, AEAD_NONCE_BYTES, 'base_nonce');
  expandScheduleInto(context + HPKE_EXPORTER_SECRET, SECRET_BYTES, 'exp');
}

function expandScheduleInto(out: usize, outLength: usize, label: string): void {
  labeledExpandInto(
    out,
    outLength,
    SUITE_HPKE,
    EXTRACTED,
    label,
    SCHEDULE_CONTEXT,
    SCHEDULE_CONTEXT_BYTES,
  );
}

/** NONCE = base_nonce XOR I2OSP(sequence, 12). False at the message limit. RFC 9180 5.2 */
function takeNonce(context: usize): bool {
  const sequence = load<u64>(context, HPKE_SEQUENCE);
  if (sequence == HPKE_MESSAGE_LIMIT) return false;
  put(NONCE, context + HPKE_BASE_NONCE, AEAD_NONCE_BYTES);
  const low = NONCE + AEAD_NONCE_BYTES - 8;
  store<u64>(low, load<u64>(low) ^ bswap<u64>(sequence));
  return true;
}

/** IncrementSeq. RFC 9180 5.2 */
function countMessage(context: usize): void {
  store<u64>(context, load<u64>(context, HPKE_SEQUENCE) + 1, HPKE_SEQUENCE);
}

/** RFC 9180 4 */
function labeledExtractInto(
  out: usize,
  suite: bool,
  salt: usize,
  saltLength: usize,
  label: string,
  ikm: usize,
  ikmLength: usize,
): void {
  const headLength = putLabel(LABELED, suite, label) - LABELED;
  hkdfExtractPartsInto(out, salt, saltLength, LABELED, headLength, ikm, ikmLength);
}

/** RFC 9180 4 */
function labeledExpandInto(
  out: usize,
  outLength: usize,
  suite: bool,
  prk: usize,
  label: string,
  info: usize,
  infoLength: usize,
): bool {
  storeU16(LABELED, <u32>outLength);
  const headLength = putLabel(LABELED + 2, suite, label) - LABELED;
  return hkdfExpandPartsInto(out, outLength, prk, LABELED, headLength, info, infoLength);
}

/** Writes "HPKE-v1" | suite_id | label and returns the address behind it. RFC 9180 4, 4.1, 5.1 */
function putLabel(to: usize, suite: bool, label: string): usize {
  let at = putAscii(to, 'HPKE-v1');
  at = putAscii(at, suite == SUITE_HPKE ? 'HPKE' : 'KEM');
  storeU16(at, HPKE_KEM);
  at += 2;
  if (suite == SUITE_HPKE) {
    storeU16(at, HPKE_KDF);
    storeU16(at + 2, HPKE_AEAD);
    at += 4;
  }
  return putAscii(at, label);
}
