/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrate } from '../../db/d1/migrate.ts';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import { MAX_COMMIT_RECORDS, StoreFullError } from '../../db/parcels.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import {
  CommitQueue,
  FIRST_PAUSE_MS,
  GATHER_MS,
  MAX_QUEUED_BYTES,
  MAX_TRIES,
} from '../../worker/src/commit-queue.ts';
import { FILL_AFTER_MS, type IndexFiller } from '../../worker/src/index-filler.ts';
import type { Writer } from '../../worker/src/writer.ts';
import { makeRecord, makeRecords, Packer, random } from '../support/batch.ts';
import { type Fate, FaultyStore } from './faulty-store.ts';

const { DB, WRITER, INDEX_FILLER } = env as unknown as {
  DB: D1Database;
  WRITER: DurableObjectNamespace<Writer>;
  INDEX_FILLER: DurableObjectNamespace<IndexFiller>;
};
const { STORED, DUPLICATE, RETRY } = OUTCOMES;
const CITY = 520100;

beforeAll(() => migrate(DB));
afterEach(() => vi.useRealTimers());

/** A queue on D1 with a clock that does not wait. @param gather it ends gathering only when it is told to */
function setUp(fates: readonly Fate[] = [], gather = false) {
  const d1 = new D1ParcelStore(DB);
  const store = new FaultyStore(d1, fates);
  const packer = new Packer(CITY, random(16));
  const key = { node: 'n-1', city: CITY, enterprise: packer.enterprise };
  const pauses: number[] = [];
  const gathering: (() => void)[] = [];
  const counted = { commits: 0 };
  const clock = {
    now: () => 1_793_491_200_000,
    sleep: async (ms: number) => {
      if (ms !== GATHER_MS) pauses.push(ms);
      else if (gather) await new Promise<void>((resolve) => gathering.push(resolve));
    },
  };
  const queue = new CommitQueue(store, clock, () => {
    counted.commits++;
  });
  const append = async (records = makeRecords(1)) => [
    ...(await queue.append(key, packer.epochs, packer.pack(records).batch)),
  ];
  const stored = async () => (await d1.counts(key, 0, 30_000)).reduce((n, c) => n + c.records, 0);
  return { d1, store, packer, key, queue, append, stored, pauses, gathering, counted };
}

