/** Lays out a packed batch (wire/batch.ts) of parcels (wire/parcel.ts), ready to be indexed and sealed in place. */
import { fillBlocks, putBlocks } from './blocks';
import { put, putAscii, storeU16, storeU32, storeU64 } from './bytes';
import { RULESET } from './data/ruleset.gen';
import { epochId, epochKey, nextPosition, VIEW_FULL, VIEW_MASKED } from './epochs';
import { queueIndex } from './index-jobs';
import {
  city,
  indexKey,
  indexVersion,
  PURPOSE_CONTENT,
  PURPOSE_DOCUMENT,
  PURPOSE_RECIPIENT_PHONE,
  PURPOSE_SENDER_PHONE,
  PURPOSE_WAYBILL,
} from './keys';
import { maskRecordInto } from './mask';
import {
  cborLen,
  cborPtr,
  documentLen,
  documentPtr,
  idPtr,
  recipientPhoneLen,
  recipientPhonePtr,
  senderPhoneLen,
  senderPhonePtr,
  trialCode,
  warnings,
  waybillLen,
  waybillPtr,
} from './record';
import { queueSeal } from './seal-jobs';

export const BATCH_HEAD_BYTES: usize = 76;
export const RECEIPT_BYTES: usize = 32;
export const DETAIL_BYTES: usize = 40;

/** The digit. */
const ZERO: u8 = 0x30;

/** Where the details of a record tell the length of its masked parcel. */
const MASKED_LENGTH: usize = 36;

export const FULL_AAD_BYTES: usize = 144;
export const MASKED_AAD_BYTES: usize = 80;
const TAG_BYTES: usize = 16;
const INDEX_BYTES: usize = 16;

/** Padded sizes by bucket number (wire/parcel.ts), and the smallest bucket of each view. */
const BUCKETS: usize = memory.data<u32>([320, 448, 960, 1984, 4288]);
export const MASKED_BUCKET: u32 = 0;
const FULL_BUCKET: u32 = 1;
export const LARGEST_BUCKET: u32 = 4;

/** Where a parcel's plaintext starts: two octets of length before the value. */
export const LENGTH_BYTES: usize = 2;

/** Writes the head of a batch. An epoch of 0 is written as zeros. */
export function putBatchHead(
  to: usize,
  enterprise: usize,
  now: u64,
  fullEpoch: usize,
  maskedEpoch: usize,
  count: u32,
  flagged: u32,
): void {
  let at = putAscii(to, 'SPB1');
  storeU32(at, city());
  at = put(at + 4, enterprise, 16);
  storeU64(at, now);
  at = put(at + 8, epochId(fullEpoch), 16);
  if (maskedEpoch == 0) memory.fill(at, 0, 16);
  else put(at, epochId(maskedEpoch), 16);
  storeU32(at + 16, RULESET);
  storeU32(at + 20, count);
  storeU32(at + 24, flagged);
}

/** Writes a receipt and queues its content tag: HMAC over enterprise | record id | exact CBOR. */
export function putReceipt(
  to: usize,
  r: usize,
  enterprise: usize,
  key: usize,
  scratch: usize,
): void {
  const at = put(to, idPtr(r), 16);
  const prefix = put(scratch, enterprise, 16);
  put(prefix, idPtr(r), 16);
  queueIndex(at, indexKey(key, PURPOSE_CONTENT), scratch, 32, cborPtr(r), cborLen(r));
}

/**
 * Writes the details of a record as decimal digits.
 * @param full place of the full parcel from the start of the batch
 * @param masked place of the masked one; its length is written when the view is
 */
export function putDetails(to: usize, r: usize, key: usize, full: usize, masked: usize): void {
  const zeros = i8x16.splat(ZERO);
  v128.store(to, zeros);
  v128.store(to, zeros, 16);
  v128.store(to, zeros, DETAIL_BYTES - 16);
  let at = putDecimal(to, indexVersion(key), 5);
  at = putDecimal(at, trialCode(r), 5);
  at = putDecimal(at, warnings(r), 10);
  at = putDecimal(at, full, 6);
  at = putDecimal(at, fullParcelBytes(r), 4);
  putDecimal(at, masked, 6);
}

/** Octets of a record's full parcel. */
export function fullParcelBytes(r: usize): usize {
  return FULL_AAD_BYTES + bucketSize(bucketFor(cborLen(r), FULL_BUCKET)) + TAG_BYTES;
}

