/** Named key slots: edge keys that open submissions, index keys by period. Keys go in and never come out. */
import { MAX_EDGE_KEYS, MAX_INDEX_KEYS } from './abi';
import { put, putAscii, storeU16, storeU32, wipe } from './bytes';
import { hkdfExpandInto, hkdfExtractInto, wipeHkdf } from './hkdf';
import { HMAC_KEY_BYTES, hmacKeyInto, wipeHmac } from './hmac';
import { IN, OUT } from './io';
import { wipeSha256 } from './sha256';
import { wipeX25519, x25519BaseInto } from './x25519';

/** Edge key slot: used (4) | key id (4) | not before (8) | not after (8) | private key (32) | public key (32) */
const EDGE_KEY_SIZE: usize = 88;
const EDGE_KEYS: usize = memory.data(704, 16);

/** Index key slot: used (4) | version (4) | from (8) | until (8) | five HMAC keys, in the order of the purposes below */
const INDEX_KEY_SIZE: usize = 344;
const INDEX_KEYS: usize = memory.data(6192, 16);

const CITY: usize = memory.data(4);

export const PURPOSE_DOCUMENT: u32 = 0;
export const PURPOSE_WAYBILL: u32 = 1;
export const PURPOSE_SENDER_PHONE: u32 = 2;
export const PURPOSE_RECIPIENT_PHONE: u32 = 3;
export const PURPOSE_CONTENT: u32 = 4;
const PURPOSES: u32 = 5;

const PRK: usize = memory.data(32, 16);
const DERIVED: usize = memory.data(32, 16);
const TEXT: usize = memory.data(64, 16);

/** The division code of the city that this edge serves. */
export function setCity(city: u32): void {
  store<u32>(CITY, city);
}

export function city(): u32 {
  return load<u32>(CITY);
}

/**
 * Loads an edge key, or replaces the one of the same id. IN: X25519 private key (32). OUT: public key (32).
 * Returns false when all slots are taken.
 */
export function setEdgeKey(keyId: u32, notBefore: u64, notAfter: u64): bool {
  const slot = edgeKeySlot(keyId);
  if (slot == 0) return false;
  store<u32>(slot, 1);
  store<u32>(slot + 4, keyId);
  store<u64>(slot + 8, notBefore);
  store<u64>(slot + 16, notAfter);
  put(slot + 24, IN, 32);
  x25519BaseInto(slot + 56, slot + 24);
  put(OUT, slot + 56, 32);
  wipe(IN, 32);
  wipeX25519();
  return true;
}

/** The slot of a key that is valid at `now`; 0 when there is none. */
export function findEdgeKey(keyId: u32, now: u64): usize {
  for (let i: u32 = 0; i < MAX_EDGE_KEYS; i++) {
    const slot = EDGE_KEYS + i * EDGE_KEY_SIZE;
    if (load<u32>(slot) == 0 || load<u32>(slot + 4) != keyId) continue;
    return load<u64>(slot + 8) <= now && now < load<u64>(slot + 16) ? slot : 0;
  }
  return 0;
}

export function edgePrivateKey(slot: usize): usize {
  return slot + 24;
}

export function edgePublicKey(slot: usize): usize {
  return slot + 56;
}

/**
 * Loads the index key of a version, which covers record ids of [from, until) (ms). IN: key (32).
 * Its five keys by purpose are derived here (wire/indexes.ts). Returns false when all slots are taken.
 */
export function setIndexKey(version: u32, from: u64, until: u64): bool {
  const slot = indexKeySlot(version);
  if (slot == 0) return false;
  store<u32>(slot, 1);
  store<u32>(slot + 4, version);
  store<u64>(slot + 8, from);
  store<u64>(slot + 16, until);
  const salt = TEXT;
  const saltLength = putAscii(salt, 'sealpost index v1') - salt;
  hkdfExtractInto(PRK, salt, saltLength, IN, 32);
  for (let purpose: u32 = 0; purpose < PURPOSES; purpose++) {
    const info = TEXT;
    let end = putPurpose(info, purpose);
    store<u8>(end, 0);
    storeU32(end + 1, city());
    storeU16(end + 5, version);
    hkdfExpandInto(DERIVED, 32, PRK, info, end + 7 - info);
    hmacKeyInto(slot + 24 + purpose * HMAC_KEY_BYTES, DERIVED, 32);
  }
  wipe(IN, 32);
  wipe(PRK, 32);
  wipe(DERIVED, 32);
  wipeHkdf();
  wipeHmac();
  wipeSha256();
  return true;
}

/** The slot that covers a record id's time; 0 when there is none. The same id always meets the same version. */
export function findIndexKey(idTime: u64): usize {
  for (let i: u32 = 0; i < MAX_INDEX_KEYS; i++) {
    const slot = INDEX_KEYS + i * INDEX_KEY_SIZE;
    if (load<u32>(slot) == 0) continue;
    if (load<u64>(slot + 8) <= idTime && idTime < load<u64>(slot + 16)) return slot;
  }
  return 0;
}

export function indexVersion(slot: usize): u32 {
  return load<u32>(slot + 4);
}

/** The prepared HMAC key of a purpose. */
export function indexKey(slot: usize, purpose: u32): usize {
  return slot + 24 + purpose * HMAC_KEY_BYTES;
}

function putPurpose(to: usize, purpose: u32): usize {
  if (purpose == PURPOSE_DOCUMENT) return putAscii(to, 'document');
  if (purpose == PURPOSE_WAYBILL) return putAscii(to, 'waybill');
  if (purpose == PURPOSE_SENDER_PHONE) return putAscii(to, 'sender phone');
  if (purpose == PURPOSE_RECIPIENT_PHONE) return putAscii(to, 'recipient phone');
  return putAscii(to, 'content');
}

function edgeKeySlot(keyId: u32): usize {
  let free: usize = 0;
  for (let i: u32 = 0; i < MAX_EDGE_KEYS; i++) {
    const slot = EDGE_KEYS + i * EDGE_KEY_SIZE;
    if (load<u32>(slot) == 0) free = slot;
    else if (load<u32>(slot + 4) == keyId) return slot;
  }
  return free;
}

function indexKeySlot(version: u32): usize {
  let free: usize = 0;
  for (let i: u32 = 0; i < MAX_INDEX_KEYS; i++) {
    const slot = INDEX_KEYS + i * INDEX_KEY_SIZE;
    if (load<u32>(slot) == 0) free = slot;
    else if (load<u32>(slot + 4) == version) return slot;
  }
  return free;
}
