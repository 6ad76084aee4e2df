/** What every ParcelStore must do for pulls, reconciliation and counts. */
import { describe, expect, it } from 'vitest';
import { DAY_MS, type ParcelStore } from '../../db/parcels.ts';
import type { ChainHead, Cursor } from '../../wire/pull.ts';
import { makeRecord, makeRecords, random, type TestRecord } from '../support/batch.ts';
import { Author, collect, hex, NOW, pull, randomCity, TODAY } from './author.ts';

/** @param make a store; all that it makes may share their data */
export function readingSuite(make: () => ParcelStore): void {
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
