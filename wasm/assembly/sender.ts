/**
 * The client's side of an encapsulation (wire/envelope.ts): what it sends is sealed here, what comes back is opened here.
 * Streams and single submissions go the same way: start, seal once or chunk by chunk, start reading, read likewise.
 *
 * The keys travel with the host, sealed (contexts.ts), from call to call, so that one instance serves any number of streams and
 * nothing is left to wipe when one breaks off. Each call gives the next context; one that was used must not come again.
 */
import { IN_BYTES } from './abi';
import { AEAD_TAG_BYTES } from './aead';
import { put, putAscii, wipe } from './bytes';
import { MAX_CHUNK_BYTES } from './codes.gen';
import {
  CONTEXT_OVERHEAD,
  CONTEXT_READER,
  CONTEXT_SENDER,
  openContextInto,
  sealContextInto,
} from './contexts';
import {
  answerKeyInto,
  ENC_BYTES,
  HDR_BYTES,
  PARTY_BYTES,
  RESPONSE_NONCE_BYTES,
  sendInto,
  wipeEnvelope,
} from './envelope';
import {
  HPKE_BASE_NONCE,
  HPKE_CONTEXT_BYTES,
  HPKE_EXPORTER_SECRET,
  HPKE_KEY,
  hpkeOpenInto,
  hpkeSealInto,
} from './hpke';
import { IN, OUT } from './io';
import { takeRandom } from './random';
import { wipeCall } from './wipe';
import { X25519_BYTES } from './x25519';

/** HPKE context | enc (32) | secret of the answer (32) */
const SENDER_BYTES: usize = HPKE_CONTEXT_BYTES + 64;
const ENC: usize = HPKE_CONTEXT_BYTES;
const SECRET: usize = HPKE_CONTEXT_BYTES + 32;
export const SEALED_SENDER_BYTES: usize = SENDER_BYTES + CONTEXT_OVERHEAD;
const SENDER: usize = memory.data(SENDER_BYTES, 16);

/** What an HPKE context has before its exporter secret: key, base nonce and counter. Answers count as HPKE does. */
const READER_BYTES: usize = HPKE_EXPORTER_SECRET;
export const SEALED_READER_BYTES: usize = READER_BYTES + CONTEXT_OVERHEAD;
const READER: usize = memory.data(READER_BYTES, 16);

const FINAL: usize = memory.data(8);

/**
 * Starts an encapsulation. IN: the edge's public key (32) | enterprise (16) | device (16) | hdr (7); RANDOM: drawn.
 * OUT: enc (32) | sender context. False for a public key of low order.
 */
export function startSending(streaming: bool): bool {
  const party = IN + X25519_BYTES;
  const hdr = party + PARTY_BYTES;
  const ephemeral = takeRandom();
  const started = sendInto(SENDER, SENDER + SECRET, OUT, ephemeral, IN, hdr, party, streaming);
  if (started) {
    put(SENDER + ENC, OUT, ENC_BYTES);
    sealContextInto(OUT + ENC_BYTES, CONTEXT_SENDER, SENDER, SENDER_BYTES);
  }
  wipeSender();
  wipeCall(IN, X25519_BYTES + PARTY_BYTES + HDR_BYTES);
  return started;
}

/**
 * Seals the next message. IN: sender context | plaintext, `length` octets in all. OUT: next sender context | ciphertext | tag.
 * Returns its length; 0 for a plaintext over MAX_CHUNK_BYTES, or a context that is not one of this instance.
 * @param final the last chunk of a stream
 */
export function sealNext(length: u32, final: bool): u32 {
  const written = length > IN_BYTES ? 0 : putSealed(length, final);
  wipeSender();
  wipeCall(IN, min(length, IN_BYTES));
  return written;
}

function putSealed(length: usize, final: bool): u32 {
  if (length < SEALED_SENDER_BYTES || length > SEALED_SENDER_BYTES + MAX_CHUNK_BYTES) return 0;
  if (openContextInto(SENDER, CONTEXT_SENDER, IN, SEALED_SENDER_BYTES) == 0) return 0;
  const aadLength: usize = final ? putAscii(FINAL, 'final') - FINAL : 0;
  const plaintext = IN + SEALED_SENDER_BYTES;
  const plainLength = length - SEALED_SENDER_BYTES;
  const sealed = OUT + SEALED_SENDER_BYTES;
  if (!hpkeSealInto(SENDER, sealed, FINAL, aadLength, plaintext, plainLength)) return 0;
  sealContextInto(OUT, CONTEXT_SENDER, SENDER, SENDER_BYTES);
  return <u32>(length + AEAD_TAG_BYTES);
}

/**
 * Derives the keys of an answer. IN: sender context | response nonce (32). OUT: reader context.
 * Returns its length, 0 when the context is not one of this instance.
 */
export function startReading(): u32 {
  let length: usize = 0;
  if (openContextInto(SENDER, CONTEXT_SENDER, IN, SEALED_SENDER_BYTES) != 0) {
    const nonce = IN + SEALED_SENDER_BYTES;
    const key = READER + HPKE_KEY;
    const base = READER + HPKE_BASE_NONCE;
    answerKeyInto(key, base, SENDER + SECRET, SENDER + ENC, nonce);
    length = sealContextInto(OUT, CONTEXT_READER, READER, READER_BYTES);
  }
  wipeSender();
  wipeCall(IN, SEALED_SENDER_BYTES + RESPONSE_NONCE_BYTES);
  return <u32>length;
}

/**
 * Opens the next part of an answer. IN: reader context | ciphertext | tag, `length` octets in all.
 * OUT: next reader context | plaintext, which is the host's to wipe. Returns its length; 0, and nothing to be read, when it does
 * not open.
 * @param final the last part of a stream's answer
 */
export function readNext(length: u32, final: bool): u32 {
  const written = length > IN_BYTES ? 0 : putOpened(length, final);
  wipeSender();
  wipeCall(IN, min(length, IN_BYTES));
  return written;
}

function putOpened(length: usize, final: bool): u32 {
  if (length < SEALED_READER_BYTES + AEAD_TAG_BYTES) return 0;
  if (openContextInto(READER, CONTEXT_READER, IN, SEALED_READER_BYTES) == 0) return 0;
  const aadLength: usize = final ? putAscii(FINAL, 'final') - FINAL : 0;
  const sealed = IN + SEALED_READER_BYTES;
  const opened = OUT + SEALED_READER_BYTES;
  const sealedLength = length - SEALED_READER_BYTES;
  if (!hpkeOpenInto(READER, opened, FINAL, aadLength, sealed, sealedLength)) return 0;
  sealContextInto(OUT, CONTEXT_READER, READER, READER_BYTES);
  return <u32>(length - AEAD_TAG_BYTES);
}

function wipeSender(): void {
  wipe(SENDER, SENDER_BYTES);
  wipe(READER, READER_BYTES);
  wipeEnvelope();
}
