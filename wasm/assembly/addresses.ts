/** Addresses: what may stand in one, and where the part that a masked view hides begins. */
import { equal, within } from './blocks';
import { REFUSAL_BAD_ADDRESS } from './codes.gen';
import { isBlank, isDigit, isInvisible } from './text';
import { codePointAt, countCodePoints, stepBack, widthAt } from './utf8';

/**
 * Checks a trimmed address: 4 to 200 code points, none of them invisible. Returns a refusal code or 0.
 * @param points how many, when the address is plain (`plainPoints`), so that none of them is invisible; otherwise 0
 */
export function checkAddress(p: usize, end: usize, points: u32): u32 {
  if (points == 0) {
    points = countCodePoints(p, end);
    for (; p < end; p += widthAt(p)) {
      if (isInvisible(codePointAt(p))) return REFUSAL_BAD_ADDRESS;
    }
  }
  return points < 4 || points > 200 ? REFUSAL_BAD_ADDRESS : 0;
}

/**
 * End of the part of an address that a masked view shows; `end` when nothing has to be hidden.
 * GB/T 41833-2022 hides unit and room: from the first of 单元, 室, 户 on, with the number in front of it, or the numbers
 * joined by hyphens at the very end (`8-2-301` is building, unit, room).
 */
export function shownEnd(p: usize, end: usize): usize {
  const room = findRoom(p, end);
  if (room != 0) return withoutBlanks(p, beforeNumber(p, room));
  const tail = beforeJoined(p, end);
  return tail == end ? end : withoutBlanks(p, tail);
}

/** The first of 单元, 室, 户; 0 when there is none. Their last two octets are looked for, then the whole. */
function findRoom(p: usize, end: usize): usize {
  for (; p < end; p += 16) {
    const second = v128.load(p, 1);
    const third = v128.load(p, 2);
    const shi = v128.and(equal(second, 0xae), equal(third, 0xa4));
    const hu = v128.and(equal(second, 0x88), equal(third, 0xb7));
    const dan = v128.and(equal(second, 0x8d), equal(third, 0x95));
    let found = i8x16.bitmask(v128.or(v128.or(shi, hu), dan)) & within(end - p);
    for (; found != 0; found &= found - 1) {
      const at = p + ctz(found);
      const octets: u32 = load<u32>(at) & 0xff_ffff;
      if (octets == 0xa4aee5 || octets == 0xb788e6) return at;
      if (octets == 0x958de5 && end - at >= 6 && codePointAt(at + 3) == 0x5143) return at;
    }
  }
  return 0;
}

/** Start of the number that ends at `p`: joined numbers, digits, letters (`B1502`) or Han numerals; `p` when there is none. */
function beforeNumber(start: usize, p: usize): usize {
  const digits = beforeDigits(start, p);
  const joined = beforeHyphen(start, digits);
  if (digits != p && joined != digits) return joined;
  p = digits;
  while (p > start) {
    const previous = stepBack(p);
    if (!isNumeral(codePointAt(previous))) return p;
    p = previous;
  }
  return p;
}

/** Start of two numbers joined by a hyphen that end at `p`; `p` when there are none. */
function beforeJoined(start: usize, p: usize): usize {
  const digits = beforeDigits(start, p);
  const joined = beforeHyphen(start, digits);
  return digits != p && joined != digits ? joined : p;
}

/** Start of the number before the hyphen that ends at `p`; `p` when there is none. */
function beforeHyphen(start: usize, p: usize): usize {
  if (p == start) return p;
  const hyphen = stepBack(p);
  if (!isHyphen(codePointAt(hyphen))) return p;
  const digits = beforeDigits(start, hyphen);
  return digits == hyphen ? p : digits;
}

function beforeDigits(start: usize, p: usize): usize {
  while (p > start) {
    let previous = p - 1;
    if (!isDigit(load<u8>(previous))) {
      previous = stepBack(p);
      if (!(codePointAt(previous) - 0xff10 < 10)) return p;
    }
    p = previous;
  }
  return p;
}

function isNumeral(c: u32): bool {
  if (c < 0x80) return isDigit(c) || (c | 0x20) - 0x61 < 26;
  if (c - 0xff10 < 10 || c == 0x3007) return true;
  return (
    c == 0x4e00 || // 一
    c == 0x4e8c || // 二
    c == 0x4e09 || // 三
    c == 0x56db || // 四
    c == 0x4e94 || // 五
    c == 0x516d || // 六
    c == 0x4e03 || // 七
    c == 0x516b || // 八
    c == 0x4e5d || // 九
    c == 0x5341 || // 十
    c == 0x767e || // 百
    c == 0x96f6 // 零
  );
}

function isHyphen(c: u32): bool {
  return c == 0x2d || c == 0xff0d || c - 0x2010 < 6 || c == 0x2212;
}

function withoutBlanks(start: usize, p: usize): usize {
  while (p > start) {
    const previous = stepBack(p);
    if (!isBlank(codePointAt(previous))) return p;
    p = previous;
  }
  return p;
}
