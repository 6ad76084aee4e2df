/** Streams: full duplex, one bad record alone, errors on the way, clients that reset. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../wire/record.ts';
import {
  type EdgeKey,
  encapsulate,
  OUTCOME,
  problemCode,
  quicInteger,
  type Result,
  seal,
  sealChunk,
} from '../support/independent-client.ts';
import { pull } from '../support/independent-pull.ts';
import { openDuplex, sendStream } from '../support/independent-stream.ts';
import { validRecord } from '../support/records.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
/** Records stored on purpose so far. */
let stored = 0;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

const records = (count: number) =>
  Array.from({ length: count }, () => encodeRecord(validRecord(Date.now())));
const outcomes = (chunk: Result[]) => chunk.map(({ outcome }) => outcome);
const open = () => encapsulate(service.edgeKey, service.a.id, 'chunked request');
const nothing = { stored: 0, duplicate: 0, conflict: 0, refused: 0, retry: 0, checked: 0 };

async function rows(): Promise<number | undefined> {
  return (await pull(service.url, service.regulator, service.edgeSigning)).end?.rows;
}

describe('a stream', () => {
  it('that is sent before anything is read gets every result, in order', async () => {
    const stream = await open();
    const groups = Array.from({ length: 40 }, () => records(25));
    const chunks: Uint8Array[] = [];
    for (const [i, group] of groups.entries()) {
      chunks.push(await sealChunk(stream, group, i === groups.length - 1));
    }
    const answer = await sendStream(service.url, service.a, stream, chunks);
    expect(answer.response.status).toBe(200);
    expect(answer.summary).toEqual({ ...nothing, complete: true, stored: 1000 });
    const results = answer.chunks.flat();
    expect(results.map(({ id }) => id)).toEqual(
      groups.flat().map((record) => Buffer.from(record.subarray(3, 19)).toString('hex')),
    );
    expect(results.map(({ place }) => place)).toEqual(
      groups.flatMap((group, chunk) => group.map((_, i) => chunk * 256 + i)),
    );
    stored += 1000;
    expect(await rows()).toBe(stored);
  });

  it('gives results while it is still being sent', async () => {
    const stream = await openDuplex(service.url, service.a, service.edgeKey);
    const answer = stream.answer();
    for (let i = 0; i < 3; i++) {
      stream.write(await sealChunk(stream.encapsulation, records(5), false));
      const results = (await (await answer).next()) as Result[];
      expect(outcomes(results)).toEqual(Array(5).fill(OUTCOME.stored));
    }
    stream.write(await sealChunk(stream.encapsulation, [], true));
    stream.end();
    expect(await (await answer).next()).toEqual({ ...nothing, complete: true, stored: 15 });
    stored += 15;
    expect(await rows()).toBe(stored);
  });

  it('refuses one bad record alone', async () => {
    const stream = await open();
    const faulty = encodeRecord(
      validRecord(Date.now(), { carrier: 'EMS', waybill: 'RB123456786US' }),
    );
    const [first, second] = records(2) as [Uint8Array, Uint8Array];
    const chunk = await sealChunk(stream, [first, faulty, second], true);
    const { chunks, summary } = await sendStream(service.url, service.a, stream, [chunk]);
    expect(chunks[0]).toMatchObject([
      { outcome: OUTCOME.stored, code: 0 },
      { outcome: OUTCOME.refused, code: 22, field: 0x03 },
      { outcome: OUTCOME.stored, code: 0 },
    ]);
    expect(summary).toEqual({ ...nothing, complete: true, stored: 2, refused: 1 });
    stored += 2;
    expect(await rows()).toBe(stored);
  });

  it('that is sent again finds every record there', async () => {
    const group = records(10);
    for (const [outcome, count] of [
      [OUTCOME.stored, { stored: 10 }],
      [OUTCOME.duplicate, { duplicate: 10 }],
    ] as const) {
      const stream = await open();
      const chunk = await sealChunk(stream, group, true);
      const answer = await sendStream(service.url, service.a, stream, [chunk]);
      expect(outcomes(answer.chunks.flat())).toEqual(Array(10).fill(outcome));
      expect(answer.summary).toEqual({ ...nothing, complete: true, ...count });
    }
    stored += 10;
    expect(await rows()).toBe(stored);
  });

  it('that is empty is complete', async () => {
    const stream = await open();
    const chunk = await sealChunk(stream, [], true);
    const { summary } = await sendStream(service.url, service.a, stream, [chunk]);
    expect(summary).toEqual({ ...nothing, complete: true });
  });
});

