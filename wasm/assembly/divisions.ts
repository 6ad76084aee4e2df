/** Codes of administrative divisions (GB/T 2260), in force and historic. */
import {
  COUNTIES_CURRENT,
  COUNTIES_HISTORIC,
  COUNTY_SLOTS,
  FIRST_PREFECTURE,
  PREFECTURE_BITS,
  PREFECTURE_ENDS,
  PREFECTURES,
  PROVINCES,
} from './data/counties.gen';

export const COUNTY_UNLISTED: u32 = 0;
export const COUNTY_CURRENT: u32 = 1;
export const COUNTY_HISTORIC: u32 = 2;

/** True when the first two digits of a code name a province. */
export function provinceExists(province: u32): bool {
  return ((load<u8>(PROVINCES + (province >> 3)) >> (province & 7)) & 1) != 0;
}

/** Whether a six-digit code is in force, historic or in no table. */
export function countyStatus(code: u32): u32 {
  const slot: u32 = load<u8>(COUNTY_SLOTS + (code % 100));
  if (slot == 255) return COUNTY_UNLISTED;
  const prefecture = code / 100 - FIRST_PREFECTURE;
  if (prefecture >= PREFECTURE_BITS) return COUNTY_UNLISTED;
  const word: usize = prefecture >> 6;
  const bits = load<u64>(PREFECTURES + (word << 3)) >> (prefecture & 63);
  if ((bits & 1) == 0) return COUNTY_UNLISTED;
  // Its place among the prefectures: those behind it are counted off.
  const low = <usize>load<u16>(PREFECTURE_ENDS + (word << 1)) - <usize>popcnt(bits);
  if (((load<u64>(COUNTIES_CURRENT + (low << 3)) >> slot) & 1) != 0) return COUNTY_CURRENT;
  return ((load<u64>(COUNTIES_HISTORIC + (low << 3)) >> slot) & 1) != 0
    ? COUNTY_HISTORIC
    : COUNTY_UNLISTED;
}
