/**
 * Decodes one CBOR item into a record. One pass reads the fields and holds them to the profile at once; an item that it does
 * not get through is scanned (cbor.ts), for what is wrong with the item as a whole comes before what is wrong with a field.
 * Only a string is checked against the end of the input where it is read: all else is a few octets long, so that a look
 * at the end of the pass will do; memory behind the input is the module's own.
 */
import {
  BAD_TEXT,
  CBOR_FALSE,
  CBOR_TRUE,
  headEnd,
  headLength,
  headValue,
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
} from './codes.gen';
import {
  clearRecord,
  field,
  P_ADDRESS,
  P_ADDRESS_POINTS,
  P_AGREEMENT,
  P_DIVISION,
  P_DOC_TYPE,
  P_NAME,
  P_NATIONALITY,
  P_NUMBER,
  P_PHONE,
  P_SETTLED_ABROAD,
  pointTo,
  R_CARRIER,
  R_GOODS,
  R_GUARDIAN,
  R_OUTLET,
  R_RECIPIENT,
  R_REPLACES,
  R_SEEN,
  R_SENDER,
  R_TAKEN_AT,
  R_WAYBILL,
  refusal,
  refuse,
  setCbor,
  setId,
} from './record';
import { isText, plainPoints } from './utf8';

/**
 * Decodes the item of a CBOR sequence (RFC 8742) that begins at `ptr` into `r`. Returns the address behind it, with a refusal
 * when it is no record; 0 with MALFORMED when it is not well-formed, so that what follows cannot be found either.
 */
export function decodeRecord(r: usize, ptr: usize, end: usize): usize {
  clearRecord(r);
  const next = decodeMap(r, ptr, end);
  if (next == 0 || next > end || next - ptr > <usize>MAX_RECORD_BYTES) {
    return judgeItem(r, ptr, end);
  }
  setCbor(r, ptr, next - ptr);
  return next;
}

/** Finds out what is to be said of an item that `decodeMap` did not get through. */
function judgeItem(r: usize, ptr: usize, end: usize): usize {
  const code = refusal(r);
  const where = field(r);
  clearRecord(r);
  const next = scanItem(ptr, end);
  if (next == 0) {
    refuse(r, REFUSAL_MALFORMED, 0);
    return 0;
  }
  setCbor(r, ptr, next - ptr);
  findId(r, ptr, next);
  const findings = scanFindings();
  if ((findings & BAD_TEXT) != 0) refuse(r, REFUSAL_MALFORMED, 0);
  else if (next - ptr > <usize>MAX_RECORD_BYTES) refuse(r, REFUSAL_RECORD_TOO_LARGE, 0);
  else if (findings != 0) refuse(r, REFUSAL_NOT_CANONICAL, 0);
  // A pass that stopped without a reason has met something outside of the profile.
  else refuse(r, code != 0 ? code : REFUSAL_NOT_CANONICAL, where);
  return next;
}

/** The id stands first in every record, so that even a refused one can be named in the answer. */
function findId(r: usize, ptr: usize, end: usize): void {
  // A map of indefinite length has a head of one octet, with which nothing is said of the rest.
  const indefinite = (load<u8>(ptr) & 31) == 31;
  const key = ptr + (indefinite ? 1 : headLength(ptr));
  if (
    majorAt(ptr) == MAJOR_MAP &&
    end >= key + 18 &&
    load<u8>(key) == 0x01 &&
    load<u8>(key, 1) == 0x50
  )
    setId(r, key + 2);
}

/** Where texts go by their keys, in the record and in a party: carrier, waybill, outlet; number, nationality, name, phone, address. */
const TEXT_KEYS: u32 = 0x2c;
const TEXTS: usize = memory.data<u8>([0, 0, <u8>R_CARRIER, <u8>R_WAYBILL, 0, <u8>R_OUTLET]);
const PARTY_TEXT_KEYS: u32 = 0x7c;
const PARTY_TEXTS: usize = memory.data<u8>([
  0,
  <u8>P_AGREEMENT,
  <u8>P_NUMBER,
  <u8>P_NATIONALITY,
  <u8>P_NAME,
  <u8>P_PHONE,
  <u8>P_ADDRESS,
]);

