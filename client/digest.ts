/** SHA-256 of much data: by Node where there is Node, which has the processor's instructions for it. */
import { sha256 } from '@noble/hashes/sha2.js';

export interface Digest {
  update(bytes: Uint8Array): Digest;
  /** 32 octets. */
  digest(): Uint8Array;
}

/** A new SHA-256 (FIPS 180-4). */
export function newSha256(): Digest {
  // By name and not by import, so that bundles for browsers hold nothing of Node.
  return (
    globalThis.process?.getBuiltinModule?.('node:crypto').createHash('sha256') ?? sha256.create()
  );
}
