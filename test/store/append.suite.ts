/** What every ParcelStore must do with what is appended. */
import { describe, expect, it } from 'vitest';
import { type Append, type ParcelStore, StaleHeadError } from '../../db/parcels.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { parseEpoch } from '../../wire/epoch.ts';
import { type ChainHead, chainInput, receiptBytes } from '../../wire/pull.ts';
import { makeEpoch, makeRecord, makeRecords, random } from '../support/batch.ts';
import { Author, hex, NOW, pull, sha256 } from './author.ts';

const { STORED, DUPLICATE, CONFLICT } = OUTCOMES;

/** @param make a store; all that it makes may share their data */
export function appendSuite(make: () => ParcelStore): void {
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

  describe('appendAll', () => {
    const appendOf = async (store: ParcelStore, author: Author, records = makeRecords(2)) => {
      author.head ??= await store.openWriter(author.key);
      const batches = [author.packer.pack(records).batch];
      const commit = { epochs: author.packer.epochs, batches, committedMs: NOW };
      return { key: author.key, head: author.head, commit };
    };
    const outcomesOf = (results: PromiseSettledResult<{ outcomes: Uint8Array[] }>[]) =>
      results.map((result) =>
        result.status === 'fulfilled' ? result.value.outcomes.map((each) => [...each]) : 'failed',
      );

    it('makes a commit of each of several writers', async () => {
      const store = make();
      const authors = Array.from({ length: 20 }, () => new Author(store));
      for (const sequence of [1, 2]) {
        const appends: Append[] = [];
        for (const [i, author] of authors.entries()) {
          appends.push(await appendOf(store, author, makeRecords(1 + (i % 3))));
        }
        const results = await store.appendAll(appends);
        expect(outcomesOf(results)).toEqual(
          authors.map((_, i) => [Array(1 + (i % 3)).fill(STORED)]),
        );
        for (const [i, author] of authors.entries()) {
          const result = results[i];
          if (result?.status === 'fulfilled') author.head = result.value.head;
          expect(author.head?.sequence).toBe(sequence);
          expect(await store.heads(author.scope)).toEqual([author.head]);
        }
      }
      for (const [i, author] of authors.entries()) {
        const commits = await pull(store, author.scope);
        expect(commits.map(({ receipts }) => receipts.length)).toEqual(Array(2).fill(1 + (i % 3)));
        expect(hex(commits[1]?.previous as Uint8Array)).not.toBe(hex(new Uint8Array(32)));
      }
    });

    it('fails, or finds duplicates, for those alone whom it concerns', async () => {
      const store = make();
      const [fresh, again, stale, lost] = Array.from({ length: 4 }, () => new Author(store)) as [
        ...[Author, Author, Author, Author],
      ];
      const records = makeRecords(2);
      await again.commit([records]);
      const behind = await appendOf(store, stale);
      await stale.commit([makeRecords(1)]);
      const epochless = await appendOf(store, lost);
      const results = await store.appendAll([
        await appendOf(store, again, [...records, makeRecord()]),
        behind,
        { ...epochless, commit: { ...epochless.commit, epochs: [] } },
        await appendOf(store, fresh),
      ]);
      expect(outcomesOf(results)).toEqual([
        [[DUPLICATE, DUPLICATE, STORED]],
        'failed',
        'failed',
        [[STORED, STORED]],
      ]);
      expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(StaleHeadError);
      expect(await pull(store, lost.scope)).toEqual([]);
      expect(await store.appendAll([])).toEqual([]);
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
}
