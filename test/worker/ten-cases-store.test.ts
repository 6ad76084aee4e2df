/// <reference types="@cloudflare/vitest-plugin/types" />
/**
 * Cases that catch a wrong build, on the real store with the whole edge before it: writes that fail on every way, and
 * retries that come on another day.
 */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { setModule } from '../../client/module.ts';
import { Opener } from '../../client/open.ts';
import { TrustedLists } from '../../client/recipients.ts';
import { migrate } from '../../db/d1/migrate.ts';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { StoredCommit } from '../../db/parcels.ts';
import wasm from '../../wasm/build/sealpost.wasm';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { parseParcel } from '../../wire/parcel.ts';
import { encodeRecord, type ParcelRecord, uuidText } from '../../wire/record.ts';
import { CommitQueue, MAX_TRIES } from '../../worker/src/commit-queue.ts';
import { Failure } from '../../worker/src/pipeline/failure.ts';
import { ingestSingle } from '../../worker/src/pipeline/ingest.ts';
import { encapsulate } from '../support/encapsulation.ts';
import { recordId, validRecord } from '../support/records.ts';
import { CITY, type Edge, makeEdge } from './edge-parts.ts';

const { DB } = env as unknown as { DB: D1Database };

beforeAll(() => migrate(DB));
// Here modules can't be compiled, only imported.
beforeAll(() => setModule(wasm));

/** What becomes of one exchange with the database. */
type Fate = 'well' | 'fails before' | 'fails after';

/** The database behind an edge; each exchange, numbered from 0 on, has its fate. */
function faulty(fate: (exchange: number) => Fate) {
  const counter = { exchanges: 0 };
  const batch: D1Database['batch'] = async (statements) => {
    const becomes = fate(counter.exchanges++);
    if (becomes === 'fails before') throw new Error('D1_ERROR');
    const results = await DB.batch(statements);
    if (becomes === 'fails after') throw new Error('D1_ERROR');
    return results as never;
  };
  const d1 = { prepare: (sql: string) => DB.prepare(sql), batch } as unknown as D1Database;
  return { d1, counter };
}

/** An edge that writes to a database for two enterprises. */
async function edgeOn(d1: D1Database, ...times: [startMs?: number, indexEndMs?: number]) {
  const edge = await makeEdge(wasm, ...times);
  const clock = { now: () => edge.clock.now, sleep: async () => {} };
  const store = new D1ParcelStore(d1);
  const enterprises = [1, 2].map(() => crypto.getRandomValues(new Uint8Array(16)));
  const queue = new CommitQueue(store, clock);
  edge.deps.ingest.append = async (enterprise, headers, batch) => {
    const key = { node: 'n-1', city: CITY, enterprise };
    return queue.append(key, headers, batch).catch((error) => {
      throw new Failure('unavailable', error);
    });
  };
  return { edge, enterprises };
}

/** Submits a record, newly sealed. @returns its outcome; undefined when nothing was acknowledged */
async function submit({ deps, edgeKey }: Edge, enterprise: Uint8Array, record: ParcelRecord) {
  const { head, context } = encapsulate(SINGLE, edgeKey, { id: enterprise } as never);
  const body = concat(head, context.seal(encodeRecord(record)));
  return ingestSingle(deps.ingest, enterprise, body).then(
    ({ outcome }) => outcome,
    () => undefined,
  );
}

/** Everything of an enterprise, opened with nothing but the store, the list and the regulator's key. */
async function openAll(edge: Edge, enterprise: Uint8Array) {
  const store = new D1ParcelStore(DB);
  const lists = new TrustedLists(edge.rootKey);
  lists.add(edge.store.list as Uint8Array);
  const opener = new Opener(lists, [edge.readerKey]);
  const scope = { city: CITY, enterprise };
  const heads = await store.heads(scope);
  const commits: StoredCommit[] = [];
  for await (const commit of store.page(scope, 'full', new Map(), heads)) commits.push(commit);
  for (const { epochs } of commits) {
    // Those of the masked view are for others.
    for (const header of (await store.epochs(epochs)).slice(0, 1)) opener.addEpoch(header);
  }
  const parcels = commits.flatMap(({ receipts }) => receipts.map(({ parcel }) => parcel));
  return {
    sequences: commits.map(({ sequence }) => sequence),
    parcels: parcels.map(parseParcel),
    records: parcels.map((parcel) => opener.open(parcel, { enterprise, city: CITY }).record),
  };
}

