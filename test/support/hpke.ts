/** HPKE as an independent package has it: the other side of everything that the module opens and seals. */
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

export const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

/** A buffer of its own, as the package wants it. */
export function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

/** A sender's context to a public key of 32 octets. */
export async function sender(publicKey: Uint8Array, info: Uint8Array) {
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(publicKey));
  return suite.createSenderContext({ recipientPublicKey, info: buffer(info) });
}

/** Opens one message sealed to a private key of 32 octets. */
export async function openWith(
  privateKey: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  const recipientKey = await suite.kem.deserializePrivateKey(buffer(privateKey));
  const context = await suite.createRecipientContext({
    recipientKey,
    enc: buffer(enc),
    info: buffer(info),
  });
  return new Uint8Array(await context.open(buffer(sealed), buffer(aad)));
}
