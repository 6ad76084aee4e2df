/** Waybill numbers: the carriers' forms, and UPU S10. All text is in normal form (`normalizeCodeInto`). */
import { REFUSAL_BAD_CHECK, REFUSAL_BAD_COUNTRY, WARNING_WAYBILL_FORM } from './codes.gen';
import { COUNTRY_ALPHA2 } from './data/countries.gen';
import { CARRIER_COUNT, CARRIERS, LETTER_SETS } from './data/waybills.gen';
import { allDigits, alphanumericValue, isUpper } from './text';

let warned: u32 = 0;

/** Warnings of the last `checkWaybill`. */
export function waybillWarnings(): u32 {
  return warned;
}

/**
 * Checks a number against UPU S10 when it has that form, whoever carries it, and against its carrier's forms, which only flag
 * it. Returns a refusal code or 0.
 */
export function checkWaybill(carrier: usize, carrierLength: usize, p: usize, length: usize): u32 {
  const s10 = isS10(p, length);
  warned = 0;
  if (s10) {
    const refusal = checkS10(p);
    if (refusal != 0) return refusal;
  }
  if (!fitsCarrier(carrier, carrierLength, p, length, s10)) warned = WARNING_WAYBILL_FORM;
  return 0;
}

/** UPU S10-12: service indicator (2 letters), serial number (8 digits), check digit, country (2 letters). */
function isS10(p: usize, length: usize): bool {
  if (length != 13 || !allDigits(p + 2, 9)) return false;
  return (
    isUpper(load<u8>(p)) &&
    isUpper(load<u8>(p, 1)) &&
    isUpper(load<u8>(p, 11)) &&
    isUpper(load<u8>(p, 12))
  );
}

const S10_WEIGHTS: usize = memory.data<u8>([8, 6, 4, 2, 3, 5, 9, 7]);

function checkS10(p: usize): u32 {
  let sum: u32 = 0;
  for (let i: usize = 0; i < 8; i++)
    sum += (<u32>load<u8>(p + 2 + i) - 0x30) * load<u8>(S10_WEIGHTS + i);
  const rest = 11 - (sum % 11);
  const check: u32 = rest == 10 ? 0 : rest == 11 ? 5 : rest;
  if (<u32>load<u8>(p, 10) - 0x30 != check) return REFUSAL_BAD_CHECK;
  const country = (<u32>load<u8>(p, 11) - 0x41) * 26 + (<u32>load<u8>(p, 12) - 0x41);
  return ((load<u8>(COUNTRY_ALPHA2 + (country >> 3)) >> (country & 7)) & 1) != 0
    ? 0
    : REFUSAL_BAD_COUNTRY;
}

/** True when the number fits one of its carrier's patterns, or the carrier is not in the table. */
function fitsCarrier(
  carrier: usize,
  carrierLength: usize,
  p: usize,
  length: usize,
  s10: bool,
): bool {
  let at = CARRIERS;
  for (let i: u32 = 0; i < CARRIER_COUNT; i++) {
    const codeLength: usize = load<u8>(at);
    const same = codeLength == carrierLength && memory.compare(at + 1, carrier, codeLength) == 0;
    at += 1 + codeLength;
    if (same && s10 && load<u8>(at) == 1) return true;
    let patterns: u32 = load<u8>(at, 1);
    at += 2;
    for (; patterns != 0; patterns--) {
      if (same && fitsPattern(at, p, length)) return true;
      at += 3 + ((<usize>load<u8>(at, 2)) << 1);
    }
    if (same) return false;
  }
  return true;
}

/** Only the last item of a pattern varies, so that it takes all that is left. */
function fitsPattern(pattern: usize, p: usize, length: usize): bool {
  if (length < <usize>load<u8>(pattern) || length > <usize>load<u8>(pattern, 1)) return false;
  const end = p + length;
  const items: usize = load<u8>(pattern, 2);
  for (let i: usize = 0; i < items; i++) {
    const item = pattern + 3 + (i << 1);
    const letters = load<u64>(LETTER_SETS + ((<usize>load<u8>(item)) << 3));
    for (let count: u32 = load<u8>(item, 1); count != 0 && p < end; count--) {
      const value = alphanumericValue(load<u8>(p++));
      if (value == 255 || ((letters >> value) & 1) == 0) return false;
    }
  }
  return p == end;
}
