/**
 * Opening parcels, for regulators and enterprises. A reader has accepted an epoch (its signature, its times) before its key is
 * taken out of its wrap; then parcels of it are opened in blocks, in place. Keys of epochs travel with the host, sealed
 * (contexts.ts).
 */
import {
  IN_BYTES,
  MAX_OPEN_PARCELS,
  OPEN_TABLE_BYTES,
  OUT_BYTES,
  PARCEL_MALFORMED,
  PARCEL_NO_EPOCH,
  PARCEL_OPENED,
  PARCEL_OTHER_EPOCH,
  PARCEL_PADDING,
  PARCEL_SEALED,
  RECORD_MALFORMED,
  RECORD_OTHER_ID,
  STATUS_DECRYPT_FAILED,
  STATUS_OK,
  STATUS_OTHER_KEY,
} from './abi';
import { AEAD_TAG_BYTES } from './aead';
import {
  equalConstantTime,
  loadU16,
  loadU32,
  loadU64,
  put,
  putAscii,
  storeU16,
  storeU32,
  wipe,
} from './bytes';
import { CONTEXT_EPOCH, CONTEXT_OVERHEAD, openContextInto, sealContextInto } from './contexts';
import { COMMIT_BYTES, PARAMS_BYTES, putWrapInfo, VIEW_FULL, VIEW_MASKED } from './epochs';
import { hkdfExpandInto } from './hkdf';
import { HPKE_CONTEXT_BYTES, HPKE_ENC_BYTES, hpkeOpenInto, hpkeReceiverInto } from './hpke';
import { IN, OUT } from './io';
import { openJobGood, openMany, queueOpen, resetOpenJobs } from './open-jobs';
import {
  bucketSize,
  FULL_AAD_BYTES,
  LARGEST_BUCKET,
  LENGTH_BYTES,
  MASKED_AAD_BYTES,
} from './parcels';
import { sha256Into } from './sha256';
import { wipeCall } from './wipe';
import { X25519_BYTES } from './x25519';

const KEY_BYTES: usize = 32;
const SEALED_KEY_BYTES: usize = KEY_BYTES + AEAD_TAG_BYTES;

/** Epoch context: parcel key (32) | P (96) */
const EPOCH_BYTES: usize = KEY_BYTES + PARAMS_BYTES;
export const SEALED_EPOCH_BYTES: usize = EPOCH_BYTES + CONTEXT_OVERHEAD;
const EPOCH: usize = memory.data(EPOCH_BYTES, 16);
const PARAMS: usize = EPOCH + KEY_BYTES;

// Where columns stand in P (wire/epoch.ts) ...
const VIEW: usize = PARAMS + 6;
const ID: usize = PARAMS + 8;
const AUDIENCE: usize = PARAMS + 24;
const CITY: usize = PARAMS + 40;
const START: usize = PARAMS + 44;
const END: usize = PARAMS + 52;

// ... and in a parcel (wire/parcel.ts).
const P_AEAD: usize = 4;
const P_SCHEMA: usize = 6;
const P_VIEW: usize = 8;
const P_BUCKET: usize = 9;
const P_EPOCH: usize = 10;
const P_POSITION: usize = 26;
const P_ENTERPRISE: usize = 34;
const P_ID: usize = 50;
const P_ACCEPTED: usize = 66;
const P_CITY: usize = 74;

/** "SPP1" as the machine loads it. */
const MAGIC: u32 = 0x31505053;

/** Table entry in OUT: where the CBOR begins (4) | its length (2) | status (2) */
const ENTRY_BYTES: usize = 8;
const LENGTH: usize = 4;
const STATUS: usize = 6;

const RECEIVER: usize = memory.data(HPKE_CONTEXT_BYTES, 16);
const CEK: usize = memory.data(32, 16);
const DERIVED: usize = memory.data(32, 16);
const KEYID: usize = memory.data(32, 16);
const TEXT: usize = memory.data(160, 16);

