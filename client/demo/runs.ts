/** Runs of text that could be another form of something, and what they turn into as UTF-8 or as raw octets. */
import { MIN_NEEDLE_BYTES } from './needles.ts';

/** A run turned into octets, and where in the block the text of each of them begins. */
export interface Run {
  bytes: Buffer;
  origin(offset: number): number;
}

/** Characters that stand for MIN_NEEDLE_BYTES octets at least: what is shorter hides no value worth a search. */
const UTF16_MIN = MIN_NEEDLE_BYTES / 2;
const HEX_MIN = MIN_NEEDLE_BYTES * 2;
const BASE64_MIN = Math.ceil((MIN_NEEDLE_BYTES * 8) / 6);
const PERCENT_MIN = MIN_NEEDLE_BYTES;

const HEX = classOf(/[0-9A-Fa-f]/);
/** Both alphabets of RFC 4648 (sections 4 and 5). */
const BASE64 = classOf(/[A-Za-z0-9+/_-]/);
/** What may stand in a URL (RFC 3986 section 2). */
const URL_TEXT = classOf(/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/);

/**
 * UTF-16 in both byte orders, from even and from odd offsets, as UTF-8.
 * @param units 1 for each code unit that may stand in a run
 */
export function* utf16Runs(block: Buffer, units: Uint8Array): Generator<Run> {
  for (const phase of [0, 1]) {
    const count = (block.length - phase) >> 1;
    for (const bigEndian of [false, true]) {
      const high = bigEndian ? phase : phase + 1;
      const low = bigEndian ? phase + 1 : phase;
      const inClass = (i: number) =>
        units[((block[high + 2 * i] as number) << 8) | (block[low + 2 * i] as number)] === 1;
      for (const { start, end } of spans(count, inClass, UTF16_MIN)) {
        const from = phase + 2 * start;
        const text = Buffer.from(block.subarray(from, phase + 2 * end));
        if (bigEndian) text.swap16();
        const bytes = Buffer.from(text.toString('utf16le'), 'utf8');
        const origin = (offset: number) => from + 2 * bytes.toString('utf8', 0, offset).length;
        yield { bytes, origin };
      }
    }
  }
}

/** Hexadecimal digits, taken in pairs from the first and from the second digit of a run on. */
export function* hexRuns(block: Buffer): Generator<Run> {
  for (const { start, end } of byteSpans(block, HEX, HEX_MIN)) {
    for (let from = start; from < start + 2; from++) {
      const bytes = Buffer.from(block.toString('latin1', from, end), 'hex');
      yield { bytes, origin: (offset) => from + 2 * offset };
    }
  }
}

/** Base64 or base64url, taken in fours from each of the first four characters of a run on: the true start is not known. */
export function* base64Runs(block: Buffer): Generator<Run> {
  for (const { start, end } of byteSpans(block, BASE64, BASE64_MIN)) {
    for (let from = start; from < start + 4; from++) {
      const bytes = Buffer.from(block.toString('latin1', from, end), 'base64');
      yield { bytes, origin: (offset) => from + Math.floor((offset * 8) / 6) };
    }
  }
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const BLANK = 0x20;

/** Percent-encoded text (RFC 3986 section 2.1); once more with `+` as a blank, as forms have it. */
export function* percentRuns(block: Buffer): Generator<Run> {
  for (const { start, end } of byteSpans(block, URL_TEXT, PERCENT_MIN)) {
    const span = block.subarray(start, end);
    if (span.includes(PERCENT)) yield percentDecoded(block, start, end, PLUS);
    if (span.includes(PLUS)) yield percentDecoded(block, start, end, BLANK);
  }
}

function percentDecoded(block: Buffer, start: number, end: number, forPlus: number): Run {
  const bytes = Buffer.allocUnsafe(end - start);
  const origins = new Uint32Array(end - start);
  let length = 0;
  for (let i = start; i < end; length++) {
    origins[length] = i;
    const octet = block[i] as number;
    const first = HEX[block[i + 1] as number];
    if (octet === PERCENT && i + 2 < end && first && HEX[block[i + 2] as number]) {
      bytes[length] = Number.parseInt(block.toString('latin1', i + 1, i + 3), 16);
      i += 3;
    } else {
      bytes[length] = octet === PLUS ? forPlus : octet;
      i++;
    }
  }
  return { bytes: bytes.subarray(0, length), origin: (offset) => origins[offset] as number };
}

function byteSpans(block: Buffer, inClass: Uint8Array, least: number) {
  return spans(block.length, (i) => inClass[block[i] as number] === 1, least);
}

/**
 * Longest runs, of `least` places or more, whose places are all in a class. Only every `least`-th place is looked at,
 * and its neighbours if it is in the class: a run that is long enough holds one such place.
 */
function* spans(
  count: number,
  inClass: (place: number) => boolean,
  least: number,
): Generator<{ start: number; end: number }> {
  let from = 0;
  for (let i = least - 1; i < count; i += least) {
    if (!inClass(i)) continue;
    let start = i;
    while (start > from && inClass(start - 1)) start--;
    let end = i + 1;
    while (end < count && inClass(end)) end++;
    if (end - start >= least) yield { start, end };
    from = end;
    i = end;
  }
}

function classOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) =>
    code < 128 && pattern.test(String.fromCharCode(code)) ? 1 : 0,
  );
}
