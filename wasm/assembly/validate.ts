/**
 * Validation of a decoded record. Fields are checked in the order of their keys and the first that fails is the refusal;
 * docs/rules.md lists the rules. What stands is pointed to its normal form, which the masked view and the indexes read.
 */
import { checkAddress } from './addresses';
import { putBlocks } from './blocks';
import {
  DOC_ARMED_POLICE,
  DOC_MILITARY,
  DOC_PASSPORT_FOREIGN,
  DOC_RESIDENT,
  DOC_RESIDENT_TEMP,
  DOC_USCC,
  FIELD_AGREEMENT,
  FIELD_CARRIER,
  FIELD_GOODS,
  FIELD_GUARDIAN,
  FIELD_ID,
  FIELD_OUTLET,
  FIELD_RECIPIENT,
  FIELD_REPLACES,
  FIELD_SENDER,
  FIELD_TAKEN_AT,
  FIELD_TOKEN,
  FIELD_WAYBILL,
  GOODS_0,
  GOODS_1,
  MAX_ID_AGE_MS,
  MAX_ID_AHEAD_MS,
  REFUSAL_BAD_AGREEMENT,
  REFUSAL_BAD_CARRIER,
  REFUSAL_BAD_DIVISION,
  REFUSAL_BAD_FORM,
  REFUSAL_BAD_GOODS,
  REFUSAL_BAD_ID,
  REFUSAL_BAD_NATIONALITY,
  REFUSAL_BAD_OUTLET,
  REFUSAL_BAD_REPLACES,
  REFUSAL_BAD_TAKEN_AT,
  REFUSAL_BAD_WAYBILL,
  REFUSAL_DOC_NOT_ACCEPTED,
  REFUSAL_GUARDIAN_REQUIRED,
  REFUSAL_ID_FUTURE,
  REFUSAL_ID_TOO_OLD,
  REFUSAL_MISSING_FIELD,
  REFUSAL_RECORD_TOO_LARGE,
  REFUSAL_TOKEN_NOT_ACCEPTED,
  REFUSAL_UNKNOWN_DOC_TYPE,
  WARNING_DIVISION_UNLISTED,
} from './codes.gen';
import { todayInChina } from './dates';
import { COUNTY_UNLISTED, countyStatus, provinceExists } from './divisions';
import {
  canonicalLength,
  checkDocument,
  documentBirth,
  documentClass,
  documentWarnings,
  nationalityExists,
} from './documents';
import { checkName, isHanName, NAME_HAN, NAME_LATIN, NAME_OPEN, normalizeNameInto } from './names';
import {
  canonicalPhoneInto,
  isNormalPhone,
  normalizePhoneInto,
  phoneRefusal,
  phoneWarnings,
} from './phones';
import {
  hasKey,
  idPtr,
  idTime,
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
  R_DOCUMENT_VALUE,
  R_GOODS,
  R_GUARDIAN,
  R_OUTLET,
  R_RECIPIENT,
  R_RECIPIENT_PHONE_VALUE,
  R_REPLACES,
  R_SENDER,
  R_SENDER_PHONE_VALUE,
  R_TAKEN_AT,
  R_TRIAL,
  R_WAYBILL,
  R_WAYBILL_VALUE,
  refusal,
  refuse,
  warn,
} from './record';
import {
  hasTextRoom,
  isCode,
  keepText,
  normalizeCodeInto,
  textTop,
  trimEnd,
  trimStart,
} from './text';
import { checkWaybill, waybillWarnings } from './waybills';

/** 2017-01-01 UTC: no parcel was registered under this system before. */
const FIRST_TAKEN_AT: u64 = 1_483_228_800_000;

/** Octets of a number or code that can still be one; longer text is refused before it is put into normal form. */
const MAX_NUMBER: usize = 160;

/**
 * Validates a record that `decodeRecord` has filled without a refusal. `now` is in milliseconds since 1970.
 * @param trial the city is in trial: what is wrong over a person marks the record (`trialCode`), and its value is not used
 */
