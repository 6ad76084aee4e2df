/** Bad requests: each gets a clear code, stores nothing, and disturbs nothing. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../wire/record.ts';
import {
  encapsulate,
  OUTCOME,
  postSingle,
  problemCode,
  type SubmitOptions,
  seal,
  signedHeaders,
  submit,
} from '../support/independent-client.ts';
import { pull } from '../support/independent-pull.ts';
import { validRecord } from '../support/records.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
/** Records stored on purpose so far. */
let stored = 0;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

const record = () => encodeRecord(validRecord(Date.now()));

/** Nothing was stored but what was meant to be, and the service still works. */
async function expectUndisturbed(): Promise<void> {
  const next = await submit(service.url, service.a, service.edgeKey, record());
  expect(next.result?.outcome).toBe(OUTCOME.stored);
  stored++;
  const { end } = await pull(service.url, service.regulator, service.edgeSigning);
  expect(end?.rows).toBe(stored);
}

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(await problemCode(response)).toBe(code);
  expect(response.status).toBe(status);
}

const now = () => Math.floor(Date.now() / 1000);

describe('every answer', () => {
  it.each([
    ['GET', '/healthz', 200],
    ['GET', '/v1/keys', 200],
    ['GET', '/v1/recipients', 200],
    ['GET', '/v1/pull', 401],
    ['GET', '/v1/parcels', 405],
    ['DELETE', '/v1/keys', 405],
    ['GET', '/nothing?name=zhang', 404],
    ['POST', '/v1/parcels', 415],
  ])(
    'abuse case 29: %s %s says not to keep it, and has a request id',
    async (method, path, status) => {
      const response = await fetch(service.url + path, { method });
      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'sealpost-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      const text = await response.text();
      expect(text).not.toContain('zhang');
      if (status >= 400) {
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        const { requestId } = JSON.parse(text);
        expect(requestId).toBe(response.headers.get('sealpost-request-id'));
      }
      if (status === 405) expect(response.headers.get('allow')).toMatch(/^(GET|POST)$/);
    },
  );
});

