/**
 * Octets sixteen at a time. A mask has bit n for octet n of a block. The last block of a text reaches up to 15 octets behind
 * it: that memory is the module's own, and `within` leaves those octets out of the masks.
 */

/** Octets of a block. */
export const BLOCK: usize = 16;

/** The octets of a block that belong to a text of which `left` octets are left. */
export function within(left: usize): u32 {
  return left < 16 ? (1 << (<u32>left)) - 1 : 0xffff;
}

/** Octets from `first` to `last`, both included. */
export function inRange(block: v128, first: u8, last: u8): u32 {
  const above = i8x16.sub(block, i8x16.splat(first));
  return i8x16.bitmask(i8x16.le_u(above, i8x16.splat(last - first)));
}

/** All ones in the octets that equal one. */
export function equal(block: v128, octet: u8): v128 {
  return i8x16.eq(block, i8x16.splat(octet));
}

export function equalTo(block: v128, octet: u8): u32 {
  return i8x16.bitmask(equal(block, octet));
}

/** Octets that begin a code point of UTF-8: all but 80 to BF, which as signed numbers are below -64. */
export function startsIn(block: v128): u32 {
  return i8x16.bitmask(i8x16.gt_s(block, i8x16.splat(-65)));
}

/** True for at most 16 octets of printable ASCII. */
export function isShortAscii(p: usize, length: usize): bool {
  return length <= 16 && (~inRange(v128.load(p), 0x20, 0x7e) & within(length)) == 0;
}

/** Digits of a text of at most 64 octets. */
export function digitsIn(p: usize, length: usize): u64 {
  let digits: u64 = 0;
  for (let i: usize = 0; i < length; i += 16) {
    digits |= (<u64>(inRange(v128.load(p + i), 0x30, 0x39) & within(length - i))) << i;
  }
  return digits;
}

/**
 * Copies in whole blocks and returns the address behind the copy; what it writes behind that, at most 16 octets, is for
 * the caller to write over or to wipe.
 */
export function putBlocks(to: usize, from: usize, length: usize): usize {
  let done: usize = 0;
  do {
    v128.store(to + done, v128.load(from + done));
    done += 16;
  } while (done < length);
  return to + length;
}

/** Fills with one octet, likewise. */
export function fillBlocks(to: usize, octet: u8, length: usize): usize {
  let done: usize = 0;
  do {
    v128.store(to + done, i8x16.splat(octet));
    done += 16;
  } while (done < length);
  return to + length;
}
