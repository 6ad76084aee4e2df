/** Signing of requests (wire/signature.ts, RFC 9421). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from '../wire/bytes.ts';
import { MAX_CLOCK_SKEW_S } from '../wire/limits.ts';
import {
  type SignableRequest,
  type SignatureParams,
  signatureBase,
  signatureHeaders,
} from '../wire/signature.ts';
import { toBase64url } from './encoding.ts';

/** A registered key. It may sign asynchronously, so that a browser's key need not leave its key store. */
export interface Signer {
  /** SHA-256 of the public key, 32 octets. */
  readonly keyid: Uint8Array;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Who asks: an enterprise or a regulator, with one of its registered keys. */
export interface Identity {
  /** 16 octets. */
  id: Uint8Array;
  /** 16 octets; left out when the party's own system sends. */
  device?: Uint8Array;
  signer: Signer;
}

/** @param privateKey Ed25519 seed, 32 octets */
export function ed25519Signer(privateKey: Uint8Array): Signer {
  return {
    keyid: sha256(ed25519.getPublicKey(privateKey)),
    sign: (message) => ed25519.sign(message, privateKey),
  };
}

/**
 * Signs a request.
 * @param nowMs the client's clock; the edge allows MAX_CLOCK_SKEW_S of difference
 * @returns the two headers to add, and the signature itself, which the end of a pull must name
 */
export async function signRequest(
  request: SignableRequest,
  signer: Signer,
  nowMs: number,
): Promise<{ headers: Record<string, string>; signature: Uint8Array }> {
  const created = Math.floor(nowMs / 1000);
  const params: SignatureParams = {
    created,
    expires: created + MAX_CLOCK_SKEW_S,
    nonce: toBase64url(crypto.getRandomValues(new Uint8Array(16))),
    keyid: toBase64url(signer.keyid),
  };
  const signature = await signer.sign(utf8(signatureBase(request, params)));
  return { headers: { ...signatureHeaders(request, params, signature) }, signature };
}
