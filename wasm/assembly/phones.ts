/** Phone numbers: what is shown (in normal form, with its hyphens), and canonical digits for the keyed indexes. */
import { REFUSAL_BAD_PHONE, REFUSAL_IOT_NOT_CONTACT, WARNING_PHONE_UNALLOCATED } from './codes.gen';
import { MACHINE_PREFIXES, MOBILE_PREFIXES } from './data/mobiles.gen';
import {
  codePointAt,
  decimalAt,
  halfWidth,
  isBlank,
  isDigit,
  trimEnd,
  trimStart,
  widthAt,
} from './text';

/** Octets of a normal form; no phone number has as many digits. */
const MAX_PHONE: usize = 40;

const HYPHEN: u32 = 0x2d;

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
  const rest = bare + prefixOfDigits(bare, out, 11);
  let to = start;
  for (let from = bare; from < rest; from++) {
    const c: u32 = load<u8>(from);
    if (c != HYPHEN) store<u8>(to++, c);
  }
  memory.copy(to, rest, out - rest);
  return to + (out - rest);
}

/**
 * Writes the canonical digits of a number in normal form: no country code, no hyphen but the one before an extension.
 * Returns the address behind them, or 0 with `phoneRefusal`.
 */
export function canonicalPhoneInto(out: usize, p: usize, end: usize): usize {
  warned = 0;
  refused = REFUSAL_BAD_PHONE;
  const length = end - p;
  if (length < 5 || length > MAX_PHONE || !isWellJoined(p, end)) return 0;
  const digits = digitsIn(p, end);
  const first: u32 = load<u8>(p);
  let main: u32 = 0;
  if (first == 0x31) {
    if (isMachine(p, end)) {
      refused = REFUSAL_IOT_NOT_CONTACT;
      return 0;
    }
    if (<u32>load<u8>(p, 1) - 0x33 > 6) return 0;
    main = 11;
  } else if (first == 0x30) {
    main = landlineDigits(p, end);
  } else if (first == 0x39) {
    // 95 with 3 or 4 digits more: service numbers of firms and banks
    main = load<u8>(p, 1) == 0x35 ? segment(p, end) : 0;
    if (main != 5 && main != 6) return 0;
  } else if (load<u8>(p, 1) == 0x30 && load<u8>(p, 2) == 0x30 && (first == 0x34 || first == 0x38)) {
    main = 10;
  }
  if (main == 0 || digits < main) return 0;
  const extension = p + prefixOfDigits(p, end, main);
  if (extension < end) {
    // An extension: of a switchboard, or of a virtual number that hides the real one.
    const octets = end - extension;
    if (load<u8>(extension) != HYPHEN || octets > 7 || digitsIn(extension, end) != <u32>octets - 1)
      return 0;
  }
  for (let from = p; from < extension; from++) {
    const c: u32 = load<u8>(from);
    if (c != HYPHEN) store<u8>(out++, c);
  }
  memory.copy(out, extension, end - extension);
  if (first == 0x31 && !isAllocated(decimalAt(out - 11, 4))) warned = WARNING_PHONE_UNALLOCATED;
  refused = 0;
  return out + (end - extension);
}

/** Where a number in the form of a mobile begins, after `+86` or `0086`; 0 when it has another form. */
function mobileStart(p: usize, end: usize): usize {
  const start = p;
  if (end - p > 3 && load<u8>(p) == 0x2b && load<u8>(p, 1) == 0x38 && load<u8>(p, 2) == 0x36)
    p += 3;
  else if (end - p > 4 && load<u32>(p) == 0x3638_3030) p += 4;
  if (p > start && p < end && load<u8>(p) == HYPHEN) p++;
  return end - p >= 11 && load<u8>(p) == 0x31 && isWellJoined(p, end) && digitsIn(p, end) >= 11
    ? p
    : 0;
}

/** Octets from `p` on that hold the first `count` digits, hyphens between them included. */
function prefixOfDigits(p: usize, end: usize, count: u32): usize {
  const start = p;
  while (p < end && count != 0) {
    if (load<u8>(p) != HYPHEN) count--;
    p++;
  }
  return p - start;
}

function digitsIn(p: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; p < end; p++) count += isDigit(load<u8>(p)) ? 1 : 0;
  return count;
}

/** Digits with single hyphens between them. */
function isWellJoined(p: usize, end: usize): bool {
  let previous = HYPHEN;
  for (; p < end; p++) {
    const c: u32 = load<u8>(p);
    if (!isDigit(c) && !(c == HYPHEN && previous != HYPHEN)) return false;
    previous = c;
  }
  return previous != HYPHEN;
}

/** Digits of a landline without its extension: 0, area of 2 or 3 digits, 7 or 8 digits; 0 when it has another form. */
function landlineDigits(p: usize, end: usize): u32 {
  const first = segment(p, end);
  if (first > 4) return first >= 10 && first <= 12 ? first : 0;
  if (first < 3) return 0;
  const local = segment(p + first + 1, end);
  return local == 7 || local == 8 ? first + local : 0;
}

/** Digits up to the next hyphen. */
function segment(p: usize, end: usize): u32 {
  let count: u32 = 0;
  while (p < end && load<u8>(p) != HYPHEN) {
    count++;
    p++;
  }
  return count;
}

/** Machine numbers of 13 digits, the Internet of things' part of the MIIT's plan: nobody can be reached there. */
function isMachine(p: usize, end: usize): bool {
  if (segment(p, end) != 13) return false;
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
