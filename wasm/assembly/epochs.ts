/**
 * Epochs: a content key for one view and one audience, made here, wrapped to the recipients here, never seen outside.
 * The host gets what the edge signs: parameters, commitment, wraps (wire/epoch.ts).
 *
 * Only the parcel key and the position are kept; the content key is wiped as soon as it is wrapped. Positions are burned,
 * never given back: no nonce comes twice under one key.
 */
import { MAX_EPOCH_RECORDS, MAX_EPOCHS, MAX_RECIPIENTS } from './abi';
import { equalConstantTime, loadU64, put, putAscii, storeU16, storeU32, wipe } from './bytes';
import { MAX_CHUNK_RECORDS } from './codes.gen';
import { hkdfExpandInto, hkdfExtractInto } from './hkdf';
import { HPKE_CONTEXT_BYTES, hpkeSealInto, hpkeSenderInto } from './hpke';
import { IN, OUT } from './io';
import { city } from './keys';
import { takeRandom } from './random';
import { sha256Into } from './sha256';
import { wipeCall } from './wipe';

export const VIEW_FULL: u32 = 1;
export const VIEW_MASKED: u32 = 2;

/** The audience of the national full view. */
export const NATIONAL: usize = memory.data(16, 16);

/** Slot: used (4) | view (4) | audience (16) | id (16) | start (8) | end (8) | position (8) | last use (8) | parcel key (32) */
const EPOCH_SIZE: usize = 104;
const EPOCHS: usize = memory.data(26624, 16);
const CLOCK: usize = memory.data(8, 8);

/** The request: view (1) | audience (16) | start (8) | end (8) | list version (4) | list hash (32) | recipients (32 each) */
const REQUEST_HEAD: usize = 69;

export const PARAMS_BYTES: usize = 96;
export const COMMIT_BYTES: usize = 32;
const WRAP_BYTES: usize = 114;

const CEK: usize = memory.data(32, 16);
const PRK: usize = memory.data(32, 16);
const EPHEMERAL: usize = memory.data(32, 16);
const KEYIDS: usize = memory.data(1024, 16);
const TEXT: usize = memory.data(256, 16);
const SENDER: usize = memory.data(HPKE_CONTEXT_BYTES, 16);

/**
 * Starts an epoch for `count` recipients and ends the one of the same view and audience. IN: the request; RANDOM: drawn.
 * OUT: P (96) | commit (32) | wraps (114 each, ascending by recipient). Returns the length; 0 for a wrong count.
 */
export function startEpoch(count: u32): u32 {
  if (count == 0 || count > MAX_RECIPIENTS) return 0;
  expandRandom();
  const id = TEXT + 224;
  randomInto(id, 16, 'epoch id', 0);
  randomInto(CEK, 32, 'content key', 0);

  const commit = putParams(OUT, id);
  putDerived(commit, CEK, 'sealpost epoch commit v1');
  let at = commit + COMMIT_BYTES;
  for (let i: u32 = 0; i < count; i++) sha256Into(KEYIDS + i * 32, IN + REQUEST_HEAD + i * 32, 32);
  for (let i: u32 = 0; i < count; i++) at = putWrap(at, nextRecipient(count), i);

  const slot = slotFor(load<u8>(IN), IN + 1);
  store<u32>(slot, 1);
  store<u32>(slot + 4, load<u8>(IN));
  put(slot + 8, IN + 1, 16);
  put(slot + 24, id, 16);
  store<u64>(slot + 40, loadU64(IN + 17));
  store<u64>(slot + 48, loadU64(IN + 25));
  store<u64>(slot + 56, 0);
  touch(slot);
  putDerived(slot + 72, CEK, 'sealpost parcel key v1');

  wipe(CEK, 32);
  wipe(PRK, 32);
  wipe(EPHEMERAL, 32);
  wipe(SENDER, HPKE_CONTEXT_BYTES);
  wipeCall(IN, REQUEST_HEAD + count * 32);
  return <u32>(at - OUT);
}

/** The slot of a live epoch with room for `records` more; 0 when one must be started. `audience`: address of 16 octets. */
export function findEpoch(view: u32, audience: usize, now: u64, records: u32): usize {
  const slot = findSlot(view, audience);
  if (slot == 0) return 0;
  if (now < load<u64>(slot + 40) || now >= load<u64>(slot + 48)) return 0;
  if (load<u64>(slot + 56) + records > MAX_EPOCH_RECORDS) return 0;
  // The last use decides who makes room: what is about to be used must not.
  touch(slot);
  return slot;
}

/** For the host: is there a live epoch with room for a chunk? IN: audience (16). */
export function hasEpoch(view: u32, now: u64): bool {
  return findEpoch(view, IN, now, MAX_CHUNK_RECORDS) != 0;
}

