import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import wasm from '../../wasm/build/sealpost.wasm';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { epochSigningInput, parseEpoch } from '../../wire/epoch.ts';
import {
  certificateSigningInput,
  encodeCertificateBody,
  LIST_KIND,
} from '../../wire/recipients.ts';
import { encodeRecord } from '../../wire/record.ts';
import { ingestSingle } from '../../worker/src/pipeline/ingest.ts';
import { encapsulate } from '../support/encapsulation.ts';
import { validRecord } from '../support/records.ts';
import { CITY, type Edge, entry, makeEdge } from './edge-parts.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Noon UTC of some day. */
const NOON = Math.floor(1_800_000_000_000 / DAY) * DAY + DAY / 2;
const enterprise = new Uint8Array(16).fill(0xa1);
const delegate = ed25519.keygen();
const enterpriseKey = x25519.keygen();

let edge: Edge;

beforeEach(async () => {
  edge = await makeEdge(wasm, NOON);
});

/** Submits a record at the edge's present time; returns the epochs that its batch names. */
async function submit() {
  const { head, context } = encapsulate(SINGLE, edge.edgeKey, { id: enterprise } as never);
  const record = encodeRecord(validRecord(edge.clock.now));
  const answer = await ingestSingle(
    ...[edge.deps.ingest, enterprise],
    concat(head, context.seal(record)),
  );
  expect(answer.outcome).toBe(OUTCOMES.STORED);
  const { batch, epochs } = edge.appended.at(-1) as (typeof edge.appended)[number];
  const { fullEpoch, maskedEpoch } = parseBatch(batch);
  const headers = epochs.map(parseEpoch);
  const named = [fullEpoch, maskedEpoch].filter((id) => id.some((byte) => byte !== 0));
  expect(headers.map(({ epoch }) => epoch)).toEqual(named);
  return { full: headers[0] as (typeof headers)[number], masked: headers[1] };
}

function certify(changes: { notAfter?: number } = {}): void {
  const body = encodeCertificateBody({
    ...{ city: CITY, enterprise, notBefore: NOON - DAY, notAfter: NOON + DAY, ...changes },
    publicKey: enterpriseKey.publicKey,
    delegate: sha256(delegate.publicKey),
  });
  const input = certificateSigningInput(body);
  edge.store.certificate = concat(body, ed25519.sign(input, delegate.secretKey));
  edge.putList(2, [...edge.entries(), entry(LIST_KIND.DELEGATE, delegate.publicKey, edge.term)]);
}

describe('an epoch', () => {
  it('is signed by the edge, and stands beside every batch that names it', async () => {
    const { full } = await submit();
    const input = epochSigningInput(full.params, full.commit, sha256(full.wrapBytes));
    expect(ed25519.verify(full.signature, input, edge.signingKey)).toBe(true);
    expect(full.signer).toEqual(sha256(edge.signingKey));
    expect(full).toMatchObject({ view: 1, city: CITY, listVersion: 1, startMs: NOON });
    expect((await submit()).full.epoch).toEqual(full.epoch);
  });

  it('ends after 15 minutes', async () => {
    const { full } = await submit();
    expect(full.endMs).toBe(NOON + 15 * MINUTE);
    edge.clock.now = NOON + 15 * MINUTE - 1;
    expect((await submit()).full.epoch).toEqual(full.epoch);
    edge.clock.now = NOON + 15 * MINUTE;
    expect((await submit()).full.epoch).not.toEqual(full.epoch);
  });

  it('ends with its day, and with the list', async () => {
    edge.clock.now = NOON + DAY / 2 - MINUTE;
    expect((await submit()).full.endMs).toBe(NOON + DAY / 2);
    const listEnd = edge.clock.now + 5 * MINUTE;
    edge.putList(2, edge.entries(), { notBefore: NOON - DAY, notAfter: listEnd });
    edge.clock.now = NOON + DAY / 2;
    expect((await submit()).full.endMs).toBe(listEnd);
    edge.clock.now = listEnd;
    await expect(submit()).rejects.toMatchObject({ code: 'no_recipient' });
  });

  it('case 9: ends when a recipient is removed: the next one is not wrapped to it', async () => {
    const other = x25519.keygen();
    edge.putList(2, [...edge.entries(), entry(LIST_KIND.FULL_VIEW, other.publicKey, edge.term)]);
    const before = (await submit()).full;
    expect(before.wraps).toHaveLength(2);
    edge.putList(3);
    edge.clock.now += 3_000;
    const after = (await submit()).full;
    expect(after.epoch).not.toEqual(before.epoch);
    expect(after.listVersion).toBe(3);
    expect(after.wraps.map(({ recipient }) => recipient)).not.toContainEqual(
      sha256(other.publicKey),
    );
  });

  it('is not started by an older list when another request has met a newer one meanwhile', async () => {
    certify();
    const other = x25519.keygen();
    edge.putList(3, [...edge.entries(), entry(LIST_KIND.FULL_VIEW, other.publicKey, edge.term)]);
    const { certificate } = edge.store;
    let release = (_bytes: Uint8Array | undefined) => {};
    const held = new Promise<Uint8Array | undefined>((resolve) => {
      release = resolve;
    });
    edge.store.certificate = held as never;
    const early = submit();
    await vi.waitFor(() => expect(edge.asked.certificates).toBe(1));
    edge.store.certificate = certificate;
    edge.putList(4);
    edge.clock.now += 3_000;
    expect((await submit()).full.listVersion).toBe(4);
    release(certificate);
    const { full } = await early;
    expect(full.listVersion).toBe(4);
    expect(full.wraps).toHaveLength(1);
  });

  it('of the masked view is opened for an enterprise with a certificate, and ends with it', async () => {
    certify({ notAfter: NOON + MINUTE });
    const { masked } = await submit();
    expect(masked).toMatchObject({ view: 2, audience: enterprise, endMs: NOON + MINUTE });
    expect(masked?.wraps.map(({ recipient }) => recipient)).toEqual([
      sha256(enterpriseKey.publicKey),
    ]);
    edge.clock.now = NOON + MINUTE;
    expect((await submit()).masked).toBeUndefined();
  });

  it('of the masked view is not opened when the delegate is not in the list', async () => {
    certify();
    edge.putList(2);
    expect((await submit()).masked).toBeUndefined();
  });
});

describe('nothing is sealed', () => {
  it.each<[string, () => void]>([
    ['without a list', () => (edge.store.list = undefined)],
    ['without a reader in it', () => edge.putList(1, edge.entries().slice(1))],
    ['when it does not name this edge', () => edge.putList(1, edge.entries().slice(0, 1))],
    ['when it has expired', () => (edge.clock.now = NOON + 20 * DAY)],
  ])('%s', async (_name, change) => {
    change();
    await expect(submit()).rejects.toMatchObject({ code: 'no_recipient' });
    expect(edge.appended).toEqual([]);
  });
});
