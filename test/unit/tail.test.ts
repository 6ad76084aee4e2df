import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { drillKeys, EpochSampler } from '../../client/drill.ts';
import { generateKeyPair } from '../../client/hpke.ts';
import { readTail } from '../../client/tail.ts';
import { concat } from '../../wire/bytes.ts';
import { type Cursor, encodeFrame, FRAME, PULL_TYPE, parseCursor } from '../../wire/pull.ts';
import { encodeRecord } from '../../wire/record.ts';
import { FakeEdge } from '../support/fake-edge.ts';
import {
  CITY,
  commitFrame,
  DAY_MS,
  endFrame,
  type FakeCommit,
  type FakeEpoch,
  FakeWriter,
  makeEpoch,
  makeWorld,
  page,
  random,
  sealParcel,
  type World,
} from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const today = { fromMs: NOW - DAY_MS, untilMs: NOW + DAY_MS };

let world: World;
let edge: FakeEdge;
let epoch: FakeEpoch;
let writers: FakeWriter[];
let cursors: Cursor[];
/** Changes what is sent. */
let served: (commits: FakeCommit[]) => FakeCommit[];
let limit: number;

beforeEach(() => {
  world = makeWorld(NOW);
  edge = new FakeEdge(world);
  epoch = makeEpoch(world);
  writers = [new FakeWriter(1, world.enterprise), new FakeWriter(2, world.enterprise)];
  [cursors, limit] = [[], 1_000];
  served = (commits) => commits;
  edge.handlers.set('GET /v1/pull', (request, signature) => {
    const text = new URL(request.url).searchParams.get('cursor') ?? '';
    const cursor = parseCursor(new Uint8Array(Buffer.from(text, 'base64url')));
    cursors.push(cursor);
    const { commits, end } = page(writers, cursor, limit);
    const frames = [
      encodeFrame(FRAME.EPOCH, epoch.header),
      ...served(commits).map((commit) => commitFrame(commit)),
    ];
    const signed = endFrame(world, frames, { ...end, request: sha256(signature) });
    return new Response(concat(...frames, signed), { headers: { 'content-type': PULL_TYPE } });
  });
});

/** Commits one parcel. @param committedMs now unless given */
function commit(writer: number, committedMs = NOW): string {
  const record = validRecord(NOW);
  const parcel = sealParcel(world, epoch, record.id, encodeRecord(record));
  const made = (writers[writer] as FakeWriter).commit([{ id: record.id, parcel }]);
  made.committedMs = committedMs;
  return record.id;
}

async function read(options: Partial<Parameters<typeof readTail>[2]> = {}) {
  const sampler = new EpochSampler(3);
  const parcels = new Set<string>();
  const report = await readTail(edge.client(), edge.identity, {
    ...today,
    onEpoch: (header) => sampler.addEpoch(header),
    onParcel: (parcel, row) => {
      parcels.add(Buffer.from(row.id as Uint8Array).toString('hex'));
      sampler.addParcel(parcel, row);
    },
    ...options,
  });
  return { report, parcels, sampler };
}

describe('the tail of the chains', () => {
  it('is nothing where nothing was committed', async () => {
    const { report } = await read();
    expect(report).toEqual({ basis: 'last', commits: 0, parcels: 0 });
  });

  it('is all of the time asked for, however deep it lies, and nothing before', async () => {
    for (let i = 0; i < 30; i++) commit(0, NOW - 2 * DAY_MS);
    for (let i = 0; i < 100; i++) commit(0);
    for (let i = 0; i < 3; i++) commit(1);
    const known: Cursor = new Map([
      [1, 130],
      [2, 3],
    ]);
    const { report, parcels, sampler } = await read({ known });
    expect(report).toEqual({ basis: 'time', commits: 103, parcels: 103 });
    expect(parcels.size).toBe(103);
    expect([...sampler.epochs.values()].map((each) => each.parcels.length)).toEqual([3]);
    // The heads, then 16, 64 and 256 commits back; the second writer is not read again.
    expect(cursors.map((cursor) => [cursor.get(1), cursor.get(2)])).toEqual([
      [130, 3],
      [114, undefined],
      [66, 3],
      [undefined, 3],
    ]);
  });

  it('comes in several pages where the edge stops', async () => {
    for (let i = 0; i < 20; i++) commit(0);
    limit = 6;
    const { report } = await read();
    expect(report).toMatchObject({ basis: 'time', commits: 20 });
  });

  it('is the last commit of each writer where the time has none', async () => {
    for (let i = 0; i < 5; i++) commit(0, 1);
    commit(1, 1);
    const { report, parcels } = await read();
    expect(report).toEqual({ basis: 'last', commits: 2, parcels: 2 });
    expect(parcels.size).toBe(2);
  });

  it('does not pass with a commit left out, in front, between or at the end', async () => {
    for (let i = 0; i < 20; i++) commit(0);
    for (const [missing, code] of [
      [5, 'bad_chain'],
      [12, 'bad_chain'],
      [20, 'bad_chain'],
    ] as const) {
      served = (commits) => commits.filter(({ sequence }) => sequence !== missing);
      await expect(read({ known: new Map([[1, 20]]) })).rejects.toMatchObject({ code });
    }
    served = (commits) =>
      commits.map((each) => (each.sequence === 12 ? { ...each, previous: random(32) } : each));
    await expect(read()).rejects.toMatchObject({ code: 'bad_chain' });
  });
});

