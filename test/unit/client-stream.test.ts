import { afterEach, describe, expect, it } from 'vitest';
import { StreamIncomplete } from '../../client/errors.ts';
import {
  type ItemResult,
  type ItemSource,
  type StreamItem,
  type StreamOptions,
  streamRecords,
} from '../../client/stream.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { MAX_CHUNK_BYTES, MAX_STREAM_RECORDS } from '../../wire/limits.ts';
import { refuse } from '../support/fake-edge.ts';
import { items, StreamEdge } from '../support/stream-edge.ts';

const quick = { firstDelayMs: 1 };

function send(edge: StreamEdge, records: ItemSource<number>, options: StreamOptions<number> = {}) {
  return streamRecords(edge.client(), edge.identity, records, { ...quick, ...options });
}

function keysOf(results: ItemResult<number>[]): number[] {
  return results.map(({ key }) => key).sort((a, b) => a - b);
}

describe('packing', () => {
  it('fills chunks with whole records, at most 256 and 16 KiB', async () => {
    const edge = new StreamEdge();
    await send(edge, items(600));
    expect(edge.chunks.map((chunk) => chunk.length)).toEqual([256, 256, 88]);
    const large = new StreamEdge(1000);
    await send(large, items(40, 1000));
    expect(large.chunks.map((chunk) => chunk.length)).toEqual([16, 16, 8]);
    const whole = new StreamEdge(MAX_CHUNK_BYTES);
    await send(whole, items(2, MAX_CHUNK_BYTES));
    expect(whole.chunks).toEqual([[0], [1]]);
  });

  it('gives an item that stands alone a chunk of its own', async () => {
    const edge = new StreamEdge();
    await send(
      edge,
      items(7).map((item) => ({ ...item, alone: item.key % 3 === 1 })),
    );
    expect(edge.chunks).toEqual([[0], [1], [2, 3], [4], [5, 6]]);
  });

  it('refuses by itself what no chunk can hold', async () => {
    const edge = new StreamEdge();
    const list = items(3);
    list.splice(1, 0, { cbor: new Uint8Array(MAX_CHUNK_BYTES + 1), key: 99 });
    const { counts, results } = await send(edge, list);
    expect(counts).toMatchObject({ stored: 3, duplicate: 0, conflict: 0, refused: 1 });
    expect(results.find(({ key }) => key === 99)).toMatchObject({
      outcome: 'REFUSED',
      code: 'RECORD_TOO_LARGE',
    });
    const only = [list[1] as StreamItem<number>];
    expect((await send(edge, only)).counts.refused).toBe(1);
  });

  it('sends nothing for nothing, and several streams for many', async () => {
    const edge = new StreamEdge();
    expect(await send(edge, [])).toMatchObject({ attempts: 0, results: [] });
    expect(edge.streams).toBe(0);
    const many = await send(edge, items(MAX_STREAM_RECORDS + 1), { collect: false });
    expect(many).toMatchObject({
      attempts: 2,
      results: [],
      counts: { stored: MAX_STREAM_RECORDS + 1 },
    });
  });
});

describe('results', () => {
  it('come back with their items, whatever the outcome', async () => {
    const edge = new StreamEdge();
    const kinds = [OUTCOMES.STORED, OUTCOMES.DUPLICATE, OUTCOMES.CONFLICT, OUTCOMES.REFUSED];
    edge.onChunk = (numbers) => numbers.map((n) => kinds[n % 4] as number);
    const seen: number[] = [];
    const { counts, results } = await send(edge, items(400), {
      onResults: (batch) => void seen.push(...keysOf(batch)),
    });
    expect(counts).toMatchObject({ stored: 100, duplicate: 100, conflict: 100, refused: 100 });
    expect(keysOf(results)).toEqual(items(400).map(({ key }) => key));
    expect(seen).toHaveLength(400);
    expect(results.find(({ key }) => key === 3)).toMatchObject({
      outcome: 'REFUSED',
      code: 'BAD_ID',
    });
  });

  it('tell the progress', async () => {
    const edge = new StreamEdge();
    const progress: [number, number][] = [];
    await send(edge, items(300), {
      onProgress: ({ sent, resolved }) => void progress.push([sent, resolved]),
    });
    expect(progress.at(-1)).toEqual([300, 300]);
    expect(progress.every(([sent, resolved]) => resolved <= sent)).toBe(true);
  });
});

