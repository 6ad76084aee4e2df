/** Abuse by bodies: too large, too slow, wrongly measured, compressed, and text that is none, on the real service. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectRefusal,
  expectUndisturbed,
  PARCELS,
  post,
  RawConnection,
  rawRequest,
  record,
  requestHead,
  SINGLE_TYPE,
  STREAM_TYPE,
  sealedSingle,
  signedSingle,
} from '../support/abuse.ts';
import {
  encapsulate,
  OUTCOME,
  sealChunk,
  signedHeaders,
  submit,
} from '../support/independent-client.ts';
import { sendStream, streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestService } from '../support/service.ts';

/** Milliseconds: short, so that the tests are; long enough that a busy machine reads a whole body within them. */
const PATIENCE = 3_000;

let service: TestService;
let before: number;

beforeAll(async () => {
  service = await startTestService({
    vars: {
      SEALPOST_BODY_DEADLINE_MS: String(PATIENCE),
      SEALPOST_STREAM_IDLE_MS: String(PATIENCE),
    },
  });
  before = 0;
});

afterAll(() => service.stop());

describe('a body that is too large, too slow, or wrongly measured', () => {
  const single = (headers: readonly (readonly [string, string])[]) =>
    requestHead('POST', PARCELS, service, [['content-type', SINGLE_TYPE], ...headers]);

  it('abuse case 8: a Content-Length over the limit is refused before anything of the body came', async () => {
    for (const length of ['65537', '99999999', '9007199254740993']) {
      const response = await rawRequest(service, single([['content-length', length]]));
      await expectRefusal(response as Response, 413, 'too_large');
    }
    const stream = requestHead('POST', `${PARCELS}/stream`, service, [
      ['content-type', STREAM_TYPE],
      ['content-length', String(64 * 1024 * 1024 + 1)],
    ]);
    await expectRefusal((await rawRequest(service, stream)) as Response, 413, 'too_large');
  });

  it.each(['-1', '+5', 'NaN', '1e3', '0x10', '5, 6', '18446744073709551617', ''])(
    'abuse case 8: Content-Length %j is refused, and nothing of it is repeated',
    async (length) => {
      const response = await rawRequest(service, single([['content-length', length]]));
      // What is not HTTP at all, workerd refuses before any of our code runs.
      expect(response?.status).toBeGreaterThanOrEqual(400);
      expect(response?.status).toBeLessThan(500);
      if (length.length > 2) expect(await response?.text()).not.toContain(length);
    },
  );

  it('abuse case 8: two lengths, or a length beside chunked coding, never reach a second meaning', async () => {
    const { headers, body } = await sealedSingle(service);
    const measured = (...more: [string, string][]) =>
      requestHead('POST', PARCELS, service, [...Object.entries(headers), ...more]);
    for (const head of [
      measured(['content-length', String(body.length)], ['content-length', '5']),
      measured(['content-length', '5'], ['transfer-encoding', 'chunked']),
      measured(['transfer-encoding', 'chunked'], ['transfer-encoding', 'identity']),
    ]) {
      const response = await rawRequest(service, head, body);
      expect(response === undefined || response.status >= 400).toBe(true);
      expect(response?.status ?? 400).toBeLessThan(500);
    }
    await expectUndisturbed(service, before++);
  });

  it('abuse case 8: without a length, it is cut off one piece past the limit', async () => {
    const connection = new RawConnection(service);
    const { headers } = await sealedSingle(service);
    connection.send(
      requestHead('POST', PARCELS, service, [
        ...Object.entries(headers),
        ['transfer-encoding', 'chunked'],
      ]),
    );
    const piece = Buffer.concat([
      Buffer.from('4000\r\n'),
      Buffer.alloc(0x4000),
      Buffer.from('\r\n'),
    ]);
    for (let i = 0; i < 8; i++) connection.send(piece);
    await expectRefusal((await connection.answer()) as Response, 413, 'too_large');
    connection.close();
  });

  it('abuse case 8: of a stranger is not read at all', async () => {
    const connection = new RawConnection(service);
    connection.send(single([['transfer-encoding', 'chunked']]));
    await expectRefusal((await connection.answer()) as Response, 401, 'signature_invalid');
    connection.close();
  });

  it('abuse case 8: in 10,000 pieces of one octet is read as what it is', async () => {
    const body = randomBytes(10_000);
    const headers = signedSingle(service, service.a, body);
    const pieces: Buffer[] = [];
    for (const byte of body) pieces.push(Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]));
    const head = requestHead('POST', PARCELS, service, [
      ...Object.entries(headers),
      ['transfer-encoding', 'chunked'],
    ]);
    const end = Buffer.from('0\r\n\r\n');
    const response = await rawRequest(service, head, Buffer.concat([...pieces, end]));
    // Random octets are of another suite: the whole of it was read, and its signature fits.
    await expectRefusal(response as Response, 422, 'unsupported_suite');
  });

  it('abuse case 8: that trickles is cut at the deadline, single or stream', async () => {
    const { body, headers } = await sealedSingle(service);
    const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
    const chunk = await sealChunk(stream, [record()], false);
    const trickles: [Buffer, Buffer][] = [
      [
        requestHead('POST', PARCELS, service, [
          ...Object.entries(headers),
          ['content-length', '9999'],
        ]),
        body,
      ],
      [
        requestHead('POST', `${PARCELS}/stream`, service, [
          ...Object.entries(streamHeaders(service.url, service.a, stream.head)),
          ['transfer-encoding', 'chunked'],
        ]),
        Buffer.concat([
          Buffer.from('27\r\n'),
          stream.head,
          Buffer.from('\r\n2\r\n'),
          chunk.subarray(0, 2),
          Buffer.from('\r\n'),
        ]),
      ],
    ];
    await Promise.all(
      trickles.map(async ([head, start], i) => {
        const connection = new RawConnection(service);
        connection.send(Buffer.concat([head, start]));
        const began = Date.now();
        const trickle = setInterval(
          () => connection.send(i === 0 ? Buffer.of(1) : Buffer.from('1\r\nx\r\n')),
          50,
        );
        const response = await connection.answer();
        clearInterval(trickle);
        connection.close();
        const tookMs = Date.now() - began;
        await expectRefusal(response as Response, 400, 'malformed_request');
        expect(tookMs).toBeGreaterThan(PATIENCE / 2);
        expect(tookMs).toBeLessThan(5 * PATIENCE);
      }),
    );
    await expectUndisturbed(service, before++);
  });

  it('abuse case 8: a broken stream is not listened to for longer than the deadline either', async () => {
    const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
    const chunk = await sealChunk(stream, [record()], false);
    const connection = new RawConnection(service);
    const head = requestHead('POST', `${PARCELS}/stream`, service, [
      ...Object.entries(streamHeaders(service.url, service.a, stream.head)),
      ['content-length', '60000000'],
    ]);
    connection.send(Buffer.concat([head, stream.head, chunk, Buffer.alloc(100, 1)]));
    const trickle = setInterval(() => connection.send(Buffer.of(1)), 50);
    const began = Date.now();
    while (connection.open && Date.now() - began < 10 * PATIENCE) await delay(20);
    clearInterval(trickle);
    expect(connection.open).toBe(false);
    before++;
    await expectUndisturbed(service, before++);
  });

  it('abuse case 8: and none of it made the process large', () => {
    // Not a number where the system does not tell.
    expect(service.peakRssMb() > 300).toBe(false);
  });
});

