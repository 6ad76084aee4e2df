/** Names: normal form, placeholders, letters. */
import { REFUSAL_BAD_NAME, REFUSAL_PLACEHOLDER } from './codes.gen';
import {
  PLACEHOLDER_BEGINNINGS,
  PLACEHOLDER_COUNT,
  PLACEHOLDERS,
  PRIVATE_COUNT,
  PRIVATE_FIRST,
  PRIVATE_UNICODE,
  TITLE_COUNT,
  TITLES,
} from './data/names.gen';
import {
  allHan,
  halfWidth,
  isHan,
  isInvisible,
  isPrivateUse,
  trimEnd,
  trimStart,
  upperCase,
} from './text';
import { codePointAt, countCodePoints, putCodePoint, widthAt } from './utf8';

/** Who bears the name, which tells the letters it may have. */
export const NAME_HAN: u32 = 0; // a Chinese document: Han and U+00B7
export const NAME_LATIN: u32 = 1; // a passport or permit: Latin letters, blanks and hyphens too
export const NAME_OPEN: u32 = 2; // an organisation, or a recipient, whose document nobody sees

const SEPARATOR: u32 = 0xb7;
const MAX_CODE_POINTS: u32 = 50;

/** Writes the normal form of a name to `out`, at most 51 code points of it; returns the address behind it. */
export function normalizeNameInto(out: usize, p: usize, length: usize): usize {
  const end = trimEnd(p, p + length);
  p = trimStart(p, end);
  // One code point too many is kept, so that `checkName` sees the excess.
  for (let count: u32 = 0; p < end && count <= MAX_CODE_POINTS; count++) {
    const c = codePointAt(p);
    const width = widthAt(p);
    if (isHan(c)) {
      memory.copy(out, p, width);
      out += width;
    } else {
      out = putCodePoint(out, isSeparator(c) ? SEPARATOR : fromPrivateUse(c));
    }
    p += width;
  }
  return out;
}

/** True when a name is Han alone, as most are: then it is its normal form as it stands. */
export function isHanName(p: usize, length: usize): bool {
  return length != 0 && allHan(p, p + length);
}

/** Checks a name in normal form; returns a refusal code or 0. `han`: as of `isHanName`. */
export function checkName(p: usize, end: usize, han: bool, bearer: u32): u32 {
  if (isPlaceholder(p, end)) return REFUSAL_PLACEHOLDER;
  const count = countCodePoints(p, end);
  if (count < 2 || count > MAX_CODE_POINTS) return REFUSAL_BAD_NAME;
  return han || hasLetters(p, end, bearer) ? 0 : REFUSAL_BAD_NAME;
}

/** True when every character may stand in a name of this bearer, and separators stand singly between others. */
function hasLetters(p: usize, end: usize, bearer: u32): bool {
  let previous: u32 = SEPARATOR;
  while (p < end) {
    const c = codePointAt(p);
    if (isInvisible(c) || isPrivateUse(c)) return false;
    if (bearer != NAME_OPEN) {
      if (c == SEPARATOR) {
        if (previous == SEPARATOR) return false;
      } else if (!isHan(c) && !(bearer == NAME_LATIN && isLatin(c))) {
        return false;
      }
    }
    previous = c;
    p += widthAt(p);
  }
  return bearer == NAME_OPEN || previous != SEPARATOR;
}

/** What is typed for the separator of minority names, U+00B7 (民委发〔2016〕33号). */
function isSeparator(c: u32): bool {
  return (
    c == 0x2022 ||
    c == 0x2219 ||
    c == 0x30fb ||
    c == 0x25cf ||
    c == 0x2027 ||
    c == 0x22c5 ||
    c == 0xff0e
  );
}

/** The Unicode character of one that GBK systems hold in the private use area; any other character itself. */
function fromPrivateUse(c: u32): u32 {
  const index = c - PRIVATE_FIRST;
  return index < PRIVATE_COUNT ? load<u32>(PRIVATE_UNICODE + ((<usize>index) << 2)) : c;
}

/** Letters as passports print them, with what stands between them. */
function isLatin(c: u32): bool {
  const upper = upperCase(c);
  if (upper - 0x41 < 26) return true;
  // Latin-1 Supplement, Latin Extended-A and -B; Latin Extended Additional, which Vietnamese needs.
  if (c - 0xc0 < 0x190) return c != 0xd7 && c != 0xf7;
  if (c - 0x1e00 < 0x100) return true;
  return c == 0x20 || c == 0x2d || c == 0x27 || c == 0x2019 || c == 0x2e || c == 0x2c;
}

/** A text of the list, or one or two code points before a title ("张女士"). */
function isPlaceholder(p: usize, end: usize): bool {
  if (p < end && beginsOne(p, end) && listed(p, end)) return true;
  // Titles have two code points of three octets; a surname one or two.
  return end - p > 6 && isTitle(end - 6) && countCodePoints(p, end - 6) <= 2;
}

/** Six octets, in the low ones of a word. */
function isTitle(p: usize): bool {
  const title = load<u64>(p) & 0xffff_ffff_ffff;
  for (let i: usize = 0; i < TITLE_COUNT; i++) {
    if (load<u64>(TITLES + (i << 3)) == title) return true;
  }
  return false;
}

/** False for most names: by a hash of their first two code points no placeholder begins like them. */
function beginsOne(p: usize, end: usize): bool {
  const behind = p + widthAt(p);
  const second = behind < end ? folded(codePointAt(behind)) : 0;
  const hash = (folded(codePointAt(p)) * 31 + second) & 8191;
  return ((load<u8>(PLACEHOLDER_BEGINNINGS + (hash >> 3)) >> (hash & 7)) & 1) != 0;
}

/** Lower-case and full-width letters as upper-case ones; the list has only those. */
function folded(c: u32): u32 {
  return upperCase(halfWidth(c));
}

function listed(p: usize, end: usize): bool {
  let list = PLACEHOLDERS;
  for (let count = PLACEHOLDER_COUNT; count != 0; count--) {
    const length: usize = load<u8>(list++);
    if (foldedEquals(list, length, p, end)) return true;
    list += length;
  }
  return false;
}

function foldedEquals(entry: usize, length: usize, p: usize, end: usize): bool {
  const entryEnd = entry + length;
  while (p < end && entry < entryEnd) {
    const c = codePointAt(p);
    if (folded(c) != codePointAt(entry)) return false;
    p += widthAt(p);
    entry += widthAt(entry);
  }
  return p == end && entry == entryEnd;
}
