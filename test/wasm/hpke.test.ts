/** HPKE: the CFRG vectors, sequence numbers, and what must not open. */
import { describe, expect, it } from 'vitest';
import type { HpkeReceiver, HpkeSender } from '../../wasm/host/primitives.ts';
import { sender as independentSender, openWith } from '../support/hpke.ts';
import { describeVectors, fromHex } from '../support/vectors.ts';
import { newInstance } from '../support/wasm.ts';

interface Setup {
  mode: number;
  kem_id: number;
  kdf_id: number;
  aead_id: number;
  info: string;
  skEm: string;
  skRm: string;
  pkRm: string;
  enc: string;
  encryptions: { aad: string; pt: string; ct: string; seq: number }[];
  exports: { exporter_context: string; L: number; exported_value: string }[];
}

const { call, memory, outAt, primitives } = newInstance();

const NONE = new Uint8Array();
const LIMIT = 2n ** 64n - 1n;

describeVectors<Setup[]>('hpke_rfc9180_small.json', (setups) => {
  const ours = setups.filter(
    (setup) =>
      setup.mode === 0 && setup.kem_id === 0x0020 && setup.kdf_id === 1 && setup.aead_id === 3,
  );

  it('sets up, seals, opens and exports as every vector of the suite', () => {
    let [encryptions, exported] = [0, 0];
    for (const setup of ours) {
      const info = fromHex(setup.info);
      const publicKey = fromHex(setup.pkRm);
      const enc = fromHex(setup.enc);
      const sender: HpkeSender = {
        ephemeralPrivateKey: fromHex(setup.skEm),
        receiverPublicKey: publicKey,
        info,
      };
      const receiver: HpkeReceiver = { enc, privateKey: fromHex(setup.skRm), publicKey, info };
      for (const message of setup.encryptions) {
        const [aad, pt, ct] = [message.aad, message.pt, message.ct].map(fromHex) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        const sequence = BigInt(message.seq);
        expect(primitives.hpkeSeal(sender, sequence, aad, pt)).toEqual({ enc, ciphertext: ct });
        expect(primitives.hpkeOpen(receiver, sequence, aad, ct)).toEqual(pt);
        encryptions++;
      }
      for (const { exporter_context, L, exported_value } of setup.exports) {
        const context = fromHex(exporter_context);
        const value = fromHex(exported_value);
        expect(primitives.hpkeSenderExport(sender, context, L)).toEqual(value);
        expect(primitives.hpkeReceiverExport(receiver, context, L)).toEqual(value);
        exported++;
      }
    }
    expect(ours.length).toBeGreaterThan(0);
    expect(encryptions).toBeGreaterThan(0);
    expect(exported).toBeGreaterThan(0);
  });
});

describe('with an independent implementation', () => {
  it.each([0, 1, 64, 200, 1000])('both ways with %i octets of info', async (length) => {
    const { sender, receiver, privateKey } = newPair(length);
    const aad = random(length % 77);
    const plaintext = random(length);

    const sealed = primitives.hpkeSeal(sender, 0n, aad, plaintext);
    expect(sealed).toBeDefined();
    if (!sealed) return;
    const opened = await openWith(privateKey, sealed.enc, sender.info, aad, sealed.ciphertext);
    expect(opened).toEqual(plaintext);

    const theirs = await independentSender(receiver.publicKey, receiver.info);
    const enc = new Uint8Array(theirs.enc);
    for (const sequence of [0n, 1n, 2n]) {
      const sealed = await theirs.seal(plaintext as BufferSource, aad as BufferSource);
      const ciphertext = new Uint8Array(sealed);
      expect(primitives.hpkeOpen({ ...receiver, enc }, sequence, aad, ciphertext)).toEqual(
        plaintext,
      );
    }
  });
});

