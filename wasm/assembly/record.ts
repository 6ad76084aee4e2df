/**
 * A decoded record: where each field of one CBOR item lies, as docs/record.cddl has it. Fields point into the plaintext until
 * `validateRecord` points them to their normal forms. `r` is the address of RECORD_SIZE octets throughout.
 */
import {
  argumentAt,
  BAD_TEXT,
  CBOR_FALSE,
  CBOR_TRUE,
  headLength,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TEXT,
  MAJOR_UINT,
  majorAt,
  scanFindings,
  scanItem,
} from './cbor';
import {
  FIELD_AGREEMENT,
  FIELD_GUARDIAN,
  FIELD_ID,
  FIELD_PHOTOS,
  FIELD_RECIPIENT,
  FIELD_REPLACES,
  FIELD_SENDER,
  FIELD_TOKEN,
  FIELD_WAYBILL,
  MAX_RECORD_BYTES,
  REFUSAL_BAD_LENGTH,
  REFUSAL_BAD_PHOTO,
  REFUSAL_MALFORMED,
  REFUSAL_MISSING_FIELD,
  REFUSAL_NOT_CANONICAL,
  REFUSAL_NOT_STRING,
  REFUSAL_RECORD_TOO_LARGE,
  REFUSAL_SENDER_AMBIGUOUS,
  REFUSAL_SENDER_REQUIRED,
  REFUSAL_UNKNOWN_FIELD,
  REFUSAL_WRONG_TYPE,
  TRIAL_REFUSALS,
} from './codes.gen';

// A text or byte string is its address and, 4 octets further on, its length.
const CBOR: usize = 0;
const ID: usize = 8; // address only
const REFUSAL: usize = 12;
const FIELD: usize = 16;
const WARNINGS: usize = 20;
const ID_TIME: usize = 24; // u64
export const R_TAKEN_AT: usize = 32; // u64
export const R_GOODS: usize = 40; // u32, all ones when larger
export const R_SEEN: usize = 44; // u32: bit n for key n
export const R_CARRIER: usize = 48;
export const R_WAYBILL: usize = 56;
export const R_OUTLET: usize = 64;
export const R_REPLACES: usize = 72; // address only
// Canonical values for the keyed indexes; zeros until the record is valid.
export const R_DOCUMENT_VALUE: usize = 80;
export const R_WAYBILL_VALUE: usize = 88;
export const R_SENDER_PHONE_VALUE: usize = 96;
export const R_RECIPIENT_PHONE_VALUE: usize = 104;
// Parties: sender or agreement, guardian, recipient.
export const R_SENDER: usize = 112;
export const R_GUARDIAN: usize = 172;
export const R_RECIPIENT: usize = 232;

// In trial: the first fault that the city lets pass, code (4) and field (4); and whether it does so.
const TRIAL_CODE: usize = 292;
const TRIAL_FIELD: usize = 296;
export const R_TRIAL: usize = 300; // u32

/** Octets of a decoded record. */
export const RECORD_SIZE: usize = 304;

// Fields of a party, from its address on. An agreement has its number in P_AGREEMENT and its USCC in P_NUMBER.
export const P_DOC_TYPE: usize = 0; // u32, all ones when larger
export const P_NUMBER: usize = 4;
export const P_NATIONALITY: usize = 12;
export const P_NAME: usize = 20;
export const P_PHONE: usize = 28;
export const P_ADDRESS: usize = 36;
export const P_DIVISION: usize = 44; // u32, all ones when larger
export const P_SETTLED_ABROAD: usize = 48; // u32
export const P_AGREEMENT: usize = 52;

/** Address and length of the exact CBOR item in the plaintext. */
export function cborPtr(r: usize): usize {
  return load<usize>(r, CBOR);
}
export function cborLen(r: usize): usize {
  return load<usize>(r, CBOR + 4);
}

/** Address of the 16 octets of the id; 0 when there is none to be found. */
export function idPtr(r: usize): usize {
  return load<usize>(r, ID);
}

/** Milliseconds since 1970 in the id, as far as it is a UUIDv7 (RFC 9562 section 5.7). */
export function idTime(r: usize): u64 {
  return load<u64>(r, ID_TIME);
}

/** Why the record is refused (codes.gen.ts); 0 when it is not. */
export function refusal(r: usize): u32 {
  return load<u32>(r, REFUSAL);
}

