/**
 * Every secret of one HPKE exchange (RFC 9180, base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305), by name: what the tests
 * seal with at any position, and what they search the module's memory for.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, u16, utf8 } from '../../wire/bytes.ts';

const NONE = new Uint8Array(0);
const KEM_SUITE = concat(utf8('KEM'), u16(0x0020));
const SUITE = concat(utf8('HPKE'), u16(0x0020), u16(0x0001), u16(0x0003));

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) {
  return extract(sha256, concat(utf8('HPKE-v1'), suite, utf8(label), ikm), salt);
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
) {
  const labeled = concat(u16(length), utf8('HPKE-v1'), suite, utf8(label), info);
  return expand(sha256, prk, labeled, length);
}

export interface Exchange {
  enc: Uint8Array;
  /** The private key behind enc, for whoever made it. */
  ephemeral?: Uint8Array;
  /** By the names of RFC 9180. */
  secrets: {
    dh: Uint8Array;
    eaePrk: Uint8Array;
    sharedSecret: Uint8Array;
    secret: Uint8Array;
    key: Uint8Array;
    baseNonce: Uint8Array;
    exporterSecret: Uint8Array;
  };
}

/** SetupBaseS with a given ephemeral key. @param to public key, 32 octets */
export function exchange(ephemeral: Uint8Array, to: Uint8Array, info: Uint8Array): Exchange {
  const dh = x25519.getSharedSecret(ephemeral, to);
  return { ...exchangeOf(dh, x25519.getPublicKey(ephemeral), to, info), ephemeral };
}

/** SetupBaseR. @param privateKey the receiver's, 32 octets */
export function received(privateKey: Uint8Array, enc: Uint8Array, info: Uint8Array): Exchange {
  const dh = x25519.getSharedSecret(privateKey, enc);
  return exchangeOf(dh, enc, x25519.getPublicKey(privateKey), info);
}

/** From the Diffie-Hellman result to the context (RFC 9180 sections 4.1 and 5.1). */
export function exchangeOf(
  dh: Uint8Array,
  enc: Uint8Array,
  to: Uint8Array,
  info: Uint8Array,
): Exchange {
  const eaePrk = labeledExtract(KEM_SUITE, NONE, 'eae_prk', dh);
  const context = concat(enc, to);
  const sharedSecret = labeledExpand(KEM_SUITE, eaePrk, 'shared_secret', context, 32);
  const about = concat(
    Uint8Array.of(0),
    labeledExtract(SUITE, NONE, 'psk_id_hash', NONE),
    labeledExtract(SUITE, NONE, 'info_hash', info),
  );
  const secret = labeledExtract(SUITE, sharedSecret, 'secret', NONE);
  const [key, baseNonce, exporterSecret] = [
    labeledExpand(SUITE, secret, 'key', about, 32),
    labeledExpand(SUITE, secret, 'base_nonce', about, 12),
    labeledExpand(SUITE, secret, 'exp', about, 32),
  ] as [Uint8Array, Uint8Array, Uint8Array];
  const secrets = { dh, eaePrk, sharedSecret, secret, key, baseNonce, exporterSecret };
  return { enc, secrets };
}

/** Seals the message of a position; a test may do so twice with one. */
export function sealAt(
  { secrets }: Exchange,
  position: number,
  plaintext: Uint8Array,
  aad: Uint8Array = NONE,
): Uint8Array {
  return chacha20poly1305(secrets.key, nonceAt(secrets.baseNonce, position), aad).encrypt(
    plaintext,
  );
}

/** Context.Export (RFC 9180 section 5.3). */
export function exported({ secrets }: Exchange, label: string): Uint8Array {
  return labeledExpand(SUITE, secrets.exporterSecret, 'sec', utf8(label), 32);
}

/** Keys of an answer (RFC 9458 section 4.4). */
export function answerSecrets(made: Exchange, label: string, responseNonce: Uint8Array) {
  const secret = exported(made, label);
  const prk = extract(sha256, secret, concat(made.enc, responseNonce));
  const [key, nonce] = [
    expand(sha256, prk, utf8('key'), 32),
    expand(sha256, prk, utf8('nonce'), 12),
  ];
  return { secret, prk, key, nonce };
}

export function nonceAt(base: Uint8Array, position: number): Uint8Array {
  const nonce = base.slice();
  new DataView(nonce.buffer).setUint32(8, new DataView(nonce.buffer).getUint32(8) ^ position);
  return nonce;
}
