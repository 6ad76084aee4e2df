import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../client/encoding.ts';
import { keyPair } from '../../client/hpke.ts';
import { utf8 } from '../../wire/bytes.ts';
import { buffer, openWith, sender, suite } from '../support/hpke.ts';
import { nonceAt, setupReceiver, setupSender } from '../support/noble-hpke.ts';
import { describeVectors } from '../support/vectors.ts';

interface Vector {
  mode: number;
  kem_id: number;
  kdf_id: number;
  aead_id: number;
  info: string;
  skRm: string;
  pkRm: string;
  skEm: string;
  enc: string;
  encryptions: { aad: string; ct: string; pt: string; seq: number }[];
  exports: { exporter_context: string; L: number; exported_value: string }[];
}

describeVectors<Vector[]>('hpke_rfc9180_small.json', (all) => {
  const ours = all.filter(
    ({ mode, kem_id, kdf_id, aead_id }) =>
      mode === 0 && kem_id === 0x20 && kdf_id === 1 && aead_id === 3,
  );

  it('has a vector of our suite', () => {
    expect(ours.length).toBeGreaterThan(0);
  });

  it.each(ours)('seals, opens and exports as vector %# says', (vector) => {
    const [recipient, info] = [keyPair(fromHex(vector.skRm)), fromHex(vector.info)];
    const context = setupSender(fromHex(vector.pkRm), info, keyPair(fromHex(vector.skEm)));
    expect(toHex(recipient.publicKey)).toBe(vector.pkRm);
    expect(toHex(context.enc)).toBe(vector.enc);
    const bySequence = new Map(vector.encryptions.map((entry) => [entry.seq, entry]));
    const receiver = setupReceiver(context.enc, recipient, info);
    for (let seq = 0; seq <= Math.max(...bySequence.keys()); seq++) {
      const { aad, pt, ct } = bySequence.get(seq) ?? { aad: '', pt: '00', ct: undefined };
      const sealed = context.seal(fromHex(pt), fromHex(aad));
      if (ct !== undefined) expect(toHex(sealed)).toBe(ct);
      expect(toHex(receiver.open(sealed, fromHex(aad)))).toBe(pt);
    }
    for (const { exporter_context, L, exported_value } of vector.exports) {
      expect(toHex(context.export(fromHex(exporter_context), L))).toBe(exported_value);
      expect(toHex(receiver.export(fromHex(exporter_context), L))).toBe(exported_value);
    }
  });
});

describe('HPKE against an independent package', () => {
  const bytes = (max: number) => fc.uint8Array({ maxLength: max });

  it('opens what the other side seals, and the other way round', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(64), bytes(64), bytes(500), async (info, aad, plaintext) => {
        const recipient = keyPair(crypto.getRandomValues(new Uint8Array(32)));
        const ours = setupSender(recipient.publicKey, info);
        const sealed = ours.seal(plaintext, aad);
        const opened = await openWith(recipient.privateKey, ours.enc, info, aad, sealed);
        expect(opened).toEqual(new Uint8Array(plaintext));

        const theirs = await sender(recipient.publicKey, info);
        const receiver = setupReceiver(new Uint8Array(theirs.enc), recipient, info);
        for (let message = 0; message < 3; message++) {
          const theirSealed = new Uint8Array(await theirs.seal(buffer(plaintext), buffer(aad)));
          expect(receiver.open(theirSealed, aad)).toEqual(new Uint8Array(plaintext));
        }
        const label = utf8('message/sealpost-parcel response');
        const exported = new Uint8Array(await theirs.export(buffer(label), 32));
        expect(receiver.export(label, 32)).toEqual(exported);
      }),
      { numRuns: 15 },
    );
  });

  it('derives the same public keys', async () => {
    const privateKey = crypto.getRandomValues(new Uint8Array(32));
    const theirs = await suite.kem.deserializePrivateKey(buffer(privateKey));
    expect(theirs.type).toBe('private');
    const { publicKey } = keyPair(privateKey);
    const context = await sender(publicKey, new Uint8Array(0));
    const enc = new Uint8Array(context.enc);
    const sealed = new Uint8Array(await context.seal(buffer(utf8('x'))));
    const receiver = setupReceiver(enc, keyPair(privateKey), new Uint8Array(0));
    expect(receiver.open(sealed)).toEqual(utf8('x'));
  });
});

describe('HPKE on hostile input', () => {
  const recipient = keyPair(new Uint8Array(32).fill(7));
  const info = utf8('info');

  it.each([0, 1])('refuses the low-order public key %i (RFC 9180 section 7.1.4)', (first) => {
    const lowOrder = new Uint8Array(32);
    lowOrder[0] = first;
    expect(() => setupSender(lowOrder, info)).toThrow();
    expect(() => setupReceiver(lowOrder, recipient, info)).toThrow();
  });

  it('opens nothing with another info, additional data, ciphertext or order, and stays usable', () => {
    const context = setupSender(recipient.publicKey, info);
    const [first, second] = [context.seal(utf8('a'), utf8('aad')), context.seal(utf8('b'))];
    const receiver = setupReceiver(context.enc, recipient, info);
    const other = setupReceiver(context.enc, recipient, utf8('other'));
    expect(() => other.open(first, utf8('aad'))).toThrow();
    expect(() => receiver.open(first, utf8('aax'))).toThrow();
    expect(() => receiver.open(second)).toThrow();
    for (let at = 0; at < first.length; at++) {
      const changed = first.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => receiver.open(changed, utf8('aad'))).toThrow();
    }
    expect(receiver.open(first, utf8('aad'))).toEqual(utf8('a'));
    expect(receiver.open(second)).toEqual(utf8('b'));
  });

  it('counts nonces over the last octet (RFC 9180 section 5.2)', () => {
    const base = new Uint8Array(12).fill(0xff);
    expect(toHex(nonceAt(base, 0))).toBe('ff'.repeat(12));
    expect(toHex(nonceAt(base, 256))).toBe(`${'ff'.repeat(10)}feff`);
    expect(toHex(nonceAt(new Uint8Array(12), 2 ** 33 + 1))).toBe(`${'00'.repeat(7)}0200000001`);
  });
});