type Stream = Awaited<ReturnType<typeof open>>;

describe('a stream that goes wrong keeps what was acknowledged, and says that it is not complete', () => {
  it.each<[string, (stream: Stream) => Promise<Uint8Array>]>([
    ['cut between chunks', async () => Buffer.alloc(0)],
    ['cut inside a chunk', async (s) => (await sealChunk(s, records(3), false)).subarray(0, -1)],
    [
      'cut inside its final chunk',
      async (s) => (await sealChunk(s, records(3), true)).subarray(0, -1),
    ],
    [
      'without the mark of the final chunk',
      async (s) => sealChunk(s, records(3), false).then(asFinal),
    ],
    [
      'with the final mark on another chunk',
      async (s) => sealChunk(s, records(3), true).then(asFirst),
    ],
    ['with a flipped bit', async (s) => flipped(await sealChunk(s, records(3), true))],
    [
      'with a skipped chunk',
      async (s) => seal(s, randomBytes(9)).then(() => sealChunk(s, records(3), true)),
    ],
    ['with a chunk of another stream', async () => sealChunk(await open(), records(3), true)],
    [
      'with a chunk twice',
      async (s) => sealChunk(s, records(3), false).then((c) => Buffer.concat([c, c])),
    ],
    ['with a chunk over 16 KiB', async (s) => sealChunk(s, [new Uint8Array(16_385)], false)],
    ['with a length of eight octets', async () => Buffer.alloc(9000, 0xff)],
    ['with an empty chunk on the way', async (s) => sealChunk(s, [], false)],
    ['with octets behind its end', async (s) => sealChunk(s, records(3), true).then(longer)],
  ])('abuse case 15: %s', async (name, rest) => {
    const stream = await open();
    const first = await sealChunk(stream, records(4), false);
    const answer = await sendStream(service.url, service.a, stream, [first, await rest(stream)]);
    const kept = name === 'with a chunk twice' ? 7 : 4;
    expect(answer.response.status).toBe(200);
    expect(outcomes(answer.chunks.flat())).toEqual(Array(kept).fill(OUTCOME.stored));
    expect(answer.summary).toEqual({ ...nothing, complete: false, stored: kept });
    stored += kept;
    expect(await rows()).toBe(stored);
  });

  it('abuse case 15: even when 8 MiB follow that nobody will open', async () => {
    const stream = await open();
    const first = await sealChunk(stream, records(4), false);
    const chunks = [first, quicInteger(100), randomBytes(8 * 1024 * 1024)];
    const answer = await sendStream(service.url, service.a, stream, chunks);
    expect(answer.summary).toEqual({ ...nothing, complete: false, stored: 4 });
    stored += 4;
  });

  const asFinal = (chunk: Buffer) => Buffer.concat([Buffer.of(0), chunk.subarray(2)]);
  const asFirst = (chunk: Buffer) =>
    Buffer.concat([quicInteger(chunk.length - 1), chunk.subarray(1)]);
  const longer = (chunk: Buffer) => Buffer.concat([chunk, Buffer.of(0)]);
  const flipped = (chunk: Buffer) => {
    chunk[40] = (chunk[40] as number) ^ 1;
    return chunk;
  };
});