export function validateRecord(r: usize, now: u64, trial: bool): void {
  if (refusal(r) != 0) return;
  store<u32>(r, trial ? 1 : 0, R_TRIAL);
  if (!hasTextRoom()) {
    refuse(r, REFUSAL_RECORD_TOO_LARGE, 0);
    return;
  }
  const today = todayInChina(now);
  validateId(r, now);
  validateWaybill(r);
  const takenAt = load<u64>(r, R_TAKEN_AT);
  if (takenAt < FIRST_TAKEN_AT || takenAt > now + MAX_ID_AHEAD_MS)
    refuse(r, REFUSAL_BAD_TAKEN_AT, FIELD_TAKEN_AT);
  validateCode(r, r + R_OUTLET, 1, 32, true, REFUSAL_BAD_OUTLET, FIELD_OUTLET);
  const goods = load<u32>(r, R_GOODS);
  const goodsBits = goods < 64 ? GOODS_0 : GOODS_1;
  if (goods > 127 || ((goodsBits >> (goods & 63)) & 1) == 0)
    refuse(r, REFUSAL_BAD_GOODS, FIELD_GOODS);
  if (refusal(r) != 0) return;

  if (hasKey(r, FIELD_TOKEN)) {
    refuse(r, REFUSAL_TOKEN_NOT_ACCEPTED, FIELD_TOKEN);
    return;
  }
  if (hasKey(r, FIELD_AGREEMENT)) validateAgreement(r);
  else validateSender(r, today);
  if (hasKey(r, FIELD_GUARDIAN)) validateGuardian(r, today);
  if (refusal(r) != 0) return;

  const recipient = r + R_RECIPIENT;
  validateName(r, recipient, NAME_OPEN, FIELD_RECIPIENT);
  validatePhone(r, recipient, R_RECIPIENT_PHONE_VALUE, FIELD_RECIPIENT);
  validateAddress(r, recipient, FIELD_RECIPIENT);

  const replaces = load<usize>(r, R_REPLACES);
  if (replaces != 0 && (!isUuid7(replaces) || memory.compare(replaces, idPtr(r), 16) == 0)) {
    refuse(r, REFUSAL_BAD_REPLACES, FIELD_REPLACES);
  }
}

/** RFC 9562 section 5.7: version 7, variant 10; the first 48 bits are milliseconds. */
function validateId(r: usize, now: u64): void {
  if (!isUuid7(idPtr(r))) {
    refuse(r, REFUSAL_BAD_ID, FIELD_ID);
    return;
  }
  const time = idTime(r);
  if (time > now + MAX_ID_AHEAD_MS) refuse(r, REFUSAL_ID_FUTURE, FIELD_ID);
  else if (time + MAX_ID_AGE_MS < now) refuse(r, REFUSAL_ID_TOO_OLD, FIELD_ID);
}

function isUuid7(id: usize): bool {
  return (load<u8>(id, 6) & 0xf0) == 0x70 && (load<u8>(id, 8) & 0xc0) == 0x80;
}

/** Carrier and number go into the arena as their indexed value: carrier, 00, number. */
function validateWaybill(r: usize): void {
  if (refusal(r) != 0) return;
  const value = textTop();
  const carrierEnd = putCode(value, r + R_CARRIER);
  const carrierLength = carrierEnd - value;
  if (!isCode(value, carrierLength, 2, 12, false)) {
    keepText(carrierEnd);
    refuse(r, REFUSAL_BAD_CARRIER, FIELD_CARRIER);
    return;
  }
  store<u8>(carrierEnd, 0);
  const number = carrierEnd + 1;
  const end = putCode(number, r + R_WAYBILL);
  keepText(end);
  if (!isCode(number, end - number, 6, 34, true)) {
    refuse(r, REFUSAL_BAD_WAYBILL, FIELD_WAYBILL);
    return;
  }
  refuse(r, checkWaybill(value, carrierLength, number, end - number), FIELD_WAYBILL);
  warn(r, waybillWarnings());
  pointTo(r + R_CARRIER, value, carrierLength);
  pointTo(r + R_WAYBILL, number, end - number);
  pointTo(r + R_WAYBILL_VALUE, value, end - value);
}

/** Puts a text of the record into the arena as a number or code in normal form; nothing of one that is too long for any. */
function putCode(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const length = load<usize>(at, 4);
  if (length > MAX_NUMBER) return out;
  // Most stand in it as they are.
  if (isCode(p, length, 1, 32, true)) return putBlocks(out, p, length);
  return normalizeCodeInto(out, p, length);
}

