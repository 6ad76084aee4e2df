/**
 * The packed batch: what one call of the module made of a chunk, ready for the store. Inside the service only.
 *
 * "SPB1" ‖ city (4) ‖ enterprise (16) ‖ accepted (8) ‖ full epoch (16) ‖ masked epoch (16, zeros if none) ‖ rule set (4)
 * ‖ count (4) ‖ flagged (4) ‖ receipts: count × 32 ‖ details: count × 40 ‖ full parcels ‖ masked parcels
 *
 * Receipt: id (16) ‖ content tag (16). It is what the chain of commits is made over (wire/pull.ts).
 * Details: index version (5) ‖ trial code (5) ‖ warnings (10) ‖ place of the full parcel (6) ‖ its length (4) ‖ place of the
 * masked parcel (6) ‖ its length (4, zero if none). These are decimal digits, for the stores take batches apart in SQL, and
 * SQLite can't read binary numbers; places count from the start of the batch.
 * The trial code tells why the record would have been refused, had the city not been in trial (wire/codes.ts); 0 for most.
 * `flagged` counts those with one.
 */
import { concat, FormatError, pieces, Reader, u32, u64, utf8 } from './bytes.ts';
import { MAX_CHUNK_RECORDS } from './limits.ts';

export const BATCH_MAGIC = utf8('SPB1');
export const BATCH_HEAD_BYTES = 76;
export const BATCH_RECEIPT_BYTES = 32;
export const BATCH_DETAIL_BYTES = 40;

/** Where a detail stands in its record's, and how many digits it has. */
export const BATCH_DETAILS = {
  indexVersion: { at: 0, digits: 5 },
  trialCode: { at: 5, digits: 5 },
  warnings: { at: 10, digits: 10 },
  fullPlace: { at: 20, digits: 6 },
  fullLength: { at: 26, digits: 4 },
  maskedPlace: { at: 30, digits: 6 },
  maskedLength: { at: 36, digits: 4 },
} as const;

export interface BatchHead {
  city: number;
  /** 16 octets each. */
  enterprise: Uint8Array;
  fullEpoch: Uint8Array;
  /** Zeros when there is none. */
  maskedEpoch: Uint8Array;
  acceptedMs: number;
  ruleset: number;
  count: number;
  /** Records with a trial code. */
  flagged: number;
  /** count × BATCH_RECEIPT_BYTES, a view into the batch. */
  receipts: Uint8Array;
}

/** What stands before the parcels: all that is needed where batches pass through. @throws FormatError */
export function parseBatchHead(bytes: Uint8Array): BatchHead {
  return readHead(new Reader(bytes));
}

function readHead(reader: Reader): BatchHead {
  reader.expect(BATCH_MAGIC);
  const city = reader.u32();
  const enterprise = reader.bytes(16);
  const acceptedMs = reader.u64();
  const fullEpoch = reader.bytes(16);
  const maskedEpoch = reader.bytes(16);
  const [ruleset, count, flagged] = [reader.u32(), reader.u32(), reader.u32()];
  if (count > MAX_CHUNK_RECORDS) throw new FormatError();
  const receipts = reader.bytes(count * BATCH_RECEIPT_BYTES);
  return {
    ...{ city, enterprise, fullEpoch, maskedEpoch, acceptedMs, ruleset, count, flagged },
    receipts,
  };
}

export interface BatchRecord {
  /** 16 octets each. */
  id: Uint8Array;
  contentTag: Uint8Array;
  indexVersion: number;
  trialCode: number;
  warnings: number;
  /** Views into the batch; the masked one may be empty. */
  full: Uint8Array;
  masked: Uint8Array;
}

export interface Batch extends BatchHead {
  records: BatchRecord[];
}

