import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { concat } from '../../wire/bytes.ts';
import { KEM_X25519 } from '../../wire/envelope.ts';
import {
  ALGORITHM_ED25519,
  certificateSigningInput,
  type EnterpriseCertificate,
  encodeCertificateBody,
  encodeListBody,
  LIST_KIND,
  type ListEntry,
  listSigningInput,
} from '../../wire/recipients.ts';
import { LIST_REREAD_MS, LIST_STALE_MS } from '../../worker/src/pipeline/limits.ts';
import { RecipientKeeper, verifyCertificate } from '../../worker/src/pipeline/recipients.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const CITY = 520100;
const root = ed25519.keygen();
const delegate = ed25519.keygen();
const reader = x25519.keygen();

function entry(kind: number, publicKey: Uint8Array): ListEntry {
  const algorithm = kind === LIST_KIND.FULL_VIEW ? KEM_X25519 : ALGORITHM_ED25519;
  return { kind, algorithm, city: 0, notBefore: NOW - DAY, notAfter: NOW + DAY, publicKey };
}

const ENTRIES = [
  entry(LIST_KIND.FULL_VIEW, reader.publicKey),
  entry(LIST_KIND.DELEGATE, delegate.publicKey),
];

function signed(
  version: number,
  { entries = ENTRIES, notBefore = NOW - DAY, notAfter = NOW + DAY, key = root.secretKey } = {},
): Uint8Array {
  const body = encodeListBody({ version, notBefore, notAfter, entries });
  return concat(body, ed25519.sign(listSigningInput(body), key));
}

/** A keeper, and the store's proposal to be changed: bytes, nothing, or an error. */
function keeper(first: Uint8Array | undefined, minVersion = 1) {
  const store: { proposal: Uint8Array | undefined | Error } = { proposal: first };
  const control = {
    recipientList: async () => {
      if (store.proposal instanceof Error) throw store.proposal;
      return store.proposal;
    },
  };
  return { store, keeper: new RecipientKeeper(control, { rootKey: root.publicKey, minVersion }) };
}

const smallOrder = new Uint8Array(32);
smallOrder[0] = 1;

describe('the recipient list', () => {
  it('is taken when it is signed by the root and in time', async () => {
    const list = signed(5);
    const current = await keeper(list).keeper.current(NOW);
    expect(current.list.version).toBe(5);
    expect(current.hash).toEqual(sha256(list.subarray(0, -64)));
  });

  it.each<[string, Uint8Array | undefined]>([
    ['is absent', undefined],
    ['is signed by somebody else', signed(5, { key: delegate.secretKey })],
    ['is below the pinned version', signed(1)],
    ['has expired', signed(5, { notAfter: NOW })],
    ['is not valid yet', signed(5, { notBefore: NOW + 1 })],
    ['is valid for too long', signed(5, { notAfter: NOW + 30 * DAY })],
    [
      'holds a reader of small order',
      signed(5, { entries: [entry(LIST_KIND.FULL_VIEW, smallOrder)] }),
    ],
    [
      'holds a signer of small order',
      signed(5, { entries: [entry(LIST_KIND.DELEGATE, smallOrder)] }),
    ],
    ['is cut', signed(5).subarray(1)],
  ])('case 9: is refused when it %s', async (_name, list) => {
    await expect(keeper(list, 2).keeper.current(NOW)).rejects.toMatchObject({
      code: 'no_recipient',
    });
  });

  const other = [...ENTRIES, entry(LIST_KIND.FULL_VIEW, x25519.keygen().publicKey)];
  it.each<[string, Uint8Array | undefined]>([
    ['an older one', signed(4)],
    ['one of the same version with other content', signed(5, { entries: other })],
    ['one that is wrongly signed', signed(6, { key: delegate.secretKey })],
    ['nothing', undefined],
  ])(
    'case 9: stops the edge when the store then holds %s, and goes on with the next',
    async (_name, then) => {
      const { store, keeper: held } = keeper(signed(5));
      await held.current(NOW);
      store.proposal = then;
      expect((await held.current(NOW + LIST_REREAD_MS - 1)).list.version).toBe(5);
      await expect(held.current(NOW + LIST_REREAD_MS)).rejects.toMatchObject({
        code: 'no_recipient',
      });
      store.proposal = signed(4);
      await expect(held.current(NOW + LIST_REREAD_MS)).rejects.toMatchObject({
        code: 'no_recipient',
      });
      store.proposal = signed(6);
      expect((await held.current(NOW + 2 * LIST_REREAD_MS)).list.version).toBe(6);
    },
  );

  it('is used for a while when the store is away, not for ever', async () => {
    const { store, keeper: held } = keeper(signed(5));
    await held.current(NOW);
    store.proposal = new Error('away');
    expect((await held.current(NOW + LIST_STALE_MS)).list.version).toBe(5);
    const late = NOW + LIST_STALE_MS + LIST_REREAD_MS;
    await expect(held.current(late)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('of another request that read later is not a step back', async () => {
    const reads: ((list: Uint8Array) => void)[] = [];
    const control = {
      recipientList: () => new Promise<Uint8Array>((resolve) => reads.push(resolve)),
    };
    const held = new RecipientKeeper(control, { rootKey: root.publicKey, minVersion: 1 });
    const [early, late] = [held.current(NOW), held.current(NOW)];
    reads[1]?.(signed(6));
    expect((await late).list.version).toBe(6);
    reads[0]?.(signed(5));
    expect((await early).list.version).toBe(6);
  });
});

describe('the certificate of an enterprise', () => {
  const enterprise = new Uint8Array(16).fill(0xa1);
  const enterpriseKey = x25519.keygen();
  const certificate: EnterpriseCertificate = {
    ...{ city: CITY, enterprise, notBefore: NOW - DAY, notAfter: NOW + DAY },
    publicKey: enterpriseKey.publicKey,
    delegate: sha256(delegate.publicKey),
  };

  function certified(
    changes: Partial<EnterpriseCertificate>,
    key = delegate.secretKey,
  ): Uint8Array {
    const body = encodeCertificateBody({ ...certificate, ...changes });
    return concat(body, ed25519.sign(certificateSigningInput(body), key));
  }

  async function verified(bytes: Uint8Array) {
    const { list } = await keeper(signed(5)).keeper.current(NOW);
    return verifyCertificate(bytes, list, { city: CITY, enterprise }, NOW);
  }

  it('is taken from a delegate of the list', async () => {
    expect(await verified(certified({}))).toEqual(certificate);
  });

  it.each<[string, Uint8Array]>([
    ['of another city', certified({ city: 520200 })],
    ['of another enterprise', certified({ enterprise: new Uint8Array(16).fill(0xb2) })],
    ['that has expired', certified({ notAfter: NOW })],
    ['that is not valid yet', certified({ notBefore: NOW + 1 })],
    ['signed by somebody else', certified({}, root.secretKey)],
    ['of an unknown delegate', certified({ delegate: sha256(root.publicKey) }, root.secretKey)],
    ['with a key of small order', certified({ publicKey: smallOrder })],
    ['that is cut', certified({}).subarray(1)],
  ])('is refused when it is one %s', async (_name, bytes) => {
    expect(await verified(bytes)).toBeUndefined();
  });
});
