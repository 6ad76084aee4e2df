/** Cases that catch a wrong build: bodies that another party signs, replays in parallel, rows whose columns were swapped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../wire/record.ts';
import {
  Answer,
  encapsulate,
  OUTCOME,
  openParcel,
  problemCode,
  readResults,
  seal,
  sealChunk,
  signedHeaders,
  submit,
} from '../support/independent-client.ts';
import { type Pulled, pull } from '../support/independent-pull.ts';
import { sendStream } from '../support/independent-stream.ts';
import { recordId, validRecord } from '../support/records.ts';
import { startTestService, type TestParty, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

const record = () => encodeRecord(validRecord(Date.now()));
const pullAs = (party: TestParty) => pull(service.url, party, service.edgeSigning);

describe('a body that another party signs', () => {
  it('case 1: does not open: single', async () => {
    const { response } = await submit(service.url, service.b, service.edgeKey, record(), {
      sealedFor: service.a.id,
    });
    expect(response.status).toBe(422);
    expect(await problemCode(response)).toBe('decrypt_failed');
  });

  it('case 1: does not open: stream', async () => {
    const stream = await encapsulate(service.edgeKey, service.a.id, 'chunked request');
    const chunks = [await sealChunk(stream, [record()], false), await sealChunk(stream, [], true)];
    const { response } = await sendStream(service.url, service.b, stream, chunks);
    expect(response.status).toBe(422);
    expect(await problemCode(response)).toBe('decrypt_failed');
  });

  it('case 1: leaves no row', async () => {
    expect((await pullAs(service.regulator)).end?.rows).toBe(0);
  });
});

describe('one request, sent 100 times at once', () => {
  it('case 6: makes one row and 100 answers, each under a nonce of its own', async () => {
    const encapsulation = await encapsulate(service.edgeKey, service.a.id, 'request');
    const body = Buffer.concat([encapsulation.head, await seal(encapsulation, record())]);
    const request = { method: 'POST', path: '/v1/parcels', body, head: encapsulation.head };
    const headers = signedHeaders(service.url, service.a, {
      ...request,
      headers: { 'content-type': 'message/sealpost-parcel-req' },
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await fetch(`${service.url}/v1/parcels`, {
          method: 'POST',
          headers,
          body,
        });
        expect(response.status).toBe(200);
        return Buffer.from(await response.arrayBuffer());
      }),
    );
    const nonces = new Set(answers.map((answer) => answer.toString('hex', 0, 32)));
    expect(nonces.size).toBe(100);
    const outcomes = await Promise.all(
      answers.map(async (bytes) => {
        const answer = await Answer.start(encapsulation, bytes.subarray(0, 32));
        return readResults(answer.open(bytes.subarray(32)).subarray(0, 32))[0]?.outcome;
      }),
    );
    expect(outcomes.filter((outcome) => outcome === OUTCOME.stored)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === OUTCOME.duplicate)).toHaveLength(99);
    expect((await pullAs(service.regulator)).end?.rows).toBe(1);
  });
});

describe('rows whose clear columns were swapped', () => {
  /** Clear columns of a parcel (docs/wire-format.md): name, place, length. */
  const COLUMNS: [string, number, number][] = [
    ['aead', 4, 2],
    ['schema', 6, 2],
    ['view', 8, 1],
    ['bucket', 9, 1],
    ['epoch', 10, 16],
    ['sequence', 26, 8],
    ['enterprise', 34, 16],
    ['record id', 50, 16],
    ['accepted', 66, 8],
    ['city', 74, 4],
    ['index version', 78, 2],
  ];
  const INDEXES: [string, number, number][] = [
    ['document', 80, 16],
    ['waybill', 96, 16],
    ['sender phone', 112, 16],
    ['recipient phone', 128, 16],
  ];

  const epochOf = ({ epochs }: Pulled, parcel: Buffer) =>
    epochs.get(parcel.toString('hex', 10, 26)) as Buffer;
  const openAs = (party: TestParty, pulled: Pulled, parcel: Buffer, epoch = parcel) =>
    openParcel(epochOf(pulled, epoch), parcel, party.reader);

  beforeAll(async () => {
    for (const party of [service.a, service.b]) {
      const changes = {
        waybill: party === service.a ? 'SF1234567890124' : 'SF1234567890125',
        recipient: {
          name: '王小明',
          phone: party === service.a ? '13912345679' : '13912345670',
          address: '贵州省贵阳市云岩区北京路1号',
          division: '520103',
        },
      };
      const { result } = await submit(
        ...[service.url, party, service.edgeKey],
        encodeRecord(validRecord(Date.now() - 1000, changes)),
      );
      expect(result?.outcome).toBe(OUTCOME.stored);
    }
  });

  /** Puts a column of `from` into a copy of `into`; changes a bit when both have the same there. */
  function swapped(into: Buffer, from: Buffer, at: number, length: number): Buffer {
    const row = Buffer.from(into);
    from.copy(row, at, at, at + length);
    if (row.equals(into)) row[at + length - 1] = (row[at + length - 1] as number) ^ 1;
    return row;
  }

  it('case 7: do not open for the regulator', async () => {
    const pulled = await pullAs(service.regulator);
    const [first, , third] = pulled.rows.map(({ parcel }) => parcel) as [Buffer, Buffer, Buffer];
    for (const row of [first, third]) await openAs(service.regulator, pulled, row);
    for (const [name, at, length] of [...COLUMNS, ...INDEXES]) {
      const row = swapped(first, third, at, length);
      // Under the right epoch, whatever the row says of it.
      await expect(openAs(service.regulator, pulled, row, first), name).rejects.toThrow();
    }
    const crossed = Buffer.concat([first.subarray(0, 144), third.subarray(144)]);
    await expect(openAs(service.regulator, pulled, crossed)).rejects.toThrow();
  });

  it('case 7: do not open for an enterprise, least of all those of another', async () => {
    const [ofA, ofB] = [await pullAs(service.a), await pullAs(service.b)];
    const a = ofA.rows.at(-1)?.parcel as Buffer;
    const b = ofB.rows.at(-1)?.parcel as Buffer;
    await openAs(service.a, ofA, a);
    await openAs(service.b, ofB, b);
    for (const [name, at, length] of COLUMNS) {
      await expect(openAs(service.a, ofA, swapped(a, b, at, length), a), name).rejects.toThrow();
    }
    // A's row in B's hands: as it is, and dressed up as B's.
    await expect(openAs(service.b, ofA, a)).rejects.toThrow('not a recipient');
    const dressed = Buffer.concat([b.subarray(0, 80), a.subarray(80)]);
    await expect(openAs(service.b, ofB, dressed)).rejects.toThrow();
  });

  it('case 7: name an epoch that opens for its audience alone', async () => {
    const [full, masked] = [await pullAs(service.regulator), await pullAs(service.a)];
    const fullRow = full.rows[0]?.parcel as Buffer;
    const maskedRow = masked.rows[0]?.parcel as Buffer;
    await expect(openAs(service.a, full, fullRow)).rejects.toThrow('not a recipient');
    await expect(openAs(service.regulator, masked, maskedRow)).rejects.toThrow('not a recipient');
  });
});