describe('a submission that is refused as a whole', () => {
  const wrongSignature: [string, SubmitOptions][] = [
    ['other authority', { tampering: { authority: 'sealpost.example' } }],
    ['other tag', { tampering: { tag: 'sealpost-v2' } }],
    ['unknown key', { tampering: { keyid: randomBytes(32).toString('base64url') } }],
    ['key id of another party', {}],
    ['key id that is none', { tampering: { keyid: '=' } }],
    ['empty nonce', { tampering: { nonce: '' } }],
    ['nonce without end', { tampering: { nonce: 'n'.repeat(200) } }],
    ['no method covered', { tampering: { components: ['@authority', '@path'] } }],
    [
      'no digest covered',
      { tampering: { components: ['@method', '@authority', '@path', 'content-type'] } },
    ],
  ];
  it.each(wrongSignature)(
    'abuse case 22: signature with %s: signature_invalid',
    async (name, options) => {
      const signer = name.startsWith('key id of')
        ? { ...service.a, privateKey: generateKeyPairSync('ed25519').privateKey }
        : service.a;
      const body = record();
      const { response } = await submit(service.url, signer, service.edgeKey, body, options);
      await expectProblem(response, 401, 'signature_invalid');
    },
  );

  it.each<[string, () => SubmitOptions]>([
    ['made too long ago', () => ({ tampering: { created: now() - 130 } })],
    ['made ahead of time', () => ({ tampering: { created: now() + 130 } })],
    ['expired', () => ({ tampering: { created: now() - 60, expires: now() - 10 } })],
  ])(
    'abuse case 21: signature %s: clock_skew, with the time of the server',
    async (_name, options) => {
      const body = record();
      const { response } = await submit(service.url, service.a, service.edgeKey, body, options());
      await expectProblem(response, 401, 'clock_skew');
      const { serverTime } = (await response.json()) as { serverTime: string };
      expect(Math.abs(Date.parse(serverTime) - Date.now())).toBeLessThan(5000);
    },
  );

  it.each<[string, (headers: Record<string, string>) => void]>([
    ['unsigned', (headers) => delete headers.signature],
    ['without its input', (headers) => delete headers['signature-input']],
    ['without digest', (headers) => delete headers['content-digest']],
    ['without encapsulation', (headers) => delete headers['sealpost-encapsulation']],
    ['with a signature that is none', (headers) => (headers.signature = 'sealpost=:AAAA:')],
    ['with two signatures', (headers) => (headers.signature += ', second=:AAAA:')],
    ['with a header that is no structured field', (headers) => (headers['signature-input'] = '((')],
  ])('abuse case 22: %s: signature_invalid', async (_name, change) => {
    const encapsulation = await encapsulate(service.edgeKey, service.a.id, 'request');
    const body = Buffer.concat([encapsulation.head, await seal(encapsulation, record())]);
    const headers = signedHeaders(service.url, service.a, {
      ...{ method: 'POST', path: '/v1/parcels', body, head: encapsulation.head },
      headers: { 'content-type': 'message/sealpost-parcel-req' },
    });
    change(headers);
    const response = await fetch(`${service.url}/v1/parcels`, { method: 'POST', headers, body });
    await expectProblem(response, 401, 'signature_invalid');
  });

  it('abuse case 23: changed after it was signed: signature_invalid', async () => {
    const encapsulation = await encapsulate(service.edgeKey, service.a.id, 'request');
    const body = Buffer.concat([encapsulation.head, await seal(encapsulation, record())]);
    const request = { method: 'POST', path: '/v1/parcels', body, head: encapsulation.head };
    const headers = signedHeaders(service.url, service.a, {
      ...request,
      headers: { 'content-type': 'message/sealpost-parcel-req' },
    });
    for (const at of [0, 7, 38, 39, body.length - 1]) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] as number) ^ 1;
      const response = await fetch(`${service.url}/v1/parcels`, {
        ...{ method: 'POST', headers, body: changed },
      });
      await expectProblem(response, 401, 'signature_invalid');
    }
  });

  it('abuse case 22: signed for another encapsulation: signature_invalid', async () => {
    const { head } = await encapsulate(service.edgeKey, service.a.id, 'request');
    const body = Buffer.concat([head, randomBytes(100)]);
    body[20] = (body[20] as number) ^ 1;
    const headers = signedHeaders(service.url, service.a, {
      ...{ method: 'POST', path: '/v1/parcels', body, head },
      headers: { 'content-type': 'message/sealpost-parcel-req' },
    });
    const response = await fetch(`${service.url}/v1/parcels`, { method: 'POST', headers, body });
    await expectProblem(response, 401, 'signature_invalid');
  });

  it('by a regulator: forbidden', async () => {
    const { response } = await submit(service.url, service.regulator, service.edgeKey, record());
    await expectProblem(response, 403, 'forbidden');
  });

  it.each<[string, Record<string, string>]>([
    ['gzip', { 'content-encoding': 'gzip' }],
    ['br', { 'content-encoding': 'br' }],
    ['identity', { 'content-encoding': 'identity' }],
    ['of the type of a stream', { 'content-type': 'message/sealpost-parcel-chunked-req' }],
    ['of a type with a parameter', { 'content-type': 'message/sealpost-parcel-req; a=b' }],
  ])('abuse case 9: %s: unsupported_media_type', async (_name, headers) => {
    const body = gzipSync(record());
    const response = await postSingle(service.url, service.a, body, { headers });
    await expectProblem(response, 415, 'unsupported_media_type');
  });

  it('abuse case 8: over 64 KiB, with and without Content-Length: too_large', async () => {
    for (const length of [65_537, 70_000]) {
      const response = await postSingle(service.url, service.a, randomBytes(length));
      await expectProblem(response, 413, 'too_large');
    }
    const { status, body } = await postChunked(randomBytes(70_000));
    expect(status).toBe(413);
    expect(JSON.parse(body).code).toBe('too_large');
  });

  it('abuse case 8: with a record over 4 KiB: too_large', async () => {
    for (const length of [4_097, 60_000]) {
      const sealed = await submit(service.url, service.a, service.edgeKey, new Uint8Array(length));
      await expectProblem(sealed.response, 413, 'too_large');
    }
    const largest = await submit(service.url, service.a, service.edgeKey, new Uint8Array(4_096));
    expect(largest.result?.outcome).toBe(OUTCOME.refused);
  });

  it('abuse case 2: sealed to a key that is unknown or expired: unknown_key', async () => {
    for (const key of [{ ...service.edgeKey, keyId: 9 }, service.expiredKey]) {
      const { response } = await submit(service.url, service.a, key, record());
      await expectProblem(response, 422, 'unknown_key');
    }
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'abuse case 6: with another suite (octet %i of hdr): unsupported_suite',
    async (at) => {
      const { response } = await submit(service.url, service.a, service.edgeKey, record(), {
        change: (body) => {
          body[at] = (body[at] as number) ^ 0x10;
          return body;
        },
      });
      await expectProblem(response, 422, 'unsupported_suite');
    },
  );

  it.each<[string, (body: Buffer) => Uint8Array]>([
    ['cut by an octet', (body) => body.subarray(0, -1)],
    ['cut to its head', (body) => body.subarray(0, 39)],
    ['cut inside its tag', (body) => body.subarray(0, 50)],
    ['longer by an octet', (body) => Buffer.concat([body, Buffer.of(0)])],
    ['with the all-zero key', (body) => Buffer.from(body).fill(0, 7, 39)],
    [
      'with another enc',
      (body) => Buffer.concat([body.subarray(0, 7), randomBytes(32), body.subarray(39)]),
    ],
    ['sealed to the other key under this id', (body) => body],
  ])('abuse case 3: %s: decrypt_failed', async (name, change) => {
    const key = { ...service.expiredKey, keyId: 1 };
    const { response } = await submit(
      ...[service.url, service.a],
      name.startsWith('sealed') ? key : service.edgeKey,
      record(),
      { change },
    );
    await expectProblem(response, 422, 'decrypt_failed');
  });

  it('abuse case 3: with nothing sealed in it: decrypt_failed', async () => {
    const { response } = await submit(service.url, service.a, service.edgeKey, new Uint8Array());
    await expectProblem(response, 422, 'decrypt_failed');
  });

  it('abuse case 23: shorter than a head: signature_invalid', async () => {
    for (const length of [0, 1, 38]) {
      const response = await postSingle(service.url, service.a, randomBytes(length));
      await expectProblem(response, 401, 'signature_invalid');
    }
  });

  it('leaves nothing behind', expectUndisturbed);
});

