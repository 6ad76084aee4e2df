import { describe, expect, it } from 'vitest';
import type { Party, PartyKey } from '../../db/control.ts';
import { SIGNER_REREAD_MS } from '../../worker/src/pipeline/limits.ts';
import { KnownSigners } from '../../worker/src/signers.ts';

const KEYID = new Uint8Array(32).fill(7);
const party: Party = { id: new Uint8Array(16), kind: 'enterprise', name: '', active: true };
const key: PartyKey = {
  ...{ keyid: KEYID, party: party.id, algorithm: 'ed25519', active: true },
  publicKey: new Uint8Array(32),
};

/** A control store that counts how often it is asked. */
function setUp() {
  const state = { nowMs: 1_000, asked: 0, answer: { party, key } as unknown, fail: false };
  const control = {
    findSigner: async () => {
      state.asked++;
      if (state.fail) throw new Error('away');
      return state.answer as { party: Party; key: PartyKey } | undefined;
    },
  };
  return { state, signers: new KnownSigners(control, () => state.nowMs) };
}

describe('KnownSigners', () => {
  it('asks the store once for requests that come together or within SIGNER_REREAD_MS', async () => {
    const { state, signers } = setUp();
    const found = await Promise.all([1, 2, 3].map(() => signers.findSigner(KEYID)));
    state.nowMs += SIGNER_REREAD_MS - 1;
    found.push(await signers.findSigner(KEYID));
    expect(found).toEqual(Array(4).fill({ party, key }));
    expect(state.asked).toBe(1);
  });

  it('lets nobody in who was shut out SIGNER_REREAD_MS before', async () => {
    const { state, signers } = setUp();
    await signers.findSigner(KEYID);
    state.answer = undefined;
    state.nowMs += SIGNER_REREAD_MS;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
  });

  it('remembers neither who is unknown nor a failure: a key that is added counts at once', async () => {
    const { state, signers } = setUp();
    state.fail = true;
    await expect(signers.findSigner(KEYID)).rejects.toThrow('away');
    state.fail = false;
    state.answer = undefined;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
    state.answer = { party, key };
    expect(await signers.findSigner(KEYID)).toEqual({ party, key });
    expect(state.asked).toBe(3);
  });
});