/** Decodes all of a record; returns the address behind it, or 0 perhaps with a refusal. So do all functions below. */
function decodeMap(r: usize, p: usize, end: usize): usize {
  p = takeHead(r, p, MAJOR_MAP, 0);
  if (p == 0) return 0;
  let seen: u32 = 0;
  let last: u32 = 0;
  for (let entries = headValue(); entries != 0; entries--) {
    const key: u32 = load<u8>(p);
    // Keys ascend (RFC 8949 section 4.2.1).
    if (key <= last || key > 13) return refused(r, REFUSAL_UNKNOWN_FIELD, 0);
    last = key;
    seen |= 1 << key;
    p =
      ((TEXT_KEYS >> key) & 1) != 0
        ? takeText(r, r + load<u8>(TEXTS + key), p + 1, end, key)
        : decodeEntry(r, key, p + 1, end);
    if (p == 0) return 0;
  }
  store<u32>(r, seen, R_SEEN);
  const senders = popcnt((seen >> FIELD_SENDER) & 7);
  const missing = ~seen & 0x87e;
  if (missing == 0 && senders == 1) return p;
  if (missing != 0 && ctz(missing) < FIELD_SENDER)
    return refused(r, REFUSAL_MISSING_FIELD, ctz(missing));
  if (senders == 0) return refused(r, REFUSAL_SENDER_REQUIRED, FIELD_SENDER);
  if (senders > 1) return refused(r, REFUSAL_SENDER_AMBIGUOUS, FIELD_SENDER);
  return refused(r, REFUSAL_MISSING_FIELD, ctz(missing));
}

/** Keys of the party maps as bits, and which of them are mandatory. */
const SENDER_KEYS: u32 = 0x1fe;
const SENDER_MANDATORY: u32 = 0xf6;
const AGREEMENT_KEYS: u32 = 0xe6;
const GUARDIAN_KEYS: u32 = 0x3e;
const GUARDIAN_MANDATORY: u32 = 0x36;
const RECIPIENT_KEYS: u32 = 0xf0;

function decodeEntry(r: usize, key: u32, p: usize, end: usize): usize {
  switch (key) {
    case 1:
      p = takeBytes(r, p, end, 16, 16, FIELD_ID);
      if (p != 0) setId(r, p - 16);
      return p;
    case 4:
      p = takeHead(r, p, MAJOR_UINT, key);
      store<u64>(r, headValue(), R_TAKEN_AT);
      return p;
    case 6:
      return takeWord(r, r + R_GOODS, p, key);
    case 7:
      return decodeParty(r, r + R_SENDER, p, end, FIELD_SENDER, SENDER_KEYS, SENDER_MANDATORY);
    case 8:
      return decodeParty(r, r + R_SENDER, p, end, FIELD_AGREEMENT, AGREEMENT_KEYS, AGREEMENT_KEYS);
    case 9:
      return takeBytes(r, p, end, 1, 1024, FIELD_TOKEN);
    case 10:
      return decodeParty(
        r,
        r + R_GUARDIAN,
        p,
        end,
        FIELD_GUARDIAN,
        GUARDIAN_KEYS,
        GUARDIAN_MANDATORY,
      );
    case 11:
      return decodeParty(
        r,
        r + R_RECIPIENT,
        p,
        end,
        FIELD_RECIPIENT,
        RECIPIENT_KEYS,
        RECIPIENT_KEYS,
      );
    case 12:
      return passPhotos(r, p, end);
    default:
      p = takeBytes(r, p, end, 16, 16, FIELD_REPLACES);
      if (p != 0) store<usize>(r, p - 16, R_REPLACES);
      return p;
  }
}

