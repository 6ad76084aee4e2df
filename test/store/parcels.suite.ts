/** What every ParcelStore must do. Each test works in a city or an enterprise of its own, so the store may hold more. */
import { describe, expect, it } from 'vitest';
import { DAY_MS, type ParcelStore, StaleHeadError, type WriterKey } from '../../db/parcels.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import { type ChainHead, type Cursor, chainInput, receiptBytes } from '../../wire/pull.ts';
import {
  makeEpoch,
  makeRecord,
  makeRecords,
  Packer,
  random,
  type TestRecord,
} from '../support/batch.ts';

const { STORED, DUPLICATE, CONFLICT } = OUTCOMES;
const NOW = 1_793_491_200_000; // midnight of 2026-11-01 UTC
const TODAY = Math.floor(NOW / DAY_MS);

/** An enterprise and one writer of it, with its head followed. */
class Author {
  readonly packer: Packer;
  readonly key: WriterKey;
  readonly #store: ParcelStore;
  head: ChainHead | undefined;

  constructor(
    store: ParcelStore,
    city = randomCity(),
    enterprise: Uint8Array = random(16),
    node = 'n-1',
  ) {
    this.#store = store;
    this.packer = new Packer(city, enterprise);
    this.key = { node, city, enterprise };
  }

  get scope() {
    return { city: this.key.city, enterprise: this.key.enterprise };
  }

  get writer(): number {
    return (this.head as ChainHead).writer;
  }

  /** One commit of one batch for each list of records. @returns outcomes batch by batch */
  async commit(lists: TestRecord[][], committedMs = NOW): Promise<number[][]> {
    this.head ??= await this.#store.openWriter(this.key);
    const { head, outcomes } = await this.#store.append(this.key, this.head, {
      epochs: this.packer.epochs,
      batches: lists.map((records) => this.packer.pack(records).batch),
      committedMs,
    });
    this.head = head;
    return outcomes.map((each) => [...each]);
  }
}

function randomCity(): number {
  return new DataView(random(4).buffer).getUint32(0);
}

async function pull(
  store: ParcelStore,
  scope: Parameters<ParcelStore['page']>[0],
  view: 'full' | 'masked' = 'full',
  cursor: Cursor = new Map(),
) {
  const until = await store.heads(scope);
  return collect(store.page(scope, view, cursor, until));
}

async function fillAll(store: ParcelStore): Promise<void> {
  while ((await store.fillIndexes(1_000, Number.MAX_SAFE_INTEGER)) > 0);
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of all) items.push(item);
  return items;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** Octets in a form that compares and prints well. */
