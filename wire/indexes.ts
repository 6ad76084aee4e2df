/**
 * Keyed indexes: 16 octets of HMAC-SHA256 under a key that hangs on purpose, city and period, so that equal values can be
 * found again by who holds the key, and by nobody else.
 */
import { concat, u16, u32, utf8 } from './bytes.ts';

export const INDEX_BYTES = 16;
export const INDEX_SALT = utf8('sealpost index v1');

/** In the order in which they stand in a full parcel; `content` makes content tags and is never looked up. */
export const INDEX_PURPOSES = ['document', 'waybill', 'sender phone', 'recipient phone'] as const;
export type IndexPurpose = (typeof INDEX_PURPOSES)[number];
export const CONTENT_PURPOSE = 'content';

/** HKDF info of an index key: purpose ‖ 00 ‖ city (4) ‖ version (2). The salt is INDEX_SALT, the length 32. */
export function indexKeyInfo(
  purpose: IndexPurpose | typeof CONTENT_PURPOSE,
  city: number,
  version: number,
): Uint8Array {
  return concat(utf8(purpose), Uint8Array.of(0), u32(city), u16(version));
}

/** An index key's version and the period of record ids (by their UUIDv7 time) that it indexes. */
export interface IndexPeriod {
  version: number;
  fromMs: number;
  untilMs: number;
}