describe('CommitQueue', () => {
  it('groups the batches that wait while a commit is under way', async () => {
    const { store, append, d1, key, counted } = setUp();
    const release = store.hold();
    const answers = [1, 2, 3, 4].map((size) => append(makeRecords(size)));
    release();
    expect((await Promise.all(answers)).map((outcomes) => outcomes.length)).toEqual([1, 2, 3, 4]);
    expect(store.appends.map(({ batches }) => batches.length)).toEqual([1, 3]);
    expect((await d1.heads(key))[0]?.sequence).toBe(2);
    expect(counted.commits).toBe(2);
  });

  it('bounds a commit', async () => {
    const { store, append } = setUp();
    const release = store.hold();
    const sizes = [1, 256, 256, 256, 256, 256, 5];
    const answers = sizes.map((size) => append(makeRecords(size)));
    release();
    await Promise.all(answers);
    expect(store.appends.map(({ batches }) => batches.length)).toEqual([1, 4, 2]);
    expect(MAX_COMMIT_RECORDS).toBe(4 * 256);
  });

  it('puts the commits of several enterprises into one transaction', async () => {
    const { store, queue, d1 } = setUp();
    const others = Array.from({ length: 4 }, () => new Packer(CITY, random(16)));
    const keyOf = ({ enterprise }: Packer) => ({ node: 'n-1', city: CITY, enterprise });
    const release = store.hold();
    const answers = others.flatMap((packer) =>
      [2, 3].map((size) =>
        queue.append(keyOf(packer), packer.epochs, packer.pack(makeRecords(size)).batch),
      ),
    );
    release();
    expect((await Promise.all(answers)).map((outcomes) => [...outcomes])).toEqual(
      others.flatMap(() => [
        [STORED, STORED],
        [STORED, STORED, STORED],
      ]),
    );
    // The first goes at once; then those of all others that have come meanwhile.
    expect(store.transactions.slice(0, 2)).toEqual([1, others.length - 1]);
    for (const packer of others) {
      const [head] = await d1.heads(keyOf(packer));
      expect(head?.sequence).toBeGreaterThan(0);
    }
  });

  it('lets a batch go at once when it is idle, and gathers what comes after it', async () => {
    const { store, append, gathering } = setUp([], true);
    expect(await append()).toEqual([STORED]);
    const answers = [append(), append(makeRecords(2))];
    await scheduler.wait(1);
    expect(store.appends).toHaveLength(1);
    gathering.shift()?.();
    expect(await Promise.all(answers)).toEqual([[STORED], [STORED, STORED]]);
    expect(store.appends).toHaveLength(2);
  });

  it('gathers no more than a full transaction', async () => {
    const { store, append } = setUp([], true);
    await append();
    const sizes = [256, 256, 256, 256];
    const answers = await Promise.all(sizes.map((size) => append(makeRecords(size))));
    expect(answers.map(({ length }) => length)).toEqual(sizes);
    expect(store.appends.map(({ batches }) => batches.length)).toEqual([1, 4]);
  });

  it('holds up no enterprise for the failure of another', async () => {
    const { store, queue, append, packer, key } = setUp();
    const other = new Packer(CITY, random(16));
    const otherKey = { ...key, enterprise: other.enterprise };
    await append();
    await queue.append(otherKey, other.epochs, other.pack([makeRecord()]).batch);
    // Of an epoch that nobody has: it can't be stored, however often it is tried.
    const lost = new Packer(CITY, packer.enterprise);
    const failing = queue.append(key, [], lost.pack([makeRecord()]).batch);
    const fine = queue.append(otherKey, other.epochs, other.pack([makeRecord()]).batch);
    expect([...(await fine)]).toEqual([STORED]);
    expect([...(await failing)]).toEqual([RETRY]);
    expect(await append()).toEqual([STORED]);
    expect(store.opened).toBeGreaterThan(2);
  });

  it('answers only after the commit', async () => {
    const { store, append, stored } = setUp();
    const release = store.hold();
    let answered = false;
    const answer = append().finally(() => {
      answered = true;
    });
    expect(await stored()).toBe(0);
    expect(answered).toBe(false);
    release();
    await answer;
    expect(await stored()).toBe(1);
  });

  it('answers each batch with the outcomes of its own records', async () => {
    const { store, append } = setUp();
    const [a, b, c] = makeRecords(3) as [never, never, never];
    const release = store.hold();
    const answers = [append([a]), append([a, b]), append([c, b])];
    release();
    expect(await Promise.all(answers)).toEqual([
      [STORED],
      [DUPLICATE, STORED],
      [STORED, DUPLICATE],
    ]);
  });

  it('sends epochs with the first commit that needs them, and again when that failed', async () => {
    const { store, append } = setUp(['failed, not saved']);
    await append();
    await append();
    expect(store.appends.map(({ epochs }) => epochs.length)).toEqual([2, 2, 0]);
  });

  it('opens the writer once while all goes well', async () => {
    const { store, append } = setUp();
    for (let i = 0; i < 3; i++) await append();
    expect(store.opened).toBe(1);
  });

  it.each<[Fate, number[]]>([
    ['failed, not saved', [STORED, STORED]],
    ['failed, but saved', [DUPLICATE, DUPLICATE]],
  ])('appends the same again after an append that %s', async (fate, expected) => {
    for (const place of [0, 1, 2]) {
      const fates: Fate[] = ['ok', 'ok', 'ok'];
      const { append, stored, store, d1, key } = setUp(fates.with(place, fate));
      const all = [];
      for (let i = 0; i < 3; i++) all.push(await append(makeRecords(2)));
      expect(all).toEqual([0, 1, 2].map((i) => (i === place ? expected : [STORED, STORED])));
      expect(store.appends).toHaveLength(4);
      expect(store.appends[place]?.batches).toEqual(store.appends[place + 1]?.batches);
      expect(await stored()).toBe(6);
      expect((await d1.heads(key))[0]?.sequence).toBe(3);
    }
  });

  it('gives all back after its last try, and goes on with the next batch', async () => {
    const { append, stored, pauses, store } = setUp(Array(MAX_TRIES).fill('failed, not saved'));
    expect(await append(makeRecords(3))).toEqual([RETRY, RETRY, RETRY]);
    expect(store.appends).toHaveLength(MAX_TRIES);
    expect(pauses).toEqual([1, 4, 16].map((times) => times * FIRST_PAUSE_MS));
    expect(await stored()).toBe(0);
    expect(await append()).toEqual([STORED]);
  });

  it('goes on after another incarnation of the writer', async () => {
    const { append, d1, key, packer } = setUp();
    await append();
    const head = await d1.openWriter(key);
    const { batch } = packer.pack([makeRecord()]);
    await d1.append(key, head, { epochs: [], batches: [batch], committedMs: 0 });
    expect(await append()).toEqual([STORED]);
    expect((await d1.heads(key))[0]?.sequence).toBe(3);
  });

  it('takes no more than its bound, and takes again when there is room', async () => {
    const { store, queue, append, packer, key, stored } = setUp();
    const release = store.hold();
    const records = makeRecords(256);
    const size = packer.pack(records).batch.length;
    const fits = Math.floor(MAX_QUEUED_BYTES / size);
    const { batch } = packer.pack(records);
    const answers = Array.from({ length: fits }, () => queue.append(key, packer.epochs, batch));
    expect(await append(records)).toEqual(Array(256).fill(RETRY));
    release();
    expect((await Promise.all(answers)).flatMap((each) => [...each])).not.toContain(RETRY);
    expect(await stored()).toBe(256);
    expect(await append()).toEqual([STORED]);
  });

  it('says so when the store is full', async () => {
    const { key, packer } = setUp();
    const clock = { now: () => 0, sleep: async () => {} };
    const queue = new CommitQueue(new D1ParcelStore(DB, 1), clock);
    const { batch } = packer.pack(makeRecords(2));
    await expect(queue.append(key, packer.epochs, batch)).rejects.toThrow(StoreFullError);
  });

  it('refuses a malformed batch alone', async () => {
    const { store, queue, append, packer, key } = setUp();
    const release = store.hold();
    const good = [append(), append()];
    const { batch } = packer.pack([makeRecord()]);
    await expect(queue.append(key, packer.epochs, batch.subarray(1))).rejects.toThrow();
    await expect(queue.append(key, [random(9)], batch)).rejects.toThrow();
    release();
    expect(await Promise.all(good)).toEqual([[STORED], [STORED]]);
  });
});

