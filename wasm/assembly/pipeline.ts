/**
 * The stages that a chunk of records goes through, in one synchronous call: parse, validate, lay out, index, seal.
 * Plaintext exists from the opening into PLAIN until wipePipeline(), with which every path ends.
 *
 * What comes out is sealed or public: the packed batch for the store (wire/batch.ts), and one draft result a record for
 * the sender (wire/answer.ts), whose outcome is final when refused or checked and provisional when stored.
 */
import { OUT_BYTES, REPLY_HEAD_BYTES, RESULT_BYTES } from './abi';
import { put, storeU16, storeU32, wipe } from './bytes';
import { wipeCbor } from './cbor';
import {
  MAX_CHUNK_BYTES,
  MAX_CHUNK_RECORDS,
  OUTCOME_REFUSED,
  REFUSAL_TOO_MANY_RECORDS,
} from './codes.gen';
import { RULESET } from './data/ruleset.gen';
import { decodeRecord } from './decode';
import { wipeDocument } from './documents';
import { indexMany, resetIndexJobs, wipeIndexJobs } from './index-jobs';
import { OUT } from './io';
import { findIndexKey } from './keys';
import {
  BATCH_HEAD_BYTES,
  DETAIL_BYTES,
  fullParcelBytes,
  putBatchHead,
  putDetails,
  putFullParcel,
  putMaskedParcel,
  putReceipt,
  RECEIPT_BYTES,
} from './parcels';
import {
  field,
  idPtr,
  idTime,
  overrule,
  RECORD_SIZE,
  refusal,
  trialCode,
  trialField,
  warnings,
} from './record';
import { resetSealJobs, sealMany } from './seal-jobs';
import { wipeText } from './text';
import { validateRecord } from './validate';

/** Where a chunk is opened to. */
export const PLAIN: usize = memory.data(MAX_CHUNK_BYTES, 16);

/** The decoded records of a chunk: references into PLAIN and the text arena. */
const RECORDS: usize = memory.data(MAX_CHUNK_RECORDS * RECORD_SIZE, 16);

/** enterprise | id of each record: the prefix of what its content tag is made over. */
const TAG_PREFIXES: usize = memory.data(MAX_CHUNK_RECORDS * 32, 16);

/** Where sections of a reply begin, behind their lengths. */
export const REPLY: usize = OUT + REPLY_HEAD_BYTES;

/** The most that a masked parcel and the draft of a record add behind the full parcels. */
const RECORD_ROOM: usize = 4500;

/**
 * Parses `length` octets of PLAIN as a CBOR sequence and judges each record; returns how many there are.
 * @param trial the city is in trial
 */
export function readRecords(length: usize, now: u64, trial: bool): u32 {
  const end = PLAIN + length;
  let at = PLAIN;
  let count: u32 = 0;
  while (at < end && count < MAX_CHUNK_RECORDS) {
    const r = recordAt(count);
    const next = decodeRecord(r, at, end);
    if (refusal(r) == 0) validateRecord(r, now, trial);
    count++;
    // Not well-formed: nothing says where the next record would begin.
    at = next == 0 ? end : next;
  }
  if (at < end) overrule(recordAt(count - 1), REFUSAL_TOO_MANY_RECORDS);
  return count;
}

export function recordAt(index: u32): usize {
  return RECORDS + index * RECORD_SIZE;
}

/** The number of records that were not refused. */
export function acceptedCount(count: u32): u32 {
  let accepted: u32 = 0;
  for (let i: u32 = 0; i < count; i++) if (refusal(recordAt(i)) == 0) accepted++;
  return accepted;
}

/**
 * Writes the packed batch of the accepted records to REPLY, sealed; returns the address behind it, REPLY itself when
 * there is none to store, 0 when no index key covers a record.
 * @param maskedEpoch 0 when the enterprise has no masked view
 */