function decodeParty(
  r: usize,
  party: usize,
  p: usize,
  end: usize,
  parent: u32,
  keys: u32,
  mandatory: u32,
): usize {
  p = takeHead(r, p, MAJOR_MAP, parent);
  if (p == 0) return 0;
  const texts = parent == FIELD_AGREEMENT ? PARTY_TEXT_KEYS | 2 : PARTY_TEXT_KEYS;
  let seen: u32 = 0;
  let last: u32 = 0;
  for (let entries = headValue(); entries != 0; entries--) {
    const key: u32 = load<u8>(p);
    if (key <= last || key > 8 || ((keys >> key) & 1) == 0)
      return refused(r, REFUSAL_UNKNOWN_FIELD, parent);
    last = key;
    seen |= 1 << key;
    const where = (parent << 4) | key;
    if (((texts >> key) & 1) != 0) {
      p = takeText(r, party + load<u8>(PARTY_TEXTS + key), p + 1, end, where);
      if (key == 6) store<u32>(party, plainPoints(), P_ADDRESS_POINTS);
      else if (key == 3 && p != 0 && load<usize>(party, P_NATIONALITY + 4) != 3)
        return refused(r, REFUSAL_BAD_LENGTH, where);
    } else if (key == 8) {
      p = takeBoolean(r, party + P_SETTLED_ABROAD, p + 1, where);
    } else {
      p = takeWord(r, party + (key == 1 ? P_DOC_TYPE : P_DIVISION), p + 1, where);
    }
    if (p == 0) return 0;
  }
  const missing = mandatory & ~seen;
  return missing == 0 ? p : refused(r, REFUSAL_MISSING_FIELD, (parent << 4) | ctz(missing));
}

/** One to four SHA-256 digests. */
function passPhotos(r: usize, p: usize, end: usize): usize {
  p = takeHead(r, p, MAJOR_ARRAY, FIELD_PHOTOS);
  if (p == 0) return 0;
  let photos = headValue();
  if (photos < 1 || photos > 4) return refused(r, REFUSAL_BAD_PHOTO, FIELD_PHOTOS);
  for (; photos != 0; photos--) {
    p = takeHead(r, p, MAJOR_BYTES, FIELD_PHOTOS);
    if (p == 0) return 0;
    if (headValue() != 32) return refused(r, REFUSAL_BAD_PHOTO, FIELD_PHOTOS);
    p += 32;
    if (p > end) return 0;
  }
  return p;
}

function refused(r: usize, code: u32, where: u32): usize {
  refuse(r, code, where);
  return 0;
}

/** Passes over the head of an item of one major type. */
function takeHead(r: usize, p: usize, major: u32, where: u32): usize {
  return majorAt(p) == major ? headEnd(p) : refused(r, REFUSAL_WRONG_TYPE, where);
}

function takeText(r: usize, at: usize, p: usize, end: usize, where: u32): usize {
  let text = p + 1;
  let length: usize = <usize>load<u8>(p) - 0x60;
  if (length >= 24) {
    // Not a short text
    if (majorAt(p) != MAJOR_TEXT) return refused(r, notText(p, where), where);
    text = headEnd(p);
    if (text == 0 || headValue() > MAX_RECORD_BYTES) return 0;
    length = <usize>headValue();
  }
  const behind = text + length;
  if (behind > end || !isText(text, length)) return 0;
  pointTo(at, text, length);
  return behind;
}

/** A document or agreement number must be text: as an integer it has lost its leading zeros. */
function notText(p: usize, where: u32): u32 {
  const number = (where > 15 && (where & 15) == 2) || where == ((FIELD_AGREEMENT << 4) | 1);
  return number && majorAt(p) <= MAJOR_NEGATIVE ? REFUSAL_NOT_STRING : REFUSAL_WRONG_TYPE;
}

function takeBoolean(r: usize, at: usize, p: usize, where: u32): usize {
  const value: u32 = load<u8>(p);
  if (value != CBOR_TRUE && value != CBOR_FALSE) return refused(r, REFUSAL_WRONG_TYPE, where);
  store<u32>(at, value == CBOR_TRUE ? 1 : 0);
  return p + 1;
}

function takeWord(r: usize, at: usize, p: usize, where: u32): usize {
  const small: u32 = load<u8>(p);
  if (small < 24) {
    store<u32>(at, small);
    return p + 1;
  }
  p = takeHead(r, p, MAJOR_UINT, where);
  const value = headValue();
  store<u32>(at, value > 0xffff_ffff ? 0xffff_ffff : <u32>value);
  return p;
}

/** Passes over a byte string of `least` to `most` octets. */
function takeBytes(r: usize, p: usize, end: usize, least: u64, most: u64, where: u32): usize {
  p = takeHead(r, p, MAJOR_BYTES, where);
  if (p == 0) return 0;
  const length = headValue();
  if (length < least || length > most) return refused(r, REFUSAL_BAD_LENGTH, where);
  p += <usize>length;
  return p > end ? 0 : p;
}
