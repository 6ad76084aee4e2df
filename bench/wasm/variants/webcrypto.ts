/**
 * The work with WebCrypto: AES-256-GCM in place of ChaCha20-Poly1305, which it does not have, and HMAC-SHA-256. Every call is
 * asynchronous; 64 records are in flight at a time.
 */
import { CODE_BYTES, parcelNonce, type Sink, unitNonce, type Work } from '../work.ts';

const IN_FLIGHT = 64;

/**
 * The same work with every unit sealed by AES-256-GCM under the same key and nonce.
 * @returns one pass over the work
 */
export async function webCryptoVariant(work: Work): Promise<(sink?: Sink) => Promise<void>> {
  const { subtle } = crypto;
  const aes = (key: Uint8Array) =>
    subtle.importKey('raw', owned(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
  const hmac = (key: Uint8Array) =>
    subtle.importKey('raw', owned(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const [key, fullKey, maskedKey] = await Promise.all(
    [work.key, work.fullKey, work.maskedKey].map(aes),
  );
  const indexKeys = await Promise.all(work.indexKeys.map(hmac));
  if (!key || !fullKey || !maskedKey) throw new Error('a key is missing');
  const gcm = (iv: Uint8Array<ArrayBuffer>, aad?: Uint8Array<ArrayBuffer>) => ({
    ...{ name: 'AES-GCM', iv },
    ...(aad && { additionalData: aad }),
  });
  const units = await Promise.all(
    work.units.map(async (unit, index) => {
      const iv = unitNonce(work.baseNonce, index);
      return { ...unit, iv, sealed: await subtle.encrypt(gcm(iv), key, owned(unit.plain)) };
    }),
  );
  const items = work.items.map((item) => ({
    ...{ content: owned(item.content), values: item.values.map(owned) },
    ...{ full: owned(item.full), masked: owned(item.masked) },
    fullCall: gcm(parcelNonce(item.fullAad), owned(item.fullAad)),
    maskedCall: gcm(parcelNonce(item.maskedAad), owned(item.maskedAad)),
  }));

  const code = async (purpose: number, value: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
    if (value.length === 0) return NO_CODE;
    const made = await subtle.sign('HMAC', indexKeys[purpose] as CryptoKey, value);
    return new Uint8Array(made, 0, CODE_BYTES);
  };
  const oneRecord = async (index: number, sink?: Sink) => {
    const item = items[index] as (typeof items)[number];
    const [tag, ...rest] = await Promise.all([
      code(4, item.content),
      ...item.values.map((value, purpose) => code(purpose, value)),
      subtle.encrypt(item.fullCall, fullKey, item.full),
      subtle.encrypt(item.maskedCall, maskedKey, item.masked),
    ]);
    if (sink === undefined) return;
    const codes = [tag, ...rest.slice(0, 4)] as Uint8Array[];
    const [full, masked] = rest.slice(4).map((bytes) => new Uint8Array(bytes as ArrayBuffer));
    if (full && masked) sink(index, { codes, full, masked });
  };

  return async (sink) => {
    const opened: (Promise<ArrayBuffer> | undefined)[] = [];
    const unitOf = units.flatMap(({ count }, index) => new Array<number>(count).fill(index));
    let next = 0;
    const lane = async () => {
      for (let index = next++; index < items.length; index = next++) {
        const unit = unitOf[index] as number;
        const { iv, sealed } = units[unit] as (typeof units)[number];
        // The first lane that meets a chunk opens it; the others wait for it.
        opened[unit] ??= subtle.decrypt(gcm(iv), key, sealed);
        await opened[unit];
        await oneRecord(index, sink);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  };
}

const NO_CODE = new Uint8Array(CODE_BYTES);

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