/** Puts a code into normal form and checks that it is `least` to `most` of A-Z, 0-9 and perhaps `-`. */
function validateCode(
  r: usize,
  at: usize,
  least: usize,
  most: usize,
  hyphen: bool,
  code: u32,
  where: u32,
): void {
  if (refusal(r) != 0) return;
  if (isCode(load<usize>(at), load<usize>(at, 4), least, most, hyphen)) return;
  const text = textTop();
  const end = putCode(text, at);
  keepText(end);
  if (!isCode(text, end - text, least, most, hyphen)) {
    refuse(r, code, where);
    return;
  }
  pointTo(at, text, end - text);
}

function validateSender(r: usize, today: u32): void {
  const sender = r + R_SENDER;
  const type = load<u32>(sender, P_DOC_TYPE);
  const child = isUnder14(validateDocument(r, sender, FIELD_SENDER, today), today);
  validateName(r, sender, bearerOf(type), FIELD_SENDER);
  validatePhone(r, sender, R_SENDER_PHONE_VALUE, FIELD_SENDER);
  validateAddress(r, sender, FIELD_SENDER);
  // PIPL art. 31: data of a child under 14 needs the guardian's consent, so the guardian is registered too.
  if (child && !hasKey(r, FIELD_GUARDIAN)) refuse(r, REFUSAL_GUARDIAN_REQUIRED, FIELD_GUARDIAN);
}

function validateGuardian(r: usize, today: u32): void {
  if (refusal(r) != 0) return;
  const guardian = r + R_GUARDIAN;
  const type = load<u32>(guardian, P_DOC_TYPE);
  if (type == DOC_USCC) {
    refuse(r, REFUSAL_DOC_NOT_ACCEPTED, (FIELD_GUARDIAN << 4) | 1);
  } else if (isUnder14(validateDocument(r, guardian, FIELD_GUARDIAN, today), today)) {
    refuse(r, REFUSAL_GUARDIAN_REQUIRED, (FIELD_GUARDIAN << 4) | 2);
  }
  validateName(r, guardian, bearerOf(type), FIELD_GUARDIAN);
  validatePhone(r, guardian, 0, FIELD_GUARDIAN);
}

/** 快递暂行条例 art. 22: an agreement parcel names the agreement and its organisation in place of a sender. */
function validateAgreement(r: usize): void {
  const agreement = r + R_SENDER;
  const number = (FIELD_AGREEMENT << 4) | 1;
  store<u32>(agreement, DOC_USCC, P_DOC_TYPE);
  validateCode(r, agreement + P_AGREEMENT, 4, 40, true, REFUSAL_BAD_AGREEMENT, number);
  validateDocument(r, agreement, FIELD_AGREEMENT, 0);
  validatePhone(r, agreement, R_SENDER_PHONE_VALUE, FIELD_AGREEMENT);
  validateAddress(r, agreement, FIELD_AGREEMENT);
}

/**
 * Number and nationality go into the arena as their indexed value: class, nationality or zeros, canonical number. Returns the
 * birth date in the number as YYYYMMDD; 0 when the number does not tell or is not valid.
 */
function validateDocument(r: usize, party: usize, parent: u32, today: u32): u32 {
  if (refusal(r) != 0) return 0;
  const type = load<u32>(party, P_DOC_TYPE);
  const where = (parent << 4) | 2;
  if (type - 1 >= DOC_USCC) {
    refuse(r, REFUSAL_UNKNOWN_DOC_TYPE, (parent << 4) | 1);
    return 0;
  }
  const length = load<usize>(party, P_NUMBER + 4);
  if (length > MAX_NUMBER) {
    refuse(r, REFUSAL_BAD_FORM, where);
    pointTo(party + P_NUMBER, 0, 0);
    return 0;
  }
  const value = textTop();
  store<u32>(value, documentClass(type));
  const number = value + 4;
  const end = normalizeCodeInto(number, load<usize>(party, P_NUMBER), length);
  keepText(end);
  const code = checkDocument(
    type,
    number,
    end - number,
    today,
    load<u32>(party, P_SETTLED_ABROAD) != 0,
  );
  refuse(r, code, where);
  // Of a document that is valid but not taken, the number is good; any other fault leaves a trial without one.
  if (refusal(r) != 0 || (code != 0 && code != REFUSAL_DOC_NOT_ACCEPTED)) {
    pointTo(party + P_NUMBER, 0, 0);
    return 0;
  }
  warn(r, documentWarnings());
  pointTo(party + P_NUMBER, number, canonicalLength());

  const nationality = load<usize>(party, P_NATIONALITY);
  const nationalityField = (parent << 4) | 3;
  if (type == DOC_PASSPORT_FOREIGN) {
    if (nationality == 0) {
      refuse(r, REFUSAL_MISSING_FIELD, nationalityField);
      return 0;
    }
    if (!nationalityExists(nationality)) {
      refuse(r, REFUSAL_BAD_NATIONALITY, nationalityField);
      return 0;
    }
    memory.copy(value + 1, nationality, 3);
  } else if (nationality != 0) {
    refuse(r, REFUSAL_BAD_NATIONALITY, nationalityField);
  }
  if (refusal(r) != 0) return 0;
  if (parent != FIELD_GUARDIAN) pointTo(r + R_DOCUMENT_VALUE, value, 4 + canonicalLength());
  return documentBirth();
}

