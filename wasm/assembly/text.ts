/**
 * Text of one chunk's records in normal form. What has to be changed or joined is written to an arena that lives as long as
 * the chunk; all text here is valid UTF-8 (record.ts has checked it).
 */
import { equalTo, inRange, startsIn, within } from './blocks';
import { MAX_CHUNK_BYTES, MAX_CHUNK_RECORDS, MAX_RECORD_BYTES } from './codes.gen';
import { codePointAt, putCodePoint, stepBack, widthAt } from './utf8';

/** What one record may take: normal forms are at most a third longer than their text, and phones are written twice. */
const ARENA_RECORD: usize = <usize>MAX_RECORD_BYTES * 2;
/** Each octet of a chunk at most twice, 16 octets a record for class, nationality and separators, and one record's slack. */
const ARENA_BYTES: u32 = MAX_CHUNK_BYTES * 2 + MAX_CHUNK_RECORDS * 16 + MAX_RECORD_BYTES * 2;
const ARENA: usize = memory.data(ARENA_BYTES, 16);

/** The most that is written behind the top and not kept: two forms of a phone number that is refused, and the end of a block. */
const UNKEPT_BYTES: usize = 256;

let top: usize = ARENA;

/** Zeroes what the arena holds and empties it: at the end of every call. */
export function wipeText(): void {
  memory.fill(ARENA, 0, min<usize>(top - ARENA + UNKEPT_BYTES, ARENA_BYTES));
  top = ARENA;
}

/** True when the arena can take any one record more. */
export function hasTextRoom(): bool {
  return ARENA + ARENA_BYTES - top >= ARENA_RECORD;
}

/** Where the next text goes. */
export function textTop(): usize {
  return top;
}

/** Keeps what was written from `textTop()` up to `end`. */
export function keepText(end: usize): void {
  top = end;
}

export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0xa0 || c == 0x3000;
}

/** Start of the text without the blanks before it. */
export function trimStart(p: usize, end: usize): usize {
  // The octets that a blank begins with
  const first: u32 = load<u8>(p);
  if (first > 0x20 && first != 0xc2 && first != 0xe3) return p;
  while (p < end && isBlank(codePointAt(p))) p += widthAt(p);
  return p;
}

/** End of the text without the blanks behind it. */
export function trimEnd(p: usize, end: usize): usize {
  // The octets that a blank ends with
  const last: u32 = load<u8>(end - 1);
  if (last > 0x20 && last != 0x80 && last != 0xa0) return end;
  while (end > p) {
    const last = stepBack(end);
    if (!isBlank(codePointAt(last))) return end;
    end = last;
  }
  return end;
}

/** Full-width forms of ASCII (U+FF01 to U+FF5E, U+3000) to their half-width ones. */
export function halfWidth(c: u32): u32 {
  if (c - 0xff01 < 94) return c - 0xfee0;
  return c == 0x3000 ? 0x20 : c;
}

export function upperCase(c: u32): u32 {
  return c - 0x61 < 26 ? c - 0x20 : c;
}

export function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

export function isUpper(c: u32): bool {
  return c - 0x41 < 26;
}

/** Value of a digit or letter as in ISO 7064 and ICAO 9303: 0-9, A = 10 ... Z = 35; 255 for anything else. */
export function alphanumericValue(c: u32): u32 {
  if (isDigit(c)) return c - 0x30;
  return isUpper(c) ? c - 0x41 + 10 : 255;
}

/** True when all `length` octets at `p` are digits. */
export function allDigits(p: usize, length: usize): bool {
  let others: u32 = 0;
  for (let i: usize = 0; i < length; i += 16) {
    others |= ~inRange(v128.load(p + i), 0x30, 0x39) & within(length - i);
  }
  return others == 0;
}

/** Decimal value of `length` digits. */
export function decimalAt(p: usize, length: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < length; i++) value = value * 10 + (load<u8>(p + i) - 0x30);
  return value;
}

/**
 * Writes a number or code in normal form: trimmed, half-width, upper-case. Returns the address behind it; what it writes
 * behind that is for the caller to wipe, as with `putBlocks`.
 */
