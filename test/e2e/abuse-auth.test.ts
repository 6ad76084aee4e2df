/** Abuse of signatures: replayed, out of time, covering too little, over other bodies, on the real service. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  distinct,
  expectRefusal,
  expectUndisturbed,
  inParallel,
  PARCELS,
  post,
  sealedSingle,
  signedSingle,
} from '../support/abuse.ts';
import { OUTCOME, signedHeaders, type Tampering } from '../support/independent-client.ts';
import { streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestParty, type TestService } from '../support/service.ts';

let service: TestService;
let before: number;

beforeAll(async () => {
  service = await startTestService();
  before = 0;
});

afterAll(() => service.stop());

const seconds = () => Math.floor(Date.now() / 1000);

/** A lookup that finds nothing. */
const LOOKUP = Buffer.concat([
  Buffer.from('SPQ1'),
  Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]),
  Buffer.alloc(16),
]);

function pullHeaders(tampering: Tampering = {}, query = ''): Record<string, string> {
  const request = { method: 'GET', path: '/v1/pull', query };
  return signedHeaders(service.url, service.regulator, request, tampering);
}

function lookupHeaders(tampering: Tampering = {}): Record<string, string> {
  const request = {
    ...{ method: 'POST', path: '/v1/lookup', body: LOOKUP },
    headers: { 'content-type': 'application/sealpost-lookup' },
  };
  return signedHeaders(service.url, service.regulator, request, tampering);
}

const sendPull = (headers: Record<string, string>, query = '') =>
  fetch(`${service.url}/v1/pull${query}`, { headers });
const sendLookup = (headers: Record<string, string>) =>
  post(service, '/v1/lookup', headers, LOOKUP);

/** A submission with this tampering, or by another party. */
async function sendSingle(tampering: Tampering, party: TestParty = service.a): Promise<Response> {
  const { body } = await sealedSingle(service);
  return post(service, PARCELS, signedSingle(service, party, body, {}, tampering), body);
}

describe('a signed request that comes again', () => {
  it('abuse case 20: a pull or lookup is replayed, one of many gets through, also across a restart', async () => {
    const [pull, lookup] = [pullHeaders(), lookupHeaders()];
    expect((await sendPull(pull)).status).toBe(200);
    const lookups = await Promise.all(Array.from({ length: 20 }, () => sendLookup(lookup)));
    expect(lookups.filter(({ ok }) => ok)).toHaveLength(1);
    const refused = lookups.filter(({ ok }) => !ok);
    const shapes = [await expectRefusal(await sendPull(pull), 401, 'replayed')];
    for (const each of refused) shapes.push(await expectRefusal(each, 401, 'replayed'));
    await service.restart();
    shapes.push(await expectRefusal(await sendPull(pull), 401, 'replayed'));
    shapes.push(await expectRefusal(await sendLookup(lookup), 401, 'replayed'));
    expect(distinct(shapes)).toBe(1);
    expect((await sendPull(pullHeaders())).status).toBe(200);
  });

  it('abuse case 20: a submission gets its receipt again, also across a restart', async () => {
    const sealed = await sealedSingle(service);
    expect((await sealed.send()).result?.outcome).toBe(OUTCOME.stored);
    await service.restart();
    expect((await sealed.send()).result?.outcome).toBe(OUTCOME.duplicate);
    before++;
    await expectUndisturbed(service, before++);
  });

  it('abuse case 20: under the other form of a P-256 signature is replayed all the same', async () => {
    const headers = signedHeaders(service.url, service.b, { method: 'GET', path: '/v1/pull' });
    expect((await sendPull(headers)).status).toBe(200);
    const signature = Buffer.from(headers.signature?.split(':')[1] ?? '', 'base64');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = order - BigInt(`0x${signature.toString('hex', 32)}`);
    const other = Buffer.concat([
      signature.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    ]);
    const response = await sendPull({
      ...headers,
      signature: `sealpost=:${other.toString('base64')}:`,
    });
    await expectRefusal(response, 401, 'replayed');
  });
});