/** Which letters a name beside a document may have: only passports and permits print Latin ones. */
function bearerOf(type: u32): u32 {
  if (type == DOC_USCC) return NAME_OPEN;
  const han =
    type == DOC_RESIDENT ||
    type == DOC_RESIDENT_TEMP ||
    type == DOC_MILITARY ||
    type == DOC_ARMED_POLICE;
  return han ? NAME_HAN : NAME_LATIN;
}

function validateName(r: usize, party: usize, bearer: u32, parent: u32): void {
  if (refusal(r) != 0) return;
  let text = load<usize>(party, P_NAME);
  const length = load<usize>(party, P_NAME + 4);
  let end = text + length;
  const han = isHanName(text, length);
  if (!han) {
    const given = text;
    text = textTop();
    end = normalizeNameInto(text, given, length);
    keepText(end);
  }
  const code = checkName(text, end, han, bearer);
  refuse(r, code, (parent << 4) | 4);
  pointTo(party + P_NAME, text, code == 0 ? end - text : 0);
}

/** `value` is where in the record the canonical digits are pointed to; 0 for nowhere. */
function validatePhone(r: usize, party: usize, value: usize, parent: u32): void {
  if (refusal(r) != 0) return;
  let text = load<usize>(party, P_PHONE);
  const length = load<usize>(party, P_PHONE + 4);
  let end = text + length;
  if (!isNormalPhone(text, length)) {
    const given = text;
    text = textTop();
    end = normalizePhoneInto(text, given, length);
    keepText(end);
  }
  const digits = textTop();
  const digitsEnd = canonicalPhoneInto(digits, text, end);
  if (digitsEnd == 0) {
    refuse(r, phoneRefusal(), (parent << 4) | 5);
    return;
  }
  keepText(digitsEnd);
  warn(r, phoneWarnings());
  pointTo(party + P_PHONE, text, end - text);
  if (value != 0) pointTo(r + value, digits, digitsEnd - digits);
}

/** An address stays where it is: only the blanks around it go. */
function validateAddress(r: usize, party: usize, parent: u32): void {
  if (refusal(r) != 0) return;
  const given = load<usize>(party, P_ADDRESS);
  const length = load<usize>(party, P_ADDRESS + 4);
  const end = trimEnd(given, given + length);
  const p = trimStart(given, end);
  const code = checkAddress(p, end, end - p == length ? load<u32>(party, P_ADDRESS_POINTS) : 0);
  if (code != 0) {
    refuse(r, code, (parent << 4) | 6);
    return;
  }
  pointTo(party + P_ADDRESS, p, end - p);

  const division = load<u32>(party, P_DIVISION);
  if (division < 100000 || division > 999999 || !provinceExists(division / 10000)) {
    refuse(r, REFUSAL_BAD_DIVISION, (parent << 4) | 7);
    return;
  }
  if (countyStatus(division) == COUNTY_UNLISTED && !isWholeProvince(division))
    warn(r, WARNING_DIVISION_UNLISTED);
}

/** Taiwan, Hong Kong and Macao have no county codes in GB/T 2260. */
function isWholeProvince(division: u32): bool {
  return division == 710000 || division == 810000 || division == 820000;
}

/** `birth` and `today` as YYYYMMDD; 0 for a birth that is not told. */
function isUnder14(birth: u32, today: u32): bool {
  return birth != 0 && birth + 140000 > today;
}
