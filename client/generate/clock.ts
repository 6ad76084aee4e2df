/** Times of a day in Beijing (UTC+8, no daylight saving): when couriers take parcels in, and dates counted from that day. */
import { type Prng, weights } from './prng.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BEIJING_MS = 8 * HOUR_MS;
const YEAR_MS = 365.2425 * DAY_MS;

/** Relative intake per hour: collections before noon and the rush before the evening trucks leave. */
const HOURLY = [
  0.15, 0.08, 0.05, 0.05, 0.08, 0.2, 0.7, 1.6, 3.6, 6.4, 8.2, 7.8, 4.8, 5, 7.6, 9.4, 11.4, 12.2,
  9.2, 5.6, 3.4, 1.7, 0.7, 0.3,
];
const hours = weights(HOURLY.map((share, hour) => [hour, share] as const));
const total = hours.sums[23] as number;

export interface Day {
  /** YYYY-MM-DD in Beijing time. */
  text: string;
  /** Milliseconds since 1970 of its midnight in Beijing. */
  start: number;
}

/** @throws RangeError when the text is not a calendar date as YYYY-MM-DD */
export function beijingDay(text: string): Day {
  const utc = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 10) !== text) {
    throw new RangeError('day is not a date as YYYY-MM-DD');
  }
  return { text, start: utc - BEIJING_MS };
}

/**
 * Milliseconds since 1970 at which parcel `index` of `count` is taken in: the hourly shares in order, with neighbours out of
 * order by up to about a minute and a half, as devices report late.
 */
export function intakeTime(random: Prng, day: Day, index: number, count: number): number {
  const target = ((index + random.float()) / count) * total;
  let hour = 0;
  while (hour < 23 && (hours.sums[hour] as number) <= target) hour++;
  const before = hour === 0 ? 0 : (hours.sums[hour - 1] as number);
  const within = (target - before) / (HOURLY[hour] as number);
  const offset = (hour + within) * HOUR_MS + (random.float() - 0.5) * 180_000;
  return day.start + Math.floor(Math.min(Math.max(offset, 0), DAY_MS - 1));
}

/** A date of birth, YYYYMMDD, of someone whose age on that day lies between the two numbers of years. */
export function birthDate(random: Prng, day: Day, youngest: number, oldest: number): string {
  const age = youngest + random.float() * (oldest - youngest);
  return compactDate(day.start + BEIJING_MS - age * YEAR_MS);
}

/** YYYYMMDD of an instant in UTC. */
export function compactDate(ms: number): string {
  const date = new Date(ms);
  return String(
    date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate(),
  );
}
