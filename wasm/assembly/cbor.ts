/**
 * Deterministic CBOR (RFC 8949 section 4.2.1): one scan that judges a whole item, readers of heads, and
 * a writer. Nothing here recurses, and work is bounded by the input: every step consumes at least one octet.
 */
import { MAX_CBOR_DEPTH } from './codes.gen';
import { isText } from './utf8';

export const MAJOR_UINT: u32 = 0;
export const MAJOR_NEGATIVE: u32 = 1;
export const MAJOR_BYTES: u32 = 2;
export const MAJOR_TEXT: u32 = 3;
export const MAJOR_ARRAY: u32 = 4;
export const MAJOR_MAP: u32 = 5;
const MAJOR_TAG: u32 = 6;
const MAJOR_OTHER: u32 = 7;

/** Initial octets of the two simple values of the profile. */
export const CBOR_FALSE: u32 = 0xf4;
export const CBOR_TRUE: u32 = 0xf5;

/** The item is well-formed but outside the profile: not shortest, indefinite, unsorted, a float, a tag, too deep. */
const OUTSIDE_PROFILE: u32 = 1;
/** Some text is not UTF-8 (RFC 3629), or holds a NUL. */
export const BAD_TEXT: u32 = 2;

/** Nesting, tags included, that can still be skipped; an item that is deeper counts as not well-formed. */
const MAX_OPEN: u32 = 32;

// An open container: what is left of it, its kind, and the key before the current one.
const LEFT: usize = 0; // u64: items; a map's keys are those that begin at an even number
const KIND: usize = 8; // u32: major type
const INDEFINITE: usize = 12; // u32
const KEY: usize = 16; // usize: encoding of the last key; 0 at first
const KEY_LENGTH: usize = 20;
const FRAME: usize = 24;
const FRAMES: usize = memory.data(768, 8);

let findings: u32 = 0;
let argument: u64 = 0;

/** What the last `scanItem` found: OUTSIDE_PROFILE, BAD_TEXT, both or 0. */
export function scanFindings(): u32 {
  return findings;
}

export function wipeCbor(): void {
  memory.fill(FRAMES, 0, 768);
  argument = 0;
}

/**
 * Walks one item of any kind. Returns the address behind it, or 0 when it is not well-formed (RFC 8949 section 5.3) or ends
 * after `end`. `scanFindings` then tells whether the profile is kept.
 */
export function scanItem(start: usize, end: usize): usize {
  let p = start;
  let open: u32 = 0;
  findings = 0;
  do {
    const item = p;
    if (p >= end) return 0;
    const initial: u32 = load<u8>(p);
    const frame = FRAMES + <usize>open * FRAME - FRAME;
    let isKey =
      open != 0 && load<u32>(frame, KIND) == MAJOR_MAP && (load<u64>(frame, LEFT) & 1) == 0;
    let opened = false;

    if (initial == 0xff) {
      // "break": ends an indefinite array or map, the latter only after a value
      if (open == 0 || !load<u32>(frame, INDEFINITE)) return 0;
      if (load<u32>(frame, KIND) == MAJOR_MAP && !isKey) return 0;
      isKey = false;
      open--;
      p++;
    } else {
      p = readHead(p, end);
      if (p == 0) return 0;
      const major = initial >> 5;
      const indefinite = (initial & 31) == 31;
      const left = <u64>(end - p);
      if (isKey && (indefinite || major > MAJOR_TEXT)) findings |= OUTSIDE_PROFILE;
      if (major == MAJOR_BYTES || major == MAJOR_TEXT) {
        if (indefinite) {
          p = scanChunks(p, end, major);
          if (p == 0) return 0;
        } else {
          if (argument > left) return 0;
          if (major == MAJOR_TEXT && !isText(p, <usize>argument)) findings |= BAD_TEXT;
          p += <usize>argument;
        }
      } else if (major >= MAJOR_ARRAY && major <= MAJOR_TAG) {
        let items: u64 = 1;
        if (major == MAJOR_TAG) {
          findings |= OUTSIDE_PROFILE;
        } else {
          if (open >= MAX_CBOR_DEPTH) findings |= OUTSIDE_PROFILE;
          if (indefinite) {
            items = u64.MAX_VALUE - 1;
          } else {
            // Each item is at least one octet: a count beyond what is left is a lie, however large.
            if (argument > (major == MAJOR_MAP ? left >> 1 : left)) return 0;
            items = major == MAJOR_MAP ? argument << 1 : argument;
          }
        }
        if (open == MAX_OPEN) return 0;
        if (items != 0) {
          const inner = FRAMES + <usize>open * FRAME;
          store<u64>(inner, items, LEFT);
          store<u32>(inner, major, KIND);
          store<u32>(inner, indefinite ? 1 : 0, INDEFINITE);
          store<usize>(inner, 0, KEY);
          store<usize>(inner, 0, KEY_LENGTH);
          open++;
          opened = true;
        }
      }
      if (isKey && major <= MAJOR_TEXT) {
        checkOrder(frame, item, p - item);
      }
    }

    if (!opened) {
      // An item is complete; with it perhaps the containers that it was the last item of.
      let closing = true;
      while (closing && open != 0) {
        const container = FRAMES + <usize>open * FRAME - FRAME;
        const items = load<u64>(container, LEFT) - 1;
        store<u64>(container, items, LEFT);
        closing = items == 0;
        if (closing) open--;
      }
    }
  } while (open != 0);
  return p;
}