/** Where: the parent's key in the high four bits, the field's own in the low four. */
export function field(r: usize): u32 {
  return load<u32>(r, FIELD);
}

export function warnings(r: usize): u32 {
  return load<u32>(r, WARNINGS);
}

/** Why the record would be refused, were the city not in trial, and where; 0 when it would not. */
export function trialCode(r: usize): u32 {
  return load<u32>(r, TRIAL_CODE);
}
export function trialField(r: usize): u32 {
  return load<u32>(r, TRIAL_FIELD);
}

/** class(1), nationality(3 or zeros), canonical number; nothing when a city in trial took a number that is none. */
export function documentPtr(r: usize): usize {
  return load<usize>(r, R_DOCUMENT_VALUE);
}
export function documentLen(r: usize): usize {
  return load<usize>(r, R_DOCUMENT_VALUE + 4);
}

/** Carrier, 00, number. */
export function waybillPtr(r: usize): usize {
  return load<usize>(r, R_WAYBILL_VALUE);
}
export function waybillLen(r: usize): usize {
  return load<usize>(r, R_WAYBILL_VALUE + 4);
}

/** Canonical digits of the phones. */
export function senderPhonePtr(r: usize): usize {
  return load<usize>(r, R_SENDER_PHONE_VALUE);
}
export function senderPhoneLen(r: usize): usize {
  return load<usize>(r, R_SENDER_PHONE_VALUE + 4);
}
export function recipientPhonePtr(r: usize): usize {
  return load<usize>(r, R_RECIPIENT_PHONE_VALUE);
}
export function recipientPhoneLen(r: usize): usize {
  return load<usize>(r, R_RECIPIENT_PHONE_VALUE + 4);
}

/** Sets the refusal unless there is one: the first that is found stands. In trial, what is over a person only marks the record. */
export function refuse(r: usize, code: u32, where: u32): void {
  if (code == 0 || load<u32>(r, REFUSAL) != 0) return;
  if (passesInTrial(r, code, where)) {
    if (load<u32>(r, TRIAL_CODE) != 0) return;
    store<u32>(r, code, TRIAL_CODE);
    store<u32>(r, where, TRIAL_FIELD);
    return;
  }
  store<u32>(r, code, REFUSAL);
  store<u32>(r, where, FIELD);
}

/** A waybill has check digits too, but no waybill is a person. */
function passesInTrial(r: usize, code: u32, where: u32): bool {
  if (load<u32>(r, R_TRIAL) == 0 || where == FIELD_WAYBILL) return false;
  return ((TRIAL_REFUSALS >> code) & 1) != 0;
}

/** Sets the refusal whatever was found before: the record stands where none may be. */
export function overrule(r: usize, code: u32): void {
  store<u32>(r, code, REFUSAL);
  store<u32>(r, 0, FIELD);
}

export function warn(r: usize, mask: u32): void {
  store<u32>(r, load<u32>(r, WARNINGS) | mask, WARNINGS);
}

/** True when the record has the top-level key. */
export function hasKey(r: usize, key: u32): bool {
  return ((load<u32>(r, R_SEEN) >> key) & 1) != 0;
}

/** Points a field to other text. */
export function pointTo(at: usize, text: usize, length: usize): void {
  store<usize>(at, text);
  store<usize>(at, length, 4);
}

/**
 * Decodes the item of a CBOR sequence (RFC 8742) that begins at `ptr` into `r`. Returns the address behind it, with a refusal
 * when it is no record; 0 with MALFORMED when it is not well-formed, so that what follows cannot be found either.
 */
export function decodeRecord(r: usize, ptr: usize, end: usize): usize {
  memory.fill(r, 0, RECORD_SIZE);
  const next = scanItem(ptr, end);
  if (next == 0) {
    refuse(r, REFUSAL_MALFORMED, 0);
    return 0;
  }
  pointTo(r + CBOR, ptr, next - ptr);
  findId(r, ptr, next);
  const findings = scanFindings();
  if ((findings & BAD_TEXT) != 0) refuse(r, REFUSAL_MALFORMED, 0);
  else if (next - ptr > <usize>MAX_RECORD_BYTES) refuse(r, REFUSAL_RECORD_TOO_LARGE, 0);
  else if (findings != 0) refuse(r, REFUSAL_NOT_CANONICAL, 0);
  else if (majorAt(ptr) != MAJOR_MAP) refuse(r, REFUSAL_WRONG_TYPE, 0);
  else decodeMap(r, ptr);
  return next;
}

