import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import { VersionError } from '../../db/control.ts';
import { D1ControlStore } from '../../db/d1/control.ts';
import { migrate } from '../../db/d1/migrate.ts';
import { concat } from '../../wire/bytes.ts';
import { encodePolicyBody } from '../../wire/policy.ts';
import { encodeCertificateBody, encodeListBody } from '../../wire/recipients.ts';
import { type ControlData, setup } from '../../worker/src/setup.ts';
import { random } from '../support/batch.ts';

const { DB } = env as unknown as { DB: D1Database };

beforeEach(async () => {
  await migrate(DB);
  await DB.prepare('DELETE FROM recipient_lists').run();
  await DB.prepare('DELETE FROM city_policies').run();
});

function text(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function signedList(version: number): Uint8Array {
  return concat(encodeListBody({ version, notBefore: 0, notAfter: 1, entries: [] }), random(64));
}

function signedPolicy(version: number): Uint8Array {
  const term = { notBefore: 0, notAfter: 2, enforcedFrom: 1 };
  return concat(encodePolicyBody({ city: 520100, version, ...term }), random(64));
}

function makeData() {
  const [id, publicKey, p256] = [random(16), random(32), random(65)];
  const certificate = concat(
    encodeCertificateBody({
      ...{ city: 520100, enterprise: id, notBefore: 0, notAfter: 1 },
      ...{ publicKey: random(32), delegate: random(32) },
    }),
    random(64),
  );
  const recipientList = signedList(2);
  const policy = signedPolicy(2);
  const data: ControlData = {
    parties: [
      {
        ...{ id: text(id), kind: 'enterprise', name: '贵阳快递', certificate: text(certificate) },
        keys: [
          { algorithm: 'ed25519', publicKey: text(publicKey) },
          { algorithm: 'ecdsa-p256', publicKey: text(p256) },
        ],
      },
    ],
    recipientList: text(recipientList),
    cityPolicy: text(policy),
  };
  return { id, keys: [publicKey, p256], certificate, recipientList, policy, data };
}

it('loads parties, keys, certificates and the recipient list, any number of times', async () => {
  const { id, keys, certificate, recipientList, policy, data } = makeData();
  const store = new D1ControlStore(DB);
  for (let i = 0; i < 2; i++) {
    await setup({ DB, CONTROL: JSON.stringify(data) });
    for (const [n, publicKey] of keys.entries()) {
      const keyid = new Uint8Array(await crypto.subtle.digest('SHA-256', publicKey));
      const signer = await store.findSigner(keyid);
      expect(signer?.party).toEqual({ id, kind: 'enterprise', name: '贵阳快递', active: true });
      expect(signer?.key.algorithm).toBe(['ed25519', 'ecdsa-p256'][n]);
      expect(signer?.key.publicKey).toEqual(publicKey);
    }
    expect(await store.certificate(520100, id)).toEqual(certificate);
    expect(await store.recipientList()).toEqual(recipientList);
    expect(await store.cityPolicy(520100)).toEqual(policy);
  }
});

it('works without control data', async () => {
  await setup({ DB });
  await setup({ DB, CONTROL: '{}' });
});

it('refuses a city policy that is older than the stored one', async () => {
  await setup({ DB, CONTROL: JSON.stringify({ cityPolicy: text(signedPolicy(2)) }) });
  const older = JSON.stringify({ cityPolicy: text(signedPolicy(1)) });
  await expect(setup({ DB, CONTROL: older })).rejects.toThrow(VersionError);
});

it('refuses a recipient list that is older than the stored one', async () => {
  await setup({ DB, CONTROL: JSON.stringify({ recipientList: text(signedList(2)) }) });
  const older = JSON.stringify({ recipientList: text(signedList(1)) });
  await expect(setup({ DB, CONTROL: older })).rejects.toThrow(VersionError);
});

const faults: [string, (data: ControlData) => void][] = [
  ['parties.id', (data) => Object.assign(data.parties?.[0] ?? {}, { id: text(random(15)) })],
  ['parties.kind', (data) => Object.assign(data.parties?.[0] ?? {}, { kind: 'courier' })],
  ['parties.name', (data) => Object.assign(data.parties?.[0] ?? {}, { name: 7 })],
  [
    'parties.keys.algorithm',
    (data) => data.parties?.[0]?.keys?.push({ algorithm: 'rsa' } as never),
  ],
  [
    'parties.keys.publicKey',
    (data) => data.parties?.[0]?.keys?.push({ algorithm: 'ed25519', publicKey: '***' }),
  ],
  ['recipientList', (data) => Object.assign(data, { recipientList: '=' })],
  ['cityPolicy', (data) => Object.assign(data, { cityPolicy: '=' })],
];

it.each(faults)('names a faulty value by its place: %s', async (place, spoil) => {
  const { data } = makeData();
  spoil(data);
  const made = setup({ DB, CONTROL: JSON.stringify(data) });
  await expect(made).rejects.toThrow(`CONTROL has a faulty value: ${place}`);
});

it('refuses what is not JSON', async () => {
  await expect(setup({ DB, CONTROL: '{' })).rejects.toThrow('CONTROL has a faulty value');
});