/**
 * Takes the key of an epoch out of its wrap. IN: private key (32) | public key (32) | enc (32) | sealed content key (48) |
 * P (96) | commitment (32). OUT: epoch context. STATUS_DECRYPT_FAILED when the wrap does not open, STATUS_OTHER_KEY when it holds
 * another key than the epoch commits to.
 */
export function openEpoch(): u32 {
  const status = unwrap();
  wipe(EPOCH, EPOCH_BYTES);
  wipe(RECEIVER, HPKE_CONTEXT_BYTES);
  wipe(CEK, 32);
  wipe(DERIVED, 32);
  wipeCall(IN, IN_BYTES);
  return status;
}

function unwrap(): u32 {
  const publicKey = IN + X25519_BYTES;
  const enc = publicKey + X25519_BYTES;
  const sealed = enc + HPKE_ENC_BYTES;
  const params = sealed + SEALED_KEY_BYTES;
  const commit = params + PARAMS_BYTES;
  sha256Into(KEYID, publicKey, X25519_BYTES);
  const infoLength = putWrapInfo(TEXT, KEYID) - TEXT;
  if (!hpkeReceiverInto(RECEIVER, enc, IN, publicKey, TEXT, infoLength)) {
    return STATUS_DECRYPT_FAILED;
  }
  // P and the commitment stand one behind the other, as they are bound.
  const aadLength = PARAMS_BYTES + COMMIT_BYTES;
  if (!hpkeOpenInto(RECEIVER, CEK, params, aadLength, sealed, SEALED_KEY_BYTES)) {
    return STATUS_DECRYPT_FAILED;
  }
  derive(DERIVED, putAscii(TEXT, 'sealpost epoch commit v1'), params);
  if (!equalConstantTime(DERIVED, commit, COMMIT_BYTES)) return STATUS_OTHER_KEY;
  derive(EPOCH, putAscii(TEXT, 'sealpost parcel key v1'), params);
  put(PARAMS, params, PARAMS_BYTES);
  sealContextInto(OUT, CONTEXT_EPOCH, EPOCH, EPOCH_BYTES);
  return STATUS_OK;
}

/** HKDF-Expand(content key, label | P, 32): RFC 5869 2.3. The label ends at `end`. */
function derive(out: usize, end: usize, params: usize): void {
  hkdfExpandInto(out, 32, CEK, TEXT, put(end, params, PARAMS_BYTES) - TEXT);
}

/**
 * Opens `count` parcels in place. IN: epoch context; OUT: room for the table (2,048) | length (2) and parcel, one behind the other.
 * After it OUT holds the table and the CBOR of what opened; what did not is zeros. It is the host's to wipe.
 * False, and OUT wiped, when the context is not one of this instance or the list does not fit.
 * @param slack milliseconds by which a parcel's time may lie outside its epoch
 */
export function openParcels(count: u32, slack: u64): bool {
  const done =
    openContextInto(EPOCH, CONTEXT_EPOCH, IN, SEALED_EPOCH_BYTES) != 0 && fitsList(count);
  if (done) openList(count, slack);
  else wipe(OUT, OUT_BYTES);
  wipe(EPOCH, EPOCH_BYTES);
  wipeCall(IN, SEALED_EPOCH_BYTES);
  return done;
}

function fitsList(count: u32): bool {
  if (count > MAX_OPEN_PARCELS) return false;
  const end = OUT + OUT_BYTES;
  let at = OUT + OPEN_TABLE_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    if (at + LENGTH_BYTES > end) return false;
    at += LENGTH_BYTES + <usize>loadU16(at);
    if (at > end) return false;
  }
  return true;
}

