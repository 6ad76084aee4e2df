/** Calendar dates. */

const DAY_MS: u64 = 86_400_000;
/** China has one time all over, UTC+8, since 1991 without summer time. */
const CHINA_AHEAD_MS: u64 = 8 * 3_600_000;

let lastNow: u64 = 0;
let lastDate: u32 = 19_700_101;

/** The date in China at `now` (milliseconds since 1970), as YYYYMMDD. The records of a chunk all ask for the same. */
export function todayInChina(now: u64): u32 {
  if (now != lastNow) {
    lastDate = dateInChina(now);
    lastNow = now;
  }
  return lastDate;
}

function dateInChina(now: u64): u32 {
  // Days since 0000-03-01, in cycles of 400 years (146,097 days), so that the leap day is the last of a year.
  const days = <u32>((now + CHINA_AHEAD_MS) / DAY_MS) + 719_468;
  const cycle = days / 146_097;
  const dayOfCycle = days % 146_097;
  const yearOfCycle =
    (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365;
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100);
  const monthFromMarch = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0);
  return year * 10000 + month * 100 + day;
}