/** The id stands first in every record, so that even a refused one can be named in the answer. */
function findId(r: usize, ptr: usize, end: usize): void {
  // A map of indefinite length has a head of one octet, with which nothing is said of the rest.
  const indefinite = (load<u8>(ptr) & 31) == 31;
  const key = ptr + (indefinite ? 1 : headLength(ptr));
  if (
    majorAt(ptr) != MAJOR_MAP ||
    end < key + 18 ||
    load<u8>(key) != 0x01 ||
    load<u8>(key, 1) != 0x50
  )
    return;
  store<usize>(r, key + 2, ID);
  store<u64>(r, bswap<u64>(load<u64>(key, 2)) >> 16, ID_TIME);
}

function decodeMap(r: usize, p: usize): void {
  let entries = argumentAt(p);
  p += headLength(p);
  let seen: u32 = 0;
  for (; entries != 0; entries--) {
    const key: u32 = load<u8>(p);
    if (key < 1 || key > 13) {
      refuse(r, REFUSAL_UNKNOWN_FIELD, 0);
      return;
    }
    seen |= 1 << key;
    p = decodeEntry(r, key, p + 1);
    if (refusal(r) != 0) return;
  }
  store<u32>(r, seen, R_SEEN);
  const senders = popcnt((seen >> FIELD_SENDER) & 7);
  const missing = ~seen & 0x87e;
  if (missing != 0 && ctz(missing) < FIELD_SENDER) refuse(r, REFUSAL_MISSING_FIELD, ctz(missing));
  else if (senders == 0) refuse(r, REFUSAL_SENDER_REQUIRED, FIELD_SENDER);
  else if (senders > 1) refuse(r, REFUSAL_SENDER_AMBIGUOUS, FIELD_SENDER);
  else if (missing != 0) refuse(r, REFUSAL_MISSING_FIELD, ctz(missing));
}

/** Keys of the party maps as bits, and which of them are mandatory. */
const SENDER_KEYS: u32 = 0x1fe;
const SENDER_MANDATORY: u32 = 0xf6;
const AGREEMENT_KEYS: u32 = 0xe6;
const GUARDIAN_KEYS: u32 = 0x3e;
const GUARDIAN_MANDATORY: u32 = 0x36;
const RECIPIENT_KEYS: u32 = 0xf0;

/** Decodes the value at `p`; returns the address behind it, or 0 with a refusal. So do all functions below. */
function decodeEntry(r: usize, key: u32, p: usize): usize {
  switch (key) {
    case 1:
      store<usize>(r, 0, ID);
      p = takeBytes(r, p, 16, 16, FIELD_ID);
      if (p != 0) store<usize>(r, p - 16, ID);
      return p;
    case 2:
      return takeText(r, r + R_CARRIER, p, key);
    case 3:
      return takeText(r, r + R_WAYBILL, p, key);
    case 4:
      if (!expectMajor(r, p, MAJOR_UINT, key)) return 0;
      store<u64>(r, argumentAt(p), R_TAKEN_AT);
      return p + headLength(p);
    case 5:
      return takeText(r, r + R_OUTLET, p, key);
    case 6:
      return takeWord(r, r + R_GOODS, p, key);
    case 7:
      return decodeParty(r, r + R_SENDER, p, FIELD_SENDER, SENDER_KEYS, SENDER_MANDATORY);
    case 8:
      return decodeParty(r, r + R_SENDER, p, FIELD_AGREEMENT, AGREEMENT_KEYS, AGREEMENT_KEYS);
    case 9:
      return takeBytes(r, p, 1, 1024, FIELD_TOKEN);
    case 10:
      return decodeParty(r, r + R_GUARDIAN, p, FIELD_GUARDIAN, GUARDIAN_KEYS, GUARDIAN_MANDATORY);
    case 11:
      return decodeParty(r, r + R_RECIPIENT, p, FIELD_RECIPIENT, RECIPIENT_KEYS, RECIPIENT_KEYS);
    case 12:
      return passPhotos(r, p);
    default:
      p = takeBytes(r, p, 16, 16, FIELD_REPLACES);
      if (p != 0) store<usize>(r, p - 16, R_REPLACES);
      return p;
  }
}

