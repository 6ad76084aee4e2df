/** Streams in bulk: items in blocks, and results of which only some are asked for. */
import { describe, expect, it } from 'vitest';
import { ItemQueue, PendingItems } from '../../client/packing.ts';
import { type ItemResult, type StreamItem, streamRecords } from '../../client/stream.ts';
import { OUTCOMES, REFUSALS } from '../../wire/codes.ts';
import { items, StreamEdge } from '../support/stream-edge.ts';

const quick = { firstDelayMs: 1 };

function blocksOf<T>(list: readonly T[], size: number): T[][] {
  const blocks: T[][] = [];
  for (let at = 0; at < list.length; at += size) blocks.push(list.slice(at, at + size));
  return blocks;
}

async function* later<T>(list: readonly T[]): AsyncGenerator<T> {
  for (const item of list) {
    await Promise.resolve();
    yield item;
  }
}

const SOURCES: [string, (list: StreamItem<number>[]) => Parameters<typeof streamRecords>[2]][] = [
  ['one by one', (list) => list],
  ['one by one, with waiting', later],
  ['blocks of 1', (list) => blocksOf(list, 1)],
  ['blocks of 64', (list) => blocksOf(list, 64)],
  ['blocks of 257, with waiting', (list) => later(blocksOf(list, 257))],
  ['all at once', (list) => [list]],
  [
    'blocks and single items mixed',
    (list) => [list.slice(0, 9), ...list.slice(9, 20), list.slice(20)],
  ],
  ['blocks with empty ones between', (list) => [[], list.slice(0, 5), [], list.slice(5), []]],
];

describe.each(SOURCES)('%s', (_, source) => {
  it('is sent as one after the other', async () => {
    const edge = new StreamEdge();
    const { counts } = await streamRecords(edge.client(), edge.identity, source(items(700)), quick);
    expect(counts.stored).toBe(700);
    expect(edge.chunks.map(({ length }) => length)).toEqual([256, 256, 188]);
    expect(edge.chunks.flat()).toEqual(Array.from({ length: 700 }, (_, i) => i));
  });

  it('is sent again as far as it has no result, and each item has one in the end', async () => {
    const edge = new StreamEdge(400);
    const store = edge.onChunk;
    edge.onChunk = (numbers, stream) => {
      if (stream < 3 && edge.chunks.length % 7 === 0) throw new Error('cut');
      return numbers.map((n) =>
        n % 5 === stream ? OUTCOMES.RETRY : (store([n], stream)[0] as number),
      );
    };
    const seen: number[] = [];
    const { counts, results } = await streamRecords(
      ...([edge.client(), edge.identity, source(items(1000, 400))] as const),
      {
        ...quick,
        maxAttempts: 20,
        onResults: (batch) => void seen.push(...(batch.map(({ key }) => key) as number[])),
      },
    );
    expect(counts.stored + counts.duplicate).toBe(1000);
    expect([...edge.stored.keys()].sort((a, b) => a - b)).toEqual(
      items(1000).map(({ key }) => key),
    );
    expect(seen.sort((a, b) => a - b)).toEqual(items(1000).map(({ key }) => key));
    expect(results).toHaveLength(1000);
  });
});

