/** Signed manifests: what stands beside records that leave the desk, or beside receipts of records that are gone. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, utf8 } from '../wire/bytes.ts';
import { verifyEd25519 } from './recipients.ts';
import type { Signer } from './signing.ts';

const SIGN_LABEL = 'sealpost manifest v1';
const KEY_BYTES = 32;

/**
 * Signs a manifest as its file holds it.
 * @returns public key (32) ‖ Ed25519 signature (64) over "sealpost manifest v1" ‖ 00 ‖ SHA-256(manifest)
 */
export async function signManifest(
  manifest: Uint8Array,
  signer: Signer,
  publicKey: Uint8Array,
): Promise<Uint8Array> {
  return concat(publicKey, await signer.sign(signingInput(manifest)));
}

/**
 * Checks a manifest's signature.
 * @param keyid SHA-256 of the key that must have signed, from a trusted place: never from beside the manifest
 */
export function verifyManifest(
  manifest: Uint8Array,
  signature: Uint8Array,
  keyid: Uint8Array,
): boolean {
  if (signature.length !== KEY_BYTES + 64) return false;
  const publicKey = signature.subarray(0, KEY_BYTES);
  if (!equalBytes(sha256(publicKey), keyid)) return false;
  return verifyEd25519(signature.subarray(KEY_BYTES), signingInput(manifest), publicKey);
}

function signingInput(manifest: Uint8Array): Uint8Array {
  return concat(utf8(SIGN_LABEL), Uint8Array.of(0), sha256(manifest));
}
