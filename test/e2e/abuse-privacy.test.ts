/** What answers tell beside their sealed part: nothing by their size, nothing to a cache, nothing by a URL. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../worker/src/app.ts';
import { PARCELS, post, record, rows, sealedSingle } from '../support/abuse.ts';
import {
  encapsulate,
  fetchKeys,
  OUTCOME,
  sealChunk,
  signedHeaders,
} from '../support/independent-client.ts';
import { streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestParty, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

/** What everybody on the way can see of an answer. */
async function outside(response: Response) {
  const headers = Object.fromEntries(response.headers);
  delete headers.date;
  expect(headers['sealpost-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  delete headers['sealpost-request-id'];
  const octets = (await response.clone().arrayBuffer()).byteLength;
  return { status: response.status, headers, octets };
}

describe('the answer to a submitter', () => {
  const plaintext = record();

  async function submit(party: TestParty, text = plaintext) {
    const { response, result } = await (await sealedSingle(service, party, text)).send();
    return { ...(await outside(response)), outcome: result?.outcome };
  }

  it('abuse case 28: looks the same for a new record, a duplicate, and one that another party has', async () => {
    const [stored, duplicate] = [await submit(service.a), await submit(service.a)];
    const elsewhere = await submit(service.b);
    expect(stored).toMatchObject({ status: 200, outcome: OUTCOME.stored });
    expect(duplicate).toEqual({ ...stored, outcome: OUTCOME.duplicate });
    expect(elsewhere).toEqual({ ...stored, outcome: OUTCOME.stored });
  });

  it('abuse case 28: has the same size for a conflict and for a refusal', async () => {
    const { octets, headers } = await submit(service.a);
    const text = Buffer.from(plaintext);
    text.write('GY-0013', text.indexOf('GY-0012'));
    const conflict = await submit(service.a, text);
    expect(conflict).toMatchObject({ status: 409, outcome: OUTCOME.conflict, octets, headers });
    const refused = await submit(service.a, Buffer.from('a0', 'hex'));
    expect(refused).toMatchObject({ status: 422, outcome: OUTCOME.refused, octets, headers });
  });

  it('abuse case 28: to a stream has the same size whatever became of its records', async () => {
    const changed = Buffer.from(plaintext);
    changed.write('GY-0014', changed.indexOf('GY-0012'));
    const sizes = new Set<number>();
    for (const text of [record(), plaintext, changed, Buffer.from('a0', 'hex')]) {
      const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
      const body = Buffer.concat([stream.head, await sealChunk(stream, [text], true)]);
      const headers = streamHeaders(service.url, service.a, stream.head);
      const response = await post(service, `${PARCELS}/stream`, headers, body);
      expect(response.status).toBe(200);
      sizes.add((await response.arrayBuffer()).byteLength);
    }
    expect(sizes.size).toBe(1);
    expect(await rows(service)).toBe(3);
  });
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Headers that an answer may have. No cookie, no validator of a cache, no name of a server. */
const ALLOWED = [
  ...['cache-control', 'referrer-policy', 'x-content-type-options', 'sealpost-request-id'],
  ...['content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date'],
  ...['allow', 'retry-after', 'sealpost-keys-signature', 'content-security-policy'],
];

function expectPrivate(response: Response): void {
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'sealpost-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect([...response.headers.keys()].filter((name) => !ALLOWED.includes(name))).toEqual([]);
}

describe('every route', () => {
  const app = createApp(async () => {
    throw new Error('not called');
  });
  const paths = [...new Set(app.routes.map(({ path }) => path))].filter((path) => path !== '/*');

  it('abuse case 29: has a path without a place for an identifier', () => {
    expect(paths).toEqual(expect.arrayContaining(['/v1/keys', '/v1/pull', PARCELS, '/v1/lookup']));
    expect(paths.filter((path) => !/^\/[a-z0-9/.-]+$/.test(path))).toEqual([]);
  });

  it.each([...paths, '/', '/v1/nothing', '/v1/parcels/018f0000-0000-7000-8000-000000000000'])(
    'abuse case 29: %s says with every method that nobody may keep its answer',
    async (path) => {
      for (const method of METHODS) {
        const response = await fetch(service.url + path, { method });
        expectPrivate(response);
        expect(response.status).toBeLessThan(500);
        await response.arrayBuffer();
      }
    },
  );

  it('abuse case 29: says so when it succeeds, too', async () => {
    const lookup = Buffer.concat([Buffer.from('SPQ1'), Buffer.alloc(8), Buffer.alloc(16)]);
    const signed = (path: string, body?: Buffer, type?: string) =>
      signedHeaders(service.url, service.regulator, {
        ...{ method: body ? 'POST' : 'GET', path, ...(body && { body }) },
        headers: type ? { 'content-type': type } : {},
      });
    await fetchKeys(service.url);
    const answers = [
      (await (await sealedSingle(service)).send()).response,
      await fetch(`${service.url}/v1/pull`, { headers: signed('/v1/pull') }),
      await post(
        service,
        '/v1/lookup',
        signed('/v1/lookup', lookup, 'application/sealpost-lookup'),
        lookup,
      ),
    ];
    for (const response of answers) {
      expect(response.status).toBe(200);
      expectPrivate(response);
    }
  });

  it('abuse case 29: repeats nothing of a URL, and takes no parameter that it does not know', async () => {
    const marker = '13800138000';
    for (const path of [...paths, '/']) {
      const response = await fetch(`${service.url}${path}?phone=${marker}#${marker}`);
      expect(await response.text()).not.toContain(marker);
      expect(JSON.stringify([...response.headers])).not.toContain(marker);
    }
    const query = `?cursor=&phone=${marker}`;
    const request = { method: 'GET', path: '/v1/pull', query };
    const headers = signedHeaders(service.url, service.regulator, request);
    expect((await fetch(`${service.url}/v1/pull${query}`, { headers })).status).toBe(400);
    expect(await service.log()).toBe('');
  });

  it('abuse case 29: uses no cache of the platform', () => {
    const sources = readdirSync('worker/src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(`worker/src/${name}`, 'utf8'));
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.filter((text) => /\bcaches\b|cacheTtl|cacheEverything/.test(text))).toEqual([]);
  });
});