/** Reads a head into `argument`, noting what is not in its shortest form or not in the profile. 0 when not well-formed. */
function readHead(p: usize, end: usize): usize {
  const initial: u32 = load<u8>(p++);
  const major = initial >> 5;
  const info = initial & 31;
  argument = info;
  if (info < 24) {
    if (major == MAJOR_OTHER && initial != CBOR_FALSE && initial != CBOR_TRUE)
      findings |= OUTSIDE_PROFILE;
    return p;
  }
  if (info < 28) {
    const width: usize = (<usize>1) << (info - 24);
    if (end - p < width) return 0;
    let value: u64 = 0;
    for (let i: usize = 0; i < width; i++) value = (value << 8) | load<u8>(p + i);
    argument = value;
    if (major == MAJOR_OTHER) {
      if (info == 24 && value < 32) return 0;
      findings |= OUTSIDE_PROFILE;
    } else if (value < (info == 24 ? 24 : (<u64>1) << ((<u64>width) << 2))) {
      findings |= OUTSIDE_PROFILE;
    }
    return p + width;
  }
  if (info == 31 && major >= MAJOR_BYTES && major <= MAJOR_MAP) {
    findings |= OUTSIDE_PROFILE;
    return p;
  }
  return 0;
}

/** The chunks of an indefinite string: definite ones of its own major type, then "break". */
function scanChunks(p: usize, end: usize, major: u32): usize {
  while (p < end) {
    const initial: u32 = load<u8>(p);
    if (initial == 0xff) return p + 1;
    if (initial >> 5 != major || (initial & 31) == 31) return 0;
    p = readHead(p, end);
    if (p == 0 || argument > <u64>(end - p)) return 0;
    if (major == MAJOR_TEXT && !isText(p, <usize>argument)) findings |= BAD_TEXT;
    p += <usize>argument;
  }
  return 0;
}

/** RFC 8949 section 4.2.1: keys in the bytewise order of their encodings, each once. */
function checkOrder(frame: usize, key: usize, length: usize): void {
  const before = load<usize>(frame, KEY);
  const lengthBefore = load<usize>(frame, KEY_LENGTH);
  if (before != 0) {
    const common = min(length, lengthBefore);
    const order = memory.compare(before, key, common);
    if (order > 0 || (order == 0 && lengthBefore >= length)) findings |= OUTSIDE_PROFILE;
  }
  store<usize>(frame, key, KEY);
  store<usize>(frame, length, KEY_LENGTH);
}

/** Major type of the item at `p`. */
export function majorAt(p: usize): u32 {
  return <u32>load<u8>(p) >> 5;
}

/**
 * Reads a head of the profile: definite, in its shortest form. Returns the address behind it, 0 for any other; `headValue` is
 * the integer, the length of a string, the number of entries.
 */
export function headEnd(p: usize): usize {
  const info: u32 = load<u8>(p) & 31;
  if (info < 24) {
    argument = info;
    return p + 1;
  }
  if (info == 24) {
    argument = load<u8>(p, 1);
    return argument < 24 ? 0 : p + 2;
  }
  if (info == 25) {
    argument = bswap<u16>(load<u16>(p, 1));
    return argument < 0x100 ? 0 : p + 3;
  }
  if (info == 26) {
    argument = bswap<u32>(load<u32>(p, 1));
    return argument < 0x1_0000 ? 0 : p + 5;
  }
  argument = bswap<u64>(load<u64>(p, 1));
  return info > 27 || argument < 0x1_0000_0000 ? 0 : p + 9;
}

export function headValue(): u64 {
  return argument;
}

/** Octets of the head at `p`. */
export function headLength(p: usize): usize {
  const info: u32 = load<u8>(p) & 31;
  return info < 24 ? 1 : 1 + ((<usize>1) << (info - 24));
}

/** Writes a head in its shortest form; returns the address behind it. */
export function putHead(out: usize, major: u32, value: u64): usize {
  const type = major << 5;
  if (value < 24) {
    store<u8>(out, type | <u32>value);
    return out + 1;
  }
  if (value < 0x100) {
    store<u8>(out, type | 24);
    store<u8>(out, <u8>value, 1);
    return out + 2;
  }
  if (value < 0x1_0000) {
    store<u8>(out, type | 25);
    store<u16>(out, bswap<u16>(<u16>value), 1);
    return out + 3;
  }
  if (value < 0x1_0000_0000) {
    store<u8>(out, type | 26);
    store<u32>(out, bswap<u32>(<u32>value), 1);
    return out + 5;
  }
  store<u8>(out, type | 27);
  store<u64>(out, bswap<u64>(value), 1);
  return out + 9;
}
