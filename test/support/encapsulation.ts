/** The client's side of an encapsulated submission and of its answer in plain TypeScript: what the module is compared with. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { EdgeError } from '../../client/errors.ts';
import type { Identity } from '../../client/signing.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import {
  encapsulationInfo,
  encodeHeader,
  FINAL_AAD,
  NO_DEVICE,
  type SINGLE,
  type STREAM,
} from '../../wire/envelope.ts';
import type { KeyConfiguration } from '../../wire/keys.ts';
import { KEY_BYTES, NONCE_BYTES, nonceAt, type SenderContext, setupSender } from './noble-hpke.ts';

export interface Encapsulation {
  /** hdr ‖ enc, 39 octets: stands before the ciphertext and is signed. */
  head: Uint8Array<ArrayBuffer>;
  context: SenderContext;
  /** Makes the opener of the answer. @param nonce the response nonce, 32 octets */
  answer(nonce: Uint8Array): AnswerOpener;
}

/** A new context that opens only for who signs the request as `identity`. */
export function encapsulate(
  kind: typeof SINGLE | typeof STREAM,
  key: KeyConfiguration,
  identity: Identity,
): Encapsulation {
  const hdr = encodeHeader(key.keyId);
  const device = identity.device ?? NO_DEVICE;
  const info = encapsulationInfo(kind.requestLabel, hdr, identity.id, device);
  const context = setupSender(key.publicKey, info);
  return {
    head: concat(hdr, context.enc),
    context,
    answer: (nonce) => new AnswerOpener(context, kind.responseLabel, nonce),
  };
}

/** Opens an answer, chunk by chunk (RFC 9458 section 4.4, draft-ietf-ohai-chunked-ohttp section 6.2). */
export class AnswerOpener {
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  #sequence = 0;

  constructor(context: SenderContext, label: string, responseNonce: Uint8Array) {
    const secret = context.export(utf8(label), KEY_BYTES);
    const prk = extract(sha256, secret, concat(context.enc, responseNonce));
    this.#key = expand(sha256, prk, utf8('key'), KEY_BYTES);
    this.#nonce = expand(sha256, prk, utf8('nonce'), NONCE_BYTES);
  }

  /** @throws EdgeError `bad_answer` when it does not open */
  open(sealed: Uint8Array, final = false): Uint8Array {
    const nonce = nonceAt(this.#nonce, this.#sequence++);
    try {
      return chacha20poly1305(this.#key, nonce, final ? FINAL_AAD : undefined).decrypt(sealed);
    } catch {
      throw new EdgeError('bad_answer');
    }
  }
}
