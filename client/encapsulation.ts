/** The client's side of an encapsulated submission and of its answer (wire/envelope.ts, RFC 9458 section 4). */
import type { AnswerReader, Sender, SendingContext } from '../wasm/host/sender.ts';
import { concat } from '../wire/bytes.ts';
import { encodeHeader, NO_DEVICE, type SINGLE, STREAM } from '../wire/envelope.ts';
import type { KeyConfiguration } from '../wire/keys.ts';
import { EdgeError } from './errors.ts';
import type { Identity } from './signing.ts';

export interface Encapsulation {
  /** hdr ‖ enc, 39 octets: stands before the ciphertext and is signed. */
  head: Uint8Array<ArrayBuffer>;
  context: SendingContext;
}

/** A new context that opens only for who signs the request as `identity`. @throws RangeError for a key of low order */
export function encapsulate(
  sender: Sender,
  kind: typeof SINGLE | typeof STREAM,
  key: KeyConfiguration,
  identity: Identity,
): Encapsulation {
  const hdr = encodeHeader(key.keyId);
  const context = sender.start(kind === STREAM, {
    ...{ publicKey: key.publicKey, hdr, enterprise: identity.id },
    device: identity.device ?? NO_DEVICE,
  });
  return { head: concat(hdr, context.enc), context };
}

/** The next part of an answer. @throws EdgeError `bad_answer` when it does not open */
export function openAnswer(
  reader: AnswerReader,
  sealed: Uint8Array,
  final = false,
): Uint8Array<ArrayBuffer> {
  const opened = reader.open(sealed, final);
  if (opened === undefined) throw new EdgeError('bad_answer');
  return opened;
}
