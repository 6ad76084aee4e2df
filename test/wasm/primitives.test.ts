/** The primitives against another library, at the edges of blocks, and what they leave behind. */
import { chacha20, chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { IN_BYTES } from '../../wasm/host/abi.gen.ts';
import { findInMemory, newInstance } from '../support/wasm.ts';

/** Around the blocks of Poly1305 (16), ChaCha20 and SHA-256 (64), the first pass of the AEAD (192), four blocks (256). */
const LENGTHS = [
  0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 191, 192, 193, 255,
  256, 257, 447, 448, 449, 511, 512, 513, 4096, 16384,
];
const SHORT_LENGTHS = [0, 1, 15, 16, 17, 64, 65];

const { call, memory, outAt, primitives } = newInstance();
/** All memory of a module that nobody has called yet. */
const pristine = memory.slice();

describe('equal to another library', () => {
  it.each(LENGTHS)('SHA-256 and HMAC of %i octets', (length) => {
    const message = random(length);
    expect(primitives.sha256(message)).toEqual(sha256(message));
    for (const keyLength of [0, 1, 32, 63, 64, 65, 200]) {
      const key = random(keyLength);
      expect(primitives.hmacSha256(key, message)).toEqual(hmac(sha256, key, message));
    }
  });

  it.each([0, 1, 31, 32, 33, 63, 64, 65, 255 * 32 - 1, 255 * 32])('HKDF to %i octets', (length) => {
    for (const n of SHORT_LENGTHS) {
      const [salt, ikm, info] = [random(n), random(n + 1), random(n)];
      const prk = primitives.hkdfExtract(salt, ikm);
      expect(prk).toEqual(extract(sha256, ikm, salt));
      const expected = length === 0 ? new Uint8Array() : expand(sha256, prk, info, length);
      expect(primitives.hkdfExpand(prk, info, length)).toEqual(expected);
    }
  });

  it.each(LENGTHS)('ChaCha20 of %i octets', (length) => {
    const [key, nonce, data] = [random(32), random(12), random(length)];
    for (const counter of [0, 1, 2 ** 31 - 2, 2 ** 31 + 5]) {
      const expected = chacha20(key, nonce, data, undefined, counter);
      expect(primitives.chacha20(key, nonce, counter, data)).toEqual(expected);
    }
  });

  it.each(LENGTHS)('AEAD of %i octets', (length) => {
    for (const aadLength of SHORT_LENGTHS) {
      const [key, nonce] = [random(32), random(12)];
      const [aad, plaintext] = [random(aadLength), random(length)];
      const expected = chacha20poly1305(key, nonce, aad).encrypt(plaintext);
      expect(primitives.aeadSeal(key, nonce, aad, plaintext)).toEqual(expected);
      expect(primitives.aeadOpen(key, nonce, aad, expected)).toEqual(plaintext);
    }
  });

  it('X25519 of random keys and of values around the prime', () => {
    for (let i = 0; i < 32; i++) {
      const [scalar, u] = [random(32), random(32)];
      expect(primitives.x25519(scalar, u)).toEqual(x25519.scalarMult(scalar, u));
      expect(primitives.x25519Base(scalar)).toEqual(x25519.getPublicKey(scalar));
    }
    // 2 to 18 and p + 2 to p + 18 = 2^255 - 17 to 2^255 - 1 name the same points, with and without the top bit.
    const scalar = random(32);
    for (let small = 2; small < 19; small++) {
      const canonical = new Uint8Array(32);
      canonical[0] = small;
      const expected = x25519.scalarMult(scalar, canonical);
      for (const top of [0x7f, 0xff]) {
        const beyond = new Uint8Array(32).fill(0xff);
        beyond[0] = 0xed + small;
        beyond[31] = top;
        expect(primitives.x25519(scalar, beyond)).toEqual(expected);
      }
    }
  });
});

describe('SHA-256 in parts', () => {
  it('gives one digest for every split of up to two blocks and a bit', () => {
    for (const length of [0, 1, 54, 63, 64, 65, 127, 128, 130]) {
      const message = random(length);
      const digest = sha256(message);
      for (let first = 0; first <= length; first++) {
        for (let second = 0; first + second <= length; second += 7) {
          const parts = [
            message.subarray(0, first),
            message.subarray(first, first + second),
            message.subarray(first + second),
          ] as const;
          expect(primitives.sha256Parts(...parts)).toEqual(digest);
        }
      }
    }
  });
});

describe('forgeries', () => {
  it.each([0, 1, 16, 191, 192, 193, 450])('no altered bit of %i octets opens', (length) => {
    const [key, nonce, aad] = [random(32), random(12), random(20)];
    const sealed = primitives.aeadSeal(key, nonce, aad, random(length));
    for (let bit = 0; bit < 8 * sealed.length; bit += length > 64 ? 37 : 1) {
      const forged = flip(sealed, bit);
      expect(primitives.aeadOpen(key, nonce, aad, forged)).toBeUndefined();
    }
    for (let tagBit = 8 * length; tagBit < 8 * sealed.length; tagBit++) {
      expect(primitives.aeadOpen(key, nonce, aad, flip(sealed, tagBit))).toBeUndefined();
    }
    expect(primitives.aeadOpen(key, flip(nonce, 3), aad, sealed)).toBeUndefined();
    expect(primitives.aeadOpen(key, nonce, flip(aad, 9), sealed)).toBeUndefined();
    expect(primitives.aeadOpen(key, nonce, aad.subarray(1), sealed)).toBeUndefined();
    expect(primitives.aeadOpen(key, nonce, aad, sealed)).toBeDefined();
  });

  it('an octet moved from the additional data to the ciphertext is noticed', () => {
    const [key, nonce, aad] = [random(32), random(12), random(16)];
    const sealed = primitives.aeadSeal(key, nonce, aad, random(31));
    const moved = new Uint8Array([...aad.subarray(15), ...sealed]);
    expect(primitives.aeadOpen(key, nonce, aad.subarray(0, 15), moved)).toBeUndefined();
  });

  it('leave the output untouched', () => {
    const [key, nonce, aad] = [random(32), random(12), random(20)];
    const forged = flip(primitives.aeadSeal(key, nonce, aad, random(700)), 4000);
    const out = memory.subarray(outAt, outAt + 1024).fill(0xa5);
    expect(call('aeadOpen', [aad.length, forged.length], key, nonce, aad, forged)).toBe(0);
    expect(out.every((octet) => octet === 0xa5)).toBe(true);
    out.fill(0);
  });
});

describe('nothing is left in linear memory', () => {
  const [key, nonce, aad, message] = [random(32), random(12), random(21), random(450)];
  const [info, privateKey] = [random(40), random(32)];
  const publicKey = primitives.x25519Base(privateKey);
  const enc = primitives.x25519Base(key);
  const sender = { ephemeralPrivateKey: key, receiverPublicKey: publicKey, info };
  const receiver = { enc, privateKey, publicKey, info };
  const sealed = primitives.aeadSeal(key, nonce, aad, message);
  const hpkeSealed = primitives.hpkeSeal(sender, 0n, aad, message)?.ciphertext as Uint8Array;
  // As the ladder holds it, and a prepared HMAC key before its first block.
  const clamped = clamp(key);
  const paddedKey = key.map((octet) => octet ^ 0x36);

  it.each<[string, () => unknown]>([
    ['sha256', () => primitives.sha256(message)],
    ['sha256Parts', () => primitives.sha256Parts(key, message, info)],
    ['hmacSha256', () => primitives.hmacSha256(key, message)],
    ['hmacSha256 with a long key', () => primitives.hmacSha256(message, key)],
    ['hkdfExtract', () => primitives.hkdfExtract(key, message)],
    ['hkdfExpand', () => primitives.hkdfExpand(key, message, 100)],
    ['chacha20', () => primitives.chacha20(key, nonce, 1, message)],
    ['poly1305', () => primitives.poly1305(key, message)],
    ['aeadSeal', () => primitives.aeadSeal(key, nonce, aad, message)],
    ['aeadOpen', () => primitives.aeadOpen(key, nonce, aad, sealed)],
    ['aeadOpen of a forgery', () => primitives.aeadOpen(key, nonce, aad, flip(sealed, 77))],
    ['x25519', () => primitives.x25519(key, publicKey)],
    ['x25519 of a point of small order', () => primitives.x25519(key, new Uint8Array(32))],
    ['x25519Base', () => primitives.x25519Base(key)],
    ['hpkeSeal', () => primitives.hpkeSeal(sender, 0n, aad, message)],
    ['hpkeOpen', () => primitives.hpkeOpen(receiver, 0n, aad, hpkeSealed)],
    ['hpkeOpen of a forgery', () => primitives.hpkeOpen(receiver, 1n, aad, hpkeSealed)],
    ['hpkeSenderExport', () => primitives.hpkeSenderExport(sender, info, 32)],
    ['hpkeReceiverExport', () => primitives.hpkeReceiverExport(receiver, info, 32)],
  ])('%s', (_, run) => {
    run();
    for (const secret of [key, privateKey, clamped, paddedKey, message]) {
      // Any 16 octets in a row would be a leak, wherever in the secret they stand.
      for (let at = 0; at + 16 <= secret.length; at += 8) {
        expect(findInMemory(memory, secret.subarray(at, at + 16))).toBe(-1);
      }
    }
    // Stronger: all memory, keystreams and chaining values included, is as before the first call.
    expect(Buffer.compare(memory, pristine)).toBe(0);
  });
});

describe('sizes and kinds', () => {
  const [key, nonce, none] = [random(32), random(12), new Uint8Array()];

  it('takes what just fits the input buffer and refuses one octet more', () => {
    const largest = random(IN_BYTES);
    expect(primitives.sha256(largest)).toEqual(sha256(largest));
    expect(() => primitives.sha256(random(IN_BYTES + 1))).toThrow(RangeError);
    expect(() => primitives.aeadSeal(key, nonce, none, random(IN_BYTES - 43))).toThrow(RangeError);
    expect(Buffer.compare(memory, pristine)).toBe(0);
  });

  it.each<[string, (number | bigint)[]]>([
    ['sha256', [IN_BYTES + 1]],
    ['sha256', [-1]],
    ['sha256Parts', [IN_BYTES, -1, 2]],
    ['hmacSha256', [-1, 1]],
    ['hkdfExtract', [-2, 3]],
    ['hkdfExpand', [IN_BYTES - 31, 32]],
    ['hkdfExpand', [0, 255 * 32 + 1]],
    ['hkdfExpand', [-32, 32]],
    ['chacha20', [0, IN_BYTES - 43]],
    ['poly1305', [-32]],
    ['aeadSeal', [1, IN_BYTES - 44]],
    ['aeadOpen', [-16, 16]],
    ['aeadOpen', [0, 15]],
    ['hpkeSeal', [-64, 0n, 0, 0]],
    ['hpkeOpen', [0, 0n, 0, IN_BYTES - 95]],
    ['hpkeSenderExport', [0, IN_BYTES - 63, 32]],
    ['hpkeReceiverExport', [0, 0, 255 * 32 + 1]],
  ])('the module itself refuses %s(%s)', (name, parameters) => {
    expect(call(name, parameters)).toBe(0);
    expect(Buffer.compare(memory, pristine)).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['key', () => primitives.aeadSeal(random(31), nonce, none, none)],
    ['nonce', () => primitives.aeadSeal(key, random(13), none, none)],
    ['prk', () => primitives.hkdfExpand(random(33), none, 32)],
    ['expansion', () => primitives.hkdfExpand(key, none, 255 * 32 + 1)],
    ['scalar', () => primitives.x25519(random(33), key)],
    ['point', () => primitives.x25519(key, random(31))],
  ])('RangeError for a wrong size: %s', (_, run) => {
    expect(run).toThrow(RangeError);
  });

  it.each<[string, unknown]>([
    ['text', 'abc'],
    ['an array', [1, 2, 3]],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['nothing', undefined],
  ])('TypeError for %s', (_, value) => {
    expect(() => primitives.sha256(value as Uint8Array)).toThrow(TypeError);
    expect(() => primitives.x25519(value as Uint8Array, key)).toThrow(TypeError);
  });

  it('takes a view into a larger buffer as just that view', () => {
    const whole = random(100);
    expect(primitives.sha256(whole.subarray(10, 60))).toEqual(sha256(whole.slice(10, 60)));
  });
});

/** decodeScalar25519 of RFC 7748 5 */
function clamp(scalar: Uint8Array): Uint8Array {
  const copy = scalar.slice();
  copy[0] = (copy[0] as number) & 248;
  copy[31] = ((copy[31] as number) & 127) | 64;
  return copy;
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
