import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../client/encoding.ts';
import { IncompletePull } from '../../client/errors.ts';
import { fetchDay, Ledger, Reconciler } from '../../client/reconcile.ts';
import { concat, FormatError } from '../../wire/bytes.ts';
import { VIEW_MASKED } from '../../wire/parcel.ts';
import { encodeFrame, FRAME, PULL_TYPE } from '../../wire/pull.ts';
import {
  type DayStatement,
  dayOfText,
  dayText,
  encodeDay,
  ID_BYTES,
  parseDay,
  sortIds,
} from '../../wire/reconcile.ts';
import { uuidText } from '../../wire/record.ts';
import { uuidv7 } from '../support/batch.ts';
import { FakeEdge } from '../support/fake-edge.ts';
import { DAY_MS, endFrame, makeWorld, random, signingPair } from '../support/fake-store.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const TODAY = Math.floor(NOW / DAY_MS);
const hexes = (ids: Uint8Array) => toHex(ids).match(/.{32}/g) ?? [];

describe('days', () => {
  it.each(['1970-01-01', '2026-11-20', '2028-02-29'])('%s is a day and its text again', (text) => {
    expect(dayText(dayOfText(text))).toBe(text);
  });

  it.each([
    '',
    '2026-02-30',
    '2026-13-01',
    '2026-1-1',
    '2026-11-20T00:00Z',
    '1969-12-31',
    '20261120',
  ])('%j is none', (text) => expect(() => dayOfText(text)).toThrow(FormatError));

  it('are told in 68 octets', () => {
    const statement = {
      enterprise: random(16),
      day: TODAY,
      asOfMs: NOW,
      count: 5,
      digest: random(32),
    };
    const bytes = encodeDay(statement);
    expect(bytes).toHaveLength(68);
    expect(parseDay(bytes)).toEqual(statement);
    expect(() => parseDay(bytes.subarray(1))).toThrow(FormatError);
    expect(() => parseDay(concat(bytes, Uint8Array.of(0)))).toThrow(FormatError);
  });
});

describe('sorting ids', () => {
  it.each([0, 1, 2, 255, 256, 257, 4_000])(
    'gives the order of their octets, %i of them',
    (count) => {
      const ids = random(count * ID_BYTES);
      // Equal beginnings and equal ids, which random ones would not have.
      for (let i = 0; i < count; i += 3) ids.fill(0x80, i * ID_BYTES, i * ID_BYTES + (i % 17));
      const before = ids.slice();
      expect(hexes(sortIds(ids))).toEqual(hexes(ids).sort());
      expect(ids).toEqual(before);
    },
  );
});

