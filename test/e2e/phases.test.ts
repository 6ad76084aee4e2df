/** Trial and dry runs through the real service: what is taken, what is counted, what is not there afterwards. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64url, toBase64url, toHex } from '../../client/encoding.ts';
import { newPullState, pull } from '../../client/pull.ts';
import { signPolicy } from '../../client/recipients.ts';
import { startService } from '../../client/service/start.ts';
import { streamRecords } from '../../client/stream.ts';
import { submitRecord } from '../../client/submit.ts';
import { parseBatch } from '../../wire/batch.ts';
import { encodeRecord, type ParcelRecord, type Sender } from '../../wire/record.ts';
import { validRecord } from '../support/records.ts';
import {
  COMPANY,
  queryStore,
  startWorkspace,
  type WorkspaceService,
} from '../support/workspace-service.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let running: WorkspaceService;
/** How long a service takes to start here and now. */
let startMs: number;

beforeAll(async () => {
  const before = Date.now();
  running = await startWorkspace({ trialUntil: before + DAY_MS });
  startMs = Date.now() - before;
});
afterAll(() => running.end());

const edge = () => running.workspace.edge(running.service.url);
const company = () => running.workspace.enterprise(COMPANY).identity;

function faulty(): ParcelRecord {
  const record = validRecord(Date.now());
  return { ...record, sender: { ...(record.sender as Sender), docNumber: '110105194912310021' } };
}

async function* items(...records: ParcelRecord[]) {
  for (const record of records) yield { cbor: encodeRecord(record), key: record.id };
}

async function rows(): Promise<number> {
  const { workspace } = running;
  const state = newPullState(workspace.city, 'full');
  const options = { view: 'full', state, onEpoch() {}, onParcel() {} } as const;
  return (await pull(edge(), workspace.regulator().identity, options)).parcels;
}

/** Puts a policy of the delegate in the place of the last one and starts the service anew. */
async function restartWith(version: number, enforcedFrom: number, key?: Uint8Array): Promise<void> {
  const { paths, city, dir } = running.workspace;
  await running.service.stop();
  const delegate = fromBase64url(JSON.parse(readFileSync(paths.delegate, 'utf8')).privateKey);
  const now = Date.now();
  const term = { notBefore: now - HOUR_MS, notAfter: now + DAY_MS, enforcedFrom };
  const policy = signPolicy({ city, version, ...term }, key ?? delegate);
  const control = JSON.parse(readFileSync(paths.control, 'utf8'));
  writeFileSync(paths.control, JSON.stringify({ ...control, cityPolicy: toBase64url(policy) }));
  running.service = await startService({ dir });
}

describe('a dry run', () => {
  const good = validRecord(Date.now());

  it('of one record gives its verdict and its masked view', async () => {
    const result = await submitRecord(edge(), company(), good, { dryRun: true });
    expect(result).toMatchObject({ outcome: 'CHECKED', id: good.id, warnings: [] });
    expect(result.code).toBeUndefined();
    expect(result.masked?.sender).toMatchObject({ name: '买**', phone: '*******8000' });
    const flagged = await submitRecord(edge(), company(), faulty(), { dryRun: true });
    expect(flagged).toMatchObject({ outcome: 'CHECKED', code: 'BAD_CHECK' });
    expect(flagged.masked?.sender?.docNumber).toBe('*');
  });

  it('of a stream gives each its verdict', async () => {
    const old = validRecord(Date.now() - 10 * DAY_MS);
    const report = await streamRecords(edge(), company(), items(good, old, faulty()), {
      dryRun: true,
    });
    expect(report.counts).toEqual({ stored: 0, duplicate: 0, conflict: 0, refused: 1, checked: 2 });
    expect(report.flagged).toBe(1);
    const verdicts = report.results.map(({ outcome, code }) => [outcome, code]);
    expect(verdicts).toEqual([
      ['CHECKED', undefined],
      ['REFUSED', 'ID_TOO_OLD'],
      ['CHECKED', 'BAD_CHECK'],
    ]);
  });

  it('leaves nothing in the store; the same record is stored afterwards', async () => {
    expect(await rows()).toBe(0);
    expect(await submitRecord(edge(), company(), good)).toMatchObject({ outcome: 'STORED' });
    expect(await submitRecord(edge(), company(), good)).toMatchObject({ outcome: 'DUPLICATE' });
    // It asks nothing of the store, so it does not know that the id is used.
    const again = await submitRecord(edge(), company(), good, { dryRun: true });
    expect(again.outcome).toBe('CHECKED');
    expect(await rows()).toBe(1);
  });
});