describe('a drill', () => {
  it('tells each key apart by what it opens and what the lists say', async () => {
    for (let i = 0; i < 8; i++) commit(0);
    const { sampler } = await read();
    const { lists } = edge.client();
    const client = edge.client({ lists });
    const { list } = await client.recipients();
    const [first, second] = world.readers as [(typeof world.readers)[0], (typeof world.readers)[0]];
    const found = [
      { file: 'a', pair: first },
      { file: 'b', problem: 'damaged' as const },
      { file: 'c', pair: generateKeyPair() },
    ];
    const reports = drillKeys(sampler, found, list, lists, true);
    expect(reports).toMatchObject([
      { file: 'a', state: 'opens', epochsDue: 1, epochs: 1, parcelsDue: 3, parcels: 3 },
      { file: 'b', state: 'damaged' },
      { file: 'c', state: 'not_listed' },
      { state: 'missing' },
    ]);
    const alone = drillKeys(sampler, [{ file: 'b', pair: second }], list, lists, false);
    expect(alone).toMatchObject([{ state: 'opens' }]);
    // The file is there, the key is not the one it was.
    const swapped = { ...second, privateKey: generateKeyPair().privateKey };
    const [wrong] = drillKeys(sampler, [{ file: 'b', pair: swapped }], list, lists, false);
    expect(wrong).toMatchObject({ state: 'fails', epochs: 0, failures: ['epoch_wrap'] });
  });

  it('finds an epoch that leaves a listed reader out, and a parcel without an epoch', async () => {
    epoch = makeEpoch(world, { wrapTo: world.readers.slice(0, 1) });
    commit(0);
    const { sampler } = await read();
    const client = edge.client();
    const { list } = await client.recipients();
    const found = world.readers.map((pair, i) => ({ file: String(i), pair }));
    const reports = drillKeys(sampler, found, list, client.lists, true);
    expect(reports).toMatchObject([
      { state: 'opens' },
      { state: 'fails', failures: ['epoch_not_for_us'] },
    ]);
    const orphaned = new EpochSampler(1);
    const record = validRecord(NOW);
    const other = makeEpoch(world);
    orphaned.addParcel(sealParcel(world, other, record.id, encodeRecord(record)), { city: CITY });
    expect(orphaned.orphans).toBe(1);
  });

  it('samples every parcel of an epoch alike, and none twice', () => {
    const parcels = Array.from({ length: 12 }, () => {
      const record = validRecord(NOW);
      return sealParcel(world, epoch, record.id, encodeRecord(record));
    });
    const seen = new Map<string, number>();
    for (let round = 0; round < 200; round++) {
      const sampler = new EpochSampler(4);
      sampler.addEpoch(epoch.header);
      for (const parcel of [...parcels, ...parcels]) sampler.addParcel(parcel, {});
      const [sampled] = [...sampler.epochs.values()].map((each) => each.parcels);
      const names = (sampled ?? []).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
      expect(new Set(names).size).toBe(4);
      for (const name of names) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    // 66.7 each in the mean, with a deviation of 6.7.
    expect(seen.size).toBe(12);
    for (const times of seen.values()) {
      expect(times).toBeGreaterThan(30);
      expect(times).toBeLessThan(105);
    }
  });
});
