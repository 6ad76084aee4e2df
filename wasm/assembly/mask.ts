/** The masked view of a valid record, as deterministic CBOR. GB/T 41833-2022 asks what must be hidden at least. */
import { shownEnd } from './addresses';
import { digitsIn, fillBlocks, putBlocks } from './blocks';
import { MAJOR_MAP, MAJOR_TEXT, MAJOR_UINT, putHead } from './cbor';
import { FIELD_AGREEMENT } from './codes.gen';
import {
  hasKey,
  idPtr,
  P_ADDRESS,
  P_DOC_TYPE,
  P_NAME,
  P_NUMBER,
  P_PHONE,
  R_CARRIER,
  R_RECIPIENT,
  R_SENDER,
  R_TAKEN_AT,
  R_WAYBILL,
} from './record';
import { countCodePoints, stepBack, widthAt } from './utf8';

const STAR: u8 = 0x2a;

/**
 * Writes the masked view of the valid record `r`; returns its length. What only a city in trial takes is but a star.
 * `{1 id, 2 carrier, 3 waybill, 4 taken-at, 7 sender {1 type, 2 number, 4 name, 5 phone, 6 address}, 11 recipient {4, 5, 6}}`;
 * of an agreement, the sender is its organisation, without a name. The 16 octets behind the view become zeros.
 */
export function maskRecordInto(out: usize, r: usize): u32 {
  store<u32>(out, 0x5001a6); // map of 6; 1, 16 octets
  let p = putBlocks(out + 3, idPtr(r), 16);
  p = putText(p, 2, r + R_CARRIER);
  p = putText(p, 3, r + R_WAYBILL);
  p = putUint(p, 4, load<u64>(r, R_TAKEN_AT));

  const sender = r + R_SENDER;
  const named = !hasKey(r, FIELD_AGREEMENT);
  p = putMap(p, 7, named ? 5 : 4);
  p = putUint(p, 1, load<u32>(sender, P_DOC_TYPE));
  p = putNumber(p, sender + P_NUMBER);
  if (named) p = putName(p, sender + P_NAME);
  p = putPhone(p, sender + P_PHONE);
  p = putAddress(p, sender + P_ADDRESS);

  const recipient = r + R_RECIPIENT;
  p = putMap(p, 11, 3);
  p = putName(p, recipient + P_NAME);
  p = putPhone(p, recipient + P_PHONE);
  p = putAddress(p, recipient + P_ADDRESS);
  // Blocks have been copied whole: what they held beyond the view is not to be seen.
  v128.store(p, i64x2.splat(0));
  return <u32>(p - out);
}

function putUint(out: usize, key: u32, value: u64): usize {
  store<u8>(out, key);
  return putHead(out + 1, MAJOR_UINT, value);
}

function putMap(out: usize, key: u32, entries: u32): usize {
  store<u8>(out, key);
  store<u8>(out, (MAJOR_MAP << 5) | entries, 1);
  return out + 2;
}

function putTextHead(out: usize, key: u32, length: usize): usize {
  store<u8>(out, key);
  return putHead(out + 1, MAJOR_TEXT, length);
}

/** `at` is where in the record the text is pointed to, as below. */
function putText(out: usize, key: u32, at: usize): usize {
  const length = load<usize>(at, 4);
  return putBlocks(putTextHead(out, key, length), load<usize>(at), length);
}

/** The first and the last code point, a star for each between; one star for a number that only a trial takes. */
function putNumber(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const end = p + load<usize>(at, 4);
  if (p == end) {
    out = putTextHead(out, 2, 1);
    store<u8>(out, STAR);
    return out + 1;
  }
  const count: usize = countCodePoints(p, end);
  const first = widthAt(p);
  const last = stepBack(end);
  const hidden: usize = count > 2 ? count - 2 : 0;
  out = putTextHead(out, 2, first + hidden + (end - last));
  out = putBlocks(out, p, first);
  out = fillBlocks(out, STAR, hidden);
  return putBlocks(out, last, end - last);
}

/**
 * The first code point and one star, two when the name is longer than two code points; a name of one is only a star.
 * GB/T 41833-2022: at least one character is hidden.
 */
function putName(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const count = countCodePoints(p, p + load<usize>(at, 4));
  const first: usize = count > 1 ? widthAt(p) : 0;
  const stars: usize = count > 2 ? 2 : 1;
  out = putTextHead(out, 4, first + stars);
  out = putBlocks(out, p, first);
  return fillBlocks(out, STAR, stars);
}

/**
 * GB/T 41833-2022: at least six digits are hidden. The last min(4, digits - 6) are shown, hyphens stay. No number has more
 * than 40 octets (phones.ts).
 */
function putPhone(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const length = load<usize>(at, 4);
  let digits = digitsIn(p, length);
  const count = <u32>popcnt(digits);
  let hidden = count <= 6 ? count : max<u32>(6, count - 4);
  out = putTextHead(out, 5, length);
  if (count == length) {
    fillBlocks(out, STAR, hidden);
    return putBlocks(out + hidden, p + hidden, length - hidden);
  }
  putBlocks(out, p, length);
  for (; hidden != 0; hidden--) {
    store<u8>(out + <usize>ctz(digits), STAR);
    digits &= digits - 1;
  }
  return out + length;
}

/** GB/T 41833-2022: unit and room are hidden. `***` stands in their place. */
function putAddress(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const end = p + load<usize>(at, 4);
  const shown = shownEnd(p, end);
  if (shown == end) return putText(out, 6, at);
  out = putTextHead(out, 6, shown - p + 3);
  out = putBlocks(out, p, shown - p);
  return fillBlocks(out, STAR, 3);
}