describe('a trial', () => {
  it('stores what would be refused, with its code, and a masked view that shows nothing of it', async () => {
    const record = faulty();
    const result = await submitRecord(edge(), company(), record);
    expect(result).toMatchObject({
      ...{ outcome: 'STORED', code: 'BAD_CHECK', field: 'sender.docNumber', id: record.id },
    });
    expect(result.masked?.sender).toMatchObject({ docNumber: '*', phone: '*******8000' });
    expect(await submitRecord(edge(), company(), record)).toMatchObject({
      ...{ outcome: 'DUPLICATE', code: 'BAD_CHECK' },
    });
  });

  it('opens for the regulator as it was sent', async () => {
    const record = faulty();
    await submitRecord(edge(), company(), record);
    const { workspace } = running;
    const { identity, recipientKeys } = workspace.regulator();
    const client = edge();
    await client.recipients();
    const opener = workspace.opener(recipientKeys, client.lists);
    const opened: unknown[] = [];
    await pull(client, identity, {
      ...{ view: 'full', state: newPullState(workspace.city, 'full') },
      onEpoch: (header) => void opener.addEpoch(header),
      onParcel: (parcel, row) => void opened.push(opener.open(parcel, row).record),
    });
    expect(opened).toContainEqual(record);
  });

  it('ends in the middle of a stream', async () => {
    const end = Date.now() + 2 * startMs + 3_000;
    await restartWith(2, end);
    expect(Date.now()).toBeLessThan(end - 500);
    const sent = [faulty(), faulty(), validRecord(Date.now())];
    let first: unknown;
    async function* acrossTheEnd() {
      yield { cbor: encodeRecord(sent[0] as ParcelRecord), key: 0, alone: true };
      await delay(end - Date.now() + 200);
      yield { cbor: encodeRecord(sent[1] as ParcelRecord), key: 1 };
      yield { cbor: encodeRecord(sent[2] as ParcelRecord), key: 2 };
    }
    const report = await streamRecords(edge(), company(), acrossTheEnd(), {
      onResults: (results) => {
        first ??= { at: Date.now(), outcome: results[0]?.outcome };
      },
    });
    expect(first).toMatchObject({ outcome: 'STORED' });
    expect(report.attempts).toBe(1);
    expect(report.results.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['STORED', 'BAD_CHECK'],
      ['REFUSED', 'BAD_CHECK'],
      ['STORED', undefined],
    ]);
  });

  it('does not come back by a policy that no delegate signed', async () => {
    await restartWith(3, Date.now() + DAY_MS, crypto.getRandomValues(new Uint8Array(32)));
    expect(await submitRecord(edge(), company(), faulty())).toMatchObject({
      ...{ outcome: 'REFUSED', code: 'BAD_CHECK' },
    });
  });

  it('is counted in the store, which takes no older policy', async () => {
    await expect(restartWith(1, Date.now() + DAY_MS)).rejects.toMatchObject({
      code: 'setup_failed',
    });
    const { workspace } = running;
    const receipts = queryStore(workspace, 'SELECT trial_code FROM receipts');
    expect(receipts.map(({ trial_code }) => trial_code).sort()).toEqual([0, 0, 22, 22, 22]);
    expect(queryStore(workspace, 'SELECT sum(flagged) AS flagged FROM commits')).toEqual([
      { flagged: 3 },
    ]);
    // No canonical number, no index: three are left of each such record.
    const flagged = queryStore(workspace, 'SELECT data FROM batches')
      .flatMap(({ data }) => parseBatch(data as Uint8Array).records)
      .filter(({ trialCode }) => trialCode !== 0);
    const documents = flagged.map(({ full }) => toHex(full.subarray(80, 96)));
    expect(documents).toEqual(Array(3).fill('00'.repeat(16)));
  });
});
