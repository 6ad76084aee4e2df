/**
 * Identity documents and organisation codes. Every check takes a number in normal form (`normalizeCodeInto`) and returns a
 * refusal code, 0 when the number stands.
 */
import {
  DOC_ARMED_POLICE,
  DOC_FPR,
  DOC_HK_MACAO_PERMIT,
  DOC_HMT_RESIDENCE,
  DOC_MILITARY,
  DOC_PASSPORT_CN,
  DOC_PASSPORT_FOREIGN,
  DOC_RESIDENT,
  DOC_RESIDENT_TEMP,
  DOC_TAIWAN_PERMIT,
  DOC_USCC,
  REFUSAL_BAD_AREA,
  REFUSAL_BAD_CHECK,
  REFUSAL_BAD_DATE,
  REFUSAL_BAD_FORM,
  REFUSAL_BAD_NATIONALITY,
  REFUSAL_BAD_ORG_CHECK,
  REFUSAL_DOC_NOT_ACCEPTED,
  REFUSAL_FIRST_GEN,
  REFUSAL_TYPE_MISMATCH,
  REFUSAL_UNKNOWN_DOC_TYPE,
  WARNING_AREA_RETIRED,
  WARNING_AREA_UNLISTED,
} from './codes.gen';
import { COUNTRY_ALPHA3, COUNTRY_ALPHA3_COUNT, COUNTRY_NUMERIC } from './data/countries.gen';
import { COUNTY_CURRENT, COUNTY_HISTORIC, countyStatus, provinceExists } from './divisions';
import { allDigits, alphanumericValue, decimalAt, isCode, isDigit, isHan, isUpper } from './text';
import { codePointAt, countCodePoints, widthAt } from './utf8';

const X: u32 = 0x58;

let warned: u32 = 0;
let birth: u32 = 0;
let kept: usize = 0;

/** Warnings of the last `checkDocument`. */
export function documentWarnings(): u32 {
  return warned;
}

/** Birth date in the number that `checkDocument` passed last, as YYYYMMDD; 0 when the number does not tell. */
export function documentBirth(): u32 {
  return birth;
}

/** Forgets the birth date. */
export function wipeDocument(): void {
  birth = 0;
}

/** Octets of the canonical number, a prefix of the normal form that `checkDocument` passed last. */
export function canonicalLength(): usize {
  return kept;
}

/** Class of a document in the keyed index: a person's residence documents carry one number and are one class. */
export function documentClass(type: u32): u32 {
  return type == DOC_RESIDENT_TEMP || type == DOC_HMT_RESIDENCE ? DOC_RESIDENT : type;
}

/**
 * Checks a document number of `length` octets at `p`.
 * @param today date in China, YYYYMMDD
 * @param settledAbroad the holder of a Chinese passport has settled abroad
 */
export function checkDocument(
  type: u32,
  p: usize,
  length: usize,
  today: u32,
  settledAbroad: bool,
): u32 {
  warned = 0;
  birth = 0;
  kept = length;
  switch (type) {
    case DOC_RESIDENT:
    case DOC_RESIDENT_TEMP:
    case DOC_HMT_RESIDENCE:
      return checkResident(type, p, length, today);
    case DOC_FPR:
      return length == 15 ? checkForeigner2017(p) : checkForeigner2023(p, length, today);
    case DOC_HK_MACAO_PERMIT:
      return checkHongKongMacao(p, length);
    case DOC_TAIWAN_PERMIT:
      return length == 8 && allDigits(p, 8) ? 0 : REFUSAL_BAD_FORM;
    case DOC_PASSPORT_FOREIGN:
      return isCode(p, length, 5, 9, false) ? 0 : REFUSAL_BAD_FORM;
    case DOC_PASSPORT_CN:
      if (!isChinesePassport(p, length)) return REFUSAL_BAD_FORM;
      return settledAbroad ? 0 : REFUSAL_DOC_NOT_ACCEPTED;
    case DOC_MILITARY:
    case DOC_ARMED_POLICE:
      return checkMilitary(p, length);
    case DOC_USCC:
      return checkUscc(p, length);
    default:
      return REFUSAL_UNKNOWN_DOC_TYPE;
  }
}

