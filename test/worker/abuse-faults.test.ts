/**
 * Abuse case 27: whatever fails wherever a request waits for something. The places are not written down here: a run that goes
 * well is watched, and then each of the calls that it made fails in its turn.
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ed25519Signer, type Identity, signRequest } from '../../client/signing.ts';
import type { ParcelStore, StoredCommit } from '../../db/parcels.ts';
import wasm from '../../wasm/build/sealpost.wasm';
import { type BatchRecord, parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { FINAL_AAD, frameChunk, SINGLE, STREAM } from '../../wire/envelope.ts';
import { ERASE_TYPE, encodeErase } from '../../wire/erase.ts';
import { encodeLookup, LOOKUP_TYPE } from '../../wire/pull.ts';
import {
  certificateSigningInput,
  encodeCertificateBody,
  LIST_KIND,
} from '../../wire/recipients.ts';
import { encodeRecord } from '../../wire/record.ts';
import { byteSequence, contentDigest, ENCAPSULATION_HEADER } from '../../wire/signature.ts';
import { encapsulate } from '../support/encapsulation.ts';
import { validRecord } from '../support/records.ts';
import { AUTHORITY, CITY, type Edge, entry, makeEdge } from './edge-parts.ts';

/** What an error's message could hold, had it been made carelessly. */
const CANARY = 'canary 11010519491231002X 13800138000';

const KINDS = ['enterprise', 'regulator', 'erasure'] as const;
type Kind = (typeof KINDS)[number];
type Fail = (place: string) => void;

let logged: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => vi.restoreAllMocks());

/** An edge whose parts call `fail` before and after each thing that a request may wait for. */
async function setUp(fail: Fail) {
  const edge = await makeEdge(wasm);
  const parties = Object.fromEntries(
    KINDS.map((kind) => {
      const key = ed25519.keygen();
      const { id } = edge.register({ algorithm: 'ed25519', publicKey: key.publicKey }, kind);
      return [kind, { id, signer: ed25519Signer(key.secretKey) }];
    }),
  ) as Record<Kind, Identity>;
  certify(edge, parties.enterprise);
  const first = await send(edge, parties, 'single');
  expect(first.response.status).toBe(200);
  const store = storeOf(edge);
  edge.deps.pull.store = store;
  edge.deps.erasure.store = store;
  // What is remembered is forgotten: each run is to wait for everything there is.
  edge.clock.now += 16 * 60_000;
  const { deps, session } = edge;
  const watched: [string, object][] = [
    ['control', deps.auth.control],
    ['writer', deps.ingest],
    ['signer', deps.pull.signer],
    ['store', store],
    ['session', session],
  ];
  for (const [name, part] of watched) watch(name, part, fail);
  return { edge, parties };
}

/** Lets `fail` throw at each call of a part's functions, before and after it. */
function watch(name: string, part: object, fail: Fail): void {
  const members = part as Record<string, unknown>;
  const names = new Set([
    ...Object.keys(part),
    ...Object.getOwnPropertyNames(Object.getPrototypeOf(part)),
  ]);
  for (const member of names) {
    const original = members[member];
    const ours = typeof original === 'function' && !['constructor', 'clock'].includes(member);
    if (!ours || Object.getPrototypeOf(part) === null) continue;
    if (Object.hasOwn(Object.prototype, member)) continue;
    const place = `${name}.${member}`;
    members[member] = (...given: unknown[]) => {
      fail(place);
      const result = (original as (...given: unknown[]) => unknown).apply(part, given);
      if (!(result instanceof Promise)) return result;
      return result.then((value) => {
        fail(`${place}, after it was done`);
        return value;
      });
    };
  }
}

function certify(edge: Edge, { id }: Identity): void {
  const delegate = ed25519.keygen();
  const body = encodeCertificateBody({
    ...{ city: CITY, enterprise: id, ...edge.term },
    publicKey: x25519.keygen().publicKey,
    delegate: sha256(delegate.publicKey),
  });
  const signature = ed25519.sign(certificateSigningInput(body), delegate.secretKey);
  edge.store.certificate = concat(body, signature);
  edge.putList(2, [...edge.entries(), entry(LIST_KIND.DELEGATE, delegate.publicKey, edge.term)]);
}

/** A store that holds what was appended first, in two commits. */
function storeOf({ appended, deps }: Edge) {
  const { batch, epochs } = appended[0] as Edge['appended'][number];
  const { records, fullEpoch, enterprise } = parseBatch(batch);
  const { id, full } = records[0] as BatchRecord;
  const commit = (sequence: number): StoredCommit => ({
    ...{ writer: 1, sequence, committedMs: deps.clock(), enterprise, previous: new Uint8Array(32) },
    epochs: [fullEpoch],
    receipts: [{ id, contentTag: id, erased: false, parcel: full }],
  });
  const store = {
    heads: async () => [{ writer: 1, sequence: 2, head: new Uint8Array(32) }],
    page: (): AsyncIterable<StoredCommit> => each([commit(1), commit(2)], store.readPage),
    ids: (): AsyncIterable<Uint8Array> => each([id, id], store.readIds),
    // Each further row is read from the database; these are called for that.
    readPage: async () => {},
    readIds: async () => {},
    epochs: async () => epochs.slice(0, 1),
    find: async () => [full],
    erase: async () => [{ id, erasedMs: 1, now: true }],
  };
  return store as typeof store & Pick<ParcelStore, 'heads' | 'epochs' | 'find'>;
}

async function* each<T>(items: T[], read: () => Promise<void>): AsyncGenerator<T> {
  for (const item of items) {
    await read();
    yield item;
  }
}

type Edges = { edge: Edge; parties: Record<Kind, Identity> };

