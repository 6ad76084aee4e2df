/**
 * Streams tampered with after the model of a public suite (c2sp.org/chunked-encryption, Wycheproof): for each of its cases the same is
 * done to a stream of ours, and must come out the same.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PARCELS, post, record, rows } from '../support/abuse.ts';
import {
  type Encapsulation,
  encapsulate,
  problemCode,
  quicInteger,
  sealChunk,
} from '../support/independent-client.ts';
import { readAnswer, streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestParty, type TestService } from '../support/service.ts';
import { describeVectors } from '../support/vectors.ts';

interface Suite {
  testGroups: { tests: { tcId: number; result: 'valid' | 'invalid'; comment: string }[] }[];
}

let service: TestService;
let stored = 0;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

/** Chunks of one stream, sealed in order: numbers of records; the last one is the final chunk. */
type Made = { head: Buffer; chunks: Buffer[]; encapsulation: Encapsulation };

async function stream(counts: number[], party: TestParty = service.a): Promise<Made> {
  const encapsulation = await encapsulate(service.edgeKey, party.id, 'chunked request');
  const chunks: Buffer[] = [];
  for (const [i, count] of counts.entries()) {
    const records = Array.from({ length: count }, () => record());
    chunks.push(await sealChunk(encapsulation, records, i === counts.length - 1));
  }
  return { head: encapsulation.head, chunks, encapsulation };
}

/** Smallest records, one a chunk, none of which is acceptable: only the chunks count. */
async function long(chunkCount: number): Promise<Made> {
  const encapsulation = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
  const chunks: Buffer[] = [];
  for (let i = 0; i <= chunkCount; i++) {
    chunks.push(await sealChunk(encapsulation, [Uint8Array.of(0xa0)], i === chunkCount));
  }
  return { head: encapsulation.head, chunks, encapsulation };
}

const flip = (bytes: Buffer | undefined, at: number) => {
  const changed = Buffer.from(bytes ?? []);
  const place = at < 0 ? changed.length + at : at;
  changed[place] = (changed[place] as number) ^ 0x40;
  return changed;
};

interface Sent extends Made {
  /** hdr ‖ enc as signed, when it is not what the body begins with. */
  signed?: Buffer;
  by?: TestParty;
}

/** What came of a stream: `complete`, or the records stored before it broke, or the refusal of the whole. */
async function outcome({ head, chunks, encapsulation, signed = head, by = service.a }: Sent) {
  const body = Buffer.concat([head, ...chunks]);
  const headers = streamHeaders(service.url, by, signed);
  const response = await post(service, `${PARCELS}/stream`, headers, body);
  if (!response.ok) return `${response.status} ${await problemCode(response)}`;
  const { summary } = await readAnswer(response, encapsulation);
  stored += summary?.stored ?? 0;
  return summary?.complete ? 'complete' : `broken, ${summary?.stored} stored`;
}

type Row = [expected: string, make: () => Promise<Sent>];
const change =
  (made: Promise<Made>, by: (chunks: Buffer[], made: Made) => Buffer[]) => async () => {
    const all = await made;
    return { ...all, chunks: by(all.chunks, all) };
  };
const good = (counts: number[]): Row => ['complete', () => stream(counts)];
const bad = (expected: string, counts: number[], by: Parameters<typeof change>[1]): Row => [
  expected,
  () => change(stream(counts), by)(),
];
const cutHead = (length: number): Row => [
  '401 signature_invalid',
  async () => {
    const { head, encapsulation } = await stream([1]);
    return { head: head.subarray(0, length), chunks: [], encapsulation };
  },
];

