/**
 * HPKE (RFC 9180) in base mode with the one suite of this protocol, in plain TypeScript: the other side of what the module seals
 * and opens, and what it is compared with.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { generateKeyPair, type KeyPair } from '../../client/hpke.ts';
import { concat, u16, utf8 } from '../../wire/bytes.ts';
import { AEAD_CHACHA20_POLY1305, KDF_SHA256, KEM_X25519 } from '../../wire/envelope.ts';

/** Octets of an AEAD key, Nk, and nonce, Nn (RFC 9180 section 7.3). */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;

// RFC 9180 sections 4.1 and 5.1: what labels are bound to inside the KEM and outside of it.
const KEM_SUITE = concat(utf8('KEM'), u16(KEM_X25519));
const SUITE = concat(utf8('HPKE'), u16(KEM_X25519), u16(KDF_SHA256), u16(AEAD_CHACHA20_POLY1305));
const VERSION = utf8('HPKE-v1');
const NOTHING = new Uint8Array(0);
const MODE_BASE = 0;

/** LabeledExtract (RFC 9180 section 4). */
function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  return extract(sha256, concat(VERSION, suite, utf8(label), ikm), salt);
}

/** LabeledExpand (RFC 9180 section 4). */
function labeledExpand(
  suite: Uint8Array,
  secret: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return expand(sha256, secret, concat(u16(length), VERSION, suite, utf8(label), info), length);
}

/** ExtractAndExpand (RFC 9180 section 4.1). @throws Error when the Diffie-Hellman result is all zeros (section 7.1.4) */
function sharedSecret(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
): Uint8Array {
  const dh = x25519.getSharedSecret(privateKey, publicKey);
  const eae = labeledExtract(KEM_SUITE, NOTHING, 'eae_prk', dh);
  const secret = labeledExpand(KEM_SUITE, eae, 'shared_secret', concat(enc, recipient), 32);
  dh.fill(0);
  return secret;
}

/** A context of either side after the key schedule (RFC 9180 section 5.1). */
class Context {
  readonly #key: Uint8Array;
  readonly #baseNonce: Uint8Array;
  readonly #exporterSecret: Uint8Array;
  #sequence = 0;

  constructor(shared: Uint8Array, info: Uint8Array) {
    const schedule = concat(
      Uint8Array.of(MODE_BASE),
      labeledExtract(SUITE, NOTHING, 'psk_id_hash', NOTHING),
      labeledExtract(SUITE, NOTHING, 'info_hash', info),
    );
    const secret = labeledExtract(SUITE, shared, 'secret', NOTHING);
    this.#key = labeledExpand(SUITE, secret, 'key', schedule, KEY_BYTES);
    this.#baseNonce = labeledExpand(SUITE, secret, 'base_nonce', schedule, NONCE_BYTES);
    this.#exporterSecret = labeledExpand(SUITE, secret, 'exp', schedule, 32);
  }

  protected nextCipher(aad: Uint8Array) {
    return chacha20poly1305(this.#key, nonceAt(this.#baseNonce, this.#sequence++), aad);
  }

  protected stay(): void {
    this.#sequence--;
  }

  /** Context.Export (RFC 9180 section 5.3). @param length octets */
  export(context: Uint8Array, length: number): Uint8Array {
    return labeledExpand(SUITE, this.#exporterSecret, 'sec', context, length);
  }
}

export class SenderContext extends Context {
  /** The encapsulated key, 32 octets. */
  readonly enc: Uint8Array;

  constructor(enc: Uint8Array, shared: Uint8Array, info: Uint8Array) {
    super(shared, info);
    this.enc = enc;
  }

  /** Seals the next message (RFC 9180 section 5.2). */
  seal(plaintext: Uint8Array, aad: Uint8Array = NOTHING): Uint8Array {
    return this.nextCipher(aad).encrypt(plaintext);
  }
}

export class ReceiverContext extends Context {
  /** Opens the next message (RFC 9180 section 5.2). @throws Error when it does not open; the sequence then stays */
  open(ciphertext: Uint8Array, aad: Uint8Array = NOTHING): Uint8Array {
    try {
      return this.nextCipher(aad).decrypt(ciphertext);
    } catch (error) {
      this.stay();
      throw error;
    }
  }
}

/**
 * SetupBaseS (RFC 9180 section 5.1.1).
 * @param recipient X25519 public key, 32 octets
 * @param ephemeral fresh for every context; given only to reproduce a known one
 */
export function setupSender(
  recipient: Uint8Array,
  info: Uint8Array,
  ephemeral: KeyPair = generateKeyPair(),
): SenderContext {
  const enc = ephemeral.publicKey;
  return new SenderContext(
    enc,
    sharedSecret(ephemeral.privateKey, recipient, enc, recipient),
    info,
  );
}

/** SetupBaseR (RFC 9180 section 5.1.1). @param enc the encapsulated key, 32 octets */
export function setupReceiver(
  enc: Uint8Array,
  recipient: KeyPair,
  info: Uint8Array,
): ReceiverContext {
  return new ReceiverContext(
    sharedSecret(recipient.privateKey, enc, enc, recipient.publicKey),
    info,
  );
}

/** base XOR sequence, the sequence right-aligned in the nonce (RFC 9180 section 5.2). */
export function nonceAt(base: Uint8Array, sequence: number): Uint8Array {
  const nonce = base.slice();
  for (let at = nonce.length - 1, left = sequence; left > 0; at--) {
    nonce[at] = (nonce[at] as number) ^ (left % 0x100);
    left = Math.floor(left / 0x100);
  }
  return nonce;
}