function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param make a store; all that it makes may share their data */
export function parcelStoreSuite(make: () => ParcelStore): void {
  describe('append', () => {
    it('registers a writer at sequence 0 with a chain head of zeros', async () => {
      const store = make();
      const { key } = new Author(store);
      const head = await store.openWriter(key);
      expect(head).toEqual({ writer: head.writer, sequence: 0, head: new Uint8Array(32) });
      expect(await store.openWriter(key)).toEqual(head);
    });

    it('gives different writers different numbers', async () => {
      const store = make();
      const author = new Author(store);
      const other = { ...author.key, node: 'n-2' };
      const [a, b] = [await store.openWriter(author.key), await store.openWriter(other)];
      expect(a.writer).not.toBe(b.writer);
    });

    it('finds what it stored as a duplicate, in the same commit and in a later one', async () => {
      const author = new Author(make());
      const [a, b] = [makeRecord(), makeRecord()];
      expect(await author.commit([[a, b], [a]])).toEqual([[STORED, STORED], [DUPLICATE]]);
      expect(author.head?.sequence).toBe(1);
      const c = makeRecord();
      expect(await author.commit([[b, c, c]])).toEqual([[DUPLICATE, STORED, DUPLICATE]]);
      expect(author.head?.sequence).toBe(2);
    });

    it('keeps the first of two records with one id', async () => {
      const store = make();
      const author = new Author(store);
      const first = makeRecord();
      const otherTag = { ...first, contentTag: random(16) };
      const otherVersion = { ...first, indexVersion: 2 };
      expect(await author.commit([[first, otherTag]])).toEqual([[STORED, CONFLICT]]);
      expect(await author.commit([[otherVersion], [otherTag, first]])).toEqual([
        [CONFLICT],
        [CONFLICT, DUPLICATE],
      ]);
      const [commit] = await pull(store, author.scope);
      expect(commit?.receipts.map((r) => hex(r.contentTag))).toEqual([hex(first.contentTag)]);
    });

    it('takes no sequence for a commit without a new record', async () => {
      const author = new Author(make());
      const records = makeRecords(3);
      await author.commit([records]);
      const before = author.head;
      expect(await author.commit([records])).toEqual([[DUPLICATE, DUPLICATE, DUPLICATE]]);
      expect(await author.commit([])).toEqual([]);
      expect(await author.commit([[]])).toEqual([[]]);
      expect(author.head).toEqual(before);
    });

    it('knows a record whichever writer of the enterprise stored it', async () => {
      const store = make();
      const one = new Author(store);
      const two = new Author(store, one.key.city, one.key.enterprise, 'n-2');
      const record = makeRecord();
      await one.commit([[record]]);
      expect(await two.commit([[record, makeRecord()]])).toEqual([[DUPLICATE, STORED]]);
    });

    it('keeps ids of different enterprises and cities apart', async () => {
      const store = make();
      const one = new Author(store);
      const record = makeRecord();
      await one.commit([[record]]);
      const elsewhere = new Author(store, one.key.city, random(16));
      expect(await elsewhere.commit([[record]])).toEqual([[STORED]]);
      const farAway = new Author(store, one.key.city + 1, one.key.enterprise);
      expect(await farAway.commit([[record]])).toEqual([[STORED]]);
    });

    it('stores one of two writers that bring the same record at once', async () => {
      const store = make();
      const one = new Author(store);
      const authors = [2, 3, 4, 5].map(
        (n) => new Author(store, one.key.city, one.key.enterprise, `n-${n}`),
      );
      const record = makeRecord();
      const all = await Promise.all(
        authors.map((author) => author.commit([[record, makeRecord()]])),
      );
      expect(
        all
          .flat()
          .map(([first]) => first)
          .sort(),
      ).toEqual([STORED, DUPLICATE, DUPLICATE, DUPLICATE]);
      expect(all.flat().map(([, second]) => second)).toEqual([STORED, STORED, STORED, STORED]);
      const stored = await pull(store, one.scope);
      expect(stored.flatMap(({ receipts }) => receipts)).toHaveLength(5);
    });

    it('makes sequences without gaps and a chain that anyone can follow', async () => {
      const store = make();
      const author = new Author(store);
      for (const size of [1, 3, 2]) await author.commit([makeRecords(size), makeRecords(1)]);
      let previous: Uint8Array = new Uint8Array(32);
      const commits = await pull(store, author.scope);
      expect(commits.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      for (const commit of commits) {
        expect(hex(commit.previous)).toBe(hex(previous));
        const digest = await sha256(receiptBytes(commit.receipts));
        const input = chainInput(commit, author.key.city, commit.receipts.length, digest);
        previous = await sha256(input);
      }
      expect(hex((author.head as ChainHead).head)).toBe(hex(previous));
      expect(await store.heads(author.scope)).toEqual([author.head]);
    });

    it('stores more records in one commit than one statement takes', async () => {
      const store = make();
      const author = new Author(store);
      const lists = [makeRecords(256), makeRecords(256), makeRecords(1)];
      const outcomes = await author.commit(lists);
      expect(outcomes.flat().every((outcome) => outcome === STORED)).toBe(true);
      const [commit] = await pull(store, author.scope);
      expect(commit?.receipts.map(({ id }) => hex(id))).toEqual(
        lists.flat().map(({ id }) => hex(id)),
      );
    });

    it('refuses a head that another incarnation has left behind, and stores nothing then', async () => {
      const store = make();
      const author = new Author(store);
      const stale = await store.openWriter(author.key);
      const records = makeRecords(2);
      await author.commit([records]);
      const { batch } = author.packer.pack([makeRecord()]);
      for (const again of [batch, author.packer.pack(records).batch]) {
        const input = { epochs: author.packer.epochs, batches: [again], committedMs: NOW };
        await expect(store.append(author.key, stale, input)).rejects.toThrow(StaleHeadError);
      }
      const commits = await pull(store, author.scope);
      expect(commits.flatMap(({ receipts }) => receipts)).toHaveLength(2);
    });

    it('refuses a head with a chain that is not its own', async () => {
      const store = make();
      const author = new Author(store);
      await author.commit([[makeRecord()]]);
      author.head = { ...(author.head as ChainHead), head: random(32) };
      await expect(author.commit([[makeRecord()]])).rejects.toThrow(StaleHeadError);
    });

    it('lets one of two incarnations with the same head win', async () => {
      const store = make();
      const one = new Author(store);
      const two = new Author(store, one.key.city, one.key.enterprise);
      one.head = two.head = await store.openWriter(one.key);
      const results = await Promise.allSettled([
        one.commit([[makeRecord()]]),
        two.commit([[makeRecord()]]),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = results.find((result) => result.status === 'rejected');
      expect(rejected?.reason).toBeInstanceOf(StaleHeadError);
      expect((await store.openWriter(one.key)).sequence).toBe(1);
    });

    it('finds what was stored when a commit is appended again after an error', async () => {
      const store = make();
      const author = new Author(store);
      const lists = [makeRecords(2), makeRecords(1)];
      await author.commit(lists);
      const reopened = new Author(store, author.key.city, author.key.enterprise);
      expect(await reopened.commit(lists)).toEqual([[DUPLICATE, DUPLICATE], [DUPLICATE]]);
      expect(reopened.head).toEqual(author.head);
    });

    it('refuses batches of another city or enterprise', async () => {
      const store = make();
      const [author, other] = [new Author(store), new Author(store)];
      author.head = await store.openWriter(author.key);
      const { batch } = other.packer.pack([makeRecord()]);
      const input = { epochs: other.packer.epochs, batches: [batch], committedMs: NOW };
      await expect(store.append(author.key, author.head, input)).rejects.toThrow(TypeError);
    });
  });

  describe('epochs', () => {
    it('are stored with the first commit that names them and given in the order asked for', async () => {
      const store = make();
      const author = new Author(store);
      await author.commit([[makeRecord()]]);
      await author.commit([[makeRecord()]]);
      const [commit] = await pull(store, author.scope);
      const [full, masked] = author.packer.epochs as [Uint8Array, Uint8Array];
      const ids = [parseEpoch(full).epoch, parseEpoch(masked).epoch];
      expect(commit?.epochs.map(hex).sort()).toEqual(ids.map(hex).sort());
      expect(await store.epochs(ids)).toEqual([full, masked]);
      expect(await store.epochs(ids.toReversed())).toEqual([masked, full]);
      expect(await store.epochs([])).toEqual([]);
    });

    it('stay as they were first stored', async () => {
      const store = make();
      const author = new Author(store);
      await author.commit([[makeRecord()]]);
      const [full] = author.packer.epochs as [Uint8Array];
      const { epoch } = parseEpoch(full);
      author.packer.epochs[0] = makeEpoch(author.key.city, epoch);
      await author.commit([[makeRecord()]]);
      expect(await store.epochs([epoch])).toEqual([full]);
    });

    it('that are missing keep a commit out', async () => {
      const store = make();
      const author = new Author(store);
      const headers = author.packer.epochs.splice(0);
      for (const some of [[], headers.slice(0, 1), headers.slice(1)]) {
        const head = await store.openWriter(author.key);
        const batches = [author.packer.pack([makeRecord()]).batch];
        const input = { epochs: some, batches, committedMs: NOW };
        await expect(store.append(author.key, head, input)).rejects.toThrow();
      }
      expect(await pull(store, author.scope)).toEqual([]);
    });

    it('that are missing are an error', async () => {
      await expect(make().epochs([random(16)])).rejects.toThrow();
    });
  });

  describe('page', () => {
    it('gives parcels of the view that was asked for', async () => {
      const store = make();
      const author = new Author(store);
      const records = [makeRecord(), makeRecord({ masked: false }), makeRecord()];
      const { batch, full, masked } = author.packer.pack(records);
      const head = await store.openWriter(author.key);
      const input = { epochs: author.packer.epochs, batches: [batch], committedMs: NOW };
      await store.append(author.key, head, input);
      const [asFull] = await pull(store, author.scope, 'full');
      const [asMasked] = await pull(store, author.scope, 'masked');
      expect(asFull?.receipts.map(({ parcel }) => hex(parcel))).toEqual(full.map(hex));
      expect(asMasked?.receipts.map(({ parcel }) => hex(parcel))).toEqual(masked.map(hex));
      expect(asMasked?.receipts.map(({ erased }) => erased)).toEqual([false, false, false]);
      expect(asFull).toMatchObject({ writer: head.writer, sequence: 1, committedMs: NOW });
      expect(hex(asFull?.enterprise as Uint8Array)).toBe(hex(author.key.enterprise));
    });

    it('goes on from a cursor over several writers and sees late commits of each', async () => {
      const store = make();
      const one = new Author(store);
      const two = new Author(store, one.key.city, random(16));
      const three = new Author(store, one.key.city, random(16));
      const scope = { city: one.key.city };
      await one.commit([makeRecords(2)]);
      await two.commit([makeRecords(1)]);
      await two.commit([makeRecords(1)]);
      const seen = await pull(store, scope);
      expect(seen.map((c) => [c.writer, c.sequence])).toEqual(
        [
          [one.writer, 1],
          [two.writer, 1],
          [two.writer, 2],
        ].sort(([a = 0], [b = 0]) => a - b),
      );
      const cursor: Cursor = new Map([
        [one.writer, 1],
        [two.writer, 2],
      ]);
      expect(await pull(store, scope, 'full', cursor)).toEqual([]);
      await three.commit([makeRecords(1)]);
      await one.commit([makeRecords(1)]);
      const later = await pull(store, scope, 'full', cursor);
      expect(later.map((c) => [c.writer, c.sequence])).toEqual([
        [one.writer, 2],
        [three.writer, 1],
      ]);
    });

    it('ends where it is told to, although more was committed since', async () => {
      const store = make();
      const author = new Author(store);
      await author.commit([makeRecords(1)]);
      const until = await store.heads(author.scope);
      await author.commit([makeRecords(1)]);
      const commits = await collect(store.page(author.scope, 'full', new Map(), until));
      expect(commits.map(({ sequence }) => sequence)).toEqual([1]);
    });

    it('keeps to its scope even if the heads do not', async () => {
      const store = make();
      const [one, two] = [new Author(store), new Author(store)];
      await one.commit([makeRecords(1)]);
      await two.commit([makeRecords(1)]);
      const until = [one.head, two.head] as ChainHead[];
      const commits = await collect(store.page(one.scope, 'full', new Map(), until));
      expect(commits.map(({ writer }) => writer)).toEqual([one.writer]);
      expect(await store.heads(one.scope)).toEqual([one.head]);
    });

    it('reads many small commits and large ones without skipping any', async () => {
      const store = make();
      const author = new Author(store);
      const sizes = [...Array.from({ length: 60 }, (_, i) => 1 + (i % 3)), 700, 900, 800, 1];
      for (const size of sizes) {
        const records = makeRecords(size);
        const whole = Math.ceil(size / 250);
        await author.commit(
          Array.from({ length: whole }, (_, i) => records.slice(i * 250, (i + 1) * 250)),
        );
      }
      const commits = await pull(store, author.scope, 'masked');
      expect(commits.map(({ receipts }) => receipts.length)).toEqual(sizes);
      expect(commits.map(({ sequence }) => sequence)).toEqual(sizes.map((_, i) => i + 1));
    });
  });

  describe('find', () => {
    const days: [number, number] = [TODAY, TODAY];

    it('finds parcels by each of their indexes, before and after filling', async () => {
      const store = make();
      const author = new Author(store);
      const shared = random(16);
      const lone = makeRecord();
      const [a, b] = [1, 3].map((place) =>
        makeRecord({ indexes: lone.indexes.with(place, shared) }),
      );
      const { batch, full } = author.packer.pack([lone, a as TestRecord, b as TestRecord]);
      author.head = await store.openWriter(author.key);
      const input = { epochs: author.packer.epochs, batches: [batch], committedMs: NOW };
      await store.append(author.key, author.head, input);
      const check = async () => {
        const found = await store.find(author.scope, [shared], ...days, 10);
        expect(found.map(hex).sort()).toEqual(full.slice(1).map(hex).sort());
        for (const index of [lone.indexes[0] as Uint8Array, lone.indexes[2] as Uint8Array]) {
          expect(await store.find(author.scope, [index, shared], ...days, 10)).toHaveLength(3);
          expect(await store.find({ city: author.key.city }, [index], ...days, 2)).toHaveLength(2);
        }
        expect(await store.find(author.scope, [random(16)], ...days, 10)).toEqual([]);
      };
      await check();
      await fillAll(store);
      await check();
    });

    it('keeps to days and scope, before and after filling', async () => {
      const store = make();
      const author = new Author(store);
      const other = new Author(store, author.key.city, random(16));
      const index = random(16);
      const record = () => makeRecord({ indexes: [index, random(16), random(16), random(16)] });
      await author.commit([[record()]], NOW - 2 * DAY_MS);
      await author.commit([[record()]], NOW);
      await other.commit([[record(), record()]], NOW + DAY_MS);
      const count = async (
        scope: { city: number; enterprise?: Uint8Array },
        from: number,
        to: number,
      ) => (await store.find(scope, [index], TODAY + from, TODAY + to, 10)).length;
      for (const filled of [false, true]) {
        if (filled) await fillAll(store);
        expect(await count({ city: author.key.city }, -2, 1)).toBe(4);
        expect(await count({ city: author.key.city }, -1, 0)).toBe(1);
        expect(await count(author.scope, -2, 1)).toBe(2);
        expect(await count(other.scope, -2, 0)).toBe(0);
        expect(await count({ city: author.key.city + 1 }, -2, 1)).toBe(0);
      }
    });

    it('fills in steps and tells how many parcels are behind', async () => {
      const store = make();
      await fillAll(store);
      const author = new Author(store);
      const other = new Author(store, author.key.city, author.key.enterprise, 'n-2');
      const lists = [makeRecords(2), makeRecords(2), makeRecords(5)];
      for (const records of lists) await author.commit([records]);
      const last = makeRecords(1);
      await other.commit([last]);
      const left: number[] = [];
      for (let i = 0; i < 4; i++) {
        left.push(await store.fillIndexes(4, NOW));
        for (const { indexes } of [...lists.flat(), ...last]) {
          expect(await store.find(author.scope, indexes, ...days, 10)).toHaveLength(1);
        }
      }
      expect(left).toEqual([6, 1, 0, 0]);
    });

    it('waits with filling until enough are behind or the first has waited long enough', async () => {
      const store = make();
      await fillAll(store);
      const author = new Author(store);
      await author.commit([makeRecords(2)]);
      expect(await store.fillIndexes(3, NOW - 1)).toBe(2);
      await author.commit([makeRecords(1)]);
      expect(await store.fillIndexes(3, NOW - 1)).toBe(0);
      await author.commit([makeRecords(1)]);
      expect(await store.fillIndexes(3, NOW - 1)).toBe(1);
      expect(await store.fillIndexes(3, NOW)).toBe(0);
    });

    it('does not take a missing index for one', async () => {
      const store = make();
      const author = new Author(store);
      const none = new Uint8Array(16);
      await author.commit([[makeRecord({ indexes: [none, random(16), random(16), none] })]]);
      for (const filled of [false, true]) {
        if (filled) await fillAll(store);
        expect(await store.find(author.scope, [none], ...days, 10)).toEqual([]);
      }
    });
  });

  describe('erase', () => {
    it('removes parcels and index entries and keeps receipts and chain', async () => {
      const store = make();
      for (const filled of [true, false]) {
        const author = new Author(store);
        const [gone, kept] = [makeRecord(), makeRecord()];
        await author.commit([[gone, kept]]);
        if (filled) await fillAll(store);
        const erased = { id: gone.id, erasedMs: NOW };
        const first = await store.erase(author.scope, [gone.id, random(16)], NOW);
        expect(first).toEqual([{ ...erased, now: true }]);
        const again = await store.erase(author.scope, [gone.id], NOW + 1);
        expect(again).toEqual([{ ...erased, now: false }]);
        for (const view of ['full', 'masked'] as const) {
          const [commit] = await pull(store, author.scope, view);
          expect(commit?.receipts.map(({ erased }) => erased)).toEqual([true, false]);
          expect(commit?.receipts.map(({ parcel }) => parcel.length > 0)).toEqual([false, true]);
          expect(commit?.receipts.map(({ id }) => hex(id))).toEqual([hex(gone.id), hex(kept.id)]);
        }
        await fillAll(store);
        const find = (record: TestRecord) =>
          store.find(author.scope, record.indexes, TODAY, TODAY, 10);
        expect(await find(gone)).toEqual([]);
        expect(await find(kept)).toHaveLength(1);
        expect(await author.commit([[gone]])).toEqual([[DUPLICATE]]);
        expect(await store.heads(author.scope)).toEqual([author.head]);
      }
    });

    it('leaves the same id of another enterprise alone', async () => {
      const store = make();
      const one = new Author(store);
      const two = new Author(store, one.key.city, random(16));
      const record = makeRecord();
      await one.commit([[record]]);
      await two.commit([[record]]);
      expect(await store.erase(one.scope, [record.id], NOW)).toHaveLength(1);
      expect(
        (await pull(store, two.scope)).flatMap((c) => c.receipts.map((r) => r.erased)),
      ).toEqual([false]);
      expect(await store.find(two.scope, record.indexes, TODAY, TODAY, 10)).toHaveLength(1);
    });
  });

  describe('ids', () => {
    const idsOf = async (store: ParcelStore, scope: Author['scope'], day: number) => {
      const blocks = await collect(store.ids(scope, day));
      return blocks.flatMap((block) => hex(block).match(/.{32}/g) ?? []);
    };
    const sorted = (records: readonly TestRecord[]) => records.map(({ id }) => hex(id)).sort();

    it('are those of one enterprise and day, ascending, whoever wrote them', async () => {
      const store = make();
      const one = new Author(store);
      const second = new Author(store, one.key.city, one.key.enterprise, 'n-2');
      const [elsewhere, other] = [
        new Author(store, randomCity(), one.key.enterprise),
        new Author(store, one.key.city),
      ];
      const [early, late, beside, next] = [3, 40, 2, 1].map(makeRecords) as [
        ...[TestRecord[], TestRecord[], TestRecord[], TestRecord[]],
      ];
      await one.commit([early]);
      await second.commit([beside], NOW + DAY_MS - 1);
      await one.commit([next], NOW + DAY_MS);
      // A clock that steps back puts a commit of the day behind one of the next.
      await one.commit([late, early], NOW + 1);
      for (const author of [elsewhere, other]) await author.commit([makeRecords(2)]);
      expect(await idsOf(store, one.scope, TODAY)).toEqual(sorted([...early, ...late, ...beside]));
      expect(await idsOf(store, one.scope, TODAY + 1)).toEqual(sorted(next));
      expect(await idsOf(store, one.scope, TODAY - 1)).toEqual([]);
      expect(await idsOf(store, other.scope, TODAY)).toHaveLength(2);
    });

    it('stay when records are erased', async () => {
      const store = make();
      const author = new Author(store);
      const records = makeRecords(3);
      await author.commit([records]);
      await store.erase(author.scope, [(records[1] as TestRecord).id], NOW);
      expect(await idsOf(store, author.scope, TODAY)).toEqual(sorted(records));
    });

    it('of more commits than one text or one query holds are all there', async () => {
      const store = make();
      const author = new Author(store);
      const commits = Array.from({ length: 10 }, () => [1, 2, 3, 4].map(() => makeRecords(250)));
      for (const lists of commits) await author.commit(lists);
      expect(await idsOf(store, author.scope, TODAY)).toEqual(sorted(commits.flat(2)));
    });
  });

  describe('counts', () => {
    it('tells records per enterprise and day', async () => {
      const store = make();
      const one = new Author(store);
      const second = new Author(store, one.key.city, one.key.enterprise, 'n-2');
      const two = new Author(store, one.key.city, random(16));
      await one.commit([makeRecords(2)], NOW);
      await one.commit([makeRecords(3)], NOW + DAY_MS);
      await second.commit([makeRecords(4)], NOW + DAY_MS - 1);
      await two.commit([makeRecords(1)], NOW);
      const counted = async (
        scope: { city: number; enterprise?: Uint8Array },
        from: number,
        to: number,
      ) =>
        (await store.counts(scope, TODAY + from, TODAY + to))
          .map(({ day, enterprise, records }) => `${day - TODAY} ${hex(enterprise)} ${records}`)
          .sort();
      const [a, b] = [hex(one.key.enterprise), hex(two.key.enterprise)];
      expect(await counted({ city: one.key.city }, 0, 1)).toEqual(
        [`0 ${a} 6`, `1 ${a} 3`, `0 ${b} 1`].sort(),
      );
      expect(await counted(two.scope, 0, 1)).toEqual([`0 ${b} 1`]);
      expect(await counted(one.scope, 1, 9)).toEqual([`1 ${a} 3`]);
      expect(await counted(one.scope, -5, -1)).toEqual([]);
    });

    it('tells how many of them only a city in trial takes', async () => {
      const store = make();
      const one = new Author(store);
      const flagged = [22, 31, 22].map((trialCode) => makeRecord({ trialCode }));
      await one.commit([[...flagged.slice(0, 2), makeRecord()], [makeRecord()]], NOW);
      await one.commit([[flagged[2] as TestRecord]], NOW + 1);
      await one.commit([[makeRecord()]], NOW + DAY_MS);
      // Found again, they count once.
      await one.commit([flagged], NOW + DAY_MS);
      const counts = async () =>
        (await store.counts(one.scope, TODAY, TODAY + 1)).map((each) => [
          ...[each.day - TODAY, each.records, each.flagged],
        ]);
      expect(await counts()).toEqual([
        [0, 5, 3],
        [1, 1, 0],
      ]);
      await store.erase(one.scope, [(flagged[0] as TestRecord).id], NOW);
      expect((await counts())[0]).toEqual([0, 5, 3]);
    });
  });
}