describe('sequence numbers', () => {
  it('go up by one on success and stay on failure', () => {
    const { sender, receiver } = newPair(9);
    const sealed = primitives.hpkeSeal(sender, 255n, NONE, random(40));
    const ciphertext = sealed?.ciphertext as Uint8Array;
    expect(openRaw(receiver, 255n, ciphertext)).toEqual({ opened: 1, next: 256n });
    ciphertext[0] = (ciphertext[0] as number) ^ 1;
    expect(openRaw(receiver, 255n, ciphertext)).toEqual({ opened: 0, next: 255n });
  });

  it('another number opens nothing', () => {
    const { sender, receiver } = newPair(9);
    const ciphertext = primitives.hpkeSeal(sender, 7n, NONE, random(40))?.ciphertext as Uint8Array;
    expect(primitives.hpkeOpen(receiver, 6n, NONE, ciphertext)).toBeUndefined();
    expect(primitives.hpkeOpen(receiver, 7n + 2n ** 32n, NONE, ciphertext)).toBeUndefined();
    expect(primitives.hpkeOpen(receiver, 7n, NONE, ciphertext)).toBeDefined();
  });

  it('the last one is used, the limit refused', () => {
    const { sender, receiver } = newPair(9);
    const plaintext = random(40);
    const last = primitives.hpkeSeal(sender, LIMIT - 1n, NONE, plaintext);
    const ciphertext = last?.ciphertext as Uint8Array;
    expect(primitives.hpkeOpen(receiver, LIMIT - 1n, NONE, ciphertext)).toEqual(plaintext);
    expect(primitives.hpkeSeal(sender, LIMIT, NONE, plaintext)).toBeUndefined();
    expect(primitives.hpkeOpen(receiver, LIMIT, NONE, ciphertext)).toBeUndefined();
  });
});

describe('a message does not open', () => {
  const { sender, receiver } = newPair(20);
  const aad = random(30);
  const sealed = primitives.hpkeSeal(sender, 0n, aad, random(100));
  const ciphertext = sealed?.ciphertext as Uint8Array;
  const other = newPair(20).receiver;

  it.each<[string, HpkeReceiver, Uint8Array, Uint8Array]>([
    ['with other info', { ...receiver, info: random(20) }, aad, ciphertext],
    ['with shorter info', { ...receiver, info: receiver.info.slice(1) }, aad, ciphertext],
    ['with another enc', { ...receiver, enc: other.enc }, aad, ciphertext],
    ['with another private key', { ...receiver, privateKey: other.privateKey }, aad, ciphertext],
    ['with another public key', { ...receiver, publicKey: other.publicKey }, aad, ciphertext],
    // The same point, but DHKEM binds the octets of enc.
    ['with the top bit of enc set', { ...receiver, enc: flip(receiver.enc, 255) }, aad, ciphertext],
    ['with other additional data', receiver, random(30), ciphertext],
    ['without its last octet', receiver, aad, ciphertext.slice(0, -1)],
    ['without its tag', receiver, aad, ciphertext.slice(0, 15)],
    ['empty', receiver, aad, NONE],
  ])('%s', (_, wrong, wrongAad, wrongCiphertext) => {
    expect(primitives.hpkeOpen(receiver, 0n, aad, ciphertext)).toBeDefined();
    expect(primitives.hpkeOpen(wrong, 0n, wrongAad, wrongCiphertext)).toBeUndefined();
  });
});

/** A sender and the receiver that matches it, with `infoLength` octets of info. */
function newPair(infoLength: number) {
  const [privateKey, ephemeralPrivateKey, info] = [random(32), random(32), random(infoLength)];
  const publicKey = primitives.x25519Base(privateKey);
  const enc = primitives.x25519Base(ephemeralPrivateKey);
  return {
    privateKey,
    sender: { ephemeralPrivateKey, receiverPublicKey: publicKey, info },
    receiver: { enc, privateKey, publicKey, info },
  };
}

/** Calls the export itself, which also tells the sequence number that the context is left with. */
function openRaw(receiver: HpkeReceiver, sequence: bigint, ciphertext: Uint8Array) {
  const { enc, privateKey, publicKey, info } = receiver;
  const fields = [enc, privateKey, publicKey, info, ciphertext];
  const opened = call('hpkeOpen', [info.length, sequence, 0, ciphertext.length], ...fields);
  return { opened, next: new DataView(memory.buffer).getBigUint64(outAt) };
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