describe('results', () => {
  /** Each tenth refused, each tenth in conflict, each tenth stored with a code. */
  function edgeOfKinds(): StreamEdge {
    const edge = new StreamEdge();
    const kinds = [OUTCOMES.REFUSED, OUTCOMES.CONFLICT, OUTCOMES.DUPLICATE, OUTCOMES.CHECKED];
    edge.onChunk = (numbers) => numbers.map((n) => kinds[n % 10] ?? OUTCOMES.STORED);
    edge.code = (outcome) =>
      outcome === OUTCOMES.REFUSED || outcome === OUTCOMES.CHECKED ? REFUSALS.BAD_ID : 0;
    return edge;
  }

  it('only of those that need a look, while all are counted', async () => {
    const edge = edgeOfKinds();
    const told: ItemResult<number>[] = [];
    const report = await streamRecords(edge.client(), edge.identity, items(1000), {
      ...{ tell: 'faults', onResults: (batch) => void told.push(...batch) },
    });
    expect(report.counts).toEqual({
      ...{ stored: 600, duplicate: 100, conflict: 100, refused: 100, checked: 100 },
    });
    expect(report.flagged).toBe(100);
    expect(told.map(({ outcome, code }) => `${outcome} ${code ?? ''}`).sort()).toEqual([
      ...Array(100).fill('CHECKED BAD_ID'),
      ...Array(100).fill('CONFLICT '),
      ...Array(100).fill('REFUSED BAD_ID'),
    ]);
    expect(report.results).toEqual(told);
  });

  it('of none when nobody asks', async () => {
    const edge = edgeOfKinds();
    const progress: number[] = [];
    const report = await streamRecords(edge.client(), edge.identity, items(1000), {
      ...{ collect: false, onProgress: ({ resolved }) => progress.push(resolved) },
    });
    expect(report.counts.stored).toBe(600);
    expect(report.results).toEqual([]);
    expect(progress.at(-1)).toBe(1000);
  });

  it('of an unknown outcome end it, and nothing of that chunk counts', async () => {
    const edge = new StreamEdge();
    edge.onChunk = (numbers) => numbers.map((n) => (n === 300 ? 99 : OUTCOMES.STORED));
    const sent = streamRecords(edge.client(), edge.identity, items(600), quick);
    await expect(sent).rejects.toMatchObject({
      ...{ code: 'bad_answer', report: { counts: { stored: 256 } } },
    });
  });

  it('of places that were never sent, or twice, count for nothing; those items are sent again', async () => {
    const edge = new StreamEdge();
    edge.place = (place) => (place === 3 ? 2 : place === 4 ? 9999 : place);
    const { counts, attempts, results } = await streamRecords(
      ...([edge.client(), edge.identity, items(6), quick] as const),
    );
    expect([counts.stored, counts.duplicate, attempts]).toEqual([4, 2, 2]);
    expect(results.map(({ key }) => key)).toEqual([0, 1, 2, 5, 3, 4]);
  });
});

describe('several streams at once', () => {
  it('each have their own keys and results', async () => {
    const edges = Array.from({ length: 6 }, () => new StreamEdge(100));
    const reports = await Promise.all(
      edges.map((edge, i) =>
        streamRecords(edge.client(), edge.identity, blocksOf(items(500 + i, 100), 50), quick),
      ),
    );
    expect(reports.map(({ counts }) => counts.stored)).toEqual([500, 501, 502, 503, 504, 505]);
  });
});

describe('ItemQueue', () => {
  it('puts items back before those that wait and those to come', async () => {
    const queue = new ItemQueue(blocksOf(items(10_000), 100));
    await queue.peek(4999);
    queue.take(4500);
    queue.putBack(items(3));
    const order: number[] = [];
    for (let item = await queue.peek(); item; item = await queue.peek()) {
      order.push(item.key);
      queue.take(1);
    }
    expect(order).toEqual([
      0,
      1,
      2,
      ...items(10_000)
        .slice(4500)
        .map(({ key }) => key),
    ]);
    expect(queue.waiting).toBe(0);
  });

  it('ends with a source that fails, after what it gave', async () => {
    function* source() {
      yield items(2);
      throw new Error('source');
    }
    const queue = new ItemQueue(source());
    expect((await queue.peek(1))?.key).toBe(1);
    expect(() => queue.peek(2)).toThrow('source');
    expect(queue.peek(2)).toBeUndefined();
  });
});

describe('PendingItems', () => {
  it('gives each item once, and in the end what is left in its order', () => {
    const pending = new PendingItems<number>();
    pending.add(items(256));
    pending.add(items(3));
    expect(pending.take(0)?.key).toBe(0);
    expect(pending.take(0)).toBeUndefined();
    expect(pending.take(256 + 2)?.key).toBe(2);
    expect(pending.take(256 + 3)).toBeUndefined();
    expect(pending.take(512)).toBeUndefined();
    expect(pending.take(0xffff_ffff)).toBeUndefined();
    const keys = items(256).map(({ key }) => key);
    expect(pending.rest().map(({ key }) => key)).toEqual([...keys.slice(1), 0, 1]);
  });
});
