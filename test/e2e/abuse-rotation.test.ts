/** A key of the edge that ends while it is in use. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectRefusal, PARCELS, post, record, rows } from '../support/abuse.ts';
import {
  encapsulate,
  fetchKeys,
  OUTCOME,
  type Result,
  sealChunk,
  submit,
} from '../support/independent-client.ts';
import { openDuplex, streamHeaders } from '../support/independent-stream.ts';
import { startTestService, type TestService } from '../support/service.ts';

/** Milliseconds that the old key has before the service starts; more of them if the machine is slow. */
const OVERLAPS_MS = [3_000, 12_000, 30_000];

let service: TestService;
let endMs: number;

beforeAll(async () => {
  for (const overlapMs of OVERLAPS_MS) {
    const now = Date.now();
    endMs = now + overlapMs;
    // `edgeKey` is the old one; `expiredKey` the one that takes its place.
    service = await startTestService({
      edgeKeys: [
        { notBefore: now - 86_400_000, notAfter: endMs },
        { notBefore: now - 1_000, notAfter: now + 86_400_000 },
      ],
    });
    if (endMs - Date.now() > overlapMs / 2) return;
    await service.stop();
  }
}, 60_000);

afterAll(() => service.stop());

const ids = async () => (await fetchKeys(service.url)).map(({ keyId }) => keyId);

describe('the overlap of two keys', () => {
  it('abuse case 7: both open until the old one ends; its open streams go on, nothing new begins under it', async () => {
    const [old, fresh] = [service.edgeKey, service.expiredKey];
    // The newest stands first: that is the one to use.
    expect(await ids()).toEqual([fresh.keyId, old.keyId]);
    for (const key of [old, fresh]) {
      const { result } = await submit(service.url, service.a, key, record());
      expect(result?.outcome).toBe(OUTCOME.stored);
    }
    const stream = await openDuplex(service.url, service.a, old);
    const answer = stream.answer();
    const outcomes = async () => {
      const results = (await (await answer).next()) as Result[];
      return results.map(({ outcome }) => outcome);
    };
    stream.write(await sealChunk(stream.encapsulation, [record()], false));
    expect(await outcomes()).toEqual([OUTCOME.stored]);
    const sealedBefore = await encapsulate(old, service.a.id, 'chunked request');
    const bodyBefore = Buffer.concat([
      sealedBefore.head,
      await sealChunk(sealedBefore, [record()], true),
    ]);
    expect(Date.now()).toBeLessThan(endMs);

    await delay(endMs - Date.now() + 50);
    expect(await ids()).toEqual([fresh.keyId]);
    const late = await submit(service.url, service.a, old, record());
    await expectRefusal(late.response, 422, 'unknown_key');
    // Sealed while the key held, posted too late.
    const headers = streamHeaders(service.url, service.a, sealedBefore.head);
    const lateStream = await post(service, `${PARCELS}/stream`, headers, bodyBefore);
    await expectRefusal(lateStream, 422, 'unknown_key');

    stream.write(await sealChunk(stream.encapsulation, [record()], false));
    expect(await outcomes()).toEqual([OUTCOME.stored]);
    stream.write(await sealChunk(stream.encapsulation, [record()], true));
    stream.end();
    expect(await outcomes()).toEqual([OUTCOME.stored]);
    expect(await (await answer).next()).toMatchObject({ complete: true, stored: 3 });

    const { result } = await submit(service.url, service.a, fresh, record());
    expect(result?.outcome).toBe(OUTCOME.stored);
    expect(await rows(service)).toBe(6);
    expect(await service.log()).toBe('');
  });
});
