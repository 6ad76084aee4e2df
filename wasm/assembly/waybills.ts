/** Waybill numbers: the carriers' forms, and UPU S10. All text is in normal form (`normalizeCodeInto`). */
import { digitsIn } from './blocks';
import { REFUSAL_BAD_CHECK, REFUSAL_BAD_COUNTRY, WARNING_WAYBILL_FORM } from './codes.gen';
import { COUNTRY_ALPHA2 } from './data/countries.gen';
import { CARRIER_COUNT, CARRIER_FORMS, CARRIERS, FORMS, LETTER_SETS } from './data/waybills.gen';
import { allDigits, alphanumericValue, isUpper } from './text';

/** The letter set of the digits. */
const DIGITS: u64 = 0x3ff;

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
  let at = formsOf(carrier, carrierLength);
  if (at == 0 || (s10 && load<u8>(at) == 1)) return true;
  const digits = digitsIn(p, length);
  let patterns: u32 = load<u8>(at, 1);
  for (at += 2; patterns != 0; patterns--) {
    if (fitsPattern(at, p, length, digits)) return true;
    at += 3 + ((<usize>load<u8>(at, 2)) << 1);
  }
  return false;
}

/** Where the forms of a carrier are; 0 when it is not in the table, whose codes have at most 8 letters. */
function formsOf(carrier: usize, length: usize): usize {
  if (length > 8) return 0;
  const code = load<u64>(carrier) & (u64.MAX_VALUE >> ((8 - length) << 3));
  for (let i: usize = 0; i < CARRIER_COUNT; i++) {
    if (load<u64>(CARRIERS + (i << 3)) == code) return FORMS + load<u16>(CARRIER_FORMS + (i << 1));
  }
  return 0;
}

/** Only the last item of a pattern varies, so that it takes all that is left. `digits` as of `digitsIn`. */
function fitsPattern(pattern: usize, p: usize, length: usize, digits: u64): bool {
  if (length < <usize>load<u8>(pattern) || length > <usize>load<u8>(pattern, 1)) return false;
  const items: usize = load<u8>(pattern, 2);
  let at: usize = 0;
  for (let i: usize = 0; i < items; i++) {
    const item = pattern + 3 + (i << 1);
    const letters = load<u64>(LETTER_SETS + ((<usize>load<u8>(item)) << 3));
    const end = min<usize>(at + load<u8>(item, 1), length);
    if (letters == DIGITS) {
      if (((~digits >> at) & (((<u64>1) << (end - at)) - 1)) != 0) return false;
    } else {
      for (let place = at; place < end; place++) {
        const value = alphanumericValue(load<u8>(p + place));
        if (value == 255 || ((letters >> value) & 1) == 0) return false;
      }
    }
    at = end;
  }
  return at == length;
}