describe('a stream that never starts', () => {
  it.each<[number, string, string, (stream: Stream) => Promise<Stream>]>([
    [422, 'unknown_key', 'to an unknown key', () => openFor({ ...service.edgeKey, keyId: 9 })],
    [422, 'unknown_key', 'to an expired key', () => openFor(service.expiredKey)],
    [422, 'unsupported_suite', 'of another suite', async (s) => withHead(s, changed(s.head, 6))],
    [422, 'decrypt_failed', 'with the all-zero key', async (s) => withHead(s, zeroKey(s.head))],
    [
      401,
      'signature_invalid',
      'shorter than hdr and enc',
      async (s) => withHead(s, s.head.subarray(1)),
    ],
  ])('abuse case 2, 5, 6: %i %s: %s', async (status, code, _name, change) => {
    const stream = await change(await open());
    const { response } = await sendStream(service.url, service.a, stream, []);
    expect(await problemCode(response)).toBe(code);
    expect(response.status).toBe(status);
  });

  it.each<[number, string, string, (stream: Stream) => Promise<Uint8Array>]>([
    [400, 'malformed_request', 'without a chunk', async () => Buffer.alloc(0)],
    [400, 'malformed_request', 'cut inside its first chunk', async () => quicInteger(100)],
    [400, 'malformed_request', 'that begins with an empty chunk', (s) => sealChunk(s, [], false)],
    [
      413,
      'too_large',
      'with a chunk over 16 KiB',
      (s) => sealChunk(s, [Buffer.alloc(16_385)], false),
    ],
    [422, 'decrypt_failed', 'that does not open', async () => Buffer.alloc(300)],
    [
      422,
      'decrypt_failed',
      'of another stream',
      async () => sealChunk(await open(), records(1), true),
    ],
  ])('abuse case 15: %i %s: %s', async (status, code, _name, firstChunk) => {
    const stream = await open();
    const { response } = await sendStream(service.url, service.a, stream, [
      await firstChunk(stream),
    ]);
    expect(await problemCode(response)).toBe(code);
    expect(response.status).toBe(status);
    expect(await rows()).toBe(stored);
  });

  it('by a regulator: 403 forbidden', async () => {
    const stream = await open();
    const { response } = await sendStream(service.url, service.regulator, stream, []);
    expect(await problemCode(response)).toBe('forbidden');
  });

  const openFor = (key: EdgeKey) => encapsulate(key, service.a.id, 'chunked request');
  const withHead = (stream: Stream, head: Buffer): Stream => ({ ...stream, head });
  const zeroKey = (head: Buffer) => Buffer.concat([head.subarray(0, 7), Buffer.alloc(32)]);
  const changed = (bytes: Buffer, at: number) => {
    bytes[at] = (bytes[at] as number) ^ 0x10;
    return bytes;
  };
});

describe('clients that reset', () => {
  it('leave their committed records and a service that goes on', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream = await openDuplex(service.url, service.a, service.edgeKey);
        const answer = stream.answer();
        stream.write(await sealChunk(stream.encapsulation, records(2), false));
        expect(outcomes((await (await answer).next()) as Result[])).toHaveLength(2);
        stream.write((await sealChunk(stream.encapsulation, records(2), false)).subarray(0, 100));
        stream.reset();
        await stream.response.catch(() => {});
      }),
    );
    stored += 40;
    expect(await rows()).toBe(stored);
    const stream = await open();
    const chunk = await sealChunk(stream, records(1), true);
    const { summary } = await sendStream(service.url, service.a, stream, [chunk]);
    expect(summary).toEqual({ ...nothing, complete: true, stored: 1 });
    stored += 1;
  });
});

describe('limits', () => {
  it('abuse case 8: hold at 65,536 records: the rest is not stored, and memory stays bounded', async () => {
    const stream = await open();
    // Refused records cost least: an empty map is the smallest item of a sequence.
    const full = Array.from({ length: 256 }, () => Uint8Array.of(0xa0));
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < 256; i++) chunks.push(await sealChunk(stream, full, false));
    chunks.push(await sealChunk(stream, records(1), true));
    const answer = await sendStream(service.url, service.a, stream, chunks);
    expect(answer.summary).toEqual({ ...nothing, complete: false, refused: 65_536 });
    expect(await rows()).toBe(stored);
  }, 30_000);

  it('keep the process small', () => {
    // Not a number where the system does not tell.
    expect(service.peakRssMb() > 512).toBe(false);
  });

  it('and all of this wrote nothing to the log', async () => {
    expect(await service.log()).toBe('');
  });
});
