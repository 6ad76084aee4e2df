/** Project Wycheproof against the shipped module: every case counts, none is left out. */
import { expect, it } from 'vitest';
import { describeVectors, fromHex, toHex } from '../support/vectors.ts';
import { newInstance } from '../support/wasm.ts';

interface Suite<Test> {
  numberOfTests: number;
  testGroups: { tagSize?: number; tests: Test[] }[];
}

interface Test {
  tcId: number;
  flags: string[];
  result: 'valid' | 'invalid' | 'acceptable';
}

const { primitives } = newInstance();

/** Runs every test of a suite and makes sure that it ran as many as the suite says. */
function all<T>(suite: Suite<T>, check: (test: T, tagSize: number) => void): void {
  let count = 0;
  for (const { tagSize = 0, tests } of suite.testGroups) {
    for (const test of tests) {
      check(test, tagSize);
      count++;
    }
  }
  expect(count).toBeGreaterThan(0);
  expect(count).toBe(suite.numberOfTests);
}

type AeadTest = Test & Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>;

describeVectors<Suite<AeadTest>>('wycheproof_chacha20_poly1305.json', (suite) => {
  it('seals what is valid, opens it, and opens nothing else', () => {
    all(suite, (test) => {
      const [key, iv, aad] = [fromHex(test.key), fromHex(test.iv), fromHex(test.aad)] as const;
      const sealed = fromHex(test.ct + test.tag);
      const label = `case ${test.tcId}`;
      if (test.flags.includes('InvalidNonceSize')) {
        expect(() => primitives.aeadOpen(key, iv, aad, sealed), label).toThrow(RangeError);
        expect(() => primitives.aeadSeal(key, iv, aad, fromHex(test.msg)), label).toThrow(
          RangeError,
        );
      } else if (test.result === 'valid') {
        expect(primitives.aeadSeal(key, iv, aad, fromHex(test.msg)), label).toEqual(sealed);
        expect(primitives.aeadOpen(key, iv, aad, sealed), label).toEqual(fromHex(test.msg));
        expect(primitives.messageSeal(key, iv, aad, fromHex(test.msg)), label).toEqual(sealed);
        expect(primitives.messageOpen(key, iv, aad, sealed), label).toEqual(fromHex(test.msg));
      } else {
        expect(primitives.aeadOpen(key, iv, aad, sealed), label).toBeUndefined();
        expect(primitives.messageOpen(key, iv, aad, sealed), label).toBeUndefined();
      }
    });
  });
});

type XdhTest = Test & Record<'public' | 'private' | 'shared', string>;

describeVectors<Suite<XdhTest>>('wycheproof_x25519.json', (suite) => {
  it('refuses the all-zero secret and agrees on every other', () => {
    let refused = 0;
    all(suite, (test) => {
      const shared = primitives.x25519(fromHex(test.private), fromHex(test.public));
      if (test.flags.includes('ZeroSharedSecret')) {
        expect(shared, `case ${test.tcId}`).toBeUndefined();
        refused++;
      } else {
        expect(shared, `case ${test.tcId}`).toEqual(fromHex(test.shared));
      }
    });
    expect(refused).toBeGreaterThan(0);
  });

  it('HPKE refuses a receiver key and an enc that give the all-zero secret', () => {
    const none = new Uint8Array();
    const keys = suite.testGroups.flatMap((group) => group.tests);
    const lowOrder = keys.filter((test) => test.flags.includes('ZeroSharedSecret'));
    expect(lowOrder.length).toBeGreaterThan(0);
    for (const test of lowOrder) {
      const point = fromHex(test.public);
      const privateKey = fromHex(test.private);
      const sender = { ephemeralPrivateKey: privateKey, receiverPublicKey: point, info: none };
      const receiver = { enc: point, privateKey, publicKey: point, info: none };
      const sealed = new Uint8Array(16);
      expect(primitives.hpkeSeal(sender, 0n, none, none)).toBeUndefined();
      expect(primitives.hpkeOpen(receiver, 0n, none, sealed)).toBeUndefined();
      expect(primitives.hpkeSenderExport(sender, none, 32)).toBeUndefined();
      expect(primitives.hpkeReceiverExport(receiver, none, 32)).toBeUndefined();
    }
  });
});

type MacTest = Test & Record<'key' | 'msg' | 'tag', string>;

describeVectors<Suite<MacTest>>('wycheproof_hmac_sha256.json', (suite) => {
  it('agrees with every valid tag and with no other', () => {
    all(suite, (test, tagSize) => {
      const code = toHex(primitives.hmacSha256(fromHex(test.key), fromHex(test.msg)));
      const equal = code.slice(0, tagSize / 4) === test.tag;
      expect(equal, `case ${test.tcId}`).toBe(test.result === 'valid');
    });
  });
});

type HkdfTest = Test & Record<'ikm' | 'salt' | 'info' | 'okm', string> & { size: number };

describeVectors<Suite<HkdfTest>>('wycheproof_hkdf_sha256.json', (suite) => {
  it('expands what is valid and refuses what is too large', () => {
    all(suite, (test) => {
      const prk = primitives.hkdfExtract(fromHex(test.salt), fromHex(test.ikm));
      const expand = () => primitives.hkdfExpand(prk, fromHex(test.info), test.size);
      if (test.result === 'valid') expect(toHex(expand()), `case ${test.tcId}`).toBe(test.okm);
      else expect(expand, `case ${test.tcId}`).toThrow(RangeError);
    });
  });
});
