/**
 * Case 5: streams that are reset in the middle of a chunk. What is searched is all memory of the workerd process that the test has
 * started: each stream's keys as the client computed them, and what stood in its records.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import { inParallel, PARCELS, RawConnection, requestHead, rows } from '../support/abuse.ts';
import { MEMORY_SHOWS, type Pattern, scanMemory } from '../support/abuse-memory.ts';
import {
  type Encapsulation,
  encapsulate,
  OUTCOME,
  quicInteger,
  sealChunk,
  submit,
} from '../support/independent-client.ts';
import { streamHeaders } from '../support/independent-stream.ts';
import { validRecord } from '../support/records.ts';
import { startTestService, type TestService } from '../support/service.ts';

const STREAMS = 1_000;
const PATIENCE = 500;

let service: TestService;

beforeAll(async () => {
  const wait = String(PATIENCE);
  service = await startTestService({ vars: { SEALPOST_STREAM_IDLE_MS: wait } });
});

afterAll(() => service.stop());

/** Somebody who stands in no other record. */
function marked(number: number): ParcelRecord {
  const record = validRecord(Date.now());
  const place = `贵州省贵阳市南明区${number}号鸿基大厦${number * 7}室`;
  const phone = `139${String(10_000_000 + number * 7).padStart(8, '0')}`;
  return { ...record, recipient: { ...record.recipient, address: place, phone } };
}

function textsOf({ recipient }: ParcelRecord): Pattern[] {
  return [recipient.address, recipient.phone].flatMap((text) => [
    { name: 'plaintext', bytes: Buffer.from(text) },
    { name: 'plaintext', bytes: Buffer.from(text, 'utf16le') },
  ]);
}

/** What a context derives (RFC 9180 section 5.1), which its package does not give out. */
interface Derived {
  _ctx: { key: { _key: Uint8Array }; baseNonce: Uint8Array };
  exporterSecret: ArrayBuffer;
}

/** The secrets of a stream, whole and in halves; the key also as four blocks at once hold it, each word four times. */
async function keysOf({ context, responseLabel }: Encapsulation): Promise<Pattern[]> {
  const { _ctx, exporterSecret } = context as unknown as Derived;
  const label = new TextEncoder().encode(responseLabel);
  const secrets: [string, Uint8Array][] = [
    ['stream key', _ctx.key._key],
    ['exporter secret', new Uint8Array(exporterSecret)],
    ['answer secret', new Uint8Array(await context.export(label, 32))],
  ];
  return [
    { name: 'base nonce', bytes: new Uint8Array(_ctx.baseNonce) },
    { name: 'stream key, spread', bytes: spread(_ctx.key._key) },
    ...secrets.flatMap(([name, secret]) => [
      { name, bytes: secret.subarray(0, 16) },
      { name, bytes: secret.subarray(16) },
    ]),
  ];
}

function spread(key: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => key[4 * Math.floor(i / 16) + (i % 4)] as number);
}

describe.runIf(MEMORY_SHOWS)(`${STREAMS} streams that are reset in the middle of a chunk`, () => {
  it('case 5: leave no key and no plaintext in memory, after one call past the deadline', async () => {
    const patterns: Pattern[] = [];
    let answered = 0;
    await inParallel([...Array(STREAMS).keys()], async (number) => {
      const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
      const sent = marked(number);
      patterns.push(...(await keysOf(stream)), ...textsOf(sent));
      const first = await sealChunk(stream, [encodeRecord(sent)], false);
      // The length of a second chunk, and half of it.
      const second = Buffer.concat([quicInteger(400), randomBytes(200)]);
      const connection = new RawConnection(service);
      const head = requestHead('POST', `${PARCELS}/stream`, service, [
        ...Object.entries(streamHeaders(service.url, service.a, stream.head)),
        ['content-length', '1000000'],
      ]);
      connection.send(Buffer.concat([head, stream.head, first, second]));
      // Half of them at once, the others when their answer has begun.
      if (number % 2 === 0 && (await connection.begun())) answered++;
      connection.close();
    });
    expect(answered).toBe(STREAMS / 2);
    await delay(PATIENCE + 100);
    const last = await submit(
      service.url,
      service.a,
      service.edgeKey,
      encodeRecord(validRecord(Date.now())),
    );
    expect(last.result?.outcome).toBe(OUTCOME.stored);

    // The search finds what is there: the edge's own key stands in the module's memory, and must.
    const { secret } = service.edgeKey as unknown as { secret: { privateKey: string } };
    const own = { name: 'the edge’s key', bytes: Buffer.from(secret.privateKey, 'base64url') };
    const { octets, hits } = scanMemory(service.pid(), [...patterns, own]);
    expect(octets).toBeGreaterThan(32 * 1024 * 1024);
    expect(new Set(hits.map(({ name }) => name))).toEqual(new Set([own.name]));
    expect(await rows(service)).toBeGreaterThan(STREAMS / 2);
    expect(await service.log()).toBe('');
  });
});
