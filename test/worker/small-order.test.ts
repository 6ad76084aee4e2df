import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { isSmallOrderEd25519, isSmallOrderX25519 } from '../../worker/src/pipeline/small-order.ts';

const P = 2n ** 255n - 19n;
const ED25519_ORDER_8 = ed25519.Point.fromHex(
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
);

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

describe('keys of small order', () => {
  it('are the eight points of the Edwards curve', () => {
    for (let i = 1; i <= 8; i++) {
      const point = i === 8 ? ed25519.Point.ZERO : ED25519_ORDER_8.multiply(BigInt(i));
      expect(point.isSmallOrder()).toBe(true);
      expect(isSmallOrderEd25519(point.toBytes())).toBe(true);
    }
  });

  it('are Edwards keys in other than canonical form', () => {
    for (const y of [P, P + 1n, 2n ** 255n - 1n]) {
      expect(isSmallOrderEd25519(littleEndian(y))).toBe(true);
    }
  });

  it('are the X25519 keys with which noble finds no secret', () => {
    const secret = x25519.utils.randomSecretKey();
    const order8 = ED25519_ORDER_8.toBytes();
    const u = [0n, 1n, P - 1n, P, P + 1n, 2n ** 255n, 2n ** 255n + 1n].map(littleEndian);
    for (const key of [...u, ed25519.utils.toMontgomery(order8)]) {
      expect(() => x25519.getSharedSecret(secret, key)).toThrow();
      expect(isSmallOrderX25519(key)).toBe(true);
    }
  });

  it('are not those that people make', () => {
    for (let i = 0; i < 20; i++) {
      expect(isSmallOrderEd25519(ed25519.keygen().publicKey)).toBe(false);
      expect(isSmallOrderX25519(x25519.keygen().publicKey)).toBe(false);
    }
  });
});