export function normalizeCodeInto(out: usize, p: usize, length: usize): usize {
  const end = trimEnd(p, p + length);
  p = trimStart(p, end);
  for (; p < end; p += 16) {
    const block = v128.load(p);
    if ((i8x16.bitmask(block) & within(end - p)) != 0) break;
    v128.store(out, upperCaseBlock(block));
    out += 16;
  }
  if (p >= end) return out - (p - end);
  // Not ASCII alone
  while (p < end) {
    out = putCodePoint(out, upperCase(halfWidth(codePointAt(p))));
    p += widthAt(p);
  }
  return out;
}

function upperCaseBlock(block: v128): v128 {
  const lower = i8x16.le_u(i8x16.sub(block, i8x16.splat(0x61)), i8x16.splat(25));
  return i8x16.sub(block, v128.and(lower, i8x16.splat(0x20)));
}

/** True when the text is `least` to `most` of A-Z and 0-9, and `-` where `hyphen` says so. */
export function isCode(p: usize, length: usize, least: usize, most: usize, hyphen: bool): bool {
  if (length < least || length > most) return false;
  let others: u32 = 0;
  for (let i: usize = 0; i < length; i += 16) {
    const block = v128.load(p + i);
    let letters = inRange(block, 0x30, 0x39) | inRange(block, 0x41, 0x5a);
    if (hyphen) letters |= equalTo(block, 0x2d);
    others |= ~letters & within(length - i);
  }
  return others == 0;
}

/**
 * Han characters, with the radicals that GB 18030 maps some to and U+3007, the zero of names and addresses. Planes 2 and 3 are
 * Han as a whole: new characters of names are put there.
 */
export function isHan(c: u32): bool {
  return (
    c - 0x4e00 < 0x5200 || // unified ideographs
    c - 0x3400 < 0x19c0 || // extension A
    (c - 0x2_0000 < 0x2_0000 && (c & 0xfffe) != 0xfffe) || // extensions B and on, supplement
    c - 0xf900 < 0x200 || // compatibility ideographs
    c - 0x2e80 < 0x80 ||
    c == 0x3007
  );
}

export function isPrivateUse(c: u32): bool {
  return c - 0xe000 < 0x1900 || c >= 0xf_0000;
}

/**
 * Characters that nobody sees or that change how others are seen: controls, zero-width and bidirectional marks, fillers,
 * variation selectors, tags, noncharacters. They would let one text pass for another and defeat the keyed indexes.
 */
export function isInvisible(c: u32): bool {
  // Most characters are Han or ASCII.
  if (c - 0x3165 < 0xa69b) return false;
  if (c < 0xad) return c < 0x20 || c - 0x7f < 0x21;
  return (
    c == 0xad ||
    c == 0x34f ||
    c == 0x61c ||
    c - 0x115f < 2 ||
    c - 0x17b4 < 2 ||
    c - 0x180b < 5 ||
    c - 0x200b < 5 ||
    c - 0x2028 < 7 ||
    c - 0x2060 < 16 ||
    c == 0x3164 ||
    c - 0xfdd0 < 32 ||
    c - 0xfe00 < 16 ||
    c == 0xfeff ||
    c == 0xffa0 ||
    c - 0xfff0 < 14 ||
    c - 0x1_bca0 < 4 ||
    c - 0x1_d173 < 8 ||
    (c & 0xfffe) == 0xfffe ||
    c - 0xe_0000 < 0x1000
  );
}

/**
 * True when all code points are Han. Most of names are from U+4E00 to U+9FFF: leads E5 to E9, and E4 before B8 to BF.
 */
export function allHan(p: usize, end: usize): bool {
  for (; p < end; p += 16) {
    const block = v128.load(p);
    const common =
      inRange(block, 0xe5, 0xe9) | (equalTo(block, 0xe4) & inRange(v128.load(p, 1), 0xb8, 0xbf));
    let others = startsIn(block) & ~common & within(end - p);
    for (; others != 0; others &= others - 1) {
      if (!isHan(codePointAt(p + ctz(others)))) return false;
    }
  }
  return true;
}