describe('a record that is malformed', () => {
  it.each([
    ['half a map', 'a1'],
    ['a float', 'f97c00'],
    ['a byte string that claims 2^32 octets', '5affffffff'],
    ['deep nesting', '81'.repeat(2000)],
    ['two items', 'a0a0'],
  ])('abuse case 10: %s is refused by a sealed answer', async (_name, hex) => {
    const bytes = Buffer.from(hex, 'hex');
    const { response, result } = await submit(service.url, service.a, service.edgeKey, bytes);
    expect(response.status).toBe(422);
    expect(result).toMatchObject({ outcome: OUTCOME.refused, id: '0'.repeat(32) });
  });

  it('leaves nothing behind', expectUndisturbed);
});

describe('a pull', () => {
  it('abuse case 20: takes a signature only once: replayed', async () => {
    const nonce = randomBytes(16).toString('base64url');
    const pullOnce = () =>
      pull(service.url, service.regulator, service.edgeSigning, undefined, { nonce });
    expect((await pullOnce()).end).toBeDefined();
    await expectProblem((await pullOnce()).response, 401, 'replayed');
  });

  it('abuse case 20: of many with one nonce, one gets through', async () => {
    const nonce = randomBytes(16).toString('base64url');
    const pulls = await Promise.all(
      Array.from({ length: 10 }, () =>
        pull(service.url, service.regulator, service.edgeSigning, undefined, { nonce }),
      ),
    );
    expect(pulls.filter(({ response }) => response.ok)).toHaveLength(1);
  });

  it.each(['?cursor=!', '?cursor=gAA', '?cursor=AA', '?city=520200', '?cursor=&cursor='])(
    'with the query %s: malformed_request',
    async (query) => {
      const request = { method: 'GET', path: '/v1/pull', query };
      const headers = signedHeaders(service.url, service.regulator, request);
      const response = await fetch(`${service.url}/v1/pull${query}`, { headers });
      await expectProblem(response, 400, 'malformed_request');
    },
  );

  it('abuse case 22: whose query is changed after it was signed: signature_invalid', async () => {
    const request = { method: 'GET', path: '/v1/pull', query: '?cursor=AQE' };
    const headers = signedHeaders(service.url, service.regulator, request);
    const response = await fetch(`${service.url}/v1/pull?cursor=AQI`, { headers });
    await expectProblem(response, 401, 'signature_invalid');
  });
});

describe('a lookup', () => {
  it.each([
    ['without an index', 'SPQ1\0\0\0\0\0\0\0\x01'],
    ['with half an index', `SPQ1\0\0\0\0\0\0\0\x01${'i'.repeat(8)}`],
    ['of days that run backwards', `SPQ1\0\0\0\x02\0\0\0\x01${'i'.repeat(16)}`],
    ['of another kind', `SPQ2\0\0\0\0\0\0\0\x01${'i'.repeat(16)}`],
  ])('%s: malformed_request', async (_name, text) => {
    await expectProblem(await postLookup(Buffer.from(text)), 400, 'malformed_request');
  });

  it('with too many indexes: too_large', async () => {
    const body = Buffer.alloc(12 + 257 * 16);
    body.write('SPQ1');
    await expectProblem(await postLookup(body), 413, 'too_large');
  });

  function postLookup(body: Buffer): Promise<Response> {
    const headers = signedHeaders(service.url, service.regulator, {
      ...{ method: 'POST', path: '/v1/lookup', body },
      headers: { 'content-type': 'application/sealpost-lookup' },
    });
    return fetch(`${service.url}/v1/lookup`, {
      ...{ method: 'POST', headers, body: new Uint8Array(body) },
    });
  }
});

describe('the log', () => {
  it('holds nothing of all this', async () => {
    expect(await service.log()).toBe('');
  });
});

/** Sends a signed body in chunked coding, that is without Content-Length. */
function postChunked(body: Uint8Array): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = signedHeaders(service.url, service.a, {
      ...{ method: 'POST', path: '/v1/parcels', body, head: body.subarray(0, 39) },
      headers: { 'content-type': 'message/sealpost-parcel-req' },
    });
    const request = httpRequest(`${service.url}/v1/parcels`, { method: 'POST', headers });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    request.write(body.subarray(0, 40_000));
    request.end(body.subarray(40_000));
  });
}
