/** Keyed indexes, as the regulator computes them: the edge is asked for an index, never for a number (wire/indexes.ts). */
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  INDEX_BYTES,
  INDEX_SALT,
  type IndexPeriod,
  type IndexPurpose,
  indexKeyInfo,
} from '../wire/indexes.ts';
import { MAX_ID_AGE_MS, MAX_ID_AHEAD_MS } from '../wire/limits.ts';

export interface IndexKey extends IndexPeriod {
  /** 32 octets, secret. */
  key: Uint8Array;
}

/** A value and the purpose under which it is indexed. */
export interface IndexedValue {
  purpose: IndexPurpose;
  value: Uint8Array;
}

/** The indexes of each value under each version that record ids of a span of time can have. */
export function keyedIndexes(
  keys: readonly IndexKey[],
  city: number,
  values: readonly IndexedValue[],
): Uint8Array[] {
  return keys.flatMap(({ key, version }) =>
    values.map(({ purpose, value }) => {
      const purposeKey = hkdf(sha256, key, INDEX_SALT, indexKeyInfo(purpose, city, version), 32);
      return hmac(sha256, purposeKey, value).slice(0, INDEX_BYTES);
    }),
  );
}

/** Milliseconds that a record may lie in an edge's spool before the store has it. */
const MAX_SPOOL_MS = 7 * 24 * 3_600_000;

/**
 * The keys whose period can hold the ids of records committed between two times (ms, `untilMs` excluded): an id may be
 * older than its commit by its permitted age and a stay in the spool, or a little ahead of it.
 */
export function keysForCommits(
  keys: readonly IndexKey[],
  fromMs: number,
  untilMs: number,
): IndexKey[] {
  const earliest = fromMs - MAX_ID_AGE_MS - MAX_SPOOL_MS;
  return keys.filter((key) => key.fromMs < untilMs + MAX_ID_AHEAD_MS && earliest < key.untilMs);
}

/**
 * The spans of time in which ids of records committed between two times (ms, `untilMs` excluded) can lie and that no key
 * covers: what was stored under a key of such a span is not found.
 */
export function uncoveredTimes(
  keys: readonly IndexKey[],
  fromMs: number,
  untilMs: number,
): { fromMs: number; untilMs: number }[] {
  const end = untilMs + MAX_ID_AHEAD_MS;
  const gaps: { fromMs: number; untilMs: number }[] = [];
  let covered = Math.max(0, fromMs - MAX_ID_AGE_MS - MAX_SPOOL_MS);
  for (const key of [...keys].sort((a, b) => a.fromMs - b.fromMs)) {
    if (key.fromMs >= end) break;
    if (key.fromMs > covered) gaps.push({ fromMs: covered, untilMs: key.fromMs });
    covered = Math.max(covered, key.untilMs);
  }
  if (covered < end) gaps.push({ fromMs: covered, untilMs: end });
  return gaps;
}
