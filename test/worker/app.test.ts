import { ed25519 } from '@noble/curves/ed25519.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ed25519Signer, type Identity, signRequest } from '../../client/signing.ts';
import wasm from '../../wasm/build/sealpost.wasm';
import { ModuleTrap } from '../../wasm/host/session.ts';
import { parseResults, parseSingleAnswer, parseSummary, type Result } from '../../wire/answer.ts';
import { concat, Reader } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { FINAL_AAD, frameChunk, SINGLE, STREAM } from '../../wire/envelope.ts';
import { encodeRecord } from '../../wire/record.ts';
import { byteSequence, contentDigest, ENCAPSULATION_HEADER } from '../../wire/signature.ts';
import { createApp } from '../../worker/src/app.ts';
import { checkEnvironment, type RawEnv } from '../../worker/src/env.ts';
import { sha256 } from '../../worker/src/pipeline/digest.ts';
import { Failure } from '../../worker/src/pipeline/failure.ts';
import { CHUNKS_IN_FLIGHT, IN_FLIGHT_BYTES } from '../../worker/src/pipeline/limits.ts';
import { type Encapsulation, encapsulate } from '../support/encapsulation.ts';
import { validRecord } from '../support/records.ts';
import { AUTHORITY, type Edge, makeEdge } from './edge-parts.ts';

let edge: Edge;
let identity: Identity;
let logged: ReturnType<typeof vi.spyOn>;