/** What each route takes, from whom. */
const REQUESTS = {
  single: ({ edge, parties }: Edges) => {
    const { head, context } = encapsulate(SINGLE, edge.edgeKey, parties.enterprise);
    const body = concat(head, context.seal(encodeRecord(validRecord(edge.clock.now))));
    return { method: 'POST', path: '/v1/parcels', type: SINGLE.requestType, body, head };
  },
  stream: ({ edge, parties }: Edges) => {
    const { head, context } = encapsulate(STREAM, edge.edgeKey, parties.enterprise);
    const chunks = [1, 2, 3].map((number) => {
      const [record, final] = [encodeRecord(validRecord(edge.clock.now)), number === 3];
      return frameChunk(context.seal(record, final ? FINAL_AAD : undefined), final);
    });
    const body = concat(head, ...chunks);
    return { method: 'POST', path: '/v1/parcels/stream', type: STREAM.requestType, body, head };
  },
  pull: () => ({ method: 'GET', path: '/v1/pull', by: 'regulator' as const }),
  'masked pull': () => ({ method: 'GET', path: '/v1/pull' }),
  lookup: () => {
    const body = encodeLookup({ fromDay: 0, toDay: 30_000, indexes: [new Uint8Array(16)] });
    const by = 'regulator' as const;
    return { method: 'POST', path: '/v1/lookup', type: LOOKUP_TYPE, body: concat(body), by };
  },
  reconciliation: () => ({ method: 'GET', path: '/v1/reconcile', query: '?day=2026-11-20&ids=1' }),
  erasure: ({ parties }: Edges) => {
    const body = encodeErase({ enterprise: parties.enterprise.id, ids: [new Uint8Array(16)] });
    return { method: 'POST', path: '/v1/erase', type: ERASE_TYPE, body, by: 'erasure' as const };
  },
  keys: () => ({ method: 'GET', path: '/v1/keys' }),
  recipients: () => ({ method: 'GET', path: '/v1/recipients' }),
};
type Name = keyof typeof REQUESTS;

interface Sent {
  method: string;
  path: string;
  query?: string;
  type?: string;
  body?: Uint8Array<ArrayBuffer>;
  head?: Uint8Array;
  by?: Kind;
}

async function send(edge: Edge, parties: Record<Kind, Identity>, name: Name) {
  const sent: Sent = REQUESTS[name]({ edge, parties });
  const { method, path, query = '', type, body, head, by = 'enterprise' } = sent;
  const digest = body && name !== 'stream';
  const headers: Record<string, string> = {
    ...(type && { 'content-type': type }),
    ...(digest && { 'content-digest': contentDigest(sha256(body)) }),
    ...(head && { [ENCAPSULATION_HEADER]: byteSequence(head) }),
  };
  const signable = {
    ...{ method, authority: AUTHORITY, path, query },
    header: (header: string) => headers[header],
  };
  const signed = await signRequest(signable, parties[by].signer, edge.clock.now);
  const response = await edge.fetch(path + query, {
    ...{ method, headers: { ...headers, ...signed.headers }, ...(body && { body }) },
  });
  const bytes = await response.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => undefined,
  );
  return { response, bytes };
}

/** Everything a good run waits for, in order. */
async function placesOf(name: Name): Promise<string[]> {
  const places: string[] = [];
  let watching = false;
  const { edge, parties } = await setUp((place) => {
    if (watching) places.push(place);
  });
  watching = true;
  const { response, bytes } = await send(edge, parties, name);
  expect(response.status).toBe(200);
  expect(bytes?.length).toBeGreaterThan(0);
  return places;
}

describe.each(Object.keys(REQUESTS) as Name[])('%s', (name) => {
  let places: string[] = [];
  let whole = 0;

  beforeAll(async () => {
    places = await placesOf(name);
  });

  it('abuse case 27: tells a code and the request id alone, whichever of its calls fails', async () => {
    expect(places.length).toBeGreaterThan(0);
    for (const [number, place] of places.entries()) {
      let left = -1;
      const { edge, parties } = await setUp(() => {
        if (left-- === 0) throw new TypeError(CANARY, { cause: new Error(CANARY) });
      });
      left = number;
      logged.mockClear();
      const { response, bytes } = await send(edge, parties, name);
      expect(left, place).toBeLessThan(0);
      left = -1;
      const text = Buffer.from(bytes ?? []).toString('latin1');
      const seen = text + JSON.stringify([...response.headers]);
      expect(seen, place).not.toMatch(/canary|110105|138001|TypeError/);
      const requestId = response.headers.get('sealpost-request-id');
      if (response.status !== 200) {
        expect([500, 503], place).toContain(response.status);
        expect(Object.keys(JSON.parse(text)).sort()).toEqual([
          ...['code', 'requestId', 'status', 'title', 'type'],
        ]);
        expect(JSON.parse(text).requestId).toBe(requestId);
      }
      for (const [line] of logged.mock.calls) {
        const entry = JSON.parse(line as string);
        expect(Object.keys(entry).sort(), place).toEqual(['kind', 'level', 'requestId']);
        expect(entry).toMatchObject({ level: 'error', requestId });
        expect(['TypeError', 'Error', 'Failure']).toContain(entry.kind);
      }
      whole += Number(response.status === 200);

      const next = await send(edge, parties, name);
      expect(next.response.status, `after ${place}`).toBe(200);
      const single = await send(edge, parties, 'single');
      expect(single.response.status, `after ${place}`).toBe(200);
    }
  });

  it('abuse case 27: never counts on an answer that broke off', () => {
    // A pull has begun when its rows are read, a stream when its first chunk is open; nothing else has.
    const streaming = ['stream', 'pull', 'masked pull', 'lookup', 'reconciliation'].includes(name);
    if (!streaming) expect(whole).toBe(0);
  });
});