/** By the number of the suite's case. */
const COUNTERPARTS: Record<number, Row> = {
  1: good([0]),
  2: good([1]),
  3: good([3, 1]),
  4: good([3, 3, 0]),
  5: good([3, 3, 1]),
  6: good([3, 0]),
  7: ['complete', () => long(256)],
  8: ['complete', () => long(257)],
  // The context of a stream is its label, its head and the party: another party's holds as well.
  9: ['complete', async () => ({ ...(await stream([1], service.b)), by: service.b })],
  10: ['complete', async () => ({ ...(await stream([1], service.plain)), by: service.plain })],
  11: bad('422 decrypt_failed', [1], ([one]) => [flip(one, 20)]),
  12: bad('broken, 3 stored', [3, 1], ([one, two]) => [one as Buffer, flip(two, 20)]),
  13: bad(
    'broken, 3 stored',
    [3, 3, 0],
    ([one, two, end]) => [one, flip(two, 20), end] as Buffer[],
  ),
  14: bad('broken, 3 stored', [3, 0], ([one, end]) => [one as Buffer, flip(end, -1)]),
  15: bad('422 decrypt_failed', [3, 1], ([one, two]) => [flip(one, 20), two as Buffer]),
  16: bad('422 decrypt_failed', [1], ([one]) => [(one as Buffer).subarray(0, -16)]),
  17: bad('400 malformed_request', [1], ([one]) => [(one as Buffer).subarray(0, 12)]),
  18: bad('broken, 3 stored', [3, 1], (all) => [...all, randomBytes(20)]),
  19: bad('broken, 3 stored', [3, 1], (all) => [...all, randomBytes(12)]),
  20: bad('400 malformed_request', [1], () => []),
  // There is no commitment beside the context itself; the nearest is another key of the same id.
  21: ['422 decrypt_failed', () => sealedTo({ ...service.expiredKey, keyId: 1 })],
  22: ['422 decrypt_failed', () => sealedTo({ ...service.expiredKey, keyId: 1 })],
  // The size of a key follows from the suite. What can be of another size is enc: then nothing stands where it should.
  23: ['422 decrypt_failed', () => withEnc((enc) => enc.subarray(1))],
  24: ['422 decrypt_failed', () => withEnc((enc) => Buffer.concat([enc, Buffer.of(0)]))],
  25: ['422 decrypt_failed', async () => ({ ...(await stream([1], service.b)), by: service.a })],
  26: ['422 decrypt_failed', () => withEnc((enc) => flip(enc, 3))],
  27: cutHead(0),
  28: cutHead(7),
  29: cutHead(30),
  30: cutHead(3),
  31: bad('broken, 3 stored', [3, 0], ([one]) => [one as Buffer]),
  32: bad('broken, 3 stored', [3, 3, 0], ([one, two]) => [one, two?.subarray(0, 200)] as Buffer[]),
  33: bad('422 decrypt_failed', [3, 3, 1], ([one, two, end]) => [two, one, end] as Buffer[]),
  34: bad('broken, 3 stored', [3, 3, 1], ([one, , end]) => [one, one, end] as Buffer[]),
  35: [
    'broken, 3 stored',
    async () => {
      const made = await stream([3, 1]);
      // The next one of the same context, rightly sealed, behind the end.
      const extra = await sealChunk(made.encapsulation, [record()], true);
      return { ...made, chunks: [...made.chunks, quicInteger(0), extra.subarray(1)] };
    },
  ],
};

async function sealedTo(key: TestService['edgeKey']): Promise<Sent> {
  const encapsulation = await encapsulate(key, service.a.id, 'chunked request');
  const chunks = [await sealChunk(encapsulation, [record()], true)];
  return { head: encapsulation.head, chunks, encapsulation };
}

/** With another enc in the body, and the signature over what the body begins with. */
async function withEnc(change: (enc: Buffer) => Buffer): Promise<Sent> {
  const made = await stream([1]);
  const head = Buffer.concat([made.head.subarray(0, 7), change(made.head.subarray(7))]);
  const body = Buffer.concat([head, ...made.chunks]);
  return { ...made, head: body.subarray(0, 39), chunks: [frameRest(body.subarray(39))] };
}

/** What is left, framed as a chunk of its own length, so that only its content is wrong. */
function frameRest(rest: Buffer): Buffer {
  const sealed = rest.subarray(1);
  return Buffer.concat([quicInteger(sealed.length), sealed]);
}

describeVectors<Suite>('wycheproof_c2sp_chunked_encryption_aes_256_gcm.json', ({ testGroups }) => {
  const cases = testGroups.flatMap(({ tests }) => tests);

  it('abuse case 15: has a counterpart for each of the 35 cases', () => {
    expect(cases.map(({ tcId }) => String(tcId))).toEqual(Object.keys(COUNTERPARTS));
  });

  it.each(cases)('abuse case 15: $tcId, $comment: $result', async ({ tcId, result }) => {
    const [expected, make] = COUNTERPARTS[tcId] as Row;
    expect(expected === 'complete').toBe(result === 'valid');
    expect(await outcome(await make())).toBe(expected);
  });

  it('abuse case 15: and exactly what was acknowledged is stored', async () => {
    expect(await rows(service)).toBe(stored);
    expect(await service.log()).toBe('');
  });
});
