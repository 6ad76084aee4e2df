import { createHmac, hkdfSync } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../client/encoding.ts';
import { type IndexKey, keyedIndexes, keysForCommits } from '../../client/indexes.ts';
import { indexedValues, type LookupDesk, lookup } from '../../client/lookup.ts';
import { Opener } from '../../client/open.ts';
import { loadWasm } from '../../client/wasm-file.ts';
import { concat, u16, u32, utf8 } from '../../wire/bytes.ts';
import { encodeFrame, encodeParcels, FRAME, PULL_TYPE, parseLookup } from '../../wire/pull.ts';
import { encodeRecord } from '../../wire/record.ts';
import { FakeEdge } from '../support/fake-edge.ts';
import {
  CITY,
  DAY_MS,
  endFrame,
  makeEpoch,
  makeWorld,
  random,
  sealParcel,
} from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const module = loadWasm();
const days = { from: new Date(NOW - DAY_MS), to: new Date(NOW) };

/** Two months, the second one ours. */
const indexKeys: IndexKey[] = [322, 323].map((version) => ({
  ...{ version, key: random(32) },
  ...{ fromMs: Date.UTC(2000, version - 1), untilMs: Date.UTC(2000, version) },
}));

/** The index by Node's own cryptography. */
function expected(purpose: string, value: Uint8Array, { key, version }: IndexKey): string {
  const info = concat(utf8(purpose), Uint8Array.of(0), u32(CITY), u16(version));
  const purposeKey = hkdfSync('sha256', key, utf8('sealpost index v1'), info, 32);
  return createHmac('sha256', new Uint8Array(purposeKey)).update(value).digest('hex').slice(0, 32);
}

describe('keyed indexes', () => {
  it('are those of HKDF and HMAC over purpose, city and version', () => {
    const value = utf8('13800138000');
    const [first] = indexKeys as [IndexKey];
    const [index] = keyedIndexes([first], CITY, [{ purpose: 'sender phone', value }]);
    expect(toHex(index as Uint8Array)).toBe(expected('sender phone', value, first));
  });

  it.each([
    ['in mid-month', Date.UTC(2026, 10, 25), [323]],
    ['when last month’s records may still come', Date.UTC(2026, 10, 5), [322, 323]],
    ['two minutes before the month', Date.UTC(2026, 10, 1) - 60_000, [322, 323]],
    ['long ago', Date.UTC(2025, 1, 1), []],
  ])('use the versions that ids can have %s', (_, ms, versions) => {
    expect(keysForCommits(indexKeys, ms, ms + 1).map(({ version }) => version)).toEqual(versions);
  });
});

describe('canonical values', () => {
  const text = (values: { value: Uint8Array }[]) =>
    values.map(({ value }) => new TextDecoder('latin1').decode(value));

  it('of phones, however they are written, for both purposes', () => {
    const values = indexedValues(module, { phone: '+86 138-0013-8000', ...days });
    expect(values.map(({ purpose }) => purpose)).toEqual(['sender phone', 'recipient phone']);
    expect(text(values)).toEqual(text(indexedValues(module, { phone: '13800138000', ...days })));
  });

  it('of documents, in every type that takes them', () => {
    const values = indexedValues(module, { document: '11010519491231002x', ...days });
    expect(text(values).every((value) => value.endsWith('11010519491231002X'))).toBe(true);
    // Resident and temporary cards are one class: equal values are asked for once.
    expect(new Set(text(values)).size).toBe(values.length);
    const typed = (['RESIDENT', 'RESIDENT_TEMP'] as const).map((docType) =>
      text(indexedValues(module, { document: '11010519491231002X', docType, ...days })),
    );
    expect(typed[0]).toHaveLength(1);
    expect(typed[0]).toEqual(typed[1]);
    expect(text(values)).toContain(typed[0]?.[0]);
    const foreign = { document: 'AB12345', docType: 'PASSPORT_FOREIGN', ...days } as const;
    expect(indexedValues(module, foreign)).toHaveLength(0);
    expect(indexedValues(module, { ...foreign, nationality: 'GBR' })).toHaveLength(1);
  });

  it('of waybills, for one carrier or for all', () => {
    expect(
      text(indexedValues(module, { waybill: 'SF1234567890123', carrier: 'SF', ...days })),
    ).toEqual(['SF\0SF1234567890123']);
    expect(indexedValues(module, { waybill: 'SF1234567890123', ...days }).length).toBeGreaterThan(
      5,
    );
  });

  it('of nothing that is no number', () => {
    expect(indexedValues(module, { phone: 'x', ...days })).toEqual([]);
    expect(
      indexedValues(module, { document: '110105194912310021', docType: 'RESIDENT', ...days }),
    ).toEqual([]);
  });
});

