/**
 * A stream: its HPKE context and the keys of its answer are derived once and then travel with the host, sealed
 * (contexts.ts), from chunk to chunk. Chunks are opened in order; their results are sealed when the store has committed.
 */

import {
  FLAG_DRY_RUN,
  FLAG_MASKED,
  FLAG_TRIAL,
  RESULT_BYTES,
  STATUS_DECRYPT_FAILED,
  STATUS_NEED_EPOCH,
  STATUS_NO_INDEX_KEY,
  STATUS_OK,
  SUMMARY_BYTES,
} from './abi';
import { loadU64, put, putAscii, storeU32, storeU64, wipe } from './bytes';
import { MAX_CHUNK_BYTES, MAX_CHUNK_RECORDS, OUTCOME_CHECKED, OUTCOME_STORED } from './codes.gen';
import {
  CONTEXT_OVERHEAD,
  CONTEXT_STREAM_ANSWER,
  CONTEXT_STREAM_REQUEST,
  openContextInto,
  sealContextInto,
} from './contexts';
import {
  answerKeyInto,
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
import { HPKE_CONTEXT_BYTES, HPKE_SEQUENCE, hpkeOpenInto } from './hpke';
import { IN, OUT } from './io';
import { sealMessageInto } from './kernels/message';
import {
  PLAIN,
  putBatch,
  putDrafts,
  putReplyHead,
  REPLY,
  readRecords,
  wipePipeline,
} from './pipeline';
import { takeRandom } from './random';
import { wipeCall } from './wipe';

const TAG_BYTES: usize = 16;

/** Request context: HPKE context | enterprise (16) | flags (1) */
const REQUEST_BYTES: usize = HPKE_CONTEXT_BYTES + 17;
export const SEALED_REQUEST_BYTES: usize = REQUEST_BYTES + CONTEXT_OVERHEAD;
const REQUEST: usize = memory.data(REQUEST_BYTES, 16);

/** Answer context: key (32) | nonce (12) | zeros (4) | counter (8) | counts by outcome, 1 to 6 (4 each) */
const ANSWER_KEY: usize = 0;
const ANSWER_NONCE: usize = 32;
const ANSWER_COUNTER: usize = 48;
const ANSWER_COUNTS: usize = 56;
const ANSWER_BYTES: usize = 80;
export const SEALED_ANSWER_BYTES: usize = ANSWER_BYTES + CONTEXT_OVERHEAD;
const ANSWER: usize = memory.data(ANSWER_BYTES, 16);
const OUTCOMES: u32 = OUTCOME_CHECKED;

const RESULTS: usize = memory.data(MAX_CHUNK_RECORDS * RESULT_BYTES, 16);
const FINAL: usize = memory.data(8);
const NONCE: usize = memory.data(12, 4);

/**
 * Starts a stream. IN: enterprise (16) | device (16) | hdr | enc; RANDOM: drawn.
 * OUT: response nonce (32) | request context | answer context, of the sealed sizes above.
 * @param flags FLAG_MASKED, FLAG_TRIAL, FLAG_DRY_RUN: the stream keeps them
 */
export function openStream(flags: u32, now: u64): u32 {
  const status = receive(IN + PARTY_BYTES, IN, true, now);
  if (status == STATUS_OK) putContexts(flags);
  wipeStream();
  wipeCall(IN, PARTY_BYTES + HEAD_BYTES);
  return status;
}

function putContexts(flags: u32): void {
  put(OUT, takeRandom(), RESPONSE_NONCE_BYTES);
  const party = put(REQUEST, RECEIVER, HPKE_CONTEXT_BYTES);
  put(party, IN, 16);
  store<u8>(party + 16, <u8>flags);
  const enc = IN + PARTY_BYTES + HDR_BYTES;
  answerKeyInto(ANSWER + ANSWER_KEY, ANSWER + ANSWER_NONCE, SECRET, enc, OUT);
  const request = OUT + RESPONSE_NONCE_BYTES;
  const answer = request + sealContextInto(request, CONTEXT_STREAM_REQUEST, REQUEST, REQUEST_BYTES);
  sealContextInto(answer, CONTEXT_STREAM_ANSWER, ANSWER, ANSWER_BYTES);
}

/**
 * Opens the next chunk. IN: request context | sealed chunk, `length` octets in all.
 * OUT: reply with the batch, the drafts and the next request context. On STATUS_NEED_EPOCH nothing was consumed.
 * @param trial the city is in trial now; only a stream that was opened in trial can still be
 */
export function openChunk(length: u32, final: bool, now: u64, trial: bool): u32 {
  const status = openNext(length, final, now, trial);
  wipeStream();
  wipeCall(IN, length);
  return status;
}

function openNext(length: usize, final: bool, now: u64, trial: bool): u32 {
  if (length < SEALED_REQUEST_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;
  const sealedLength = length - SEALED_REQUEST_BYTES;
  if (sealedLength > MAX_CHUNK_BYTES + TAG_BYTES) return STATUS_DECRYPT_FAILED;
  if (openContextInto(REQUEST, CONTEXT_STREAM_REQUEST, IN, SEALED_REQUEST_BYTES) == 0) {
    return STATUS_DECRYPT_FAILED;
  }

  const enterprise = REQUEST + HPKE_CONTEXT_BYTES;
  const flags: u32 = load<u8>(enterprise + 16);
  const dry = (flags & FLAG_DRY_RUN) != 0;
  const masked = (flags & FLAG_MASKED) != 0 && !dry;
  const fullEpoch = dry ? 0 : findEpoch(VIEW_FULL, NATIONAL, now, MAX_CHUNK_RECORDS);
  const maskedEpoch = masked ? findEpoch(VIEW_MASKED, enterprise, now, MAX_CHUNK_RECORDS) : 0;
  if (!dry && (fullEpoch == 0 || (masked && maskedEpoch == 0))) return STATUS_NEED_EPOCH;

  const chunk = load<u64>(REQUEST + HPKE_SEQUENCE);
  const aadLength: usize = final ? putAscii(FINAL, 'final') - FINAL : 0;
  const sealed = IN + SEALED_REQUEST_BYTES;
  if (!hpkeOpenInto(REQUEST, PLAIN, FINAL, aadLength, sealed, sealedLength)) {
    return STATUS_DECRYPT_FAILED;
  }
  const plainLength = sealedLength - TAG_BYTES;
  const count = readRecords(plainLength, now, trial && (flags & FLAG_TRIAL) != 0);
  const drafts = dry ? REPLY : putBatch(count, enterprise, fullEpoch, maskedEpoch, now);
  if (drafts != 0) {
    // place: chunk number × 256 + index, so that a chunk cut short shifts nothing behind it
    const accepted = dry ? OUTCOME_CHECKED : OUTCOME_STORED;
    const context = putDrafts(drafts, count, (<u32>chunk) << 8, accepted);
    const size = sealContextInto(context, CONTEXT_STREAM_REQUEST, REQUEST, REQUEST_BYTES);
    putReplyHead(drafts - REPLY, context - drafts, size);
  }
  wipePipeline(plainLength, count);
  return drafts == 0 ? STATUS_NO_INDEX_KEY : STATUS_OK;
}

/**
 * Seals the results of a chunk. IN: answer context | drafts (32 each) | one outcome for each that is to be stored.
 * OUT: reply with the sealed results and the next answer context. Must be called in the order of the chunks.
 */
export function sealResults(count: u32, outcomes: u32): u32 {
  const length = SEALED_ANSWER_BYTES + count * RESULT_BYTES + outcomes;
  const status = sealOutcomes(count, outcomes);
  wipeStream();
  wipeCall(IN, length);
  return status;
}

function sealOutcomes(count: u32, outcomes: u32): u32 {
  if (count > MAX_CHUNK_RECORDS || outcomes > count) return STATUS_DECRYPT_FAILED;
  if (openContextInto(ANSWER, CONTEXT_STREAM_ANSWER, IN, SEALED_ANSWER_BYTES) == 0) {
    return STATUS_DECRYPT_FAILED;
  }
  const drafts = IN + SEALED_ANSWER_BYTES;
  let next = drafts + count * RESULT_BYTES;
  const end = next + outcomes;
  put(RESULTS, drafts, count * RESULT_BYTES);
  for (let i: u32 = 0; i < count; i++) {
    const outcomeAt = RESULTS + i * RESULT_BYTES + 20;
    if (load<u8>(outcomeAt) == OUTCOME_STORED) {
      if (next == end) return STATUS_DECRYPT_FAILED;
      store<u8>(outcomeAt, load<u8>(next++));
    }
    countOutcome(load<u8>(outcomeAt));
  }
  const sealed = sealAnswerInto(REPLY, RESULTS, count * RESULT_BYTES, 0);
  const context = REPLY + sealed;
  const size = sealContextInto(context, CONTEXT_STREAM_ANSWER, ANSWER, ANSWER_BYTES);
  putReplyHead(sealed, 0, size);
  return STATUS_OK;
}

/**
 * Seals the end of the answer. IN: answer context. OUT: the sealed summary. Returns its length, 0 for a wrong context.
 * @param complete the request's final chunk has opened
 */
export function sealSummary(complete: bool): u32 {
  let length: usize = 0;
  if (openContextInto(ANSWER, CONTEXT_STREAM_ANSWER, IN, SEALED_ANSWER_BYTES) != 0) {
    store<u8>(RESULTS, complete ? 1 : 0);
    for (let i: u32 = 0; i < OUTCOMES; i++) {
      storeU32(RESULTS + 1 + 4 * i, load<u32>(ANSWER + ANSWER_COUNTS + 4 * i));
    }
    length = sealAnswerInto(OUT, RESULTS, SUMMARY_BYTES, putAscii(FINAL, 'final') - FINAL);
  }
  wipeStream();
  wipeCall(IN, SEALED_ANSWER_BYTES);
  return <u32>length;
}

/** One chunk of the answer: its nonce is the base nonce XOR the counter (draft-ietf-ohai-chunked-ohttp section 6.2). */
function sealAnswerInto(out: usize, plaintext: usize, length: usize, aadLength: usize): usize {
  const counter = load<u64>(ANSWER + ANSWER_COUNTER);
  put(NONCE, ANSWER + ANSWER_NONCE, 12);
  storeU64(NONCE + 4, loadU64(NONCE + 4) ^ counter);
  sealMessageInto(out, ANSWER + ANSWER_KEY, NONCE, FINAL, aadLength, plaintext, length);
  store<u64>(ANSWER + ANSWER_COUNTER, counter + 1);
  return length + TAG_BYTES;
}

function countOutcome(outcome: u32): void {
  if (outcome < OUTCOME_STORED || outcome > OUTCOMES) return;
  const count = ANSWER + ANSWER_COUNTS + 4 * (outcome - 1);
  store<u32>(count, load<u32>(count) + 1);
}

function wipeStream(): void {
  wipe(REQUEST, REQUEST_BYTES);
  wipe(ANSWER, ANSWER_BYTES);
  wipe(RESULTS, MAX_CHUNK_RECORDS * RESULT_BYTES);
  wipe(NONCE, 12);
  wipeEnvelope();
}
