/** City phases, dry runs and the sandbox as the edge holds them, at a time that the test sets. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { ed25519Signer, type Identity, signRequest } from '../../client/signing.ts';
import wasm from '../../wasm/build/sealpost.wasm';
import { parseSingleAnswer } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { type CityPolicy, encodePolicyBody, policySigningInput } from '../../wire/policy.ts';
import { encodeRecord, type ParcelRecord, type Sender } from '../../wire/record.ts';
import { byteSequence, contentDigest, ENCAPSULATION_HEADER } from '../../wire/signature.ts';
import { sha256 } from '../../worker/src/pipeline/digest.ts';
import { LIST_REREAD_MS } from '../../worker/src/pipeline/limits.ts';
import { encapsulate } from '../support/encapsulation.ts';
import { validRecord } from '../support/records.ts';
import { AUTHORITY, CITY, type Edge, makeEdge } from './edge-parts.ts';

/** Guiyang, 2017: trial from 12 to 25 May, both included (docs/rules.md, "City phases"). */
const GUIYANG: CityPolicy = {
  city: CITY,
  version: 1,
  notBefore: Date.parse('2017-05-12T00:00:00+08:00'),
  notAfter: Date.parse('2018-05-12T00:00:00+08:00'),
  enforcedFrom: Date.parse('2017-05-26T00:00:00+08:00'),
};

let edge: Edge;
let identity: Identity;

beforeEach(async () => {
  edge = await makeEdge(wasm, Date.parse('2017-05-20T12:00:00+08:00'));
  const key = ed25519.keygen();
  const { id } = edge.register({ algorithm: 'ed25519', publicKey: key.publicKey }, 'enterprise');
  identity = { id, signer: ed25519Signer(key.secretKey) };
});

function signed(changes: Partial<CityPolicy> = {}, key = edge.delegateKey): Uint8Array {
  const body = encodePolicyBody({ ...GUIYANG, ...changes });
  return concat(body, ed25519.sign(policySigningInput(body), key));
}

/** A record whose document number fails its check digit. */
function faulty(): ParcelRecord {
  const record = validRecord(edge.clock.now);
  return { ...record, sender: { ...(record.sender as Sender), docNumber: '110105194912310021' } };
}

/** Submits at the edge's time. @returns status, and the result if there is one */
async function submit(record: ParcelRecord, query = '') {
  const { head, context, answer } = encapsulate(SINGLE, edge.edgeKey, identity);
  const body = concat(head, context.seal(encodeRecord(record)));
  const headers: Record<string, string> = {
    'content-type': SINGLE.requestType,
    'content-digest': contentDigest(await sha256(body)),
    [ENCAPSULATION_HEADER]: byteSequence(head),
  };
  const header = (name: string) => headers[name];
  const signable = { method: 'POST', authority: AUTHORITY, path: '/v1/parcels', query, header };
  const { headers: signature } = await signRequest(signable, identity.signer, edge.clock.now);
  const init = { method: 'POST', headers: { ...headers, ...signature }, body };
  const response = await edge.fetch(`/v1/parcels${query}`, init);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const sealed = response.headers.get('content-type') === SINGLE.responseType;
  const opened = sealed
    ? parseSingleAnswer(answer(bytes.subarray(0, 32)).open(bytes.subarray(32)))
    : undefined;
  return { response, status: response.status, result: opened?.result, masked: opened?.masked };
}

const { BAD_CHECK } = REFUSALS;
const TAKEN = { outcome: OUTCOMES.STORED, code: BAD_CHECK, field: 0x72 };
const REFUSED = { outcome: OUTCOMES.REFUSED, code: BAD_CHECK, field: 0x72 };

describe('Guiyang, May 2017', () => {
  it.each([
    ['2017-05-11T23:59:59.999+08:00', REFUSED],
    ['2017-05-12T00:00:00+08:00', TAKEN],
    ['2017-05-20T12:00:00+08:00', TAKEN],
    ['2017-05-25T23:59:59.999+08:00', TAKEN],
    ['2017-05-26T00:00:00+08:00', REFUSED],
    ['2017-06-01T00:00:00+08:00', REFUSED],
  ])('%s', async (time, expected) => {
    edge = await makeEdge(wasm, Date.parse(time));
    const key = ed25519.keygen();
    const { id } = edge.register({ algorithm: 'ed25519', publicKey: key.publicKey }, 'enterprise');
    identity = { id, signer: ed25519Signer(key.secretKey) };
    edge.store.policy = signed();
    const { status, result, masked } = await submit(faulty());
    expect(result).toMatchObject(expected);
    expect(status).toBe(expected === TAKEN ? 200 : 422);
    expect(masked?.length === 0).toBe(expected === REFUSED);
    const stored = edge.appended.map(({ batch }) => parseBatch(batch).count);
    expect(stored).toEqual(expected === TAKEN ? [1] : []);
    expect((await submit(validRecord(edge.clock.now))).result).toMatchObject({
      outcome: OUTCOMES.STORED,
      code: 0,
    });
  });
});

