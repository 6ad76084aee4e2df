/** What every ParcelStore must do for lookups and erasure. */
import { describe, expect, it } from 'vitest';
import { DAY_MS, type ParcelStore } from '../../db/parcels.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { makeRecord, makeRecords, random, type TestRecord } from '../support/batch.ts';
import { Author, fillAll, hex, NOW, pull, TODAY } from './author.ts';

const { DUPLICATE } = OUTCOMES;

/** @param make a store; all that it makes may share their data */
export function lookupSuite(make: () => ParcelStore): void {
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
}