/** Two writers, four epochs, commits of one and of several records; what is not acknowledged is sent until it is. */
async function program(fate: (exchange: number) => Fate) {
  const { d1, counter } = faulty(fate);
  const { edge, enterprises } = await edgeOn(d1);
  const records = enterprises.map(() =>
    Array.from({ length: 5 }, () => validRecord(edge.clock.now)),
  );
  const acknowledged = enterprises.map(() => [] as ParcelRecord[]);
  const send = async (party: number, record: ParcelRecord) => {
    const enterprise = enterprises[party] as Uint8Array;
    for (let attempt = 0; attempt < 3; attempt++) {
      const outcome = await submit(edge, enterprise, record);
      if (outcome === undefined) continue;
      expect([OUTCOMES.STORED, OUTCOMES.DUPLICATE]).toContain(outcome);
      acknowledged[party]?.push(record);
      return;
    }
  };
  const all = records.flatMap((own, party) => own.map((record) => ({ party, record })));
  const wave = (numbers: number[]) =>
    Promise.all(
      all.filter((_, i) => numbers.includes(i % 5)).map(({ party, record }) => send(party, record)),
    );
  await wave([0]);
  await wave([1, 2, 3]);
  edge.clock.now += 16 * 60_000; // the epochs are over
  await wave([4]);
  const opened = [];
  for (const enterprise of enterprises) opened.push(await openAll(edge, enterprise));
  return { exchanges: counter.exchanges, acknowledged, opened };
}

describe('writing epochs and parcels', () => {
  /** How often in a row an exchange fails: once, and until the writer gives up. */
  const spells = [1, MAX_TRIES];
  let exchanges = 0;

  beforeAll(async () => {
    const { exchanges: all, acknowledged } = await program(() => 'well');
    expect(acknowledged.map(({ length }) => length)).toEqual([5, 5]);
    exchanges = all;
  });

  it.each(
    (['fails before', 'fails after'] as const).flatMap((fate) =>
      spells.map((spell) => [fate, spell] as const),
    ),
  )(
    'case 3: whichever exchange with the store %s, %i in a row: what was acknowledged opens from the store alone',
    async (fate, spell) => {
      expect(exchanges).toBeGreaterThan(6);
      const check = async (first: number) => {
        const { acknowledged, opened } = await program((exchange) =>
          exchange >= first && exchange < first + spell ? fate : 'well',
        );
        for (const [party, { sequences, records }] of opened.entries()) {
          const place = `exchange ${first}, party ${party}`;
          expect(acknowledged[party], place).toHaveLength(5);
          expect(sequences, place).toEqual(sequences.map((_, i) => i + 1));
          const byId = (all: unknown[]) =>
            (all as ParcelRecord[]).toSorted((a, b) => (a.id < b.id ? -1 : 1));
          expect(byId(records), place).toEqual(byId(acknowledged[party] as ParcelRecord[]));
        }
      };
      await Promise.all(Array.from({ length: exchanges }, (_, first) => check(first)));
    },
  );
});

describe('a retry', () => {
  const DAY = 86_400_000;
  /** Midnight UTC between two months: a day, an epoch and an index period end at once. */
  const MIDNIGHT = Date.UTC(2026, 11, 1);

  it.each([
    ['a moment', 1],
    ['two days', 2 * DAY],
    ['seven days', 7 * DAY],
  ])(
    'case 8: across midnight and an index period, after %s, meets its first copy: one row, no conflict',
    async (_name, after) => {
      const { edge, enterprises } = await edgeOn(DB, MIDNIGHT - 60_000, MIDNIGHT);
      const enterprise = enterprises[0] as Uint8Array;
      edge.clock.now = MIDNIGHT - 1;
      const records = [MIDNIGHT - 1, MIDNIGHT].map((ms) =>
        validRecord(edge.clock.now, { id: recordId(ms) }),
      );
      // The first copies are stored, but nobody is told.
      const { append } = edge.deps.ingest;
      edge.deps.ingest.append = async (...given) => {
        await append(...given);
        throw new Failure('unavailable');
      };
      for (const record of records) expect(await submit(edge, enterprise, record)).toBeUndefined();
      edge.deps.ingest.append = append;
      edge.clock.now = MIDNIGHT + after;
      edge.putList(2, edge.entries(), { notBefore: MIDNIGHT - DAY, notAfter: MIDNIGHT + 9 * DAY });
      for (const record of records) {
        expect(await submit(edge, enterprise, record)).toBe(OUTCOMES.DUPLICATE);
        const other = { ...record, outlet: 'GY-0013' };
        expect(await submit(edge, enterprise, other)).toBe(OUTCOMES.CONFLICT);
      }
      const fresh = validRecord(edge.clock.now, { id: recordId(edge.clock.now) });
      expect(await submit(edge, enterprise, fresh)).toBe(OUTCOMES.STORED);
      const store = new D1ParcelStore(DB);
      const heads = await store.heads({ city: CITY, enterprise });
      const parcels = [];
      for await (const { receipts } of store.page(
        { city: CITY, enterprise },
        'full',
        new Map(),
        heads,
      )) {
        parcels.push(...receipts.map(({ parcel }) => parseParcel(parcel)));
      }
      // The version follows the record's id, not the day on which it came.
      expect(parcels.map(({ id, indexVersion }) => [uuidText(id), indexVersion])).toEqual([
        [records[0]?.id, 1],
        [records[1]?.id, 2],
        [fresh.id, 2],
      ]);
      expect(parcels.map(({ acceptedMs }) => acceptedMs)).toEqual([
        ...[MIDNIGHT - 1, MIDNIGHT - 1, MIDNIGHT + after],
      ]);
    },
  );
});
