/**
 * Contexts that must outlive a call (a stream's keys, a receipt that waits for its commit) leave the module sealed under a
 * key of this instance and come back with the next call. The host carries what it can't read; when a client goes away,
 * nothing readable stays behind.
 *
 * counter (8) ‖ ciphertext ‖ tag, with nonce = kind (4) ‖ counter (8)
 */
import { aeadOpenInto, aeadSealInto } from './aead';
import { put, storeU32, storeU64 } from './bytes';
import { takeRandom, wipeRandom } from './random';

export const CONTEXT_OVERHEAD: usize = 24;

/** Kinds keep one context from being taken for another. */
export const CONTEXT_STREAM_REQUEST: u32 = 1;
export const CONTEXT_STREAM_ANSWER: u32 = 2;
export const CONTEXT_SINGLE_ANSWER: u32 = 3;
/** Of the client's side (sender.ts). */
export const CONTEXT_SENDER: u32 = 4;
export const CONTEXT_READER: u32 = 5;
/** Of a regulator (opener.ts). */
export const CONTEXT_EPOCH: u32 = 6;

const INSTANCE_KEY: usize = memory.data(32, 16);
const NONCE: usize = memory.data(12, 4);
const COUNTER: usize = memory.data(8, 8);

/** Draws the key of this instance. Once, before anything else. */
export function drawInstanceKey(): void {
  put(INSTANCE_KEY, takeRandom(), 32);
  wipeRandom();
}

/** Seals a context; returns its length. */
export function sealContextInto(out: usize, kind: u32, context: usize, length: usize): usize {
  const counter = load<u64>(COUNTER) + 1;
  store<u64>(COUNTER, counter);
  storeU64(out, counter);
  setNonce(kind, out);
  aeadSealInto(out + 8, INSTANCE_KEY, NONCE, 0, 0, context, length);
  return length + CONTEXT_OVERHEAD;
}

/** Opens a context of that kind; returns its length, 0 when it is not one of this instance. */
export function openContextInto(out: usize, kind: u32, sealed: usize, length: usize): usize {
  if (length < CONTEXT_OVERHEAD) return 0;
  setNonce(kind, sealed);
  const opened = aeadOpenInto(out, INSTANCE_KEY, NONCE, 0, 0, sealed + 8, length - 8);
  return opened ? length - CONTEXT_OVERHEAD : 0;
}

function setNonce(kind: u32, counter: usize): void {
  storeU32(NONCE, kind);
  put(NONCE + 4, counter, 8);
}