/** Takes the whole of a batch apart. @throws FormatError */
export function parseBatch(bytes: Uint8Array): Batch {
  const reader = new Reader(bytes);
  const head = readHead(reader);
  const receipts = pieces(head.receipts, BATCH_RECEIPT_BYTES);
  const details = pieces(reader.bytes(head.count * BATCH_DETAIL_BYTES), BATCH_DETAIL_BYTES);
  const records = receipts.map((receipt, i): BatchRecord => {
    const own = parseDetails(details[i] as Uint8Array);
    return {
      ...{ id: receipt.subarray(0, 16), contentTag: receipt.subarray(16) },
      ...{ indexVersion: own.indexVersion, trialCode: own.trialCode, warnings: own.warnings },
      full: part(bytes, own.fullPlace, own.fullLength),
      masked: part(bytes, own.maskedPlace, own.maskedLength),
    };
  });
  const parcels = records.reduce((sum, { full, masked }) => sum + full.length + masked.length, 0);
  if (reader.left !== parcels) throw new FormatError();
  return { ...head, records };
}

export type BatchDetails = Record<keyof typeof BATCH_DETAILS, number>;

/** @param bytes BATCH_DETAIL_BYTES @throws FormatError */
export function parseDetails(bytes: Uint8Array): BatchDetails {
  const read = ({ at, digits }: { at: number; digits: number }) => {
    let value = 0;
    for (const digit of bytes.subarray(at, at + digits)) {
      if (digit < 0x30 || digit > 0x39) throw new FormatError();
      value = value * 10 + digit - 0x30;
    }
    return value;
  };
  return {
    indexVersion: read(BATCH_DETAILS.indexVersion),
    trialCode: read(BATCH_DETAILS.trialCode),
    warnings: read(BATCH_DETAILS.warnings),
    fullPlace: read(BATCH_DETAILS.fullPlace),
    fullLength: read(BATCH_DETAILS.fullLength),
    maskedPlace: read(BATCH_DETAILS.maskedPlace),
    maskedLength: read(BATCH_DETAILS.maskedLength),
  };
}

/**
 * Packs a batch: what the module does, for when some of its records are not to be stored.
 * @param records at most MAX_CHUNK_RECORDS
 */
export function packBatch(
  head: Omit<BatchHead, 'count' | 'flagged' | 'receipts'>,
  records: readonly BatchRecord[],
): Uint8Array<ArrayBuffer> {
  const parcelsAt = BATCH_HEAD_BYTES + records.length * (BATCH_RECEIPT_BYTES + BATCH_DETAIL_BYTES);
  let fullPlace = parcelsAt;
  let maskedPlace = parcelsAt + records.reduce((sum, { full }) => sum + full.length, 0);
  const details = records.map(({ full, masked, ...own }) => {
    const text = detailText({
      ...{ indexVersion: own.indexVersion, trialCode: own.trialCode, warnings: own.warnings },
      ...{ fullPlace, fullLength: full.length, maskedPlace, maskedLength: masked.length },
    });
    fullPlace += full.length;
    maskedPlace += masked.length;
    return utf8(text);
  });
  return concat(
    BATCH_MAGIC,
    u32(head.city),
    head.enterprise,
    u64(head.acceptedMs),
    head.fullEpoch,
    head.maskedEpoch,
    u32(head.ruleset),
    u32(records.length),
    u32(records.filter(({ trialCode }) => trialCode !== 0).length),
    ...records.flatMap(({ id, contentTag }) => [id, contentTag]),
    ...details,
    ...records.map(({ full }) => full),
    ...records.map(({ masked }) => masked),
  );
}

/** The digits of one record's details. */
function detailText(details: BatchDetails): string {
  return Object.entries(BATCH_DETAILS)
    .map(([name, { digits }]) => String(details[name as keyof BatchDetails]).padStart(digits, '0'))
    .join('');
}

function part(bytes: Uint8Array, place: number, length: number): Uint8Array {
  if (place + length > bytes.length) throw new FormatError();
  return bytes.subarray(place, place + length);
}