describe('without a valid policy registration is enforced', () => {
  const outsider = ed25519.keygen();
  it.each<[string, () => Uint8Array | undefined]>([
    ['there is none', () => undefined],
    ['one of another city', () => signed({ city: 520300 })],
    ['one signed by somebody else', () => signed({}, outsider.secretKey)],
    ['one that has expired', () => signed({ notAfter: GUIYANG.notBefore + 1 })],
    ['one that is not valid yet', () => signed({ notBefore: GUIYANG.enforcedFrom - 1 })],
    ['one that is to hold for years', () => signed({ notAfter: GUIYANG.notBefore + 4e10 })],
    ['one whose trial is over', () => signed({ enforcedFrom: GUIYANG.notBefore })],
    ['one that is cut', () => signed().subarray(1)],
    ['one that somebody has lengthened', () => prolonged(signed())],
    ['octets', () => new Uint8Array(100)],
  ])('%s', async (_name, policy) => {
    edge.store.policy = policy();
    expect((await submit(faulty())).result).toMatchObject(REFUSED);
    expect(edge.appended).toHaveLength(0);
  });

  function prolonged(policy: Uint8Array): Uint8Array {
    policy[31] = (policy[31] as number) + 1;
    return policy;
  }

  it('and the store away: nothing is judged', async () => {
    const { control } = edge.deps.auth as unknown as { control: { cityPolicy: unknown } };
    control.cityPolicy = () => Promise.reject(new Error('away'));
    expect((await submit(faulty())).status).toBe(503);
  });
});

describe('a policy', () => {
  const later = () => {
    edge.clock.now += LIST_REREAD_MS;
  };

  it('is read again, and ends a trial early', async () => {
    edge.store.policy = signed();
    expect((await submit(faulty())).result).toMatchObject(TAKEN);
    edge.store.policy = signed({ version: 2, enforcedFrom: edge.clock.now });
    expect((await submit(faulty())).result).toMatchObject(TAKEN);
    later();
    expect((await submit(faulty())).result).toMatchObject(REFUSED);
  });

  it.each<[string, () => Uint8Array]>([
    ['an older one', () => signed({ version: 1 })],
    [
      'another one of the same version',
      () => signed({ version: 2, notAfter: GUIYANG.notAfter - 1 }),
    ],
  ])('is not followed by %s', async (_name, then) => {
    edge.store.policy = signed({ version: 2 });
    expect((await submit(faulty())).result).toMatchObject(TAKEN);
    edge.store.policy = then();
    later();
    expect((await submit(faulty())).result).toMatchObject(REFUSED);
    edge.store.policy = signed({ version: 2 });
    later();
    expect((await submit(faulty())).result).toMatchObject(TAKEN);
  });

  it('falls with its delegate', async () => {
    edge.store.policy = signed();
    expect((await submit(faulty())).result).toMatchObject(TAKEN);
    edge.putList(2, edge.entries().slice(0, 2));
    later();
    expect((await submit(faulty())).result).toMatchObject(REFUSED);
  });
});

describe('a dry run', () => {
  const CHECKED = { outcome: OUTCOMES.CHECKED, code: 0 };

  it('answers with the masked view and asks nothing of the store', async () => {
    const { status, result, masked } = await submit(validRecord(edge.clock.now), '?dryRun=1');
    expect([status, result]).toEqual([200, expect.objectContaining(CHECKED)]);
    expect(masked?.length).toBeGreaterThan(100);
    expect((await submit(faulty(), '?dryRun=1')).result).toMatchObject(REFUSED);
    expect(edge.appended).toHaveLength(0);
  });

  it('starts no epoch: the first parcel stored has the first position', async () => {
    await submit(validRecord(edge.clock.now), '?dryRun=1');
    const started = (
      edge.session as unknown as { needsEpoch: (...a: unknown[]) => boolean }
    ).needsEpoch(...[1, new Uint8Array(16), edge.clock.now]);
    expect(started).toBe(true);
  });

  it.each(['?dryRun=0', '?dryrun=1', '?dryRun', '?dryRun=1&', '?dryRun=1&dryRun=1', '?a=b'])(
    '%s is neither that nor a submission',
    async (query) => {
      const { status } = await submit(validRecord(edge.clock.now), query);
      expect(status).toBe(400);
      expect(edge.appended).toHaveLength(0);
    },
  );

  it('can be asked for by its signer alone', async () => {
    const { head, context } = encapsulate(SINGLE, edge.edgeKey, identity);
    const body = concat(head, context.seal(encodeRecord(validRecord(edge.clock.now))));
    const headers: Record<string, string> = {
      'content-type': SINGLE.requestType,
      'content-digest': contentDigest(await sha256(body)),
      [ENCAPSULATION_HEADER]: byteSequence(head),
    };
    const query = '?dryRun=1';
    const header = (name: string) => headers[name];
    const signable = { method: 'POST', authority: AUTHORITY, path: '/v1/parcels', query, header };
    const { headers: signature } = await signRequest(signable, identity.signer, edge.clock.now);
    const init = { method: 'POST', headers: { ...headers, ...signature }, body };
    expect((await edge.fetch('/v1/parcels', init)).status).toBe(401);
    expect((await edge.fetch('/v1/parcels?dryRun=1', init)).status).toBe(200);
  });
});

describe('a sandbox', () => {
  it.each(['/healthz', '/v1/keys', '/v1/recipients', '/v1/pull', '/nothing', '/v1/parcels'])(
    'says so in every answer, production in none: %s',
    async (path) => {
      expect((await edge.fetch(path)).headers.get('sealpost-mode')).toBeNull();
      edge.deps.mode = 'sandbox';
      expect((await edge.fetch(path)).headers.get('sealpost-mode')).toBe('sandbox');
    },
  );
});
