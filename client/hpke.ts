/** Key pairs for HPKE (RFC 9180) with X25519. What seals and opens with them is the module (module.ts). */
import { x25519 } from '@noble/curves/ed25519.js';

export interface KeyPair {
  /** X25519, 32 octets each. */
  privateKey: Uint8Array;
  publicKey: Uint8Array;
}

/** A fresh X25519 key pair. */
export function generateKeyPair(): KeyPair {
  return keyPair(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param privateKey X25519, 32 octets */
export function keyPair(privateKey: Uint8Array): KeyPair {
  return { privateKey, publicKey: x25519.getPublicKey(privateKey) };
}

/** Whether a public key is of small order (RFC 7748 section 6.1): what is sealed to it opens for everybody. */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  try {
    x25519.getSharedSecret(x25519.utils.randomSecretKey(), publicKey);
    return false;
  } catch {
    return true;
  }
}
