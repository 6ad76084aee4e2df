import { describe, expect, it } from 'vitest';
import type { Party, PartyKey } from '../../db/control.ts';
import { SIGNER_REREAD_MS, SIGNER_STALE_MS } from '../../worker/src/pipeline/limits.ts';
import { KnownSigners } from '../../worker/src/signers.ts';

const KEYID = new Uint8Array(32).fill(7);
const party: Party = { id: new Uint8Array(16), kind: 'enterprise', name: '', active: true };
const key: PartyKey = {
  ...{ keyid: KEYID, party: party.id, algorithm: 'ed25519', active: true },
  publicKey: new Uint8Array(32),
};

/** A control store that counts how often it is asked. */
function setUp() {
  let gate = Promise.resolve();
  const state = {
    ...{ nowMs: 1_000, asked: 0, answer: { party, key } as unknown, fail: false },
    /** Holds answers back until the returned function is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
  const control = {
    findSigner: async () => {
      state.asked++;
      await gate;
      if (state.fail) throw new Error('away');
      return state.answer as { party: Party; key: PartyKey } | undefined;
    },
  };
  return { state, signers: new KnownSigners(control, () => state.nowMs) };
}

describe('KnownSigners', () => {
  it('asks the store once in SIGNER_REREAD_MS, and lets others go on meanwhile', async () => {
    const { state, signers } = setUp();
    await signers.findSigner(KEYID);
    state.nowMs += SIGNER_REREAD_MS - 1;
    const found = [await signers.findSigner(KEYID)];
    expect(state.asked).toBe(1);
    state.nowMs += 1;
    const release = state.hold();
    const asking = signers.findSigner(KEYID);
    found.push(await signers.findSigner(KEYID));
    release();
    found.push(await asking);
    expect(found).toEqual(Array(3).fill({ party, key }));
    expect(state.asked).toBe(2);
  });

  it('lets nobody in who was shut out SIGNER_REREAD_MS before', async () => {
    const { state, signers } = setUp();
    await signers.findSigner(KEYID);
    state.answer = undefined;
    state.nowMs += SIGNER_REREAD_MS;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
    expect(await signers.findSigner(KEYID)).toBeUndefined();
  });

  it('lets nobody in for longer than SIGNER_STALE_MS, whatever became of who asked', async () => {
    const { state, signers } = setUp();
    await signers.findSigner(KEYID);
    state.nowMs += SIGNER_STALE_MS - 1;
    state.hold();
    void signers.findSigner(KEYID);
    expect(await signers.findSigner(KEYID)).toEqual({ party, key });
    state.nowMs += 1;
    const release = state.hold();
    const late = signers.findSigner(KEYID);
    state.answer = undefined;
    release();
    expect(await late).toBeUndefined();
  });

  it('forgets who was shut out although an earlier question is answered later', async () => {
    const { state, signers } = setUp();
    const release = state.hold();
    const early = signers.findSigner(KEYID);
    state.hold()();
    state.nowMs += 1;
    await signers.findSigner(KEYID);
    state.nowMs += SIGNER_REREAD_MS;
    state.answer = undefined;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
    release();
    await early;
    state.nowMs += SIGNER_STALE_MS;
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

  it('asks again when the clock has stepped back', async () => {
    const { state, signers } = setUp();
    await signers.findSigner(KEYID);
    state.answer = undefined;
    state.nowMs -= 3_600_000;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
    state.nowMs += 3_600_000;
    expect(await signers.findSigner(KEYID)).toBeUndefined();
  });
});