function decodeParty(
  r: usize,
  party: usize,
  p: usize,
  parent: u32,
  keys: u32,
  mandatory: u32,
): usize {
  if (!expectMajor(r, p, MAJOR_MAP, parent)) return 0;
  let entries = argumentAt(p);
  p += headLength(p);
  let seen: u32 = 0;
  for (; entries != 0; entries--) {
    const key: u32 = load<u8>(p);
    if (key > 8 || ((keys >> key) & 1) == 0) {
      refuse(r, REFUSAL_UNKNOWN_FIELD, parent);
      return 0;
    }
    seen |= 1 << key;
    p = decodePartyEntry(r, party, key, p + 1, (parent << 4) | key);
    if (p == 0) return 0;
  }
  const missing = mandatory & ~seen;
  if (missing == 0) return p;
  refuse(r, REFUSAL_MISSING_FIELD, (parent << 4) | ctz(missing));
  return 0;
}

function decodePartyEntry(r: usize, party: usize, key: u32, p: usize, where: u32): usize {
  switch (key) {
    case 1:
      if (where >> 4 == FIELD_AGREEMENT) return takeNumber(r, party + P_AGREEMENT, p, where);
      return takeWord(r, party + P_DOC_TYPE, p, where);
    case 2:
      return takeNumber(r, party + P_NUMBER, p, where);
    case 3:
      p = takeText(r, party + P_NATIONALITY, p, where);
      if (p == 0 || load<usize>(party, P_NATIONALITY + 4) == 3) return p;
      refuse(r, REFUSAL_BAD_LENGTH, where);
      return 0;
    case 4:
      return takeText(r, party + P_NAME, p, where);
    case 5:
      return takeText(r, party + P_PHONE, p, where);
    case 6:
      return takeText(r, party + P_ADDRESS, p, where);
    case 7:
      return takeWord(r, party + P_DIVISION, p, where);
    default: {
      const value: u32 = load<u8>(p);
      if (value == CBOR_TRUE || value == CBOR_FALSE) {
        store<u32>(party, value == CBOR_TRUE ? 1 : 0, P_SETTLED_ABROAD);
        return p + 1;
      }
      refuse(r, REFUSAL_WRONG_TYPE, where);
      return 0;
    }
  }
}

/** One to four SHA-256 digests. */
function passPhotos(r: usize, p: usize): usize {
  if (!expectMajor(r, p, MAJOR_ARRAY, FIELD_PHOTOS)) return 0;
  let photos = argumentAt(p);
  p += headLength(p);
  if (photos < 1 || photos > 4) {
    refuse(r, REFUSAL_BAD_PHOTO, FIELD_PHOTOS);
    return 0;
  }
  for (; photos != 0; photos--) {
    if (!expectMajor(r, p, MAJOR_BYTES, FIELD_PHOTOS)) return 0;
    if (argumentAt(p) != 32) {
      refuse(r, REFUSAL_BAD_PHOTO, FIELD_PHOTOS);
      return 0;
    }
    p += headLength(p) + 32;
  }
  return p;
}

function expectMajor(r: usize, p: usize, major: u32, where: u32): bool {
  if (majorAt(p) == major) return true;
  refuse(r, REFUSAL_WRONG_TYPE, where);
  return false;
}

/** A document number must be text: as an integer it has lost its leading zeros. */
function takeNumber(r: usize, at: usize, p: usize, where: u32): usize {
  if (majorAt(p) <= MAJOR_NEGATIVE) {
    refuse(r, REFUSAL_NOT_STRING, where);
    return 0;
  }
  return takeText(r, at, p, where);
}

function takeText(r: usize, at: usize, p: usize, where: u32): usize {
  if (!expectMajor(r, p, MAJOR_TEXT, where)) return 0;
  const length = <usize>argumentAt(p);
  p += headLength(p);
  pointTo(at, p, length);
  return p + length;
}

function takeWord(r: usize, at: usize, p: usize, where: u32): usize {
  if (!expectMajor(r, p, MAJOR_UINT, where)) return 0;
  const value = argumentAt(p);
  store<u32>(at, value > 0xffff_ffff ? 0xffff_ffff : <u32>value);
  return p + headLength(p);
}

/** Passes over a byte string of `least` to `most` octets. */
function takeBytes(r: usize, p: usize, least: u64, most: u64, where: u32): usize {
  if (!expectMajor(r, p, MAJOR_BYTES, where)) return 0;
  const length = argumentAt(p);
  if (length < least || length > most) {
    refuse(r, REFUSAL_BAD_LENGTH, where);
    return 0;
  }
  return p + headLength(p) + <usize>length;
}
