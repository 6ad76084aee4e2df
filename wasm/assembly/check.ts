/**
 * Exports for clients and tests: a record's verdict and masked view before it is sent, and canonical values, from which the
 * holder of an index key computes keyed indexes. Parameters are in IN, results in OUT; nothing else keeps any of it.
 */
import { IN_BYTES } from './abi';
import { BLOCK } from './blocks';
import { storeU16, storeU32, wipe } from './bytes';
import { wipeCbor } from './cbor';
import {
  DOC_PASSPORT_FOREIGN,
  MAX_RECORD_BYTES,
  REFUSAL_MALFORMED,
  REFUSAL_RECORD_TOO_LARGE,
} from './codes.gen';
import { decodeRecord } from './decode';
import {
  canonicalLength,
  checkDocument,
  documentClass,
  nationalityExists,
  wipeDocument,
} from './documents';
import { IN, OUT } from './io';
import { maskRecordInto } from './mask';
import { canonicalPhoneInto, normalizePhoneInto } from './phones';
import {
  clearRecord,
  field,
  RECORD_SIZE,
  refusal,
  refuse,
  trialCode,
  trialField,
  warnings,
} from './record';
import { isCode, keepText, normalizeCodeInto, textTop, wipeText } from './text';
import { isText } from './utf8';
import { validateRecord } from './validate';
import { checkWaybill } from './waybills';

export { RULESET } from './data/ruleset.gen';

const RECORD: usize = memory.data(RECORD_SIZE, 8);

/** Octets before the masked view in OUT. */
const VERDICT_BYTES: usize = 10;

/** Longest text that the functions for canonical values take. */
const MAX_VALUE: u32 = 160;

/**
 * Judges one record of `length` octets of CBOR in IN at `now` (milliseconds since 1970). OUT: code (2), field (1), taken all the
 * same because the city is in trial (1), warnings (4), length of the masked view (2), masked view. Returns the octets of OUT.
 */
export function checkRecord(length: u32, now: u64, trial: bool): u32 {
  let masked: u32 = 0;
  clearRecord(RECORD);
  if (length > MAX_RECORD_BYTES) {
    refuse(RECORD, REFUSAL_RECORD_TOO_LARGE, 0);
  } else {
    const end = IN + <usize>length;
    const next = decodeRecord(RECORD, IN, end);
    if (next != 0 && next != end) {
      clearRecord(RECORD);
      refuse(RECORD, REFUSAL_MALFORMED, 0);
    }
    validateRecord(RECORD, now, trial);
    if (refusal(RECORD) == 0) masked = maskRecordInto(OUT + VERDICT_BYTES, RECORD);
  }
  const passed = refusal(RECORD) == 0 && trialCode(RECORD) != 0;
  storeU16(OUT, passed ? trialCode(RECORD) : refusal(RECORD));
  store<u8>(OUT + 2, <u8>(passed ? trialField(RECORD) : field(RECORD)));
  store<u8>(OUT + 3, passed ? 1 : 0);
  storeU32(OUT + 4, refusal(RECORD) == 0 ? warnings(RECORD) : 0);
  storeU16(OUT + 8, masked);
  wipeCheck(length);
  return <u32>VERDICT_BYTES + masked;
}

/**
 * Value of a document for its keyed index: IN holds the nationality (3 octets for PASSPORT_FOREIGN, else none) and the number.
 * Writes class, nationality or zeros, canonical number to OUT; returns the length, 0 when the number is not valid.
 */
export function canonicalDocument(docType: u32, nationalityLength: u32, length: u32): u32 {
  const expected: u32 = docType == DOC_PASSPORT_FOREIGN ? 3 : 0;
  let result: u32 = 0;
  if (
    nationalityLength == expected &&
    length <= MAX_VALUE &&
    isText(IN, nationalityLength + length)
  ) {
    const number = OUT + 4;
    const end = normalizeCodeInto(number, IN + nationalityLength, length);
    // A number that is looked up was once accepted: neither the date nor the passport holder's residence is asked again.
    const code = checkDocument(docType, number, end - number, u32.MAX_VALUE, true);
    if (code == 0 && (expected == 0 || nationalityExists(IN))) {
      store<u32>(OUT, documentClass(docType));
      memory.copy(OUT + 1, IN, expected);
      result = 4 + <u32>canonicalLength();
    }
    wipeBehind(result, end);
  }
  wipeCheck(nationalityLength + length);
  return result;
}

/** Value of a phone in IN for its keyed index: canonical digits in OUT. Returns the length, 0 when it is not valid. */
export function canonicalPhone(length: u32): u32 {
  let result: u32 = 0;
  if (length <= MAX_VALUE && isText(IN, length)) {
    const text = textTop();
    const end = normalizePhoneInto(text, IN, length);
    const digitsEnd = canonicalPhoneInto(OUT, text, end);
    if (digitsEnd != 0) result = <u32>(digitsEnd - OUT);
    keepText(end);
    wipeBehind(result, OUT + result);
  }
  wipeCheck(length);
  return result;
}

/** Value of a waybill, carrier and number in IN, for its keyed index: carrier, 00, number in OUT; 0 when it is not valid. */
export function canonicalWaybill(carrierLength: u32, length: u32): u32 {
  let result: u32 = 0;
  if (
    carrierLength <= MAX_VALUE &&
    length <= MAX_VALUE &&
    isText(IN, carrierLength) &&
    isText(IN + carrierLength, length)
  ) {
    const carrierEnd = normalizeCodeInto(OUT, IN, carrierLength);
    const number = carrierEnd + 1;
    store<u8>(carrierEnd, 0);
    const end = normalizeCodeInto(number, IN + carrierLength, length);
    const valid =
      isCode(OUT, carrierEnd - OUT, 2, 12, false) &&
      isCode(number, end - number, 6, 34, true) &&
      checkWaybill(OUT, carrierEnd - OUT, number, end - number) == 0;
    if (valid) result = <u32>(end - OUT);
    wipeBehind(result, end);
  }
  wipeCheck(carrierLength + length);
  return result;
}

/** Zeroes what is in OUT behind a result: up to `end`, and what whole blocks have written behind that. */
function wipeBehind(result: u32, end: usize): void {
  const behind = OUT + <usize>result;
  wipe(behind, end + BLOCK - behind);
}

/** @param length octets of IN that were used */
function wipeCheck(length: u32): void {
  wipe(IN, min(length, IN_BYTES));
  clearRecord(RECORD);
  wipeText();
  wipeCbor();
  wipeDocument();
}