/** GB 11643-1999, 港澳台居民居住证 included. */
function checkResident(type: u32, p: usize, length: usize, today: u32): u32 {
  // First-generation cards ended on 2013-01-01 (居民身份证法 art. 23 and the State Council's date).
  if (type != DOC_HMT_RESIDENCE && length == 15 && allDigits(p, 15)) return REFUSAL_FIRST_GEN;
  if (!isEighteen(p, length)) return REFUSAL_BAD_FORM;
  if (!mod11Matches(p)) return REFUSAL_BAD_CHECK;
  const date = dateAt(p + 6);
  if (date == 0 || date > today) return REFUSAL_BAD_DATE;
  const area = pairAt(p) * 10000 + pairAt(p + 2) * 100 + pairAt(p + 4);
  const overseas = area == 810000 || area == 820000 || area == 830000;
  if (type == DOC_HMT_RESIDENCE) {
    if (!overseas) return REFUSAL_BAD_AREA;
  } else {
    if (overseas) return REFUSAL_TYPE_MISMATCH;
    if (!provinceExists(area / 10000)) return REFUSAL_BAD_AREA;
    const status = countyStatus(area);
    if (status == COUNTY_HISTORIC) warned = WARNING_AREA_RETIRED;
    else if (status != COUNTY_CURRENT) warned = WARNING_AREA_UNLISTED;
  }
  birth = date;
  return 0;
}

/** Foreign permanent resident card of 2017: nationality, area (4), YYMMDD, sequence, check digit as in ICAO 9303. */
function checkForeigner2017(p: usize): u32 {
  for (let i: usize = 0; i < 3; i++) {
    if (!isUpper(load<u8>(p + i))) return REFUSAL_BAD_FORM;
  }
  if (!allDigits(p + 3, 12)) return REFUSAL_BAD_FORM;
  let sum: u32 = 0;
  for (let i: usize = 0; i < 14; i++) {
    const position: u32 = <u32>i % 3;
    sum += alphanumericValue(load<u8>(p + i)) * (position == 0 ? 7 : position == 1 ? 3 : 1);
  }
  if (sum % 10 != load<u8>(p, 14) - 0x30) return REFUSAL_BAD_CHECK;
  // The century is not told; 2000 is the one that has every date that 1900 has.
  if (!isDate(2000 + pairAt(p + 7), pairAt(p + 9), pairAt(p + 11))) return REFUSAL_BAD_DATE;
  if (!nationalityExists(p)) return REFUSAL_BAD_NATIONALITY;
  if (!provinceExists(decimalAt(p + 3, 2))) warned = WARNING_AREA_UNLISTED;
  return 0;
}

/** Foreign permanent resident card of 2023: 9, province (2), ISO 3166 numeric (3), YYYYMMDD, sequence (3), check. */
function checkForeigner2023(p: usize, length: usize, today: u32): u32 {
  if (!isEighteen(p, length) || load<u8>(p) != 0x39) return REFUSAL_BAD_FORM;
  if (!mod11Matches(p)) return REFUSAL_BAD_CHECK;
  const date = dateAt(p + 6);
  if (date == 0 || date > today) return REFUSAL_BAD_DATE;
  const country = decimalAt(p + 3, 3);
  if (((load<u8>(COUNTRY_NUMERIC + (country >> 3)) >> (country & 7)) & 1) == 0)
    return REFUSAL_BAD_NATIONALITY;
  if (!provinceExists(decimalAt(p + 1, 2))) warned = WARNING_AREA_UNLISTED;
  birth = date;
  return 0;
}

/** 港澳居民来往内地通行证: the last two of eleven count the issues and are no part of the number. */
function checkHongKongMacao(p: usize, length: usize): u32 {
  const first: u32 = length == 9 || length == 11 ? load<u8>(p) : 0;
  if ((first != 0x48 && first != 0x4d) || !allDigits(p + 1, length - 1)) return REFUSAL_BAD_FORM;
  kept = 9;
  return 0;
}

/** E and a letter or digit with 7 digits; SE, DE, PE with 7 digits; G with 8 digits. */
function isChinesePassport(p: usize, length: usize): bool {
  if (length != 9 || !allDigits(p + 2, 7)) return false;
  const first: u32 = load<u8>(p);
  const second: u32 = load<u8>(p, 1);
  if (first == 0x45) return alphanumericValue(second) < 36;
  if (first == 0x47) return isDigit(second);
  return (first == 0x53 || first == 0x44 || first == 0x50) && second == 0x45;
}

/** No check digit is public: only the letters that occur, and a plausible length. 第 号 字 are Han. */
function checkMilitary(p: usize, length: usize): u32 {
  const end = p + length;
  const count = countCodePoints(p, end);
  if (count < 4 || count > 20) return REFUSAL_BAD_FORM;
  for (; p < end; p += widthAt(p)) {
    const c = codePointAt(p);
    if (alphanumericValue(c) == 255 && c != 0x2e && !isHan(c)) return REFUSAL_BAD_FORM;
  }
  return 0;
}