describe('a reconciliation', () => {
  let world: ReturnType<typeof makeWorld>;
  let edge: FakeEdge;
  let stored: Map<number, Uint8Array[]>;
  /** What the edge says instead of the truth. */
  let lie: Partial<DayStatement>;
  let cheat: (frames: Uint8Array[]) => Uint8Array[];
  let end: Parameters<typeof endFrame>[3];
  let asked: string[];

  beforeEach(() => {
    world = makeWorld(NOW);
    edge = new FakeEdge(world);
    stored = new Map();
    [lie, end, asked] = [{}, undefined, []];
    cheat = (frames) => frames;
    edge.handlers.set('GET /v1/reconcile', (request, signature) => {
      const { search, searchParams } = new URL(request.url);
      asked.push(search);
      const day = dayOfText(searchParams.get('day') ?? '');
      const ids = sortIds(concat(...(stored.get(day) ?? [])));
      const statement = {
        ...{ enterprise: world.enterprise, day, asOfMs: NOW },
        ...{ count: ids.length / ID_BYTES, digest: sha256(ids), ...lie },
      };
      const half = Math.floor(ids.length / ID_BYTES / 2) * ID_BYTES;
      const blocks = searchParams.has('ids') ? [ids.subarray(0, half), ids.subarray(half)] : [];
      const frames = cheat([
        ...blocks.map((block) => encodeFrame(FRAME.IDS, block)),
        encodeFrame(FRAME.DAY, encodeDay(statement)),
      ]);
      const last = endFrame(world, frames, { request: sha256(signature), view: VIEW_MASKED }, end);
      return new Response(concat(...frames, last), { headers: { 'content-type': PULL_TYPE } });
    });
  });

  const put = (day: number, ...ids: Uint8Array[]) =>
    stored.set(day, [...(stored.get(day) ?? []), ...ids]);
  const ids = (count: number, ms = NOW) => Array.from({ length: count }, () => uuidv7(ms));
  const ask = (withIds = true) => fetchDay(edge.client(), edge.identity, TODAY, withIds);
  const compare = (ledger: Ledger) =>
    new Reconciler(edge.client(), edge.identity, ledger).compare(TODAY);

  it('tells count and digest, and the ids when they are wanted', async () => {
    const own = ids(5);
    put(TODAY, ...own);
    const short = await ask(false);
    expect(short).toMatchObject({ count: 5, day: TODAY, asOfMs: NOW });
    expect(short.ids).toBeUndefined();
    const long = await ask();
    expect(hexes(long.ids as Uint8Array)).toEqual(own.map(toHex).sort());
    expect(sha256(long.ids as Uint8Array)).toEqual(short.digest);
  });

  it.each<[string, () => void, string]>([
    ['is about another enterprise', () => (lie = { enterprise: random(16) }), 'end_mismatch'],
    ['is about another day', () => (lie = { day: TODAY - 1 }), 'end_mismatch'],
    ['counts other ids than it sends', () => (lie = { count: 3 }), 'end_mismatch'],
    ['has another digest', () => (lie = { digest: random(32) }), 'end_mismatch'],
    ['is signed by somebody else', () => (end = signingPair()), 'end_signer'],
    ['leaves an id out', () => (cheat = (frames) => frames.slice(1)), 'end_mismatch'],
    ['says nothing', () => (cheat = (frames) => frames.slice(0, -1)), 'bad_frame'],
    ['says it twice', () => (cheat = (frames) => [...frames, ...frames.slice(-1)]), 'bad_frame'],
    [
      'sends parcels',
      () => (cheat = (frames) => [encodeFrame(FRAME.PARCELS, new Uint8Array(0)), ...frames]),
      'bad_frame',
    ],
    [
      'cuts an id',
      () => (cheat = (frames) => [encodeFrame(FRAME.IDS, random(15)), ...frames]),
      'bad_frame',
    ],
  ])('is refused when it %s', async (_, change, code) => {
    put(TODAY, ...ids(4));
    change();
    await expect(ask()).rejects.toThrow(IncompletePull);
    await expect(ask()).rejects.toMatchObject({ code });
  });

  it('does not take ids that it did not ask for', async () => {
    cheat = (frames) => [encodeFrame(FRAME.IDS, random(16)), ...frames];
    await expect(ask(false)).rejects.toMatchObject({ code: 'bad_frame' });
  });

  it('asks once when both sides are equal, whatever the order and however often', async () => {
    const own = ids(300);
    put(TODAY, ...own);
    const ledger = new Ledger();
    for (const id of [...own].reverse()) ledger.add(id, NOW);
    for (const id of own.slice(0, 9)) ledger.add(id, NOW + 5);
    expect(await compare(ledger)).toMatchObject({ matches: true, edge: 300, ledger: 300 });
    expect(asked).toEqual([`?day=${dayText(TODAY)}`]);
  });

  it('of an empty day against an empty ledger matches', async () => {
    expect(await compare(new Ledger())).toMatchObject({ matches: true, edge: 0, ledger: 0 });
  });

  it('names what is on one side only, with equal counts too', async () => {
    const [both, here, there] = [ids(3), ids(2), ids(2)];
    put(TODAY, ...both, ...there);
    const ledger = new Ledger();
    for (const id of [...both, ...here]) ledger.add(id, NOW);
    const report = await compare(ledger);
    expect(report).toMatchObject({ matches: false, edge: 5, ledger: 5, otherDays: 0 });
    expect(report.onlyHere).toEqual(here.map(uuidText).sort());
    expect(report.onlyThere).toEqual(there.map(uuidText).sort());
  });

  it('finds a duplicate on the day on which it was committed', async () => {
    const [old, atMidnight, fresh] = [ids(2, NOW - 6 * DAY_MS), ids(1), ids(3)];
    put(TODAY - 6, ...old);
    put(TODAY + 1, ...atMidnight);
    put(TODAY, ...fresh);
    const ledger = new Ledger();
    for (const id of [...old, ...atMidnight, ...fresh]) ledger.add(id, NOW);
    expect(await compare(ledger)).toMatchObject({
      ...{ matches: true, edge: 3, ledger: 6, otherDays: 3, onlyHere: [], onlyThere: [] },
    });
    // No day before the ids were made, and none twice.
    expect(asked.every((query) => query.slice(5, 15) >= dayText(TODAY - 7))).toBe(true);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('knows ids of other days in the ledger', async () => {
    const [early] = ids(1);
    put(TODAY, early as Uint8Array);
    const ledger = new Ledger();
    ledger.add(early as Uint8Array, NOW + DAY_MS);
    expect(ledger.days).toEqual([TODAY + 1]);
    expect(await compare(ledger)).toMatchObject({ matches: true, edge: 1, ledger: 0 });
  });
});
