/**
 * A decoded record (decode.ts): where each field of one CBOR item lies, as docs/record.cddl has it. Fields point into the
 * plaintext until `validateRecord` points them to their normal forms. `r` is the address of RECORD_SIZE octets throughout.
 */
import { FIELD_WAYBILL, TRIAL_REFUSALS } from './codes.gen';

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
export const R_GUARDIAN: usize = 176;
export const R_RECIPIENT: usize = 240;

// In trial: the first fault that the city lets pass, code (4) and field (4); and whether it does so.
const TRIAL_CODE: usize = 304;
const TRIAL_FIELD: usize = 308;
export const R_TRIAL: usize = 312; // u32

/** Octets of a decoded record. */
export const RECORD_SIZE: usize = 320;

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
export const P_ADDRESS_POINTS: usize = 60; // u32: code points of a plain address (`plainPoints`), else 0

/** Address and length of the exact CBOR item in the plaintext. */
export function cborPtr(r: usize): usize {
  return load<usize>(r, CBOR);
}
export function cborLen(r: usize): usize {
  return load<usize>(r, CBOR + 4);
}

/** Zeroes a record, before it is decoded and after. */
export function clearRecord(r: usize): void {
  for (let i: usize = 0; i < RECORD_SIZE; i += 16) v128.store(r + i, i64x2.splat(0));
}

/** Sets what the record is made of: the item. */
export function setCbor(r: usize, ptr: usize, length: usize): void {
  pointTo(r + CBOR, ptr, length);
}

/** Sets the address of the id, and with it the time. */
export function setId(r: usize, id: usize): void {
  store<usize>(r, id, ID);
  store<u64>(r, bswap<u64>(load<u64>(id)) >> 16, ID_TIME);
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
  if (code != 0 && load<u32>(r, REFUSAL) == 0) setRefusal(r, code, where);
}

function setRefusal(r: usize, code: u32, where: u32): void {
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