describe('Writer', () => {
  function writer(packer: Packer) {
    const stub = WRITER.get(WRITER.newUniqueId());
    const key = { node: 'n-1', city: CITY, enterprise: packer.enterprise };
    return { stub, key };
  }

  it('stores a batch through RPC and fills the index table behind it', async () => {
    const store = new D1ParcelStore(DB);
    while ((await store.fillIndexes(1_000, Number.MAX_SAFE_INTEGER)) > 0);
    vi.useFakeTimers({ toFake: ['Date'] });
    const start = Date.now();
    const packer = new Packer(CITY, random(16));
    const { stub, key } = writer(packer);
    const filler = INDEX_FILLER.get(INDEX_FILLER.idFromName('index'));
    const indexed = () =>
      DB.prepare('SELECT count(*) AS n FROM keyed_index WHERE enterprise = ?')
        .bind(packer.enterprise)
        .first<number>('n');
    for (const round of [1, 2]) {
      const { batch } = packer.pack(makeRecords(3));
      const append = async () => [...(await stub.append(key, packer.epochs, batch))];
      expect(await append()).toEqual([STORED, STORED, STORED]);
      expect(await append()).toEqual([DUPLICATE, DUPLICATE, DUPLICATE]);
      expect(await runDurableObjectAlarm(filler)).toBe(true);
      expect(await indexed()).toBe((round - 1) * 12);
      vi.setSystemTime(start + round * FILL_AFTER_MS);
      expect(await runDurableObjectAlarm(filler)).toBe(true);
      expect(await indexed()).toBe(round * 12);
      expect(await runDurableObjectAlarm(filler)).toBe(false);
    }
  });

  it('works for one node alone', async () => {
    const packer = new Packer(CITY, random(16));
    const { stub, key } = writer(packer);
    const { batch } = packer.pack(makeRecords(1));
    await stub.append(key, packer.epochs, batch);
    const other = { ...key, node: 'n-2' };
    const refused = (async () => stub.append(other, packer.epochs, batch))();
    await expect(refused).rejects.toThrow('this writer is of another node');
  });
});
