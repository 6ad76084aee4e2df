/** A single submission: opened in one call, answered in a second one, when the store has said what became of it. */

import {
  FLAG_DRY_RUN,
  FLAG_MASKED,
  FLAG_TRIAL,
  RESULT_BYTES,
  STATUS_DECRYPT_FAILED,
  STATUS_NEED_EPOCH,
  STATUS_NO_INDEX_KEY,
  STATUS_OK,
} from './abi';
import { aeadSealInto } from './aead';
import { put, storeU16, wipe } from './bytes';
import {
  MAX_CHUNK_BYTES,
  OUTCOME_CHECKED,
  OUTCOME_DUPLICATE,
  OUTCOME_STORED,
  REFUSAL_MALFORMED,
} from './codes.gen';
import {
  CONTEXT_OVERHEAD,
  CONTEXT_SINGLE_ANSWER,
  openContextInto,
  sealContextInto,
} from './contexts';
import {
  answerKeyInto,
  checkHeader,
  HDR_BYTES,
  HEAD_BYTES,
  PARTY_BYTES,
  RECEIVER,
  RESPONSE_NONCE_BYTES,
  receive,
  SECRET,
  wipeEnvelope,
} from './envelope';
import { findEpoch, NATIONAL, VIEW_FULL, VIEW_MASKED } from './epochs';
import { hpkeOpenInto } from './hpke';
import { IN, OUT } from './io';
import { maskRecordInto } from './mask';
import { bucketFor, bucketSize, MASKED_BUCKET } from './parcels';
import {
  PLAIN,
  putBatch,
  putDrafts,
  putReplyHead,
  REPLY,
  readRecords,
  recordAt,
  wipePipeline,
} from './pipeline';
import { takeRandom } from './random';
import { overrule, refusal } from './record';
import { wipeCall } from './wipe';

const TAG_BYTES: usize = 16;

/** secret (32) | enc (32) | draft (32) | masked view */
const CONTEXT_HEAD: usize = 96;
const CONTEXT_BYTES: usize = 4384;
const CONTEXT: usize = memory.data(CONTEXT_BYTES, 16);

/** result (32) | length (2) | masked view | zeros */
const ANSWER_BYTES: usize = 4320;
const ANSWER: usize = memory.data(ANSWER_BYTES, 16);
const KEY: usize = memory.data(48, 16);

/**
 * Opens a single submission. IN: enterprise (16) | device (16) | hdr | enc | ciphertext, `length` octets in all.
 * OUT: reply with the batch (empty when refused, or in a dry run), the draft and the context of the answer.
 * @param flags FLAG_MASKED, FLAG_TRIAL, FLAG_DRY_RUN
 */
export function openSingle(length: u32, flags: u32, now: u64): u32 {
  const status = openSubmission(length, now, flags);
  wipeEnvelope();
  wipe(CONTEXT, CONTEXT_BYTES);
  wipeCall(IN, length);
  return status;
}

