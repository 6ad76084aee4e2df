/** A single submission: opened in one call, answered in a second one, when the store has said what became of it. */

import {
  RESULT_BYTES,
  STATUS_DECRYPT_FAILED,
  STATUS_NEED_EPOCH,
  STATUS_NO_INDEX_KEY,
  STATUS_OK,
} from './abi';
import { aeadSealInto } from './aead';
import { put, storeU16, wipe } from './bytes';
import { MAX_CHUNK_BYTES, REFUSAL_MALFORMED } from './codes.gen';
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
  OUTCOME_REFUSED,
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
import { refusal, refuse } from './record';
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

const OUTCOME_STORED: u32 = 1;
const OUTCOME_DUPLICATE: u32 = 2;

/**
 * Opens a single submission. IN: enterprise (16) | device (16) | hdr | enc | ciphertext, `length` octets in all.
 * OUT: reply with the batch (empty when refused), the draft and the context of the answer.
 * @param masked seal a masked view for the enterprise too
 */
export function openSingle(length: u32, masked: bool, now: u64): u32 {
  const status = openSubmission(length, now, masked);
  wipeEnvelope();
  wipe(CONTEXT, CONTEXT_BYTES);
  wipeCall(IN, length);
  return status;
}

function openSubmission(length: usize, now: u64, masked: bool): u32 {
  const sealed = IN + PARTY_BYTES + HEAD_BYTES;
  if (length < PARTY_BYTES + HEAD_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;
  const sealedLength = length - PARTY_BYTES - HEAD_BYTES;
  if (sealedLength > MAX_CHUNK_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;

  const known = checkHeader(IN + PARTY_BYTES, now);
  if (known != STATUS_OK) return known;
  const fullEpoch = findEpoch(VIEW_FULL, NATIONAL, now, 1);
  const maskedEpoch = masked ? findEpoch(VIEW_MASKED, IN, now, 1) : 0;
  if (fullEpoch == 0 || (masked && maskedEpoch == 0)) return STATUS_NEED_EPOCH;

  const status = receive(IN + PARTY_BYTES, IN, false, now);
  if (status != STATUS_OK) return status;
  if (!hpkeOpenInto(RECEIVER, PLAIN, 0, 0, sealed, sealedLength)) return STATUS_DECRYPT_FAILED;
  const plainLength = sealedLength - TAG_BYTES;
  const count = readRecords(plainLength, now);
  const reply = count == 0 ? STATUS_DECRYPT_FAILED : putReply(count, fullEpoch, maskedEpoch, now);
  wipePipeline(plainLength, count);
  return reply;
}

function putReply(count: u32, fullEpoch: usize, maskedEpoch: usize, now: u64): u32 {
  const r = recordAt(0);
  // A submission is one record; what follows it belongs to nothing.
  if (count > 1) refuse(r, REFUSAL_MALFORMED, 0);
  const drafts = putBatch(1, IN, fullEpoch, maskedEpoch, now);
  if (drafts == 0) return STATUS_NO_INDEX_KEY;
  const context = putDrafts(drafts, 1, 0);
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
 * @param outcome what became of the record; a draft that was refused stays so
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
  if (load<u8>(ANSWER + 20) != OUTCOME_REFUSED) store<u8>(ANSWER + 20, <u8>outcome);

  // Stored and duplicate carry the masked view and have the same size; nothing else carries it.
  const shown =
    load<u8>(ANSWER + 20) == OUTCOME_STORED || load<u8>(ANSWER + 20) == OUTCOME_DUPLICATE;
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
