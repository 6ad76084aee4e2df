/** Abuse of the transport: submissions replayed, cut, flipped, sealed to other keys, chunks out of order, on the real service. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  distinct,
  expectRefusal,
  expectUndisturbed,
  inParallel,
  PARCELS,
  post,
  RawConnection,
  rawRequest,
  record,
  requestHead,
  rows,
  sealedSingle,
  signedSingle,
} from '../support/abuse.ts';
import {
  encapsulate,
  OUTCOME,
  openParcel,
  sealChunk,
  submit,
} from '../support/independent-client.ts';
import { pull } from '../support/independent-pull.ts';
import { sendStream, streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let before: number;

beforeAll(async () => {
  service = await startTestService();
  before = 0;
});

afterAll(() => service.stop());

describe('a submission that is sent again', () => {
  const plaintext = record();

  it('abuse case 1: 200 times, on the same and on other connections, is one row with one result', async () => {
    const sealed = await sealedSingle(service, service.a, plaintext);
    const first = await sealed.send();
    expect(first.result?.outcome).toBe(OUTCOME.stored);
    const head = requestHead('POST', PARCELS, service, [
      ...Object.entries(sealed.headers),
      ['content-length', String(sealed.body.length)],
    ]);
    const same = new RawConnection(service);
    for (let i = 0; i < 50; i++) {
      same.send(Buffer.concat([head, sealed.body]));
      expect((await same.answer())?.status).toBe(200);
    }
    same.close();
    const others = await Promise.all(
      Array.from({ length: 50 }, () => rawRequest(service, head, sealed.body)),
    );
    expect(others.map((response) => response?.status)).toEqual(Array(50).fill(200));
    const pooled = await Promise.all(Array.from({ length: 100 }, () => sealed.send()));
    for (const { result, masked } of pooled) {
      expect(result).toEqual({ ...first.result, outcome: OUTCOME.duplicate });
      expect(masked).toEqual(first.masked);
    }
    expect(await rows(service)).toBe(before + 1);
  });

  it('abuse case 1: under its id with other content is a conflict, and the first row stays', async () => {
    const changed = Buffer.from(
      Buffer.from(plaintext).toString('latin1').replace('GY-0012', 'GY-0013'),
      'latin1',
    );
    const conflict = await submit(service.url, service.a, service.edgeKey, changed);
    expect(conflict.response.status).toBe(409);
    expect(conflict.result?.outcome).toBe(OUTCOME.conflict);
    const pulled = await pull(service.url, service.regulator, service.edgeSigning);
    const parcel = pulled.rows.at(-1)?.parcel as Buffer;
    const epoch = pulled.epochs.get(parcel.toString('hex', 10, 26)) as Buffer;
    const opened = await openParcel(epoch, parcel, service.regulator.reader);
    expect(opened).toEqual(Buffer.from(plaintext));
    expect(pulled.end?.rows).toBe(before + 1);
  });

  it('abuse case 1: as a whole stream is told to be there already', async () => {
    const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
    const chunks = [await sealChunk(stream, [record(), record()], false)];
    chunks.push(await sealChunk(stream, [], true));
    const body = Buffer.concat([stream.head, ...chunks]);
    const headers = streamHeaders(service.url, service.a, stream.head);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(service, `${PARCELS}/stream`, headers, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const sizes = await Promise.all(
      answers.map(async (one) => (await one.arrayBuffer()).byteLength),
    );
    expect(new Set(sizes).size).toBe(1);
    before = await rows(service);
    expect(before).toBe(3);
  });
});

describe('a key id that is not offered', () => {
  it('abuse case 2: whichever it is, is unknown_key in one form, and no key is tried blindly', async () => {
    const sealed = await sealedSingle(service);
    const ids = [0, 255, ...Array.from({ length: 64 }, (_, i) => 2 + 4 * i)].filter(
      (id) => id !== 1,
    );
    const shapes = await inParallel(ids, async (id) => {
      const body = Buffer.from(sealed.body);
      body[0] = id;
      const headers = signedSingle(service, service.a, body);
      return expectRefusal(await post(service, PARCELS, headers, body), 422, 'unknown_key');
    });
    expect(distinct(shapes)).toBe(1);
    await expectUndisturbed(service, before++);
  });
});

describe('a body that is not as it was sealed', () => {
  it('abuse case 3: cut anywhere, or changed anywhere, is decrypt_failed in one form', async () => {
    const { body } = await sealedSingle(service);
    const cuts = Array.from({ length: body.length - 39 }, (_, i) => body.subarray(0, 39 + i));
    const flips = Array.from({ length: body.length - 7 }, (_, i) => {
      const changed = Buffer.from(body);
      const at = 7 + i;
      changed[at] = (changed[at] as number) ^ (1 << (randomBytes(1).readUInt8() & 7));
      return changed;
    });
    const sampled = [...cuts, ...flips].filter((_, i) => i % 3 === 0);
    const shapes = await inParallel(sampled, async (changed) => {
      const headers = signedSingle(service, service.a, changed);
      return expectRefusal(await post(service, PARCELS, headers, changed), 422, 'decrypt_failed');
    });
    expect(shapes.length).toBeGreaterThan(200);
    expect(distinct(shapes)).toBe(1);
    await expectUndisturbed(service, before++);
  });

  it('abuse case 3: cut inside its head, is not what was signed', async () => {
    const { body } = await sealedSingle(service);
    const shapes = await inParallel([...Array(39).keys()], async (length) => {
      const cut = body.subarray(0, length);
      const response = await post(service, PARCELS, signedSingle(service, service.a, cut), cut);
      return expectRefusal(response, 401, 'signature_invalid');
    });
    expect(distinct(shapes)).toBe(1);
    await expectUndisturbed(service, before++);
  });
});

describe('a stream whose chunks come in another order', () => {
  it.each([
    ['the last two exchanged', [0, 1, 3, 2]],
    ['the second one left out', [0, 2, 3]],
    ['the second one twice', [0, 1, 1, 2, 3]],
    ['the first one again at the end', [0, 1, 2, 0, 3]],
  ])(
    'abuse case 4: %s: what was acknowledged stays, nothing behind it opens',
    async (_name, order) => {
      const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
      const chunks: Buffer[] = [];
      for (const i of [0, 1, 2, 3]) chunks.push(await sealChunk(stream, [record()], i === 3));
      const sent = order.map((i) => chunks[i] as Buffer);
      const { summary } = await sendStream(service.url, service.a, stream, sent);
      const kept = order.findIndex((chunk, place) => chunk !== place);
      expect(summary).toMatchObject({ complete: false, stored: kept });
      before += kept;
      expect(await rows(service)).toBe(before);
    },
  );
});
