import { concat } from '../../../wire/bytes.ts';
import { sha256 } from './digest.ts';
import { isSmallOrderEd25519 } from './small-order.ts';

/** Signs what this edge says: epochs, key configurations, ends of pulls. */
export interface Signer {
  /** SHA-256 of the public key. */
  keyid: Uint8Array;
  sign(input: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** PKCS #8 of an Ed25519 private key (RFC 8410 section 7) up to its seed. */
const PKCS8_HEAD = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
  ...[0x04, 0x22, 0x04, 0x20],
);

/** @param seed Ed25519 private key, 32 octets (RFC 8032 section 5.1.5) */
export async function ed25519Signer(seed: Uint8Array): Promise<Signer> {
  const key = await importSeed(seed, false);
  return {
    keyid: await sha256(await publicKey(seed)),
    sign: async (input) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, input)),
  };
}

/** Keys in WebCrypto's form, for as long as their octets are held: importing one takes half as long as a verification. */
const imported = new WeakMap<Uint8Array, CryptoKey>();

/** False for a wrong signature, for a key that is none, and for one of small order. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  input: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (isSmallOrderEd25519(publicKey)) return false;
  try {
    const key = imported.get(publicKey) ?? (await importPublicKey(publicKey));
    imported.set(publicKey, key);
    return await crypto.subtle.verify('Ed25519', key, concat(signature), input);
  } catch {
    return false;
  }
}

function importPublicKey(publicKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', concat(publicKey), 'Ed25519', false, ['verify']);
}

function importSeed(seed: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  const pkcs8 = concat(PKCS8_HEAD, seed);
  return crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', extractable, ['sign']);
}

/** WebCrypto derives the public key only on the way out. */
async function publicKey(seed: Uint8Array): Promise<Uint8Array> {
  const jwk = (await crypto.subtle.exportKey('jwk', await importSeed(seed, true))) as JsonWebKey;
  const binary = atob((jwk.x as string).replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
