/** Addresses: what may stand in one, and where the part that a masked view hides begins. */
import { REFUSAL_BAD_ADDRESS } from './codes.gen';
import { codePointAt, isBlank, isDigit, isInvisible, stepBack, widthAt } from './text';

/** Checks a trimmed address: 4 to 200 code points, none of them invisible. Returns a refusal code or 0. */
export function checkAddress(p: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; p < end; p += widthAt(p)) {
    if (isInvisible(codePointAt(p))) return REFUSAL_BAD_ADDRESS;
    count++;
  }
  return count < 4 || count > 200 ? REFUSAL_BAD_ADDRESS : 0;
}

/**
 * End of the part of an address that a masked view shows; `end` when nothing has to be hidden.
 * GB/T 41833-2022 hides unit and room: from the first of 单元, 室, 户 on, with the number in front of it, or the numbers
 * joined by hyphens at the very end (`8-2-301` is building, unit, room).
 */
export function shownEnd(p: usize, end: usize): usize {
  const start = p;
  while (p < end) {
    const c = codePointAt(p);
    if (
      c == 0x5ba4 ||
      c == 0x6237 ||
      (c == 0x5355 && end - p >= 6 && codePointAt(p + 3) == 0x5143)
    ) {
      return withoutBlanks(start, beforeNumber(start, p));
    }
    p += widthAt(p);
  }
  const tail = beforeJoined(start, end);
  return tail == end ? end : withoutBlanks(start, tail);
}

/** Start of the number that ends at `p`: joined numbers, digits, letters (`B1502`) or Han numerals; `p` when there is none. */
function beforeNumber(start: usize, p: usize): usize {
  const joined = beforeJoined(start, p);
  if (joined != p) return joined;
  while (p > start) {
    const previous = stepBack(p);
    if (!isNumeral(codePointAt(previous))) return p;
    p = previous;
  }
  return p;
}

/** Start of two numbers joined by a hyphen that end at `p`, the latter perhaps with letters; `p` when there are none. */
function beforeJoined(start: usize, p: usize): usize {
  const second = beforeDigits(start, p);
  if (second == p || second == start) return p;
  const hyphen = stepBack(second);
  if (!isHyphen(codePointAt(hyphen))) return p;
  const first = beforeDigits(start, hyphen);
  return first == hyphen ? p : first;
}

function beforeDigits(start: usize, p: usize): usize {
  while (p > start) {
    const previous = stepBack(p);
    const c = codePointAt(previous);
    if (!isDigit(c) && !(c - 0xff10 < 10)) return p;
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