describe('a retry over the end of an index period', () => {
  const minute = 60_000;
  /** Half an hour ago: the clock of a service can't be moved, but the time of a record's id can. */
  const boundary = Date.now() - 30 * minute;
  let over: TestService;

  beforeAll(async () => {
    over = await startTestService({ secondIndexPeriodFrom: boundary });
  });

  afterAll(() => over.stop());

  it('case 8: meets its first copy under the version of its id: one row each, no conflict', async () => {
    const ids = [-2 * minute, -1, 0, 1, 2 * minute].map((away) => recordId(boundary + away));
    for (const id of ids) {
      const bytes = encodeRecord(validRecord(Date.now(), { id }));
      const [first, again] = [
        await submit(over.url, over.a, over.edgeKey, bytes),
        await submit(over.url, over.a, over.edgeKey, bytes),
      ];
      expect(first.result?.outcome).toBe(OUTCOME.stored);
      expect(again.result?.outcome).toBe(OUTCOME.duplicate);
    }
    const { rows } = await pull(over.url, over.regulator, over.edgeSigning);
    expect(rows.map(({ parcel }) => parcel.readUInt16BE(78))).toEqual([1, 1, 2, 2, 2]);
    // What two records share is seen within a period, and not across.
    const documents = rows.map(({ parcel }) => parcel.toString('hex', 80, 96));
    expect(new Set(documents.slice(0, 2)).size).toBe(1);
    expect(new Set(documents.slice(2)).size).toBe(1);
    expect(new Set(documents).size).toBe(2);
  });
});