/** Lays out the full view: additional data with four keyed indexes, padded plaintext. Returns the address behind its tag. */
export function putFullParcel(
  to: usize,
  r: usize,
  enterprise: usize,
  now: u64,
  epoch: usize,
  key: usize,
): usize {
  const bucket = bucketFor(cborLen(r), FULL_BUCKET);
  const size = bucketSize(bucket);
  const indexes = putAad(to, VIEW_FULL, bucket, r, enterprise, now, epoch, key);
  queueValue(indexes, key, PURPOSE_DOCUMENT, documentPtr(r), documentLen(r));
  queueValue(indexes + 16, key, PURPOSE_WAYBILL, waybillPtr(r), waybillLen(r));
  queueValue(indexes + 32, key, PURPOSE_SENDER_PHONE, senderPhonePtr(r), senderPhoneLen(r));
  queueValue(
    indexes + 48,
    key,
    PURPOSE_RECIPIENT_PHONE,
    recipientPhonePtr(r),
    recipientPhoneLen(r),
  );
  const at = indexes + 4 * INDEX_BYTES;
  storeU16(at, <u32>cborLen(r));
  // Whole blocks reach into the tag's place, which sealing writes over.
  const end = putBlocks(at + LENGTH_BYTES, cborPtr(r), cborLen(r));
  fillBlocks(end, 0, at + size - end);
  queueSeal(epochKey(epoch), to, FULL_AAD_BYTES, at, size);
  return at + size + TAG_BYTES;
}

/** Lays out the masked view likewise, and writes its length to the record's details. */
export function putMaskedParcel(
  to: usize,
  details: usize,
  r: usize,
  enterprise: usize,
  now: u64,
  epoch: usize,
  key: usize,
): usize {
  // The value is written where it will be sealed; its length decides the bucket, which stands before it.
  const at = to + MASKED_AAD_BYTES;
  const length = maskRecordInto(at + LENGTH_BYTES, r);
  const bucket = bucketFor(length, MASKED_BUCKET);
  const size = bucketSize(bucket);
  putDecimal(details + MASKED_LENGTH, MASKED_AAD_BYTES + size + TAG_BYTES, 4);
  putAad(to, VIEW_MASKED, bucket, r, enterprise, now, epoch, key);
  storeU16(at, length);
  fillBlocks(at + LENGTH_BYTES + length, 0, size - LENGTH_BYTES - length);
  queueSeal(epochKey(epoch), to, MASKED_AAD_BYTES, at, size);
  return at + size + TAG_BYTES;
}

/** The additional data that both views begin with (80); returns the address behind it. */
function putAad(
  to: usize,
  view: u32,
  bucket: u32,
  r: usize,
  enterprise: usize,
  now: u64,
  epoch: usize,
  key: usize,
): usize {
  storeU32(to, 0x53505031); // SPP1
  let at = to + 4;
  storeU16(at, 3); // AEAD: ChaCha20-Poly1305 (RFC 9180 7.3)
  storeU16(at + 2, 1); // record schema
  store<u8>(at + 4, <u8>view);
  store<u8>(at + 5, <u8>bucket);
  at = put(at + 6, epochId(epoch), 16);
  storeU64(at, nextPosition(epoch));
  at = put(at + 8, enterprise, 16);
  at = put(at, idPtr(r), 16);
  storeU64(at, now);
  storeU32(at + 8, city());
  storeU16(at + 12, indexVersion(key));
  return at + 14;
}

/** Zeros stand for a value that the record does not have: the store neither keeps nor finds them. */
function queueValue(to: usize, key: usize, purpose: u32, value: usize, length: usize): void {
  if (length == 0) memory.fill(to, 0, INDEX_BYTES);
  else queueIndex(to, indexKey(key, purpose), 0, 0, value, length);
}

/** Writes a number over that many zeros; returns the address behind them. */
function putDecimal(to: usize, value: usize, digits: usize): usize {
  for (let at = to + digits; value != 0; value /= 10) {
    store<u8>(--at, ZERO + <u8>(value % 10));
  }
  return to + digits;
}

/** The number of the smallest bucket from `smallest` on that holds a value and its length. */
export function bucketFor(length: usize, smallest: u32): u32 {
  for (let bucket = smallest; bucket < LARGEST_BUCKET; bucket++) {
    if (length + LENGTH_BYTES <= bucketSize(bucket)) return bucket;
  }
  return LARGEST_BUCKET;
}

export function bucketSize(bucket: u32): usize {
  return load<u32>(BUCKETS + 4 * bucket);
}