/** Ends all epochs: the recipient list has changed. */
export function endEpochs(): void {
  wipe(EPOCHS, EPOCH_SIZE * MAX_EPOCHS);
}

export function epochId(slot: usize): usize {
  return slot + 24;
}

export function epochKey(slot: usize): usize {
  return slot + 72;
}

/** Burns the next position. */
export function nextPosition(slot: usize): u64 {
  const position = load<u64>(slot + 56);
  store<u64>(slot + 56, position + 1);
  return position;
}

/** Marks a slot as used now, for the choice of the one that makes room. */
function touch(slot: usize): void {
  const time = load<u64>(CLOCK) + 1;
  store<u64>(CLOCK, time);
  store<u64>(slot + 64, time);
}

/** Writes P and returns the address behind it. */
function putParams(to: usize, id: usize): usize {
  let at = putAscii(to, 'SPE1');
  storeU16(at, 3); // AEAD: ChaCha20-Poly1305 (RFC 9180 7.3)
  store<u8>(at + 2, load<u8>(IN));
  store<u8>(at + 3, 0);
  at = put(at + 4, id, 16);
  at = put(at, IN + 1, 16);
  storeU32(at, city());
  // start, end, list version and list hash stand in the request as they stand in P
  return put(at + 4, IN + 17, 52);
}

/** HKDF-Expand(content key, label | P, 32): RFC 5869 2.3; the key is uniform, so there is no Extract. */
function putDerived(out: usize, key: usize, label: string): void {
  const end = put(putAscii(TEXT, label), OUT, PARAMS_BYTES);
  hkdfExpandInto(out, 32, key, TEXT, end - TEXT);
}

/** One wrap: keyid (32) | length (2) | enc (32) | sealed content key (48). HPKE base mode, RFC 9180 5.1.1. */
function putWrap(to: usize, recipient: u32, ordinal: u32): usize {
  const keyid = KEYIDS + recipient * 32;
  const publicKey = IN + REQUEST_HEAD + recipient * 32;
  let at = put(to, keyid, 32);
  storeU16(at, 80);
  randomInto(EPHEMERAL, 32, 'ephemeral', ordinal);
  const infoLength = putWrapInfo(TEXT, keyid) - TEXT;
  // A recipient of low order gives an all-zero secret; the list is signed, so this is a fault, not an input.
  if (!hpkeSenderInto(SENDER, at + 2, EPHEMERAL, publicKey, TEXT, infoLength)) unreachable();
  hpkeSealInto(SENDER, at + 34, OUT, PARAMS_BYTES + COMMIT_BYTES, CEK, 32);
  // Taken: sorts behind all others from now on.
  memory.fill(keyid, 0xff, 32);
  return to + WRAP_BYTES;
}

/** The HPKE info of a wrap, bound to its recipient (32); returns the address behind it. */
export function putWrapInfo(to: usize, keyid: usize): usize {
  const info = putAscii(to, 'sealpost epoch wrap v1');
  store<u8>(info, 0);
  storeU16(info + 1, 0x0020);
  storeU16(info + 3, 0x0001);
  storeU16(info + 5, 0x0003);
  return put(info + 7, keyid, 32);
}

/** The recipient with the lowest key id among those not yet taken. */
function nextRecipient(count: u32): u32 {
  let lowest: u32 = 0;
  for (let i: u32 = 1; i < count; i++) {
    if (memory.compare(KEYIDS + i * 32, KEYIDS + lowest * 32, 32) < 0) lowest = i;
  }
  return lowest;
}

/** Makes PRK of the draw, for as many random values as are needed. */
function expandRandom(): void {
  const seed = takeRandom();
  hkdfExtractInto(PRK, 0, 0, seed, 64);
}

function randomInto(out: usize, length: usize, label: string, ordinal: u32): void {
  const end = putAscii(TEXT, label);
  storeU32(end, ordinal);
  hkdfExpandInto(out, length, PRK, TEXT, end + 4 - TEXT);
}

function findSlot(view: u32, audience: usize): usize {
  for (let i: u32 = 0; i < MAX_EPOCHS; i++) {
    const slot = EPOCHS + i * EPOCH_SIZE;
    if (load<u32>(slot) == 0 || load<u32>(slot + 4) != view) continue;
    if (equalConstantTime(slot + 8, audience, 16)) return slot;
  }
  return 0;
}

/** The slot of that view and audience, a free one, or the least recently used. */
function slotFor(view: u32, audience: usize): usize {
  const same = findSlot(view, audience);
  if (same != 0) return same;
  let oldest = EPOCHS;
  for (let i: u32 = 0; i < MAX_EPOCHS; i++) {
    const slot = EPOCHS + i * EPOCH_SIZE;
    if (load<u32>(slot) == 0) return slot;
    if (load<u64>(slot + 64) < load<u64>(oldest + 64)) oldest = slot;
  }
  return oldest;
}
