/** UTF-8 (RFC 3629): whether octets are such text, and its code points. */
import { equalTo, inRange, isShortAscii, startsIn, within } from './blocks';

let points: u32 = 0;
let plain: bool = false;

/** Code points of the text that `isText` passed last, if it is plain: printable ASCII and U+4000 to U+CFFF alone; otherwise 0. */
export function plainPoints(): u32 {
  return plain ? points : 0;
}

/** True for UTF-8 as in RFC 3629 (no over-long form, no surrogate, nothing above U+10FFFF) without U+0000. */
export function isText(p: usize, length: usize): bool {
  points = length;
  plain = true;
  if (isShortAscii(p, length)) return true;
  const end = p + length;
  points = 0;
  // Trailing octets that the next block must begin with.
  let due: u32 = 0;
  for (; p < end; p += 16) {
    const block = v128.load(p);
    const inside = within(end - p);
    const high = i8x16.bitmask(block) & inside;
    const starts = startsIn(block) & inside;
    let trails = due;
    // Most text is plain: leads E4 to EC begin three octets, of which the others may be any trailing ones.
    if (((inRange(block, 0x20, 0x7e) | inRange(block, 0xe4, 0xec)) & inside) == starts) {
      const leads = starts & high;
      trails |= (leads << 1) | (leads << 2);
    } else {
      plain = false;
      const leads = leadsIn(p, block, inside);
      if (leads == NOT_TEXT) return false;
      trails |= leads;
    }
    if ((trails & 0xffff) != (high & ~starts)) return false;
    due = trails >> 16;
    points += popcnt(starts);
  }
  return due == 0;
}

const NOT_TEXT: u32 = 0xffff_ffff;

/** Where the leads of a block, of whatever kind, want trailing octets; NOT_TEXT when something in it is never text. */
function leadsIn(p: usize, block: v128, inside: u32): u32 {
  const high = i8x16.bitmask(block) & inside;
  if ((equalTo(block, 0) & inside) != 0) return NOT_TEXT;
  // As signed numbers: two octets from C2 on, three from E0 on, four from F0 on.
  const two = i8x16.bitmask(i8x16.gt_s(block, i8x16.splat(-63))) & high;
  const three = i8x16.bitmask(i8x16.gt_s(block, i8x16.splat(-33))) & high;
  const four = i8x16.bitmask(i8x16.gt_s(block, i8x16.splat(-17))) & high;
  if ((startsIn(block) & high) != two) return NOT_TEXT;
  // After these leads not every second octet will do.
  let narrow = ((equalTo(block, 0xe0) | equalTo(block, 0xed)) & inside) | four;
  for (; narrow != 0; narrow &= narrow - 1) {
    const lead = p + ctz(narrow);
    if (!secondFits(load<u8>(lead), load<u8>(lead, 1))) return NOT_TEXT;
  }
  return (two << 1) | (three << 2) | (four << 3);
}

function secondFits(lead: u32, second: u32): bool {
  if (lead == 0xe0) return second >= 0xa0;
  if (lead == 0xed) return second < 0xa0;
  if (lead == 0xf0) return second >= 0x90;
  return lead < 0xf4 || (lead == 0xf4 && second < 0x90);
}

/** Number of code points. */
export function countCodePoints(p: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; p < end; p += 16) count += popcnt(startsIn(v128.load(p)) & within(end - p));
  return count;
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