describe('a stream that breaks off is resumed', () => {
  it('with everything that has no opened result, under a new context', async () => {
    const edge = new StreamEdge();
    const store = edge.onChunk;
    edge.onChunk = (numbers, stream) => {
      // Stored, but the result is lost.
      if (stream < 3 && edge.chunks.length === stream + 2) {
        store(numbers, stream);
        throw new Error('reset');
      }
      return store(numbers, stream);
    };
    const { counts, results, attempts } = await send(edge, items(1500));
    expect(attempts).toBe(4);
    expect(keysOf(results)).toEqual(items(1500).map(({ key }) => key));
    expect(edge.stored.size).toBe(1500);
    expect(counts.stored + counts.duplicate).toBe(1500);
    expect(counts.duplicate).toBeGreaterThanOrEqual(256);
    const heads = edge.requests.map((request) => request.headers.get('sealpost-encapsulation'));
    expect(new Set(heads.filter((head) => head !== null)).size).toBe(4);
  });

  it('when records are to be sent again, and when the end does not say complete', async () => {
    const edge = new StreamEdge();
    const store = edge.onChunk;
    edge.onChunk = (numbers, stream) => {
      edge.complete = stream > 0;
      if (stream > 0) return store(numbers, stream);
      return numbers.map((n) => (n % 2 === 0 ? OUTCOMES.RETRY : (store([n], stream)[0] as number)));
    };
    const { counts, attempts } = await send(edge, items(100));
    expect([counts.stored, attempts]).toEqual([100, 2]);
  });

  it('until attempts in a row have brought nothing', async () => {
    const edge = new StreamEdge();
    edge.onChunk = (numbers) => numbers.map(() => OUTCOMES.RETRY);
    const failed = await send(edge, items(10), { maxAttempts: 3 }).catch((error) => error);
    expect(failed).toBeInstanceOf(StreamIncomplete);
    expect(failed).toMatchObject({ code: 'unavailable', unresolved: 10, report: { attempts: 3 } });
    expect(edge.streams).toBe(3);
  });

  it('but not when the edge refuses it', async () => {
    const edge = new StreamEdge();
    edge.handlers.set('POST /v1/parcels/stream', () => refuse('forbidden'));
    const failed = await send(edge, items(10)).catch((error) => error);
    expect(failed).toMatchObject({ code: 'forbidden', report: { attempts: 1 } });
  });

  it('and the keys are asked for again when the edge does not know the one used', async () => {
    const edge = new StreamEdge();
    const good = edge.handlers.get('POST /v1/parcels/stream');
    let calls = 0;
    edge.handlers.set('POST /v1/parcels/stream', (request, signature) => {
      return calls++ === 0
        ? refuse('unknown_key')
        : (good?.(request, signature) as Promise<Response>);
    });
    expect((await send(edge, items(10))).counts.stored).toBe(10);
    expect(edge.requests.filter(({ url }) => url.endsWith('/keys'))).toHaveLength(2);
  });

  it.each([0, 1, 100, 300])(
    'without losing what waited for a slow source, %i items in',
    async (before) => {
      const edge = new StreamEdge();
      const store = edge.onChunk;
      let cut: () => void = () => undefined;
      const wasCut = new Promise<void>((resolve) => {
        cut = resolve;
      });
      edge.onChunk = (numbers, stream) => {
        if (stream > 0) return store(numbers, stream);
        setTimeout(cut, 20);
        throw new Error('reset');
      };
      async function* source() {
        yield* items(256);
        yield* items(256 + before).slice(256);
        await wasCut;
      }
      const { results } = await send(edge, source());
      expect(keysOf(results)).toEqual(items(256 + before).map(({ key }) => key));
    },
  );

  it('and a failing source is the caller’s error', async () => {
    const edge = new StreamEdge();
    async function* source() {
      yield* items(300);
      throw new RangeError('source');
    }
    await expect(send(edge, source())).rejects.toThrow(RangeError);
  });

  it('and an abort ends it', async () => {
    const edge = new StreamEdge();
    const abort = new AbortController();
    edge.onChunk = (numbers) => numbers.map(() => OUTCOMES.RETRY);
    const sent = send(edge, items(10), { signal: abort.signal, firstDelayMs: 60_000 });
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(sent).rejects.toThrow('enough');
  });
});

describe('over HTTP/1.1', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(async () => close?.());

  async function overHttp(edge: StreamEdge) {
    const server = await edge.listen();
    close = server.close;
    return edge.client({ url: server.url, fetch: undefined });
  }

  it('results come while the request is still being made', async () => {
    const edge = new StreamEdge();
    const client = await overHttp(edge);
    const log: string[] = [];
    let answered: () => void = () => undefined;
    const results = new Promise<void>((resolve) => {
      answered = resolve;
    });
    async function* source() {
      yield* items(256);
      // The next chunk is made only when the first one's results are here.
      await results;
      log.push('more');
      yield* items(512).slice(256);
    }
    const { counts } = await streamRecords(client, edge.identity, source(), {
      onResults: (batch) => {
        log.push(`${batch.length} results`);
        answered();
      },
    });
    expect(counts.stored).toBe(512);
    expect(log).toEqual(['256 results', 'more', '256 results']);
  });

  it.each([
    ['an edge that answers at the end', { late: true }, {}],
    ['a client that sends at once', { late: false }, { fullDuplex: false }],
    ['both', { late: true }, { fullDuplex: false }],
  ])('serves %s', async (_, { late }, options) => {
    const edge = new StreamEdge(400);
    edge.late = late;
    const client = await overHttp(edge);
    const { counts } = await streamRecords(client, edge.identity, items(5000, 400), options);
    expect(counts.stored).toBe(5000);
  });

  it('goes on after the connection was cut', async () => {
    const edge = new StreamEdge(400);
    const client = await overHttp(edge);
    const store = edge.onChunk;
    edge.onChunk = (numbers, stream) => {
      if (stream < 2 && edge.chunks.length % 10 === 0) throw new Error('cut');
      return store(numbers, stream);
    };
    const { counts, attempts } = await streamRecords(
      client,
      edge.identity,
      items(3000, 400),
      quick,
    );
    expect([counts.stored + counts.duplicate, attempts]).toEqual([3000, 3]);
  });

  it('reads a refusal that comes before the request is whole', async () => {
    const edge = new StreamEdge();
    edge.handlers.set('POST /v1/parcels/stream', () => refuse('forbidden'));
    const client = await overHttp(edge);
    const sent = streamRecords(client, edge.identity, items(100_000), quick);
    await expect(sent).rejects.toMatchObject({ code: 'forbidden' });
  });
});
