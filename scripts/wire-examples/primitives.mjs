/**
 * What the worked examples are computed with: node:crypto, @hpke and cborg, and nothing of this project, so that an error
 * of ours can't stand in them.
 */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
} from 'node:crypto';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

/** PKCS #8 before the 32 octets of a private key (RFC 8410 section 7). */
const PKCS8 = {
  ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

const SUITE = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

export const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
export const zeros = (length) => Buffer.alloc(length);
export const u8 = (value) => Buffer.of(value);
export const u16 = (value) => integer(value, 2);
export const u32 = (value) => integer(value, 4);
export const u64 = (value) => integer(value, 8);

function integer(value, width) {
  return Buffer.from(value.toString(16).padStart(width * 2, '0'), 'hex');
}

/** RFC 9000 section 16, up to 14 bits. */
export function varint(value) {
  return value < 64 ? u8(value) : u16(value | 0x4000);
}

/** A value that nobody chose: SHA-256 of a name, cut or, beyond 32 octets, counted on. */
export function fixed(name, length = 32) {
  const first = sha256(Buffer.from(`sealpost example: ${name}`));
  if (length <= 32) return first.subarray(0, length);
  return join(first, fixed(`${name}, continued`, length - 32));
}

export function sha256(...parts) {
  return createHash('sha256')
    .update(join(...parts))
    .digest();
}

export function hmac(key, ...parts) {
  return createHmac('sha256', key)
    .update(join(...parts))
    .digest();
}

/** HKDF-Extract (RFC 5869 section 2.2). */
export const extract = (salt, ikm) => hmac(salt, ikm);

/** HKDF-Expand (RFC 5869 section 2.3), up to 32 octets. */
export function expand(prk, info, length = 32) {
  return hmac(prk, info, u8(1)).subarray(0, length);
}

/** ChaCha20-Poly1305 (RFC 8439 section 2.8): ciphertext and tag. */
export function seal(key, nonce, aad, plaintext) {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** The nonce of message `i`: its number in the last 8 octets, XORed (RFC 9180 section 5.2). */
export function nonceAt(base, i) {
  const nonce = Buffer.from(base);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ BigInt(i), 4);
  return nonce;
}

/** A key pair of 32 octets each. @param type `ed25519` or `x25519` */
export function keyPair(type, privateKey) {
  const { x } = publicOf(type, privateKey).export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url');
  return { type, privateKey, publicKey, keyId: sha256(publicKey) };
}

export function sign({ type, privateKey }, ...message) {
  return nodeSign(null, join(...message), privateOf(type, privateKey));
}

/**
 * The sender's side of HPKE in base mode with a known ephemeral key.
 * @returns enc, `seal(aad, plaintext)` for one message after the other, `export(label)` of 32 octets
 */
export async function hpkeSender(recipient, ephemeralPrivateKey, info) {
  const ephemeral = keyPair('x25519', ephemeralPrivateKey);
  const context = await SUITE.createSenderContext({
    recipientPublicKey: await SUITE.kem.deserializePublicKey(exact(recipient)),
    info: exact(info),
    ekm: {
      privateKey: await SUITE.kem.deserializePrivateKey(exact(ephemeral.privateKey)),
      publicKey: await SUITE.kem.deserializePublicKey(exact(ephemeral.publicKey)),
    },
  });
  return {
    enc: Buffer.from(context.enc),
    seal: async (aad, plaintext) => Buffer.from(await context.seal(exact(plaintext), exact(aad))),
    export: async (label) => Buffer.from(await context.export(exact(Buffer.from(label)), 32)),
  };
}

function privateOf(type, privateKey) {
  const key = join(PKCS8[type], privateKey);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

const publicOf = (type, privateKey) => createPublicKey(privateOf(type, privateKey));

/** A buffer of its own, as the HPKE package wants it. */
const exact = (bytes) => new Uint8Array(bytes).buffer;
