/** What a pass over the work must make with AES-256-GCM, by Node's own OpenSSL: nobody's output is compared with itself. */
import { createCipheriv, createHmac } from 'node:crypto';
import { concat } from '../../../wire/bytes.ts';
import { CODE_BYTES, type Outcome, parcelNonce, type Work } from '../work.ts';

export function expectedAes(work: Work): Outcome[] {
  const seal = (key: Uint8Array, aad: Uint8Array, plain: Uint8Array) => {
    const cipher = createCipheriv('aes-256-gcm', key, parcelNonce(aad));
    cipher.setAAD(aad);
    return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  };
  const code = (key: Uint8Array, value: Uint8Array) =>
    value.length === 0
      ? new Uint8Array(CODE_BYTES)
      : createHmac('sha256', key).update(value).digest().subarray(0, CODE_BYTES);
  return work.items.map((item) => ({
    codes: [
      code(work.indexKeys[4] as Uint8Array, item.content),
      ...item.values.map((value, purpose) => code(work.indexKeys[purpose] as Uint8Array, value)),
    ],
    full: seal(work.fullKey, item.fullAad, item.full),
    masked: seal(work.maskedKey, item.maskedAad, item.masked),
  }));
}