describe('a signature out of time', () => {
  const wrong: [string, () => Tampering][] = [
    ['made 125 s ago', () => ({ created: seconds() - 125, expires: seconds() + 60 })],
    ['made 125 s ahead', () => ({ created: seconds() + 125, expires: seconds() + 300 })],
    ['made in 1970', () => ({ created: 0, expires: seconds() + 60 })],
    [
      'made in the year 33658',
      () => ({ created: 999_999_999_999_999, expires: 999_999_999_999_999 }),
    ],
    ['expired', () => ({ created: seconds() - 60, expires: seconds() - 2 })],
    [
      'that expires before it was made',
      () => ({ created: seconds() + 60, expires: seconds() - 2 }),
    ],
  ];
  it.each(wrong)(
    'abuse case 21: %s is clock_skew on every route, with the time of the server',
    async (_name, tampering) => {
      const head = (await sealedSingle(service)).body.subarray(0, 39);
      const stream = signedHeaders(
        service.url,
        service.a,
        {
          method: 'POST',
          path: `${PARCELS}/stream`,
          head,
          headers: { 'content-type': 'message/sealpost-parcel-chunked-req' },
        },
        tampering(),
      );
      for (const send of [
        () => sendSingle(tampering()),
        () => post(service, `${PARCELS}/stream`, stream, head),
        () => sendPull(pullHeaders(tampering())),
        () => sendLookup(lookupHeaders(tampering())),
      ]) {
        const response = await send();
        const { serverTime } = (await response.clone().json()) as { serverTime: string };
        expect(Math.abs(Date.parse(serverTime) - Date.now())).toBeLessThan(5_000);
        await expectRefusal(response, 401, 'clock_skew');
      }
    },
  );

  it('abuse case 21: within 120 s on both sides is taken', async () => {
    for (const away of [-115, 115]) {
      const tampering = { created: seconds() + away, expires: seconds() + 300 };
      expect((await sendPull(pullHeaders(tampering))).status).toBe(200);
    }
  });

  it.each<[string, (usual: string) => string]>([
    ['expires', (usual) => usual.replace(/;expires=\d+/, '')],
    ['created', (usual) => usual.replace(/;created=\d+/, '')],
    ['nonce', (usual) => usual.replace(/;nonce="[^"]*"/, '')],
    ['tag', (usual) => usual.replace(/;tag="[^"]*"/, '')],
    ['keyid', (usual) => usual.replace(/;keyid="[^"]*"/, '')],
  ])('abuse case 21: without %s is no signature', async (_name, params) => {
    await expectRefusal(await sendSingle({ params }), 401, 'signature_invalid');
    await expectRefusal(await sendPull(pullHeaders({ params })), 401, 'signature_invalid');
  });
});

describe('a signature that does not cover what it must', () => {
  const single = [
    '@method',
    '@authority',
    '@path',
    'content-type',
    'content-digest',
    'sealpost-encapsulation',
  ];
  const without = (all: string[]) =>
    all.map((name): [string, string[]] => [name, all.filter((one) => one !== name)]);

  it.each(without(single))('abuse case 22: not %s, on a submission', async (_name, components) => {
    await expectRefusal(await sendSingle({ components }), 401, 'signature_invalid');
  });

  it.each(without(['@method', '@authority', '@path', '@query']))(
    'abuse case 22: not %s, on a pull',
    async (_name, components) => {
      const query = '?cursor=AQE';
      const response = await sendPull(pullHeaders({ components }, query), query);
      await expectRefusal(response, 401, 'signature_invalid');
    },
  );

  it.each<[string, Tampering]>([
    ['components in another order', { components: [...single].reverse() }],
    ['a component twice', { components: ['@method', ...single] }],
    ['no component', { components: [] }],
    ['one more', { params: (usual) => usual.replace(')', ' "@scheme")') }],
    [
      'a component with a parameter',
      { params: (usual) => usual.replace('"@path"', '"@path";req') },
    ],
    ['another tag', { tag: 'sealpost-v2' }],
    ['an algorithm of its own', { params: (usual) => `${usual};alg="hmac-sha256"` }],
    [
      'parameters in another order',
      { params: (usual) => usual.replace(/(;created=\d+)(;expires=\d+)/, '$2$1') },
    ],
  ])('abuse case 22: rightly signed with %s', async (_name, tampering) => {
    await expectRefusal(await sendSingle(tampering), 401, 'signature_invalid');
  });

  it('abuse case 22: under labels that stand twice, or another label', async () => {
    const { body } = await sealedSingle(service);
    const headers = signedSingle(service, service.a, body);
    const [input, signature] = [headers['signature-input'] as string, headers.signature as string];
    const doubled: [string, string][] = [
      [`${input}, ${input}`, signature],
      [`sealpost=("@method"), ${input}`, signature],
      [input, `${signature}, ${signature}`],
      [input, `sealpost=:AAAA:, ${signature}`],
      [`${input}, other=("@method")`, `${signature}, other=:AAAA:`],
      [input.replace('sealpost=', 'other='), signature.replace('sealpost=', 'other=')],
      [input.replace('sealpost=', 'Sealpost='), signature.replace('sealpost=', 'Sealpost=')],
    ];
    for (const [one, two] of doubled) {
      const changed = { ...headers, 'signature-input': one, signature: two };
      await expectRefusal(await post(service, PARCELS, changed, body), 401, 'signature_invalid');
    }
    await expectUndisturbed(service, before++);
  });
});

describe('a digest that does not fit', () => {
  const named = (algorithm: string, body: Uint8Array) =>
    `${algorithm}=:${createHash(algorithm.replace('-', '')).update(body).digest('base64')}:`;

  it.each<[string, (body: Buffer) => string | undefined]>([
    ['absent', () => undefined],
    ['of another body', (body) => named('sha-256', Buffer.concat([body, Buffer.of(0)]))],
    ['by another algorithm', (body) => named('sha-512', body)],
    ['by two algorithms', (body) => `${named('sha-256', body)}, ${named('sha-512', body)}`],
    ['by an algorithm that is broken', (body) => named('md5', body)],
    ['in capitals', (body) => named('sha-256', body).replace('sha', 'SHA')],
    ['empty', () => ''],
    ['without its colons', (body) => named('sha-256', body).replaceAll(':', '')],
  ])(
    'abuse case 23: %s, rightly signed, is refused before the body is opened',
    async (_name, digest) => {
      const { body } = await sealedSingle(service);
      for (const [path, type, sent, head] of [
        [PARCELS, 'message/sealpost-parcel-req', body, body.subarray(0, 39)],
        ['/v1/lookup', 'application/sealpost-lookup', LOOKUP, undefined],
      ] as const) {
        const value = digest(sent as Buffer);
        const headers = signedHeaders(
          service.url,
          path === PARCELS ? service.a : service.regulator,
          {
            ...{ method: 'POST', path, ...(head && { head }) },
            headers: {
              'content-type': type,
              ...(value !== undefined && { 'content-digest': value }),
            },
          },
        );
        await expectRefusal(await post(service, path, headers, sent), 401, 'signature_invalid');
      }
    },
  );

  it('abuse case 23: a body changed anywhere after it was signed is refused', async () => {
    const { body, headers } = await sealedSingle(service);
    const shapes = await inParallel(
      [...Array(body.length).keys()].filter((at) => at % 5 === 0),
      async (at) => {
        const changed = Buffer.from(body);
        changed[at] = (changed[at] as number) ^ 1;
        return expectRefusal(
          await post(service, PARCELS, headers, changed),
          401,
          'signature_invalid',
        );
      },
    );
    expect(distinct(shapes)).toBe(1);
    await expectUndisturbed(service, before++);
  });

  it('abuse case 23: a digest on a stream, which nobody could check, is refused', async () => {
    const { body } = await sealedSingle(service);
    const headers = signedHeaders(service.url, service.a, {
      ...{ method: 'POST', path: `${PARCELS}/stream`, body, head: body.subarray(0, 39) },
      headers: { 'content-type': 'message/sealpost-parcel-chunked-req' },
    });
    const response = await post(service, `${PARCELS}/stream`, headers, body);
    await expectRefusal(response, 401, 'signature_invalid');
    const later = {
      ...streamHeaders(service.url, service.a, body.subarray(0, 39)),
      'content-digest': named('sha-256', body),
    };
    await expectRefusal(
      await post(service, `${PARCELS}/stream`, later, body),
      401,
      'signature_invalid',
    );
  });
});