function openSubmission(length: usize, now: u64, flags: u32): u32 {
  const sealed = IN + PARTY_BYTES + HEAD_BYTES;
  if (length < PARTY_BYTES + HEAD_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;
  const sealedLength = length - PARTY_BYTES - HEAD_BYTES;
  if (sealedLength > MAX_CHUNK_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;

  const known = checkHeader(IN + PARTY_BYTES, now);
  if (known != STATUS_OK) return known;
  const dry = (flags & FLAG_DRY_RUN) != 0;
  const masked = (flags & FLAG_MASKED) != 0 && !dry;
  const fullEpoch = dry ? 0 : findEpoch(VIEW_FULL, NATIONAL, now, 1);
  const maskedEpoch = masked ? findEpoch(VIEW_MASKED, IN, now, 1) : 0;
  if (!dry && (fullEpoch == 0 || (masked && maskedEpoch == 0))) return STATUS_NEED_EPOCH;

  const status = receive(IN + PARTY_BYTES, IN, false, now);
  if (status != STATUS_OK) return status;
  if (!hpkeOpenInto(RECEIVER, PLAIN, 0, 0, sealed, sealedLength)) return STATUS_DECRYPT_FAILED;
  const plainLength = sealedLength - TAG_BYTES;
  const count = readRecords(plainLength, now, (flags & FLAG_TRIAL) != 0);
  const reply = count == 0 ? STATUS_DECRYPT_FAILED : putReply(count, fullEpoch, maskedEpoch, now);
  wipePipeline(plainLength, count);
  return reply;
}

/** @param fullEpoch 0 in a dry run */
function putReply(count: u32, fullEpoch: usize, maskedEpoch: usize, now: u64): u32 {
  const r = recordAt(0);
  // A submission is one record; what follows it belongs to nothing.
  if (count > 1) overrule(r, REFUSAL_MALFORMED);
  const dry = fullEpoch == 0;
  const drafts = dry ? REPLY : putBatch(1, IN, fullEpoch, maskedEpoch, now);
  if (drafts == 0) return STATUS_NO_INDEX_KEY;
  const context = putDrafts(drafts, 1, 0, dry ? OUTCOME_CHECKED : OUTCOME_STORED);
  put(CONTEXT, SECRET, 32);
  put(CONTEXT + 32, IN + PARTY_BYTES + HDR_BYTES, 32);
  put(CONTEXT + 64, drafts, RESULT_BYTES);
  const maskedLength: usize = refusal(r) == 0 ? maskRecordInto(CONTEXT + CONTEXT_HEAD, r) : 0;
  const contextLength = sealContextInto(
    context,
    CONTEXT_SINGLE_ANSWER,
    CONTEXT,
    CONTEXT_HEAD + maskedLength,
  );
  putReplyHead(drafts - REPLY, RESULT_BYTES, contextLength);
  return STATUS_OK;
}

/**
 * Seals the answer to a single submission. IN: its context, `length` octets; RANDOM: drawn.
 * OUT: response nonce (32) | ciphertext. Returns its length, 0 when the context is not one of this instance.
 * @param outcome what became of the record; a draft that was refused or checked stays so
 */
export function answerSingle(length: u32, outcome: u32): u32 {
  const answerLength = length > CONTEXT_BYTES + CONTEXT_OVERHEAD ? 0 : putAnswer(length, outcome);
  wipe(CONTEXT, CONTEXT_BYTES);
  wipe(ANSWER, ANSWER_BYTES);
  wipe(KEY, 48);
  wipeEnvelope();
  wipeCall(IN, length);
  return <u32>answerLength;
}

function putAnswer(length: usize, outcome: u32): usize {
  const contextLength = openContextInto(CONTEXT, CONTEXT_SINGLE_ANSWER, IN, length);
  if (contextLength < CONTEXT_HEAD) return 0;
  put(ANSWER, CONTEXT + 64, RESULT_BYTES);
  if (load<u8>(ANSWER + 20) == OUTCOME_STORED) store<u8>(ANSWER + 20, <u8>outcome);

  // Stored, duplicate and checked carry the masked view and have the same size; nothing else carries it.
  const became: u32 = load<u8>(ANSWER + 20);
  const shown =
    became == OUTCOME_STORED || became == OUTCOME_DUPLICATE || became == OUTCOME_CHECKED;
  const maskedLength = shown ? contextLength - CONTEXT_HEAD : 0;
  const size = bucketSize(bucketFor(maskedLength, MASKED_BUCKET));
  storeU16(ANSWER + RESULT_BYTES, <u32>maskedLength);
  put(ANSWER + RESULT_BYTES + 2, CONTEXT + CONTEXT_HEAD, maskedLength);

  // A fresh nonce for every answer, identical retries included: RFC 9458 section 4.4
  put(OUT, takeRandom(), RESPONSE_NONCE_BYTES);
  answerKeyInto(KEY, KEY + 32, CONTEXT, CONTEXT + 32, OUT);
  const sealed = OUT + RESPONSE_NONCE_BYTES;
  aeadSealInto(sealed, KEY, KEY + 32, 0, 0, ANSWER, RESULT_BYTES + size);
  return RESPONSE_NONCE_BYTES + RESULT_BYTES + size + TAG_BYTES;
}
