/** What every ControlStore must do. */
import { describe, expect, it } from 'vitest';
import { type ControlStore, type Party, type PartyKey, VersionError } from '../../db/control.ts';
import { random } from '../support/batch.ts';

function makeParty(given: Partial<Party> = {}): Party {
  return { id: random(16), kind: 'enterprise', name: '贵阳快递有限公司', active: true, ...given };
}

function makeKey(party: Party, given: Partial<PartyKey> = {}): PartyKey {
  return {
    ...{ keyid: random(32), party: party.id, algorithm: 'ed25519', publicKey: random(32) },
    ...{ active: true, ...given },
  };
}

/** A division code that no other test uses. */
function randomCity(): number {
  return new DataView(random(4).buffer).getUint32(0) >>> 1;
}

/** @param make a store; one with recipient lists of its own for each call */
export function controlStoreSuite(make: () => Promise<ControlStore>): void {
  describe('parties and keys', () => {
    it('finds who signs by key id', async () => {
      const store = await make();
      const [party, other] = [makeParty(), makeParty({ kind: 'regulator' })];
      const key = makeKey(party);
      const p256 = makeKey(other, { algorithm: 'ecdsa-p256', publicKey: random(65) });
      for (const each of [party, other]) await store.putParty(each);
      for (const each of [key, p256]) await store.putKey(each);
      expect(await store.findSigner(key.keyid)).toEqual({ party, key });
      expect(await store.findSigner(p256.keyid)).toEqual({ party: other, key: p256 });
      expect(await store.findSigner(random(32))).toBeUndefined();
    });

    it('finds no signer when the key or its party is not active, and again when both are', async () => {
      const store = await make();
      const party = makeParty();
      const key = makeKey(party);
      await store.putParty(party);
      await store.putKey({ ...key, active: false });
      expect(await store.findSigner(key.keyid)).toBeUndefined();
      await store.setKeyActive(key.keyid, true);
      await store.setPartyActive(party.id, false);
      expect(await store.findSigner(key.keyid)).toBeUndefined();
      await store.setPartyActive(party.id, true);
      expect(await store.findSigner(key.keyid)).toEqual({ party, key });
    });

    it('updates what it has, but never lets in again who was shut out', async () => {
      const store = await make();
      const party = makeParty();
      const key = makeKey(party);
      await store.putParty(party);
      await store.putKey(key);
      await store.setKeyActive(key.keyid, false);
      await store.setPartyActive(party.id, false);
      await store.putParty({ ...party, name: 'renamed' });
      await store.putKey(key);
      expect(await store.findSigner(key.keyid)).toBeUndefined();
      await store.setPartyActive(party.id, true);
      expect(await store.findSigner(key.keyid)).toBeUndefined();
      await store.setKeyActive(key.keyid, true);
      const renamed = { ...party, name: 'renamed' };
      expect(await store.findSigner(key.keyid)).toEqual({ party: renamed, key });
    });
  });

  describe('recipient list', () => {
    it('is the one of the highest version', async () => {
      const store = await make();
      expect(await store.recipientList()).toBeUndefined();
      const [first, second] = [random(100), random(2_000)];
      await store.putRecipientList(3, first);
      expect(await store.recipientList()).toEqual(first);
      await store.putRecipientList(10, second);
      expect(await store.recipientList()).toEqual(second);
    });

    it('does not step back, and has one content a version', async () => {
      const store = await make();
      const list = random(100);
      await store.putRecipientList(2, list);
      await store.putRecipientList(2, list);
      await expect(store.putRecipientList(1, random(100))).rejects.toThrow(VersionError);
      await expect(store.putRecipientList(1, list)).rejects.toThrow(VersionError);
      await expect(store.putRecipientList(2, random(100))).rejects.toThrow(VersionError);
      expect(await store.recipientList()).toEqual(list);
    });

    it('has one content a version when several bring one at once', async () => {
      const store = await make();
      const puts = Array.from({ length: 8 }, () => store.putRecipientList(5, random(50)));
      const results = await Promise.allSettled(puts);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('city policies', () => {
    it('are those of the highest version, each city for itself', async () => {
      const store = await make();
      const [one, two] = [randomCity(), randomCity()];
      expect(await store.cityPolicy(one)).toBeUndefined();
      const [first, second, other] = [random(100), random(100), random(100)];
      await store.putCityPolicy(one, 3, first);
      await store.putCityPolicy(two, 1, other);
      await store.putCityPolicy(one, 10, second);
      expect(await store.cityPolicy(one)).toEqual(second);
      expect(await store.cityPolicy(two)).toEqual(other);
    });

    it('do not step back, and have one content a version', async () => {
      const store = await make();
      const [city, policy] = [randomCity(), random(100)];
      await store.putCityPolicy(city, 2, policy);
      await store.putCityPolicy(city, 2, policy);
      await expect(store.putCityPolicy(city, 1, policy)).rejects.toThrow(VersionError);
      await expect(store.putCityPolicy(city, 2, random(100))).rejects.toThrow(VersionError);
      expect(await store.cityPolicy(city)).toEqual(policy);
    });

    it('have one content a version when several bring one at once', async () => {
      const store = await make();
      const city = randomCity();
      const puts = Array.from({ length: 8 }, () => store.putCityPolicy(city, 5, random(100)));
      const results = await Promise.allSettled(puts);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('certificates', () => {
    it('are kept by city and enterprise, the last one counts', async () => {
      const store = await make();
      const enterprise = random(16);
      const [old, renewed] = [random(200), random(210)];
      await store.putCertificate(520100, enterprise, old);
      expect(await store.certificate(520100, enterprise)).toEqual(old);
      await store.putCertificate(520100, enterprise, renewed);
      expect(await store.certificate(520100, enterprise)).toEqual(renewed);
      expect(await store.certificate(520200, enterprise)).toBeUndefined();
      expect(await store.certificate(520100, random(16))).toBeUndefined();
    });
  });

  describe('nonces', () => {
    it('are good once for a signer', async () => {
      const store = await make();
      const [one, two] = [random(32), random(32)];
      expect(await store.useNonce(one, 'n', 1_000, 0)).toBe(true);
      expect(await store.useNonce(one, 'n', 2_000, 0)).toBe(false);
      expect(await store.useNonce(one, 'N', 1_000, 0)).toBe(true);
      expect(await store.useNonce(two, 'n', 1_000, 0)).toBe(true);
    });

    it('are good once for many requests at once', async () => {
      const store = await make();
      const keyid = random(32);
      const used = await Promise.all(
        Array.from({ length: 50 }, () => store.useNonce(keyid, 'parallel', 1_000, 0)),
      );
      expect(used.filter(Boolean)).toHaveLength(1);
    });

    it('are forgotten after they expire, not before', async () => {
      const store = await make();
      const keyid = random(32);
      await store.useNonce(keyid, 'early', 1_000, 0);
      await store.useNonce(keyid, 'late', 2_000, 0);
      expect(await store.useNonce(keyid, 'early', 1_000, 1_000)).toBe(false);
      expect(await store.useNonce(keyid, 'late', 2_000, 1_001)).toBe(false);
      expect(await store.useNonce(keyid, 'early', 1_000, 1_001)).toBe(true);
    });
  });
}
