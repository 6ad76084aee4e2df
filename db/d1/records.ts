/**
 * Records inside stored batches (wire/batch.ts), for SQL: of batch `b`, the record with an ordinal. SQL counts places from 1.
 */
import { type SQL, sql } from 'drizzle-orm';
import {
  BATCH_DETAIL_BYTES,
  BATCH_DETAILS,
  BATCH_HEAD_BYTES,
  BATCH_RECEIPT_BYTES,
} from '../../wire/batch.ts';
import { MAX_CHUNK_RECORDS } from '../../wire/limits.ts';

/** The ordinals of records in batches of up to `most`: a common table expression `n (i)`. */
export function ordinals(most: number): SQL {
  return sql`n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${most} - 1)`;
}

/** Those that a record can have in any batch. */
export const ORDINALS = ordinals(MAX_CHUNK_RECORDS);

/** An ordinal, as SQL. */
type Ordinal = 'n.i' | '0' | `${string} - b.first`;

/** Record id, 16 octets. */
export const RECORD_ID = sql.raw(
  `substr(b.data, ${1 + BATCH_HEAD_BYTES} + ${BATCH_RECEIPT_BYTES} * n.i, 16)`,
);

/** Content tag, 16 octets. */
export const CONTENT_TAG = sql.raw(
  `substr(b.data, ${17 + BATCH_HEAD_BYTES} + ${BATCH_RECEIPT_BYTES} * n.i, 16)`,
);

/** A number among a record's details. */
export function detail(name: keyof typeof BATCH_DETAILS, ordinal: Ordinal = 'n.i'): SQL {
  const { at, digits } = BATCH_DETAILS[name];
  const own = `${BATCH_RECEIPT_BYTES} * b.rows + ${BATCH_DETAIL_BYTES} * (${ordinal})`;
  return sql.raw(
    `CAST(substr(b.data, ${1 + BATCH_HEAD_BYTES + at} + ${own}, ${digits}) AS INTEGER)`,
  );
}

/** The details of all records of batch `b`, as text. */
export const DETAILS = sql.raw(
  `CAST(substr(b.data, ${1 + BATCH_HEAD_BYTES} + ${BATCH_RECEIPT_BYTES} * b.rows, ${BATCH_DETAIL_BYTES} * b.rows) AS TEXT)`,
);

const FIRST_FULL = detail('fullPlace', '0');
const FIRST_MASKED = detail('maskedPlace', '0');

/** The full parcels of all records of batch `b`, and the masked ones, which stand behind them. */
export const FULL_PARCELS = sql`substr(b.data, 1 + ${FIRST_FULL}, ${FIRST_MASKED} - ${FIRST_FULL})`;
export const MASKED_PARCELS = sql`substr(b.data, 1 + ${FIRST_MASKED})`;

/** A full parcel; empty when it is erased. */
export function fullParcel(ordinal: Ordinal): SQL {
  return sql`substr(b.data, 1 + ${detail('fullPlace', ordinal)}, ${detail('fullLength', ordinal)})`;
}

/** Condition: the record has a payload. */
export function present(ordinal: Ordinal = 'n.i'): SQL {
  return sql`${detail('fullLength', ordinal)} > 0`;
}

/** The key of the batch that holds a position. */
export function batchOf(position: SQL): SQL {
  return sql`(SELECT first FROM batches WHERE first <= ${position} ORDER BY first DESC LIMIT 1)`;
}
