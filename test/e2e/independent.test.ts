/** The path of a parcel, through HTTP alone, with a client that uses none of our code for anything secret. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMasked, encodeRecord } from '../../wire/record.ts';
import {
  Answer,
  encapsulate,
  fetchKeys,
  OUTCOME,
  openParcel,
  submit,
} from '../support/independent-client.ts';
import { lookup, pull } from '../support/independent-pull.ts';
import { validRecord } from '../support/records.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

const hexId = (id: string) => id.replaceAll('-', '');

describe('a parcel', () => {
  const record = validRecord(Date.now());
  const bytes = encodeRecord(record);

  it('is stored, and the answer shows its masked view', async () => {
    const [key] = await fetchKeys(service.url);
    expect(key).toEqual({ keyId: 1, publicKey: service.edgeKey.publicKey });
    const { response, result, masked } = await submit(
      service.url,
      service.a,
      service.edgeKey,
      bytes,
    );
    expect(response.status).toBe(200);
    expect(result).toMatchObject({ id: hexId(record.id), outcome: OUTCOME.stored, code: 0 });
    expect(decodeMasked(masked as Buffer)).toMatchObject({
      id: record.id,
      sender: { name: '买**', phone: '*******8000', docNumber: '1****************X' },
      recipient: { name: '欧**', phone: '*******5678' },
    });
  });

  it('is told to be there already when it comes again', async () => {
    const again = await submit(service.url, service.a, service.edgeKey, bytes);
    expect(again.response.status).toBe(200);
    expect(again.result?.outcome).toBe(OUTCOME.duplicate);
  });

  it('is a conflict when its id comes with other content', async () => {
    const other = encodeRecord({ ...record, outlet: 'GY-0013' });
    const conflict = await submit(service.url, service.a, service.edgeKey, other);
    expect(conflict.response.status).toBe(409);
    expect(conflict.result?.outcome).toBe(OUTCOME.conflict);
    expect(conflict.masked).toHaveLength(0);
  });

  it('is another parcel when another enterprise sends it', async () => {
    const other = await submit(service.url, service.b, service.edgeKey, bytes);
    expect(other.result?.outcome).toBe(OUTCOME.stored);
  });

  it('opens for the regulator, as it was sent', async () => {
    const { epochs, rows, end } = await pull(service.url, service.regulator, service.edgeSigning);
    expect(end).toMatchObject({ rows: 2, view: 1, more: false });
    expect(rows.map(({ id }) => id)).toEqual([hexId(record.id), hexId(record.id)]);
    for (const { parcel } of rows) {
      const epoch = epochs.get(parcel.subarray(10, 26).toString('hex')) as Buffer;
      expect(await openParcel(epoch, parcel, service.regulator.reader)).toEqual(Buffer.from(bytes));
    }
  });

  it('opens masked for the enterprise that sent it', async () => {
    for (const party of [service.a, service.b]) {
      const { epochs, rows, end } = await pull(service.url, party, service.edgeSigning);
      expect(end).toMatchObject({ rows: 1, view: 2 });
      const parcel = rows[0]?.parcel as Buffer;
      const epoch = epochs.get(parcel.subarray(10, 26).toString('hex')) as Buffer;
      const masked = decodeMasked(await openParcel(epoch, parcel, party.reader));
      expect(masked).toMatchObject({ id: record.id, recipient: { name: '欧**' } });
      expect(masked.sender).not.toHaveProperty('docNumber', record.sender?.docNumber);
    }
  });

  it('is pulled from where the last pull ended', async () => {
    const first = await pull(service.url, service.regulator, service.edgeSigning);
    const cursor = first.end?.cursor;
    const nothing = await pull(service.url, service.regulator, service.edgeSigning, cursor);
    expect(nothing.end).toMatchObject({ rows: 0, more: false, cursor });
    await submit(
      service.url,
      service.plain,
      service.edgeKey,
      encodeRecord(validRecord(Date.now())),
    );
    const next = await pull(service.url, service.regulator, service.edgeSigning, cursor);
    expect(next.end).toMatchObject({ rows: 1, more: false });
  });

  it('of an enterprise without a certificate has no masked view', async () => {
    const { rows, end } = await pull(service.url, service.plain, service.edgeSigning);
    expect(end?.rows).toBe(0);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ state: 2, parcel: Buffer.alloc(0) });
  });

  it('is found by a keyed index of its own, by the regulator alone', async () => {
    const { rows } = await pull(service.url, service.regulator, service.edgeSigning);
    const parcel = rows[0]?.parcel as Buffer;
    for (const index of [0, 1, 2, 3]) {
      const at = 80 + 16 * index;
      const found = await lookup(service.url, service.regulator, service.edgeSigning, [
        parcel.subarray(at, at + 16),
      ]);
      // All three records so far are of the same people and of one waybill.
      expect(found.end).toMatchObject({ rows: 3, view: 1, more: false });
      const epoch = found.epochs.get(parcel.subarray(10, 26).toString('hex')) as Buffer;
      const same = found.rows.find((row) => row.parcel.equals(parcel));
      expect(await openParcel(epoch, same?.parcel as Buffer, service.regulator.reader)).toEqual(
        Buffer.from(bytes),
      );
    }
    const none = await lookup(service.url, service.regulator, service.edgeSigning, [
      Buffer.alloc(16, 7),
    ]);
    expect(none.end).toMatchObject({ rows: 0 });
    const index = parcel.subarray(80, 96);
    const refused = await lookup(service.url, service.a, service.edgeSigning, [index]);
    expect(refused.response.status).toBe(403);
  });

  it('that is faulty is refused with its code and field, sealed', async () => {
    const faulty = validRecord(Date.now(), { waybill: 'RB123456786US', carrier: 'EMS' });
    const refused = await submit(service.url, service.a, service.edgeKey, encodeRecord(faulty));
    expect(refused.response.status).toBe(422);
    expect(refused.result).toMatchObject({
      ...{ id: hexId(faulty.id), outcome: OUTCOME.refused },
      ...{ code: 22, field: 0x03 },
    });
    expect(refused.masked).toHaveLength(0);
  });
});

describe('an answer', () => {
  it('opens for nobody but the context that asked', async () => {
    const record = encodeRecord(validRecord(Date.now()));
    const { bytes } = await submit(service.url, service.a, service.edgeKey, record);
    const other = await encapsulate(service.edgeKey, service.a.id, 'request');
    const answer = await Answer.start(other, bytes.subarray(0, 32));
    expect(() => answer.open(bytes.subarray(32))).toThrow();
  });
});