describe('a body that is compressed', () => {
  const bomb = Buffer.alloc(8 * 1024 * 1024);
  const kinds: [string, Buffer][] = [
    ['gzip', gzipSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['zstd', randomBytes(100)],
    ['identity', randomBytes(100)],
    ['gzip, gzip', gzipSync(gzipSync(bomb))],
  ];
  it.each(kinds)(
    'abuse case 9: %s is unsupported_media_type on every route',
    async (coding, body) => {
      const routes: [string, string][] = [
        [PARCELS, SINGLE_TYPE],
        [`${PARCELS}/stream`, STREAM_TYPE],
        ['/v1/lookup', 'application/sealpost-lookup'],
      ];
      for (const [path, type] of routes) {
        const headers = signedHeaders(service.url, service.a, {
          ...{ method: 'POST', path, body },
          headers: { 'content-type': type, 'content-encoding': coding },
        });
        await expectRefusal(
          await post(service, path, headers, body),
          415,
          'unsupported_media_type',
        );
      }
    },
  );
});

describe('text that is none', () => {
  /** In place of the nine octets of 买买提. */
  const FAULTS: [string, string][] = [
    ['an octet that begins nothing', 'ff'],
    ['a sequence cut short', 'e4b9'],
    ['a continuation alone', '80'],
    ['an over-long NUL', 'c080'],
    ['an over-long solidus', 'e080af'],
    ['a high surrogate', 'eda080'],
    ['a pair of surrogates', 'eda0bdedb880'],
    ['a code point beyond Unicode', 'f4908080'],
    ['NUL', '00'],
    ['a zero-width space', 'e2808b'],
    ['a right-to-left override', 'e280ae'],
    ['a private-use character', 'ee8080'],
  ];

  function faulty(hex: string): Buffer {
    const text = Buffer.from(record());
    const octets = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from('aaaaaaaaa')]);
    const at = text.indexOf('买买提');
    octets.copy(text, at, 0, 9);
    return text;
  }

  it.each(FAULTS)(
    'abuse case 14: %s is refused by a sealed answer, never an error',
    async (_name, hex) => {
      const { response, result } = await submit(
        service.url,
        service.a,
        service.edgeKey,
        faulty(hex),
      );
      expect(response.status).toBe(422);
      expect(result).toMatchObject({ outcome: OUTCOME.refused });
      expect(result?.code).toBeGreaterThan(0);
    },
  );

  it('abuse case 14: and in a stream alone, what stands beside it is stored', async () => {
    const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
    const readable = FAULTS.filter(([, hex]) => /^(00|e2|ee)/.test(hex)).map(([, hex]) =>
      faulty(hex),
    );
    const chunk = await sealChunk(stream, [record(), ...readable, record()], true);
    const { summary } = await sendStream(service.url, service.a, stream, [chunk]);
    expect(summary).toMatchObject({ complete: true, stored: 2, refused: readable.length });
    before += 2;
    await expectUndisturbed(service, before++);
  });
});
