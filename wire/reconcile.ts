/** Daily reconciliation: what the store holds of one enterprise and day, in a form that a client's own ledger can be held against. */
import { concat, FormatError, Reader, u32, u64 } from './bytes.ts';
import { MAX_PULL_FRAME_BYTES } from './limits.ts';

/** Octets of a record id. */
export const ID_BYTES = 16;

/** Octets of ids in one frame at most: well within a frame. */
export const IDS_FRAME_BYTES = MAX_PULL_FRAME_BYTES / 8;

/** What an edge says about a day; the signed end of the answer covers it. */
export interface DayStatement {
  /** 16 octets. */
  enterprise: Uint8Array;
  /** Days since 1970-01-01 UTC. */
  day: number;
  /** When the store was read: what was committed later is not in it. */
  asOfMs: number;
  /** Records committed on that day, erased ones included: their receipts stay. */
  count: number;
  /** SHA-256 of their ids (16 octets each) in ascending order. */
  digest: Uint8Array;
}

/** enterprise (16) ‖ day (4) ‖ as of (8) ‖ count (8) ‖ digest (32) */
export function encodeDay(statement: DayStatement): Uint8Array<ArrayBuffer> {
  const { enterprise, day, asOfMs, count, digest } = statement;
  return concat(enterprise, u32(day), u64(asOfMs), u64(count), digest);
}

/** @throws FormatError */
export function parseDay(bytes: Uint8Array): DayStatement {
  const reader = new Reader(bytes);
  const statement = {
    enterprise: reader.bytes(16),
    day: reader.u32(),
    asOfMs: reader.u64(),
    count: reader.u64(),
    digest: reader.bytes(32),
  };
  reader.end();
  return statement;
}

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date as YYYY-MM-DD. @throws FormatError when it is not a day of the calendar */
export function dayOfText(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  if (!(ms >= 0) || dayText(ms / DAY_MS) !== text) throw new FormatError();
  return ms / DAY_MS;
}

/** YYYY-MM-DD of a day since 1970-01-01. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Ids in ascending order, as a copy: a radix sort, in which a million take half a second.
 * @param ids 16 octets each
 */
export function sortIds(ids: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = ids.length / ID_BYTES;
  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i * ID_BYTES;
  let next = new Uint32Array(count);
  const places = new Uint32Array(256);
  for (let octet = ID_BYTES - 1; octet >= 0; octet--) {
    places.fill(0);
    for (let at = octet; at < ids.length; at += ID_BYTES) {
      const value = ids[at] as number;
      places[value] = (places[value] as number) + 1;
    }
    let sum = 0;
    for (let value = 0; value < 256; value++) {
      const those = places[value] as number;
      places[value] = sum;
      sum += those;
    }
    for (let i = 0; i < count; i++) {
      const start = order[i] as number;
      const value = ids[start + octet] as number;
      const place = places[value] as number;
      next[place] = start;
      places[value] = place + 1;
    }
    [order, next] = [next, order];
  }
  const sorted = new Uint8Array(ids.length);
  for (let i = 0; i < count; i++) {
    const start = order[i] as number;
    for (let octet = 0; octet < ID_BYTES; octet++) {
      sorted[i * ID_BYTES + octet] = ids[start + octet] as number;
    }
  }
  return sorted;
}
