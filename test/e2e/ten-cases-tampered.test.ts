import type { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PullState } from '../../client/pull.ts';
import { type BatchRecord, packBatch, parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { VIEW_FULL } from '../../wire/parcel.ts';
import { chainInput } from '../../wire/pull.ts';
import { parseSignedList } from '../../wire/recipients.ts';
import { encodeRecord } from '../../wire/record.ts';
import { inStore, read, readerPair } from '../support/abuse-store.ts';
import { makeEpoch, random, sealParcel, signingPair, type World } from '../support/fake-store.ts';
import { keyId, OUTCOME, sha256, submit } from '../support/independent-client.ts';
import { validRecord } from '../support/records.ts';
import { CITY, startTestService, type TestService } from '../support/service.ts';

let service: TestService;
/** What was stored rightly: ids of `a`, in the order of their commits. */
const ids: string[] = [];
/** After all of them. */
let state: PullState;

const TABLES = ['epochs', 'commits', 'receipts', 'batches', 'writers', 'recipient_lists'];

beforeAll(async () => {
  service = await startTestService();
  for (const party of [service.a, service.a, service.a, service.b]) {
    const record = validRecord(Date.now());
    const sent = await submit(service.url, party, service.edgeKey, encodeRecord(record));
    expect(sent.result?.outcome).toBe(OUTCOME.stored);
    if (party === service.a) ids.push(record.id);
  }
  const { report, refused } = await read(service, service.regulator);
  expect(refused).toEqual([]);
  expect(report).toMatchObject({ rows: 4, parcels: 4, erased: 0 });
  state = report?.state as PullState;
  inStore(service, (database) => {
    for (const table of TABLES) {
      database.exec(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
    }
  });
});

/** The store as it was. */
beforeEach(() => {
  inStore(service, (database) => {
    for (const table of TABLES) {
      database.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept_${table}`);
    }
  });
});

afterAll(() => service.stop());

const tamper = (act: (database: DatabaseSync) => void) => inStore(service, act);

interface StoredBatch {
  first: number;
  data: Uint8Array;
}

/** The batches of the store, each of which holds one record. */
function batches(database: DatabaseSync): StoredBatch[] {
  const all = database.prepare('SELECT first, data FROM batches ORDER BY first').all();
  return all as unknown as StoredBatch[];
}

function recordAt(database: DatabaseSync, index: number): BatchRecord {
  return parseBatch(batches(database)[index]?.data as Uint8Array).records[0] as BatchRecord;
}

/** Gives the record of a batch another parcel. */
function change(database: DatabaseSync, index: number, parcel: Partial<BatchRecord>): void {
  const { first, data } = batches(database)[index] as StoredBatch;
  const { records, ...head } = parseBatch(data);
  const changed = packBatch(head, [{ ...(records[0] as BatchRecord), ...parcel }]);
  database.prepare('UPDATE batches SET data = ? WHERE first = ?').run(changed, first);
}

/** The writer of `a`. */
interface Writer {
  number: number;
  sequence: number;
  head: Uint8Array;
}

function writerOfA(database: DatabaseSync): Writer {
  const found = database.prepare('SELECT number, sequence, head FROM writers WHERE enterprise = ?');
  return found.get(service.a.id) as unknown as Writer;
}

/** Appends a commit to the chain of `a` as whoever can write to the store can: the chain needs no key. */
function forge(
  database: DatabaseSync,
  id: Uint8Array,
  header: Uint8Array,
  parcel: Uint8Array,
): void {
  const { number, sequence, head } = writerOfA(database);
  const receipts = concat(id, random(16));
  const place = {
    writer: number,
    sequence: sequence + 1,
    enterprise: service.a.id,
    previous: head,
  };
  const next = sha256(chainInput(place, CITY, 1, sha256(receipts)));
  const row = database
    .prepare('SELECT * FROM commits WHERE writer = ? AND sequence = ?')
    .get(number, sequence) as Record<string, number | Uint8Array>;
  const { first } = database.prepare('SELECT max(first + rows) AS first FROM commits').get() as {
    first: number;
  };
  const epoch = header.subarray(8, 24);
  const run = (statement: string, ...values: (number | Uint8Array)[]) =>
    database.prepare(statement).run(...values);
  const made = {
    ...{ ...row, first, rows: 1, sequence: sequence + 1, previous: head, head: next },
    ...{ epochs: epoch, receipts },
  };
  const values = Object.values(made);
  run('INSERT OR REPLACE INTO epochs VALUES (?, ?)', epoch, header);
  run(
    `INSERT INTO commits (${Object.keys(made)}) VALUES (${values.map(() => '?')})`,
    ...(values as Uint8Array[]),
  );
  const tag = receipts.subarray(16);
  const record = { id, contentTag: tag, indexVersion: 1, trialCode: 0, warnings: 0, full: parcel };
  const none = new Uint8Array(0);
  const batch = packBatch(
    {
      ...{ city: CITY, enterprise: service.a.id, acceptedMs: Date.now(), ruleset: 20261101 },
      ...{ fullEpoch: epoch, maskedEpoch: new Uint8Array(16) },
    },
    [{ ...record, masked: none }],
  );
  run('INSERT INTO batches VALUES (?, ?, 1, 20261101, ?)', first, first, batch);
  run('UPDATE writers SET sequence = ?, head = ? WHERE number = ?', sequence + 1, next, number);
}

describe('an epoch that a writer of the store inserts', () => {
  /** The world as it is, but for the edge's signing key, which a forger has not. */
  async function forgersWorld(): Promise<World> {
    const signedList = new Uint8Array(
      await (await fetch(`${service.url}/v1/recipients`)).arrayBuffer(),
    );
    return {
      ...{ now: Date.now(), root: signingPair(), edge: signingPair(), enterprise: service.a.id },
      readers: [await readerPair(service.regulator)],
      ...{ list: parseSignedList(signedList).list, signedList },
    };
  }

  it.each([
    ['signed by a key of its own', 'epoch_signer', (_header: Uint8Array) => {}],
    [
      'under the name of the real one',
      'epoch_signature',
      (header: Uint8Array) => header.set(keyId(service.edgeSigning), header.length - 96),
    ],
  ])(
    'case 2: wrapped to the real public key, %s: %s, and its parcels do not open',
    async (_name, code, change) => {
      const world = await forgersWorld();
      const epoch = makeEpoch(world);
      change(epoch.header);
      const record = validRecord(Date.now());
      const parcel = sealParcel(world, epoch, record.id, encodeRecord(record));
      tamper((database) => forge(database, parcel.slice(50, 66), epoch.header, parcel));
      const { opened, refused, report } = await read(service, service.regulator);
      // The chain holds: only the edge's signature tells.
      expect(report).toMatchObject({ rows: 5, parcels: 5 });
      expect(refused).toEqual([code, 'parcel_no_epoch']);
      expect(opened).toHaveLength(4);
      expect(opened).not.toContain(record.id);
    },
  );

  it('case 2: in the place of a real one: nothing of it opens', async () => {
    const world = await forgersWorld();
    tamper((database) => {
      const rows = database.prepare('SELECT id, header FROM epochs').all() as unknown as {
        id: Uint8Array;
        header: Uint8Array;
      }[];
      const full = rows.find(({ header }) => header[6] === VIEW_FULL) as (typeof rows)[number];
      const { header } = makeEpoch(world, { epoch: full.id });
      database.prepare('UPDATE epochs SET header = ? WHERE id = ?').run(header, full.id);
    });
    const { opened, refused } = await read(service, service.regulator);
    expect(opened).toEqual([]);
    expect(refused[0]).toBe('epoch_signer');
  });
});

describe('rows that a writer of the store exchanges', () => {
  it('case 7: two parcels of one enterprise: neither opens', async () => {
    tamper((database) => exchange(database, 'full', 0, 1));
    const { opened, refused } = await read(service, service.regulator);
    expect(refused).toEqual(['parcel_other_row', 'parcel_other_row']);
    expect(opened).toHaveLength(2);
  });

  it('case 7: masked parcels between two enterprises: neither can open them', async () => {
    tamper((database) => exchange(database, 'masked', 2, 3));
    const { opened, refused, report } = await read(service, service.a);
    expect(refused).toEqual(['parcel_no_epoch']);
    expect(opened).toHaveLength(2);
    expect(report).toMatchObject({ rows: 3, parcels: 3 });
  });

  it('case 7: the id of a receipt: the chain does not hold', async () => {
    tamper((database) => {
      database.exec(
        `UPDATE commits SET receipts = CAST(zeroblob(16) || substr(receipts, 17) AS BLOB) WHERE first = (SELECT min(first) FROM commits)`,
      );
    });
    expect((await read(service, service.regulator)).incomplete).toBe('bad_chain');
  });

  it('case 7: any octet of a parcel: it does not open', async () => {
    const { full } = inStore(service, (database) => recordAt(database, 0));
    for (let at = 0; at < full.length; at += 61) {
      const changed = full.map((byte, i) => (i === at ? byte ^ 1 : byte));
      tamper((database) => change(database, 0, { full: changed }));
      const { opened, refused } = await read(service, service.regulator);
      expect(refused, `octet ${at}`).toHaveLength(1);
      expect(opened).toHaveLength(3);
    }
  });

  function exchange(
    database: DatabaseSync,
    view: 'full' | 'masked',
    one: number,
    other: number,
  ): void {
    const [first, second] = [recordAt(database, one), recordAt(database, other)];
    change(database, one, { [view]: second[view] });
    change(database, other, { [view]: first[view] });
  }
});

describe('what a writer of the store takes away', () => {
  it('case 10: a commit in the middle: the pull is incomplete', async () => {
    tamper((database) => {
      const { number } = writerOfA(database);
      database.prepare('DELETE FROM commits WHERE writer = ? AND sequence = 2').run(number);
    });
    expect((await read(service, service.regulator)).incomplete).toBe('bad_chain');
  });

  it('case 10: the last commit: whoever knew it refuses the step back', async () => {
    tamper((database) => {
      const { number } = writerOfA(database);
      const last = database
        .prepare('SELECT previous FROM commits WHERE writer = ? AND sequence = 3')
        .get(number) as { previous: Uint8Array };
      database.prepare('DELETE FROM commits WHERE writer = ? AND sequence = 3').run(number);
      database
        .prepare('UPDATE writers SET sequence = 2, head = ? WHERE number = ?')
        .run(last.previous, number);
    });
    expect((await read(service, service.regulator)).report).toMatchObject({ rows: 3 });
    expect((await read(service, service.regulator, state)).incomplete).toBe('stepped_back');
  });

  it('case 10: and puts another in its place: the same', async () => {
    tamper((database) => {
      const { number } = writerOfA(database);
      const last = database
        .prepare('SELECT previous FROM commits WHERE writer = ? AND sequence = 3')
        .get(number) as { previous: Uint8Array };
      database.prepare('DELETE FROM commits WHERE writer = ? AND sequence = 3').run(number);
      database
        .prepare('UPDATE writers SET sequence = 2, head = ? WHERE number = ?')
        .run(last.previous, number);
      forge(database, random(16), random(1000), random(80));
    });
    expect((await read(service, service.regulator, state)).incomplete).toBe('stepped_back');
  });

  it('case 10: two commits change places: the pull is incomplete', async () => {
    tamper((database) => {
      const { number } = writerOfA(database);
      const set = database.prepare(
        'UPDATE commits SET sequence = ? WHERE writer = ? AND sequence = ?',
      );
      for (const [to, from] of [
        [9, 1],
        [1, 2],
        [2, 9],
      ] as const)
        set.run(to, number, from);
    });
    expect((await read(service, service.regulator)).incomplete).toBe('bad_chain');
  });

  it('case 10: a parcel alone: a hole that no erasure explains, and the answer has no end', async () => {
    tamper((database) => {
      database.exec('DELETE FROM batches WHERE first = (SELECT min(first) FROM batches)');
    });
    expect((await read(service, service.regulator)).incomplete).toBe('no_end');
  });

  it('case 10: a parcel with a mark of erasure: its receipt stands in the chain, and it is counted', async () => {
    tamper((database) => {
      database.exec(`UPDATE receipts SET erased_ms = 1 WHERE position = (SELECT min(first) FROM batches);
        DELETE FROM batches WHERE first = (SELECT min(first) FROM batches)`);
    });
    const { report, opened } = await read(service, service.regulator);
    expect(report).toMatchObject({ rows: 4, parcels: 3, erased: 1 });
    expect(opened).not.toContain(ids[0]);
  });

  it('case 10: an epoch: the answer has no end', async () => {
    tamper((database) => database.exec('DELETE FROM epochs'));
    expect((await read(service, service.regulator)).incomplete).toBe('no_end');
    expect(await service.log()).toMatch(
      /^(\{"level":"error","requestId":"[0-9a-f-]{36}","kind":"\w+"\}\n)+$/,
    );
  });
});
