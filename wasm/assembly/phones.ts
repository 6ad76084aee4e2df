/** Phone numbers: what is shown (in normal form, with its hyphens), and canonical digits for the keyed indexes. */
import { digitsIn, putBlocks } from './blocks';
import { REFUSAL_BAD_PHONE, REFUSAL_IOT_NOT_CONTACT, WARNING_PHONE_UNALLOCATED } from './codes.gen';
import { MACHINE_PREFIXES, MOBILE_PREFIXES } from './data/mobiles.gen';
import { decimalAt, halfWidth, isBlank, trimEnd, trimStart } from './text';
import { codePointAt, widthAt } from './utf8';

/** Octets of a normal form; no phone number has as many digits. */
const MAX_PHONE: usize = 40;

const HYPHEN: u32 = 0x2d;
/** 0086 */
const COUNTRY_CODE: u32 = 0x3638_3030;

let warned: u32 = 0;
let refused: u32 = 0;

/** Warnings of the last `canonicalPhoneInto`. */
export function phoneWarnings(): u32 {
  return warned;
}

/** Refusal of the last `canonicalPhoneInto`. */
export function phoneRefusal(): u32 {
  return refused;
}

/**
 * True when a number is its normal form as it stands: digits, perhaps with hyphens between them where it is no mobile, and
 * no country code.
 */
export function isNormalPhone(p: usize, length: usize): bool {
  if (length == 0 || length > MAX_PHONE) return false;
  const hyphens = hyphensIn(length, digitsIn(p, length));
  if (load<u8>(p) == 0x31) return hyphens == 0;
  return load<u32>(p) != COUNTRY_CODE && onlyHyphens(p, hyphens);
}

/**
 * Writes a number without blanks, half-width; a mobile without its country code and hyphens as well. Returns the address
 * behind it; at most 41 octets, of which `canonicalPhoneInto` refuses more than 40.
 */
export function normalizePhoneInto(out: usize, p: usize, length: usize): usize {
  const start = out;
  const end = trimEnd(p, p + length);
  p = trimStart(p, end);
  while (p < end && out - start <= MAX_PHONE) {
    const c = codePointAt(p);
    // Anything but ASCII becomes a character that no number has.
    if (!isBlank(c)) {
      const half = isDash(c) ? HYPHEN : halfWidth(c);
      store<u8>(out++, half < 0x80 ? half : 0x3f);
    }
    p += widthAt(p);
  }
  const bare = out - start <= MAX_PHONE ? mobileStart(start, out) : 0;
  if (bare == 0) return out;
  // What follows the 11 digits is the extension of a privacy number, with its hyphen.
  const rest = bare + prefixOfDigits(11, hyphensIn(out - bare, digitsIn(bare, out - bare)));
  const to = putWithoutHyphens(start, bare, rest);
  memory.copy(to, rest, out - rest);
  return to + (out - rest);
}

/**
 * Writes the canonical digits of a number in normal form: no country code, no hyphen but the one before an extension.
 * Returns the address behind them, or 0 with `phoneRefusal`; behind them as `putBlocks`.
 */
export function canonicalPhoneInto(out: usize, p: usize, end: usize): usize {
  warned = 0;
  refused = REFUSAL_BAD_PHONE;
  const length = end - p;
  if (length < 5 || length > MAX_PHONE) return 0;
  const digits = digitsIn(p, length);
  const hyphens = hyphensIn(length, digits);
  if (!isWellJoined(hyphens, length) || !onlyHyphens(p, hyphens)) return 0;
  const first: u32 = load<u8>(p);
  let main: u32 = 0;
  if (first == 0x31) {
    if (isMachine(p, hyphens, length)) {
      refused = REFUSAL_IOT_NOT_CONTACT;
      return 0;
    }
    if (<u32>load<u8>(p, 1) - 0x33 > 6) return 0;
    main = 11;
  } else if (first == 0x30) {
    main = landlineDigits(hyphens, length);
  } else if (first == 0x39) {
    // 95 with 3 or 4 digits more: service numbers of firms and banks
    main = load<u8>(p, 1) == 0x35 ? segment(hyphens, length) : 0;
    if (main != 5 && main != 6) return 0;
  } else if (load<u8>(p, 1) == 0x30 && load<u8>(p, 2) == 0x30 && (first == 0x34 || first == 0x38)) {
    main = 10;
  }
  if (main == 0 || <u32>popcnt(digits) < main) return 0;
  const prefix = prefixOfDigits(main, hyphens);
  if (prefix < length) {
    // An extension: of a switchboard, or of a virtual number that hides the real one.
    const extension = hyphens >> prefix;
    if (extension != 1 || length - prefix > 7) return 0;
  }
  const mainEnd =
    prefix == main ? putBlocks(out, p, prefix) : putWithoutHyphens(out, p, p + prefix);
  if (first == 0x31 && !isAllocated(decimalAt(out, 4))) warned = WARNING_PHONE_UNALLOCATED;
  refused = 0;
  return putBlocks(mainEnd, p + prefix, length - prefix);
}