/** Values of GB 32100-2015 from `0` to `Z`: the digits, then the letters but I, O, S, V, Z; 255 for those and what is between. */
const USCC_VALUES: usize = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 255, 255, 255, 255, 255, 255, 10, 11, 12, 13, 14, 15, 16, 17,
  255, 18, 19, 20, 21, 22, 255, 23, 24, 25, 255, 26, 27, 255, 28, 29, 30, 255,
]);
/** GB 32100-2015: 3^i mod 31. */
const USCC_WEIGHTS: usize = memory.data<u8>([
  1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
]);
/** GB 11714-1997. */
const ORGANISATION_WEIGHTS: usize = memory.data<u8>([3, 7, 9, 10, 5, 8, 4, 2]);

/** Unified social credit code (GB 32100-2015); characters 9 to 17 are an organisation code (GB 11714-1997). */
export function checkUscc(p: usize, length: usize): u32 {
  if (length != 18) return REFUSAL_BAD_FORM;
  let sum: u32 = 0;
  for (let i: usize = 0; i < 17; i++) {
    const value = usccValue(load<u8>(p + i));
    if (value == 255) return REFUSAL_BAD_FORM;
    sum += value * load<u8>(USCC_WEIGHTS + i);
  }
  const check = usccValue(load<u8>(p, 17));
  if (check == 255) return REFUSAL_BAD_FORM;
  if ((sum + check) % 31 != 0) return REFUSAL_BAD_CHECK;
  sum = 0;
  for (let i: usize = 0; i < 8; i++)
    sum += alphanumericValue(load<u8>(p + 8 + i)) * load<u8>(ORGANISATION_WEIGHTS + i);
  const rest = 11 - (sum % 11);
  const expected: u32 = rest == 10 ? X : rest == 11 ? 0x30 : 0x30 + rest;
  return load<u8>(p, 16) == expected ? 0 : REFUSAL_BAD_ORG_CHECK;
}

function usccValue(c: u32): u32 {
  return c - 0x30 < 43 ? load<u8>(USCC_VALUES + (c - 0x30)) : 255;
}

/** 18 characters as in GB 11643-1999: no leading zero, digits, a check character of 0-9 or X. */
function isEighteen(p: usize, length: usize): bool {
  if (length != 18 || load<u8>(p) == 0x30 || !allDigits(p, 17)) return false;
  const last: u32 = load<u8>(p, 17);
  return last == X || isDigit(last);
}

/** ISO 7064 MOD 11-2: weight i is 2^(17 - i) mod 11, so that the last digit's is 2 and the check character's 1. */
function mod11Matches(p: usize): bool {
  const digits = i8x16.sub(v128.load(p), i8x16.splat(0x30));
  const sums = i32x4.add(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(digits), i16x8(7, 9, 10, 5, 8, 4, 2, 1)),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(digits), i16x8(6, 3, 7, 9, 10, 5, 8, 4)),
  );
  const halves = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
  const last: u32 = load<u8>(p, 17);
  const sum: u32 =
    i32x4.extract_lane(halves, 0) +
    i32x4.extract_lane(halves, 1) +
    ((<u32>load<u8>(p, 16) - 0x30) << 1) +
    (last == X ? 10 : last - 0x30);
  return sum % 11 == 1;
}

/** True when the three octets at `p` are an ISO 3166-1 alpha-3 code. */
export function nationalityExists(p: usize): bool {
  let code: u32 = 0;
  for (let i: usize = 0; i < 3; i++) {
    const c: u32 = load<u8>(p + i);
    if (!isUpper(c)) return false;
    code = code * 26 + (c - 0x41);
  }
  let low: usize = 0;
  let high = COUNTRY_ALPHA3_COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (<u32>load<u16>(COUNTRY_ALPHA3 + (middle << 1)) < code) low = middle + 1;
    else high = middle;
  }
  return low < COUNTRY_ALPHA3_COUNT && <u32>load<u16>(COUNTRY_ALPHA3 + (low << 1)) == code;
}

/** Two digits as a number. */
function pairAt(p: usize): u32 {
  return <u32>load<u8>(p) * 10 + load<u8>(p, 1) - 528;
}

/** The date in eight digits as YYYYMMDD; 0 when it is none. */
function dateAt(p: usize): u32 {
  const year = pairAt(p) * 100 + pairAt(p + 2);
  const month = pairAt(p + 4);
  const day = pairAt(p + 6);
  return isDate(year, month, day) ? year * 10000 + month * 100 + day : 0;
}

/** A date of the Gregorian calendar; nobody alive was born before 1800. */
function isDate(year: u32, month: u32, day: u32): bool {
  if (year < 1800 || month - 1 >= 12 || day - 1 >= 31) return false;
  if (month == 2) {
    const leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= (leap ? 29 : 28);
  }
  // April, June, September, November
  return day < 31 || ((0xa50 >> month) & 1) == 0;
}
