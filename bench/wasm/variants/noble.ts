/** The work with @noble/ciphers and @noble/hashes; HMAC keys are prepared once. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CODE_BYTES, parcelNonce, type Sink, unitNonce, type Work } from '../work.ts';

/** One pass over the work; `sink` takes what it made. @throws Error when something does not open */
export function nobleVariant(work: Work): (sink?: Sink) => void {
  const keyed = work.indexKeys.map((key) => hmac.create(sha256, key));
  const unitNonces = work.units.map((_, index) => unitNonce(work.baseNonce, index));
  const fullNonces = work.items.map(({ fullAad }) => parcelNonce(fullAad));
  const maskedNonces = work.items.map(({ maskedAad }) => parcelNonce(maskedAad));
  const code = (purpose: number, value: Uint8Array) =>
    (keyed[purpose] as (typeof keyed)[number]).clone().update(value).digest();
  return (sink) => {
    for (const [index, unit] of work.units.entries()) {
      chacha20poly1305(work.key, unitNonces[index] as Uint8Array).decrypt(unit.sealed);
      for (let i = unit.first; i < unit.first + unit.count; i++) {
        const item = work.items[i] as Work['items'][number];
        const codes = [code(4, item.content)];
        for (let purpose = 0; purpose < 4; purpose++) {
          const value = item.values[purpose] as Uint8Array;
          if (value.length > 0) codes.push(code(purpose, value));
          else codes.push(NO_CODE);
        }
        const full = chacha20poly1305(
          work.fullKey,
          fullNonces[i] as Uint8Array,
          item.fullAad,
        ).encrypt(item.full);
        const masked = chacha20poly1305(
          work.maskedKey,
          maskedNonces[i] as Uint8Array,
          item.maskedAad,
        ).encrypt(item.masked);
        sink?.(i, { codes: codes.map((bytes) => bytes.subarray(0, CODE_BYTES)), full, masked });
      }
    }
  };
}

const NO_CODE = new Uint8Array(CODE_BYTES);