/** Where a number in the form of a mobile begins, after `+86` or `0086`; 0 when it has another form. */
function mobileStart(p: usize, end: usize): usize {
  const start = p;
  if (end - p > 3 && load<u8>(p) == 0x2b && load<u8>(p, 1) == 0x38 && load<u8>(p, 2) == 0x36)
    p += 3;
  else if (end - p > 4 && load<u32>(p) == COUNTRY_CODE) p += 4;
  if (p > start && p < end && load<u8>(p) == HYPHEN) p++;
  const length = end - p;
  if (length < 11 || load<u8>(p) != 0x31) return 0;
  const digits = digitsIn(p, length);
  const hyphens = hyphensIn(length, digits);
  return isWellJoined(hyphens, length) && onlyHyphens(p, hyphens) && popcnt(digits) >= 11 ? p : 0;
}

// Below, `hyphens` has bit n for octet n of a number, which has digits at all other places.

/** Where a number of `length` octets has no digits. */
function hyphensIn(length: usize, digits: u64): u64 {
  return ~digits & (((<u64>1) << length) - 1);
}

function onlyHyphens(p: usize, places: u64): bool {
  for (; places != 0; places &= places - 1) {
    if (load<u8>(p + <usize>ctz(places)) != HYPHEN) return false;
  }
  return true;
}

/** Hyphens stand singly between digits. */
function isWellJoined(hyphens: u64, length: usize): bool {
  const edges = <u64>1 | ((<u64>1) << (length - 1));
  return (hyphens & (edges | (hyphens << 1))) == 0;
}

/** Octets that hold the first `count` digits, hyphens between them included. */
function prefixOfDigits(count: u32, hyphens: u64): usize {
  for (; hyphens != 0 && <u32>ctz(hyphens) < count; hyphens &= hyphens - 1) count++;
  return count;
}

/** Digits up to the next hyphen. */
function segment(hyphens: u64, length: usize): u32 {
  return hyphens == 0 ? length : <u32>ctz(hyphens);
}

/** Digits of a landline without its extension: 0, area of 2 or 3 digits, 7 or 8 digits; 0 when it has another form. */
function landlineDigits(hyphens: u64, length: usize): u32 {
  const first = segment(hyphens, length);
  if (first > 4) return first >= 10 && first <= 12 ? first : 0;
  if (first < 3) return 0;
  const behind = first + 1;
  const local = segment(hyphens >> behind, length - behind);
  return local == 7 || local == 8 ? first + local : 0;
}

/** Copies the octets before `end` that are no hyphens; returns the address behind them. */
function putWithoutHyphens(out: usize, p: usize, end: usize): usize {
  for (; p < end; p++) {
    const c = load<u8>(p);
    store<u8>(out, c);
    if (c != HYPHEN) out++;
  }
  return out;
}

/** Machine numbers of 13 digits, the Internet of things' part of the MIIT's plan: nobody can be reached there. */
function isMachine(p: usize, hyphens: u64, length: usize): bool {
  if (segment(hyphens, length) != 13) return false;
  const index = decimalAt(p, 3) - 100;
  return index < 100 && ((load<u8>(MACHINE_PREFIXES + (index >> 3)) >> (index & 7)) & 1) != 0;
}

function isAllocated(prefix: u32): bool {
  const index = prefix - 1000;
  return ((load<u8>(MOBILE_PREFIXES + (index >> 3)) >> (index & 7)) & 1) != 0;
}

/** Hyphens and dashes as they are typed for one. */
function isDash(c: u32): bool {
  return c - 0x2010 < 6 || c == 0x2212;
}