export function putBatch(
  count: u32,
  enterprise: usize,
  fullEpoch: usize,
  maskedEpoch: usize,
  now: u64,
): usize {
  const accepted = acceptedCount(count);
  if (accepted == 0) return REPLY;
  // Before anything is laid out: what is laid out must be sealed.
  if (!indexKeysCover(count)) return 0;
  resetIndexJobs();
  resetSealJobs();
  putBatchHead(REPLY, enterprise, now, fullEpoch, maskedEpoch, accepted, flaggedCount(count));
  let receipt = REPLY + BATCH_HEAD_BYTES;
  let details = receipt + accepted * RECEIPT_BYTES;
  let full = details + accepted * DETAIL_BYTES;
  let masked = full + fullParcelsBytes(count);
  for (let i: u32 = 0; i < count; i++) {
    const r = recordAt(i);
    if (refusal(r) != 0) continue;
    const key = findIndexKey(idTime(r));
    if (masked + RECORD_ROOM > OUT + OUT_BYTES) unreachable();
    putReceipt(receipt, r, enterprise, key, TAG_PREFIXES + i * 32);
    putDetails(details, r, key, full - REPLY, masked - REPLY);
    full = putFullParcel(full, r, enterprise, now, fullEpoch, key);
    if (maskedEpoch != 0) {
      masked = putMaskedParcel(masked, details, r, enterprise, now, maskedEpoch, key);
    }
    receipt += RECEIPT_BYTES;
    details += DETAIL_BYTES;
  }
  indexMany();
  sealMany();
  return masked;
}

/** Of the records that were not refused, those with a trial code. */
function flaggedCount(count: u32): u32 {
  let flagged: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const r = recordAt(i);
    if (refusal(r) == 0 && trialCode(r) != 0) flagged++;
  }
  return flagged;
}

/** Octets of all full parcels: the masked ones stand behind them. */
function fullParcelsBytes(count: u32): usize {
  let bytes: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const r = recordAt(i);
    if (refusal(r) == 0) bytes += fullParcelBytes(r);
  }
  return bytes;
}

function indexKeysCover(count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const r = recordAt(i);
    if (refusal(r) == 0 && findIndexKey(idTime(r)) == 0) return false;
  }
  return true;
}

/**
 * Writes one draft result a record and returns the address behind them.
 * @param place where the first stands
 * @param accepted outcome of what is not refused: OUTCOME_STORED, or OUTCOME_CHECKED in a dry run
 */
export function putDrafts(to: usize, count: u32, place: u32, accepted: u32): usize {
  for (let i: u32 = 0; i < count; i++) {
    putDraft(to + i * RESULT_BYTES, recordAt(i), place + i, accepted);
  }
  return to + count * RESULT_BYTES;
}

/** place (4) | id (16) | outcome (1) | field (1) | code (2) | warnings (4) | rule set (4) */
function putDraft(to: usize, r: usize, place: u32, accepted: u32): void {
  const refused = refusal(r) != 0;
  storeU32(to, place);
  if (idPtr(r) == 0) memory.fill(to + 4, 0, 16);
  else put(to + 4, idPtr(r), 16);
  store<u8>(to + 20, <u8>(refused ? OUTCOME_REFUSED : accepted));
  store<u8>(to + 21, <u8>(refused ? field(r) : trialField(r)));
  storeU16(to + 22, refused ? refusal(r) : trialCode(r));
  storeU32(to + 24, refused ? 0 : warnings(r));
  storeU32(to + 28, RULESET);
}

/** The lengths of a reply's sections: batch, drafts, context. */
export function putReplyHead(batch: usize, drafts: usize, context: usize): void {
  storeU32(OUT, <u32>batch);
  storeU32(OUT + 4, <u32>drafts);
  storeU32(OUT + 8, <u32>context);
}

/** Zeroes everything of the chunk but what is sealed in OUT. */
export function wipePipeline(plainLength: usize, count: u32): void {
  wipe(PLAIN, plainLength);
  wipe(RECORDS, count * RECORD_SIZE);
  wipe(TAG_PREFIXES, count * 32);
  wipeText();
  wipeCbor();
  wipeDocument();
  wipeIndexJobs();
}