beforeEach(async () => {
  edge = await makeEdge(wasm);
  const key = ed25519.keygen();
  const { id } = edge.register({ algorithm: 'ed25519', publicKey: key.publicKey }, 'enterprise');
  identity = { id, signer: ed25519Signer(key.secretKey) };
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => vi.restoreAllMocks());

const record = () => encodeRecord(validRecord(Date.now()));

async function post(path: string, type: string, body: Uint8Array<ArrayBuffer>, digest: boolean) {
  const headers: Record<string, string> = {
    'content-type': type,
    [ENCAPSULATION_HEADER]: byteSequence(body.subarray(0, 39)),
    ...(digest && { 'content-digest': contentDigest(await sha256(body)) }),
  };
  const signable = {
    ...{ method: 'POST', authority: AUTHORITY, path, query: '' },
    header: (name: string) => headers[name],
  };
  const signed = await signRequest(signable, identity.signer, Date.now());
  return edge.fetch(path, { method: 'POST', headers: { ...headers, ...signed.headers }, body });
}

async function submit(): Promise<{ response: Response; encapsulation: Encapsulation }> {
  const encapsulation = encapsulate(SINGLE, edge.edgeKey, identity);
  const body = concat(encapsulation.head, encapsulation.context.seal(record()));
  return { response: await post('/v1/parcels', SINGLE.requestType, body, true), encapsulation };
}

/** Streams chunks of `counts` records. */
async function stream(...counts: number[]) {
  const { head, context, answer } = encapsulate(STREAM, edge.edgeKey, identity);
  const frames = counts.map((count, i) => {
    const final = i === counts.length - 1;
    const records = Array.from({ length: count }, record);
    return frameChunk(context.seal(concat(...records), final ? FINAL_AAD : undefined), final);
  });
  const body = concat(head, ...frames);
  const response = await post('/v1/parcels/stream', STREAM.requestType, body, false);
  const bytes = new Reader(new Uint8Array(await response.arrayBuffer()));
  const opener = answer(bytes.bytes(32));
  const results: Result[] = [];
  for (let length = bytes.varint(); length > 0; length = bytes.varint()) {
    results.push(...parseResults(opener.open(bytes.bytes(length))));
  }
  return { results, summary: parseSummary(opener.open(bytes.bytes(bytes.left), true)) };
}

async function code(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('a failure inside', () => {
  it('of the module answers one request with 500; the next one succeeds', async () => {
    vi.spyOn(edge.session, 'openSingle').mockImplementationOnce(() => {
      throw new ModuleTrap();
    });
    const { response } = await submit();
    expect(response.status).toBe(500);
    expect(await code(response)).toBe('internal');
    const next = await submit();
    expect(next.response.status).toBe(200);
    const bytes = new Uint8Array(await next.response.arrayBuffer());
    const opened = next.encapsulation.answer(bytes.subarray(0, 32)).open(bytes.subarray(32));
    expect(parseSingleAnswer(opened).result.outcome).toBe(OUTCOMES.STORED);
  });

  it('is told by its kind and the request id alone, in the answer and in the log', async () => {
    vi.spyOn(edge.session, 'openSingle').mockImplementationOnce(() => {
      throw new Error('canary 11010519491231002X');
    });
    const { response } = await submit();
    const text = await response.text();
    expect(text).not.toMatch(/canary|110105/);
    const { requestId } = JSON.parse(text);
    expect(logged.mock.calls).toEqual([
      [JSON.stringify({ level: 'error', requestId, kind: 'Error' })],
    ]);
  });

  it('of the store that knows the keys is to be tried again', async () => {
    const { control } = edge.deps.auth;
    vi.spyOn(control, 'findSigner').mockRejectedValueOnce(new TypeError('canary'));
    const { response } = await submit();
    expect(response.status).toBe(503);
    expect(await code(response)).toBe('unavailable');
    expect(String(logged.mock.calls)).toMatch(/"kind":"TypeError"/);
    expect(String(logged.mock.calls)).not.toMatch(/canary/);
  });

  it('of the environment is told to the operator, not to the client', async () => {
    const app = createApp(async (env: RawEnv) => checkEnvironment(env) as never);
    const env = { DB: { prepare() {} }, WRITER: { idFromName() {} }, SEALPOST_CITY: 'canary' };
    const response = await app.request('/healthz', {}, env);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/canary|CITY/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(String(logged.mock.calls)).toMatch(/SEALPOST_\w+ must be/);
    expect(String(logged.mock.calls)).not.toMatch(/canary/);
  });
});

describe('a store that does not take it', () => {
  const failures: [string, string, (batch: Uint8Array) => Promise<Uint8Array>][] = [
    ['is away', 'unavailable', () => Promise.reject(new Failure('unavailable'))],
    ['is full', 'store_full', () => Promise.reject(new Failure('store_full'))],
    ['asks to try again', 'unavailable', async () => Uint8Array.of(OUTCOMES.RETRY)],
  ];
  it.each(failures)('since it %s: %s, to be sent again', async (_name, expected, append) => {
    edge.store.append = append;
    const { response } = await submit();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await code(response)).toBe(expected);
    edge.store.append = undefined;
    expect((await submit()).response.status).toBe(200);
  });

  it('while IN_FLIGHT_BYTES are held, nobody gets in; a stream that is in waits', async () => {
    const { inFlight } = edge.deps.ingest;
    const release = inFlight.take(IN_FLIGHT_BYTES);
    expect((await submit()).response.status).toBe(503);
    const { head, context } = encapsulate(STREAM, edge.edgeKey, identity);
    const refused = concat(head, frameChunk(context.seal(record(), FINAL_AAD), true));
    const response = await post('/v1/parcels/stream', STREAM.requestType, refused, false);
    expect([response.status, await code(response)]).toEqual([503, 'unavailable']);
    release();

    let appends = 0;
    let room = () => {};
    edge.store.append = async () => {
      if (++appends === 1) {
        room = inFlight.take(IN_FLIGHT_BYTES);
        setTimeout(() => room(), 50);
      } else expect(inFlight.full).toBe(false);
      return Uint8Array.of(OUTCOMES.STORED);
    };
    expect((await stream(1, 1, 1)).summary).toMatchObject({ complete: true, stored: 3 });
    expect(appends).toBe(3);
    expect(inFlight.full).toBe(false);
  });

  it('tells the records of a stream to be sent again, and those alone', async () => {
    let calls = 0;
    edge.store.append = async (batch) => {
      if (++calls === 2) throw new Failure('unavailable');
      return new Uint8Array(new DataView(batch.buffer, batch.byteOffset).getUint32(68)).fill(1);
    };
    const { results, summary } = await stream(3, 2, 4);
    expect(results.map(({ outcome }) => outcome)).toEqual([1, 1, 1, 5, 5, 1, 1, 1, 1]);
    expect(summary).toMatchObject({ complete: true, stored: 7, retry: 2 });
  });

  it('late gets its results in the order of the chunks all the same', async () => {
    const delays = [30, 0, 20, 0, 0, 10, 0, 0, 0, 0, 5, 0];
    let call = 0;
    edge.store.append = async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, delays[call++]));
      return new Uint8Array(new DataView(batch.buffer, batch.byteOffset).getUint32(68)).fill(1);
    };
    const { results, summary } = await stream(...delays.map((_, i) => i + 1));
    expect(results.map(({ place }) => place)).toEqual(
      delays.flatMap((_, chunk) => Array.from({ length: chunk + 1 }, (_, i) => chunk * 256 + i)),
    );
    expect(summary).toMatchObject({ complete: true, stored: 78 });
  });

  it('slow has no more than CHUNKS_IN_FLIGHT chunks under way', async () => {
    let [now, most] = [0, 0];
    edge.store.append = async (batch) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
      return new Uint8Array(new DataView(batch.buffer, batch.byteOffset).getUint32(68)).fill(1);
    };
    await stream(...Array.from({ length: 40 }, () => 1));
    expect(most).toBeLessThanOrEqual(CHUNKS_IN_FLIGHT);
    expect(most).toBeGreaterThan(4);
  });
});

describe('a trap while a stream is under way', () => {
  it('cuts the answer: it has no summary', async () => {
    const open = edge.session.openChunk.bind(edge.session);
    let calls = 0;
    vi.spyOn(edge.session, 'openChunk').mockImplementation((...given) => {
      if (++calls === 3) throw new ModuleTrap();
      return open(...given);
    });
    await expect(stream(2, 2, 2, 2)).rejects.toThrow();
    expect((await submit()).response.status).toBe(200);
  });
});
