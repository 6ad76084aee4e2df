/**
 * Who is asking: HTTP Message Signatures (RFC 9421) by registered keys. Every failure of a signature is the same
 * `signature_invalid`; only who signed rightly is told that the clock is wrong.
 */
import type { ControlStore, Party, PartyKey } from '../../db/control.ts';
import { concat, equalBytes, utf8 } from '../../wire/bytes.ts';
import { MAX_CLOCK_SKEW_S } from '../../wire/limits.ts';
import {
  contentDigest,
  ENCAPSULATION_HEADER,
  parseByteSequence,
  parseSignature,
  type SignableRequest,
  type SignatureParams,
  signatureBase,
} from '../../wire/signature.ts';
import { fromBase64url } from './base64url.ts';
import { sha256 } from './pipeline/digest.ts';
import { verifyEd25519 } from './pipeline/ed25519.ts';
import { Failure, fromStore } from './pipeline/failure.ts';
import { ENCAPSULATION_BYTES } from './pipeline/ingest.ts';
import { MAX_NONCE_CHARACTERS, SIGNER_REREAD_MS } from './pipeline/limits.ts';
import { isRecent } from './pipeline/recent.ts';

/** A verified signature. */
export interface Signer {
  party: Party;
  keyid: Uint8Array;
  signature: Uint8Array;
  params: SignatureParams;
}

export interface AuthParts {
  control: Pick<ControlStore, 'findSigner' | 'useNonce'>;
  /** `control`, remembered for a short time. */
  signers: Pick<ControlStore, 'findSigner'>;
  /** Host and port as configured: what the Host header says does not count. */
  authority: string;
  /** Milliseconds since 1970. */
  clock: () => number;
}

/** What of a request is verified. A Request fits. */
export interface SignedRequest {
  method: string;
  url: string;
  headers: Headers;
}

/**
 * Verifies the signature of a request, without its body: that is for checkDigest, or a stream's chunks.
 * @throws Failure signature_invalid, clock_skew, unavailable
 */
export async function authenticate(
  { signers, authority, clock }: AuthParts,
  request: SignedRequest,
): Promise<Signer> {
  const signable = signableRequest(request, authority);
  const { params, signature, keyid } = parse(signable);
  const found = await fromStore(signers.findSigner(keyid));
  if (found === undefined) throw new Failure('signature_invalid');
  const base = utf8(signatureBase(signable, params));
  if (!(await verifySignature(found.key, signature, base))) throw new Failure('signature_invalid');
  checkTime(params, Math.floor(clock() / 1000));
  return { party: found.party, keyid, signature, params };
}

/** `content-digest` (RFC 9530) must name the body, and be absent when there is none. @throws Failure signature_invalid */
export async function checkDigest(request: SignedRequest, body: Uint8Array): Promise<void> {
  const named = request.headers.get('content-digest')?.trim();
  const expected = body.length > 0 ? contentDigest(await sha256(body)) : undefined;
  if (named !== expected) throw new Failure('signature_invalid');
}

/** `sealpost-encapsulation` must be hdr ‖ enc of the body: no signature fits another body's key. */
export function checkEncapsulation(request: SignedRequest, head: Uint8Array): void {
  const named = encapsulationOf(request);
  if (!equalBytes(named, head.subarray(0, ENCAPSULATION_BYTES))) {
    throw new Failure('signature_invalid');
  }
}

/**
 * Says, as often as it is asked, whether a signer still belongs: whoever is shut out is out in the middle of a stream too.
 * Asks the store at most every SIGNER_REREAD_MS.
 * @returns throws Failure signature_invalid when the signer was shut out; unavailable when the store is away
 */
export function standing({ control, clock }: AuthParts, signer: Signer): () => Promise<void> {
  // What let the signer in may have been remembered: it is asked at once.
  let askedMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock();
    if (isRecent(askedMs, now, SIGNER_REREAD_MS)) return;
    askedMs = now;
    const found = await fromStore(control.findSigner(signer.keyid));
    if (found === undefined || !equalBytes(found.party.id, signer.party.id)) {
      throw new Failure('signature_invalid');
    }
  };
}

/**
 * Uses up the signature's nonce, for requests that would do something a second time.
 * @throws Failure replayed, unavailable
 */
export async function useNonce({ control, clock }: AuthParts, signer: Signer): Promise<void> {
  const { created, nonce } = signer.params;
  // No later than this the signature itself is out of time.
  const expiresMs = (created + MAX_CLOCK_SKEW_S + 1) * 1000;
  const fresh = await fromStore(control.useNonce(signer.keyid, nonce, expiresMs, clock()));
  if (!fresh) throw new Failure('replayed');
}

function signableRequest(request: SignedRequest, authority: string): SignableRequest {
  const { pathname, search } = new URL(request.url);
  return {
    method: request.method,
    authority,
    path: pathname,
    query: search,
    header: (name) => request.headers.get(name),
  };
}

function parse(signable: SignableRequest) {
  try {
    const { params, signature } = parseSignature(signable);
    const keyid = fromBase64url(params.keyid);
    const [length, bytes] = [params.nonce.length, keyid.length];
    const bounded = length > 0 && length <= MAX_NONCE_CHARACTERS && bytes === 32;
    if (bounded && isSingle(signable, 'signature-input') && isSingle(signable, 'signature')) {
      return { params, signature, keyid };
    }
  } catch {
    // falls through to the same answer
  }
  throw new Failure('signature_invalid');
}

/** One member in the dictionary: a label that stands twice would hide the first (RFC 9651 section 4.2.2). */
function isSingle(signable: SignableRequest, name: string): boolean {
  const withoutStrings = signable.header(name)?.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return withoutStrings?.includes(',') === false;
}

function encapsulationOf(request: SignedRequest): Uint8Array {
  try {
    const named = parseByteSequence(request.headers.get(ENCAPSULATION_HEADER));
    if (named.length === ENCAPSULATION_BYTES) return named;
  } catch {
    // falls through to the same answer
  }
  throw new Failure('signature_invalid');
}

function checkTime({ created, expires }: SignatureParams, nowS: number): void {
  if (Math.abs(nowS - created) > MAX_CLOCK_SKEW_S || expires < nowS) {
    throw new Failure('clock_skew');
  }
}

/** The algorithm is the stored key's: what a request claims about it does not count. */
export async function verifySignature(
  { algorithm, publicKey }: Pick<PartyKey, 'algorithm' | 'publicKey'>,
  signature: Uint8Array,
  base: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  switch (algorithm) {
    case 'ed25519':
      return verifyEd25519(publicKey, signature, base);
    case 'ecdsa-p256':
      return verifyP256(publicKey, signature, base);
  }
}

async function verifyP256(
  publicKey: Uint8Array,
  signature: Uint8Array,
  base: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  try {
    const raw = concat(publicKey);
    const key = await crypto.subtle.importKey('raw', raw, curve, false, ['verify']);
    const digest = { name: 'ECDSA', hash: 'SHA-256' };
    return await crypto.subtle.verify(digest, key, concat(signature), base);
  } catch {
    return false;
  }
}
