/**
 * The work with an HPKE package from npm: @hpke/core opens the units in a context of its own, @hpke/chacha20poly1305 seals the
 * views, WebCrypto makes the codes.
 */
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { CODE_BYTES, parcelNonce, type Sink, type Work } from '../work.ts';

/** What a pass needs that can be used once: a receiver's context, whose sequence only goes on. */
export interface HpkePass {
  run(sink?: Sink): Promise<void>;
}

/** @returns makes the passes; making one sets a context up, which is not part of the work */
export async function hpkeVariant(work: Work): Promise<() => Promise<HpkePass>> {
  const aead = new Chacha20Poly1305();
  const suite = new CipherSuite({
    ...{ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256() },
    aead,
  });
  const recipientKey = await suite.kem.generateKeyPair();
  const sender = await suite.createSenderContext({ recipientPublicKey: recipientKey.publicKey });
  const units: { first: number; count: number; sealed: ArrayBuffer }[] = [];
  for (const { first, count, plain } of work.units) {
    units.push({ first, count, sealed: await sender.seal(buffer(plain)) });
  }
  const full = aead.createEncryptionContext(buffer(work.fullKey));
  const masked = aead.createEncryptionContext(buffer(work.maskedKey));
  const indexKeys = await Promise.all(
    work.indexKeys.map((key) =>
      crypto.subtle.importKey('raw', buffer(key), { name: 'HMAC', hash: 'SHA-256' }, false, [
        'sign',
      ]),
    ),
  );
  const items = work.items.map((item) => ({
    ...{ content: buffer(item.content), values: item.values.map(buffer) },
    ...{ full: buffer(item.full), masked: buffer(item.masked) },
    ...{ fullAad: buffer(item.fullAad), maskedAad: buffer(item.maskedAad) },
    ...{ fullNonce: buffer(parcelNonce(item.fullAad)) },
    ...{ maskedNonce: buffer(parcelNonce(item.maskedAad)) },
  }));
  const code = async (purpose: number, value: ArrayBuffer) => {
    if (value.byteLength === 0) return new Uint8Array(CODE_BYTES);
    const made = await crypto.subtle.sign('HMAC', indexKeys[purpose] as CryptoKey, value);
    return new Uint8Array(made, 0, CODE_BYTES);
  };

  return async () => {
    const context = await suite.createRecipientContext({ recipientKey, enc: sender.enc });
    return {
      async run(sink) {
        for (const unit of units) {
          await context.open(unit.sealed);
          const outcomes = await Promise.all(
            items.slice(unit.first, unit.first + unit.count).map(async (item) => {
              const [tag, ...codes] = await Promise.all([
                code(4, item.content),
                ...item.values.map((value, purpose) => code(purpose, value)),
              ]);
              return {
                codes: [tag, ...codes],
                full: new Uint8Array(await full.seal(item.fullNonce, item.full, item.fullAad)),
                masked: new Uint8Array(
                  await masked.seal(item.maskedNonce, item.masked, item.maskedAad),
                ),
              };
            }),
          );
          outcomes.forEach((outcome, i) => {
            sink?.(unit.first + i, outcome);
          });
        }
      },
    };
  };
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer as ArrayBuffer;
}
