/** The vectors of the RFCs themselves against the shipped module. */
import { describe, expect, it } from 'vitest';
import { fromHex, rfcVectors, toHex } from '../support/vectors.ts';
import { newInstance } from '../support/wasm.ts';

type Case<Field extends string> = { name: string } & Record<Field, string>;

const { primitives } = newInstance();

describe('RFC 6234 SHA-256', () => {
  const { cases } = rfcVectors<{ cases: Case<'message' | 'digest'>[] }>('rfc-6234-sha256.json');

  it.each(cases)('$name', ({ message, digest }) => {
    expect(toHex(primitives.sha256(fromHex(message)))).toBe(digest);
  });
});

describe('RFC 4231 HMAC-SHA-256', () => {
  const { cases } = rfcVectors<{ cases: Case<'key' | 'data' | 'code'>[] }>('rfc-4231-hmac.json');

  it.each(cases)('$name', ({ key, data, code }) => {
    const whole = toHex(primitives.hmacSha256(fromHex(key), fromHex(data)));
    expect(whole.slice(0, code.length)).toBe(code);
  });
});

describe('RFC 5869 HKDF-SHA-256', () => {
  const { cases } = rfcVectors<{
    cases: (Case<'ikm' | 'salt' | 'info' | 'prk' | 'okm'> & { length: number })[];
  }>('rfc-5869-hkdf.json');

  it.each(cases)('$name', ({ ikm, salt, info, length, prk, okm }) => {
    const extracted = primitives.hkdfExtract(fromHex(salt), fromHex(ikm));
    expect(toHex(extracted)).toBe(prk);
    expect(toHex(primitives.hkdfExpand(extracted, fromHex(info), length))).toBe(okm);
  });
});

describe('RFC 8439', () => {
  const { chacha20, poly1305, aead } = rfcVectors<{
    chacha20: (Case<'key' | 'nonce' | 'input' | 'output'> & { counter: number })[];
    poly1305: Case<'key' | 'message' | 'tag'>[];
    aead: Case<'key' | 'nonce' | 'aad' | 'plaintext' | 'sealed'>[];
  }>('rfc-8439-chacha20-poly1305.json');

  it.each(chacha20)('ChaCha20 $name', ({ key, nonce, counter, input, output }) => {
    const result = primitives.chacha20(fromHex(key), fromHex(nonce), counter, fromHex(input));
    expect(toHex(result)).toBe(output);
  });

  it.each(poly1305)('Poly1305 $name', ({ key, message, tag }) => {
    expect(toHex(primitives.poly1305(fromHex(key), fromHex(message)))).toBe(tag);
    if (message.length % 32 > 0) return;
    expect(toHex(primitives.poly1305Blocks(fromHex(key), fromHex(message)))).toBe(tag);
  });

  it.each(aead)('AEAD $name', ({ key, nonce, aad, plaintext, sealed }) => {
    const [k, n, a] = [fromHex(key), fromHex(nonce), fromHex(aad)] as const;
    expect(toHex(primitives.aeadSeal(k, n, a, fromHex(plaintext)))).toBe(sealed);
    expect(primitives.aeadOpen(k, n, a, fromHex(sealed))).toEqual(fromHex(plaintext));
    expect(toHex(primitives.messageSeal(k, n, a, fromHex(plaintext)))).toBe(sealed);
    expect(primitives.messageOpen(k, n, a, fromHex(sealed))).toEqual(fromHex(plaintext));
  });
});

describe('RFC 7748 X25519', () => {
  const { scalarMultiplication, publicKeys, iterated } = rfcVectors<{
    scalarMultiplication: Case<'scalar' | 'u' | 'output'>[];
    publicKeys: Case<'privateKey' | 'publicKey'>[];
    iterated: { times: number; output: string }[];
  }>('rfc-7748-x25519.json');

  it.each(scalarMultiplication)('$name', ({ scalar, u, output }) => {
    expect(primitives.x25519(fromHex(scalar), fromHex(u))).toEqual(fromHex(output));
  });

  it.each(publicKeys)('public key of $name', ({ privateKey, publicKey }) => {
    expect(toHex(primitives.x25519Base(fromHex(privateKey)))).toBe(publicKey);
  });

  it.each(iterated)('iterated $times times', ({ times, output }) => {
    let k: Uint8Array = new Uint8Array(32);
    k[0] = 9;
    let u = k;
    for (let i = 0; i < times; i++) [k, u] = [primitives.x25519(k, u) as Uint8Array, k];
    expect(toHex(k)).toBe(output);
  });
});

describe('RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305', () => {
  const vectors = rfcVectors<{
    info: string;
    skEm: string;
    skRm: string;
    pkRm: string;
    enc: string;
    encryptions: { sequence: number; aad: string; plaintext: string; ciphertext: string }[];
    exports: { exporterContext: string; length: number; value: string }[];
  }>('rfc-9180-hpke.json');
  const info = fromHex(vectors.info);
  const enc = fromHex(vectors.enc);
  const publicKey = fromHex(vectors.pkRm);
  const sender = {
    ephemeralPrivateKey: fromHex(vectors.skEm),
    receiverPublicKey: publicKey,
    info,
  };
  const receiver = { enc, privateKey: fromHex(vectors.skRm), publicKey, info };

  it.each(vectors.encryptions)('message $sequence', ({ sequence, aad, plaintext, ciphertext }) => {
    const number = BigInt(sequence);
    const sealed = primitives.hpkeSeal(sender, number, fromHex(aad), fromHex(plaintext));
    expect(sealed).toEqual({ enc, ciphertext: fromHex(ciphertext) });
    const opened = primitives.hpkeOpen(receiver, number, fromHex(aad), fromHex(ciphertext));
    expect(opened).toEqual(fromHex(plaintext));
  });

  it.each(vectors.exports)('export "$exporterContext"', ({ exporterContext, length, value }) => {
    const context = fromHex(exporterContext);
    expect(primitives.hpkeSenderExport(sender, context, length)).toEqual(fromHex(value));
    expect(primitives.hpkeReceiverExport(receiver, context, length)).toEqual(fromHex(value));
  });
});