function openList(count: u32, slack: u64): void {
  resetOpenJobs();
  let at: usize = OUT + OPEN_TABLE_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const length: usize = loadU16(at);
    const parcel = at + LENGTH_BYTES;
    const status = checkParcel(parcel, length, slack);
    storeU16(entryOf(i) + STATUS, status);
    if (status == PARCEL_OPENED) {
      const aadLength = aadBytes(parcel);
      queueOpen(EPOCH, parcel, aadLength, parcel + aadLength, length - aadLength);
    }
    at = parcel + length;
  }
  openMany();

  let job: u32 = 0;
  at = OUT + OPEN_TABLE_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const length: usize = loadU16(at);
    const parcel = at + LENGTH_BYTES;
    const entry = entryOf(i);
    let status = loadU16(entry + STATUS);
    if (status == PARCEL_OPENED) {
      const text = parcel + aadBytes(parcel);
      status = openJobGood(job++) ? checkText(text, parcel) : PARCEL_SEALED;
      storeU32(entry, <u32>(text + LENGTH_BYTES - OUT));
      storeU16(entry + LENGTH, loadU16(text));
      storeU16(entry + STATUS, status);
    }
    if (status != PARCEL_OPENED) {
      storeU32(entry, 0);
      storeU16(entry + LENGTH, 0);
      wipe(parcel, length);
    }
    at = parcel + length;
  }
  resetOpenJobs();
}

/** What is readable of a parcel: is it one, and of this epoch? */
function checkParcel(parcel: usize, length: usize, slack: u64): u32 {
  if (length < MASKED_AAD_BYTES || load<u32>(parcel) != MAGIC) return PARCEL_MALFORMED;
  if (loadU16(parcel + P_AEAD) != 3 || loadU16(parcel + P_SCHEMA) != 1) return PARCEL_MALFORMED;
  const view: u32 = load<u8>(parcel + P_VIEW);
  const bucket: u32 = load<u8>(parcel + P_BUCKET);
  if (view != VIEW_FULL && view != VIEW_MASKED) return PARCEL_MALFORMED;
  if (bucket > LARGEST_BUCKET) return PARCEL_MALFORMED;
  if (length != aadBytes(parcel) + bucketSize(bucket) + AEAD_TAG_BYTES) return PARCEL_MALFORMED;
  // Numbers that JavaScript could not hold exactly.
  if ((loadU64(parcel + P_POSITION) | loadU64(parcel + P_ACCEPTED)) >> 53 != 0) {
    return PARCEL_MALFORMED;
  }

  if (!equal16(parcel + P_EPOCH, ID)) return PARCEL_NO_EPOCH;
  const accepted = loadU64(parcel + P_ACCEPTED);
  const belongs =
    view == load<u8>(VIEW) &&
    loadU32(parcel + P_CITY) == loadU32(CITY) &&
    (view == VIEW_FULL || equal16(parcel + P_ENTERPRISE, AUDIENCE)) &&
    loadU64(START) <= accepted + slack &&
    accepted <= loadU64(END) + slack;
  return belongs ? PARCEL_OPENED : PARCEL_OTHER_EPOCH;
}

/** What was sealed: length (2) | record | zeros; and the record is the one of this id, its first entry (docs/record.cddl). */
function checkText(text: usize, parcel: usize): u32 {
  const size = bucketSize(load<u8>(parcel + P_BUCKET));
  const length: usize = loadU16(text);
  if (length + LENGTH_BYTES > size) return PARCEL_PADDING;
  const record = text + LENGTH_BYTES;
  if (!isZero(record + length, text + size)) return PARCEL_PADDING;
  // A map of some entries, key 1, a string of 16 octets.
  const first: u32 = load<u8>(record);
  if (length < 19 || first <= 0xa0 || first > 0xb7) return RECORD_MALFORMED;
  if (load<u16>(record + 1) != 0x5001) return RECORD_MALFORMED;
  return equal16(record + 3, parcel + P_ID) ? PARCEL_OPENED : RECORD_OTHER_ID;
}

function entryOf(index: u32): usize {
  return OUT + index * ENTRY_BYTES;
}

function aadBytes(parcel: usize): usize {
  return load<u8>(parcel + P_VIEW) == VIEW_FULL ? FULL_AAD_BYTES : MASKED_AAD_BYTES;
}

/** Ids stand in the open in every row: no need to be silent about where they differ. */
function equal16(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a + 8) == load<u64>(b + 8);
}

function isZero(from: usize, end: usize): bool {
  let bits: u64 = 0;
  let at = from;
  for (; at + 8 <= end; at += 8) bits |= load<u64>(at);
  for (; at < end; at++) bits |= load<u8>(at);
  return bits == 0;
}
