/**
 * Text of one chunk's records in normal form. What has to be changed or joined is written to an arena that lives as long as
 * the chunk; all text here is valid UTF-8 (cbor.ts has checked it).
 */
import { MAX_CHUNK_BYTES, MAX_CHUNK_RECORDS, MAX_RECORD_BYTES } from './codes.gen';

/** What one record may take: normal forms are at most a third longer than their text, and phones are written twice. */
const ARENA_RECORD: usize = <usize>MAX_RECORD_BYTES * 2;
/** Each octet of a chunk at most twice, 16 octets a record for class, nationality and separators, and one record's slack. */
const ARENA_BYTES: u32 = MAX_CHUNK_BYTES * 2 + MAX_CHUNK_RECORDS * 16 + MAX_RECORD_BYTES * 2;
const ARENA: usize = memory.data(ARENA_BYTES, 16);

let top: usize = ARENA;

/** Empties the arena: at the start of a chunk. */
export function resetText(): void {
  wipeText();
}

/** Zeroes what the arena holds, and what was written behind it and not kept: the longer form of a text that was refused. */
export function wipeText(): void {
  memory.fill(ARENA, 0, min<usize>(top - ARENA + ARENA_RECORD, ARENA_BYTES));
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

/** Octets of the code point at `p`. */
export function widthAt(p: usize): usize {
  const lead: u32 = load<u8>(p);
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** The code point at `p`. */
export function codePointAt(p: usize): u32 {
  const lead: u32 = load<u8>(p);
  if (lead < 0x80) return lead;
  const second: u32 = load<u8>(p, 1) & 63;
  if (lead < 0xe0) return ((lead & 31) << 6) | second;
  const third: u32 = load<u8>(p, 2) & 63;
  if (lead < 0xf0) return ((lead & 15) << 12) | (second << 6) | third;
  return ((lead & 7) << 18) | (second << 12) | (third << 6) | <u32>(load<u8>(p, 3) & 63);
}

/** Writes a code point as UTF-8; returns the address behind it. */
export function putCodePoint(out: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(out, c);
    return out + 1;
  }
  if (c < 0x800) {
    store<u8>(out, 0xc0 | (c >> 6));
    store<u8>(out, 0x80 | (c & 63), 1);
    return out + 2;
  }
  if (c < 0x1_0000) {
    store<u8>(out, 0xe0 | (c >> 12));
    store<u8>(out, 0x80 | ((c >> 6) & 63), 1);
    store<u8>(out, 0x80 | (c & 63), 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | (c >> 18));
  store<u8>(out, 0x80 | ((c >> 12) & 63), 1);
  store<u8>(out, 0x80 | ((c >> 6) & 63), 2);
  store<u8>(out, 0x80 | (c & 63), 3);
  return out + 4;
}

/** Start of the code point that ends at `end`. */
export function stepBack(end: usize): usize {
  let p = end - 1;
  while ((load<u8>(p) & 0xc0) == 0x80) p--;
  return p;
}

/** Number of code points. */
export function countCodePoints(p: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; p < end; p++) count += (load<u8>(p) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0xa0 || c == 0x3000;
}

/** Start of the text without the blanks before it. */
export function trimStart(p: usize, end: usize): usize {
  while (p < end && isBlank(codePointAt(p))) p += widthAt(p);
  return p;
}

/** End of the text without the blanks behind it. */
export function trimEnd(p: usize, end: usize): usize {
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
  for (let i: usize = 0; i < length; i++) {
    if (!isDigit(load<u8>(p + i))) return false;
  }
  return true;
}

/** Decimal value of `length` digits. */
export function decimalAt(p: usize, length: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < length; i++) value = value * 10 + (load<u8>(p + i) - 0x30);
  return value;
}

/** Writes a number or code in normal form: trimmed, half-width, upper-case. Returns the address behind it. */
export function normalizeCodeInto(out: usize, p: usize, length: usize): usize {
  const end = trimEnd(p, p + length);
  p = trimStart(p, end);
  while (p < end) {
    const c: u32 = load<u8>(p);
    if (c < 0x80) {
      store<u8>(out++, upperCase(c));
      p++;
    } else {
      out = putCodePoint(out, upperCase(halfWidth(codePointAt(p))));
      p += widthAt(p);
    }
  }
  return out;
}

/** True when the text is `least` to `most` of A-Z and 0-9, and `-` where `hyphen` says so. */
export function isCode(p: usize, length: usize, least: usize, most: usize, hyphen: bool): bool {
  if (length < least || length > most) return false;
  for (let i: usize = 0; i < length; i++) {
    const c: u32 = load<u8>(p + i);
    if (!isDigit(c) && !isUpper(c) && !(hyphen && c == 0x2d)) return false;
  }
  return true;
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
