/** The masked view of a valid record, as deterministic CBOR. GB/T 41833-2022 asks what must be hidden at least. */
import { shownEnd } from './addresses';
import { MAJOR_BYTES, MAJOR_MAP, MAJOR_TEXT, MAJOR_UINT, putHead, putString } from './cbor';
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
import { countCodePoints, isDigit, stepBack, widthAt } from './text';

const STAR: u32 = 0x2a;

/**
 * Writes the masked view of the valid record `r`; returns its length. What only a city in trial takes is but a star.
 * `{1 id, 2 carrier, 3 waybill, 4 taken-at, 7 sender {1 type, 2 number, 4 name, 5 phone, 6 address}, 11 recipient {4, 5, 6}}`;
 * of an agreement, the sender is its organisation, without a name.
 */
export function maskRecordInto(out: usize, r: usize): u32 {
  let p = putHead(out, MAJOR_MAP, 6);
  p = putString(putHead(p, MAJOR_UINT, 1), MAJOR_BYTES, idPtr(r), 16);
  p = putString(
    putHead(p, MAJOR_UINT, 2),
    MAJOR_TEXT,
    load<usize>(r, R_CARRIER),
    load<usize>(r, R_CARRIER + 4),
  );
  p = putString(
    putHead(p, MAJOR_UINT, 3),
    MAJOR_TEXT,
    load<usize>(r, R_WAYBILL),
    load<usize>(r, R_WAYBILL + 4),
  );
  p = putHead(putHead(p, MAJOR_UINT, 4), MAJOR_UINT, load<u64>(r, R_TAKEN_AT));

  const sender = r + R_SENDER;
  const named = !hasKey(r, FIELD_AGREEMENT);
  p = putHead(putHead(p, MAJOR_UINT, 7), MAJOR_MAP, named ? 5 : 4);
  p = putHead(putHead(p, MAJOR_UINT, 1), MAJOR_UINT, load<u32>(sender, P_DOC_TYPE));
  p = putNumber(putHead(p, MAJOR_UINT, 2), sender + P_NUMBER);
  if (named) p = putName(putHead(p, MAJOR_UINT, 4), sender + P_NAME);
  p = putPhone(putHead(p, MAJOR_UINT, 5), sender + P_PHONE);
  p = putAddress(putHead(p, MAJOR_UINT, 6), sender + P_ADDRESS);

  const recipient = r + R_RECIPIENT;
  p = putHead(putHead(p, MAJOR_UINT, 11), MAJOR_MAP, 3);
  p = putName(putHead(p, MAJOR_UINT, 4), recipient + P_NAME);
  p = putPhone(putHead(p, MAJOR_UINT, 5), recipient + P_PHONE);
  p = putAddress(putHead(p, MAJOR_UINT, 6), recipient + P_ADDRESS);
  return <u32>(p - out);
}

/** The first and the last code point, a star for each between; one star for a number that only a trial takes. */
function putNumber(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const end = p + load<usize>(at, 4);
  if (p == end) {
    store<u8>(putHead(out, MAJOR_TEXT, 1), <u8>STAR);
    return out + 2;
  }
  const count: usize = countCodePoints(p, end);
  const first = widthAt(p);
  const last = stepBack(end);
  const hidden: usize = count > 2 ? count - 2 : 0;
  out = putHead(out, MAJOR_TEXT, first + hidden + (end - last));
  memory.copy(out, p, first);
  memory.fill(out + first, <u8>STAR, hidden);
  memory.copy(out + first + hidden, last, end - last);
  return out + first + hidden + (end - last);
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
  out = putHead(out, MAJOR_TEXT, first + stars);
  memory.copy(out, p, first);
  memory.fill(out + first, <u8>STAR, stars);
  return out + first + stars;
}

/** GB/T 41833-2022: at least six digits are hidden. The last min(4, digits - 6) are shown, hyphens stay. */
function putPhone(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const length = load<usize>(at, 4);
  let digits: u32 = 0;
  for (let i: usize = 0; i < length; i++) digits += isDigit(load<u8>(p + i)) ? 1 : 0;
  let hidden = digits <= 6 ? digits : max<u32>(6, digits - 4);
  out = putHead(out, MAJOR_TEXT, length);
  for (let i: usize = 0; i < length; i++) {
    let c: u32 = load<u8>(p + i);
    if (hidden != 0 && isDigit(c)) {
      c = STAR;
      hidden--;
    }
    store<u8>(out + i, c);
  }
  return out + length;
}

/** GB/T 41833-2022: unit and room are hidden. `***` stands in their place. */
function putAddress(out: usize, at: usize): usize {
  const p = load<usize>(at);
  const end = p + load<usize>(at, 4);
  const shown = shownEnd(p, end);
  if (shown == end) return putString(out, MAJOR_TEXT, p, end - p);
  out = putHead(out, MAJOR_TEXT, shown - p + 3);
  memory.copy(out, p, shown - p);
  memory.fill(out + (shown - p), <u8>STAR, 3);
  return out + (shown - p) + 3;
}