describe('a lookup', () => {
  let world: ReturnType<typeof makeWorld>;
  let edge: FakeEdge;
  let epoch: ReturnType<typeof makeEpoch>;
  let stored: Uint8Array[];
  let asked: ReturnType<typeof parseLookup> | undefined;
  let more: boolean;

  beforeEach(() => {
    world = makeWorld(NOW);
    edge = new FakeEdge(world);
    epoch = makeEpoch(world);
    stored = [];
    more = false;
    edge.handlers.set('POST /v1/lookup', async (request, signature) => {
      asked = parseLookup(new Uint8Array(await request.arrayBuffer()));
      const frames = [
        encodeFrame(FRAME.EPOCH, epoch.header),
        encodeFrame(FRAME.PARCELS, encodeParcels(stored)),
      ];
      const end = { request: sha256(signature), rows: stored.length, more };
      return new Response(concat(...frames, endFrame(world, frames, end)), {
        headers: { 'content-type': PULL_TYPE },
      });
    });
  });

  async function desk(): Promise<[ReturnType<FakeEdge['client']>, LookupDesk]> {
    const client = edge.client();
    await client.recipients();
    const opener = new Opener(client.lists, world.readers);
    return [client, { identity: edge.identity, indexKeys, opener, module }];
  }

  function store(index: string) {
    const record = validRecord(NOW);
    const indexes = [
      random(16),
      random(16),
      Uint8Array.from(Buffer.from(index, 'hex')),
      random(16),
    ];
    stored.push(sealParcel(world, epoch, record.id, encodeRecord(record), { indexes }));
    return record;
  }

  const phone = '13800138000';
  const ours = () => {
    const [value] = indexedValues(module, { phone, ...days });
    return expected('sender phone', value?.value as Uint8Array, indexKeys[1] as IndexKey);
  };

  it('asks by index alone, and opens what it finds', async () => {
    const record = store(ours());
    const [client, own] = await desk();
    const report = await lookup(client, own, { phone, ...days });
    expect(report).toMatchObject({ refused: [], truncated: false, indexes: 2 });
    expect(report.matches.map((match) => match.record)).toEqual([record]);
    expect(asked).toMatchObject({ fromDay: 20776, toDay: 20777 });
    expect(asked?.indexes.map(toHex)).toContain(ours());
    const sent = edge.requests.at(-1);
    expect(sent?.url).not.toContain(phone);
  });

  it('takes nothing that was not asked for, and nothing twice', async () => {
    const record = store(ours());
    stored.push(stored[0] as Uint8Array);
    store('00'.repeat(16));
    const [client, own] = await desk();
    const report = await lookup(client, own, { phone, ...days });
    expect(report.matches.map(({ id }) => id)).toEqual([record.id]);
    expect(report.refused).toEqual(['record_not_asked']);
  });

  it('tells what does not open, and that there is more', async () => {
    store(ours());
    const changed = stored[0] as Uint8Array;
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    more = true;
    const [client, own] = await desk();
    const report = await lookup(client, own, { phone, ...days });
    expect(report).toMatchObject({ matches: [], refused: ['parcel_sealed'], truncated: true });
  });

  it('is incomplete when a parcel is missing from what was signed', async () => {
    store(ours());
    edge.handlers.set('POST /v1/lookup', (_, signature) => {
      const end = { request: sha256(signature), rows: 1 };
      return new Response(concat(endFrame(world, [], end)), {
        headers: { 'content-type': PULL_TYPE },
      });
    });
    const [client, own] = await desk();
    await expect(lookup(client, own, { phone, ...days })).rejects.toThrow('end_mismatch');
  });

  it('is not asked for a value that no number has, nor for days without a key', async () => {
    const [client, own] = await desk();
    const wrong = lookup(client, own, { phone: '12', ...days });
    await expect(wrong).rejects.toMatchObject({
      code: 'invalid_value',
      message: 'not a valid value',
    });
    const old = { from: new Date(0), to: new Date(0) };
    await expect(lookup(client, own, { phone, ...old })).rejects.toMatchObject({
      code: 'no_index_key',
    });
  });
});
