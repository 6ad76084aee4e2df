/**
 * The work with libsodium-wrappers: libsodium compiled to WebAssembly, one call of JavaScript an operation. Its usual build has no
 * HMAC-SHA-256, so Node's own OpenSSL makes the codes.
 */
import { createHmac } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import { CODE_BYTES, parcelNonce, type Sink, unitNonce, type Work } from '../work.ts';

/** One pass over the work. */
export async function sodiumVariant(work: Work): Promise<(sink?: Sink) => void> {
  await sodium.ready;
  const seal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array) =>
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plain, aad, null, nonce, key);
  const code = (purpose: number, value: Uint8Array) =>
    value.length === 0
      ? NO_CODE
      : createHmac('sha256', work.indexKeys[purpose] as Uint8Array)
          .update(value)
          .digest()
          .subarray(0, CODE_BYTES);
  const unitNonces = work.units.map((_, index) => unitNonce(work.baseNonce, index));
  const nonces = work.items.map(({ fullAad, maskedAad }) => ({
    full: parcelNonce(fullAad),
    masked: parcelNonce(maskedAad),
  }));
  return (sink) => {
    for (const [index, unit] of work.units.entries()) {
      const nonce = unitNonces[index] as Uint8Array;
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, unit.sealed, null, nonce, work.key);
      for (let i = unit.first; i < unit.first + unit.count; i++) {
        const item = work.items[i] as Work['items'][number];
        const nonceOf = nonces[i] as (typeof nonces)[number];
        const codes = [code(4, item.content)];
        for (let purpose = 0; purpose < 4; purpose++) {
          codes.push(code(purpose, item.values[purpose] as Uint8Array));
        }
        const full = seal(work.fullKey, nonceOf.full, item.fullAad, item.full);
        const masked = seal(work.maskedKey, nonceOf.masked, item.maskedAad, item.masked);
        sink?.(i, { codes, full, masked });
      }
    }
  };
}

const NO_CODE = new Uint8Array(CODE_BYTES);
