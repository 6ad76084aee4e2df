/**
 * The packed batch: what one call of the module made of a chunk, ready for the store. Inside the service only.
 *
 * "SPB1" ‖ city (4) ‖ enterprise (16) ‖ accepted (8) ‖ full epoch (16) ‖ masked epoch (16, zeros if none) ‖ rule set (4)
 * ‖ count (4) ‖ receipts: count × 40 ‖ parcels: count × (length (2) ‖ full parcel ‖ length (2) ‖ masked parcel)
 * Receipt: id (16) ‖ content tag (16) ‖ index version (2) ‖ trial code (2) ‖ warnings (4). The trial code tells why the record
 * would have been refused, had the city not been in trial (wire/codes.ts); 0 for most.
 */
import { Reader, utf8 } from './bytes.ts';

export const BATCH_MAGIC = utf8('SPB1');
export const BATCH_HEAD_BYTES = 72;
export const BATCH_RECEIPT_BYTES = 40;

export interface Batch {
  city: number;
  /** 16 octets each. */
  enterprise: Uint8Array;
  fullEpoch: Uint8Array;
  maskedEpoch: Uint8Array;
  acceptedMs: number;
  ruleset: number;
  count: number;
  /** count × BATCH_RECEIPT_BYTES. */
  receipts: Uint8Array;
  /** Views into the batch, one of each per receipt; masked ones may be empty. */
  full: Uint8Array[];
  masked: Uint8Array[];
}

/** @throws FormatError */
export function parseBatch(bytes: Uint8Array): Batch {
  const reader = new Reader(bytes);
  reader.expect(BATCH_MAGIC);
  const city = reader.u32();
  const enterprise = reader.bytes(16);
  const acceptedMs = reader.u64();
  const fullEpoch = reader.bytes(16);
  const maskedEpoch = reader.bytes(16);
  const ruleset = reader.u32();
  const count = reader.u32();
  const receipts = reader.bytes(count * BATCH_RECEIPT_BYTES);
  const full: Uint8Array[] = [];
  const masked: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    full.push(reader.bytes(reader.u16()));
    masked.push(reader.bytes(reader.u16()));
  }
  reader.end();
  return {
    ...{ city, enterprise, fullEpoch, maskedEpoch, acceptedMs, ruleset, count },
    ...{ receipts, full, masked },
  };
}
