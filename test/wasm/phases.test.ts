/** City phases and dry runs in the module: what is judged how, what is sealed, and what a masked view still hides. */
import { x25519 } from '@noble/curves/ed25519.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canonicalDocument, checkRecord } from '../../wasm/host/check.ts';
import { type PartyBinding, Session } from '../../wasm/host/session.ts';
import { parseResults } from '../../wire/answer.ts';
import { BATCH_RECEIPT_BYTES, parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS, type Refusal, TRIAL_REFUSALS } from '../../wire/codes.ts';
import { encapsulationInfo, encodeHeader, SINGLE, STREAM } from '../../wire/envelope.ts';
import { NATIONAL } from '../../wire/epoch.ts';
import { parseParcel, VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';
import {
  DOC_TYPES,
  decodeMasked,
  encodeRecord,
  type ParcelRecord,
  type Sender,
} from '../../wire/record.ts';
import { sender } from '../support/hpke.ts';
import { validRecord } from '../support/records.ts';
import { loadModule } from '../support/wasm.ts';

const NOW = Date.UTC(2026, 10, 20, 8);
const MARKED = { outcome: OUTCOMES.STORED } as const;
const edgePrivate = crypto.getRandomValues(new Uint8Array(32));
const party: PartyBinding = {
  enterprise: crypto.getRandomValues(new Uint8Array(16)),
  device: new Uint8Array(16),
  masked: true,
};
const instance = new WebAssembly.Instance(loadModule(), {});

let session: Session;
let memories: Uint8Array[];

/** Keeps the memory of every instance, to be searched for what should not be there. */
const recording = new Proxy(WebAssembly.Instance, {
  construct(target, [module]: [WebAssembly.Module]) {
    const made = new target(module);
    memories.push(new Uint8Array((made.exports.memory as WebAssembly.Memory).buffer));
    return made;
  },
});

afterEach(() => vi.unstubAllGlobals());

beforeEach(() => {
  memories = [];
  vi.stubGlobal('WebAssembly', {
    ...{ Module: WebAssembly.Module, RuntimeError: WebAssembly.RuntimeError },
    Instance: recording,
  });
  session = new Session(loadModule(), 520100, (s) => {
    s.setEdgeKey(1, edgePrivate, NOW - 1000, NOW + 86_400_000);
    s.setIndexKey({ version: 1, fromMs: 0, untilMs: NOW + 86_400_000 }, new Uint8Array(32).fill(7));
  });
});

function startEpochs() {
  const common = { startMs: NOW, endMs: NOW + 900_000, listVersion: 1, listHash: edgePrivate };
  const reader = [x25519.getPublicKey(crypto.getRandomValues(new Uint8Array(32)))];
  session.startEpoch({ ...common, view: VIEW_FULL, audience: NATIONAL }, reader);
  session.startEpoch({ ...common, view: VIEW_MASKED, audience: party.enterprise }, reader);
}

async function encapsulated({ requestLabel }: typeof SINGLE | typeof STREAM) {
  const hdr = encodeHeader(1);
  const info = encapsulationInfo(requestLabel, hdr, party.enterprise, party.device);
  const context = await sender(x25519.getPublicKey(edgePrivate), info);
  const seal = async (plain: Uint8Array) =>
    new Uint8Array(await context.seal(plain.slice().buffer as ArrayBuffer));
  return { head: concat(hdr, new Uint8Array(context.enc)), seal };
}

async function submit(record: ParcelRecord, how: Partial<PartyBinding>) {
  const { head, seal } = await encapsulated(SINGLE);
  const body = concat(head, await seal(encodeRecord(record)));
  const opened = session.openSingle(body, { ...party, ...how }, NOW);
  if (opened.status !== 'ok') throw new Error(opened.status);
  const batch = opened.batch.length === 0 ? undefined : parseBatch(opened.batch);
  return { batch, draft: parseResults(opened.drafts)[0], context: opened.context };
}

function withSender(changes: Partial<Sender>, more: Partial<ParcelRecord> = {}): ParcelRecord {
  const record = validRecord(NOW, more);
  return { ...record, sender: { ...(record.sender as Sender), ...changes } };
}

function judged(record: ParcelRecord, trial: boolean) {
  return checkRecord(instance, encodeRecord(record), NOW, trial);
}

const child = { docNumber: '520102201501010014' };
const guardian = {
  docType: 'RESIDENT',
  docNumber: '11010519491231002X',
  name: '张三',
  phone: '13800138000',
} as const;

/** A record for each code that a trial lets pass, and the field. */
const PASSED: [Refusal, number, ParcelRecord][] = [
  ['BAD_FORM', 0x72, withSender({ docNumber: '1101051949123100' })],
  ['BAD_FORM', 0x72, withSender({ docNumber: '1'.repeat(600) })],
  ['BAD_FORM', 0x72, withSender({ docNumber: '' })],
  ['BAD_CHECK', 0x72, withSender({ docNumber: '110105194912310021' })],
  ['BAD_DATE', 0x72, withSender({ docNumber: '110101190102290019' })],
  ['BAD_AREA', 0x72, withSender({ docNumber: '990101190101010031' })],
  ['FIRST_GEN', 0x72, withSender({ docNumber: '520102040229001' })],
  ['TYPE_MISMATCH', 0x72, withSender({ docNumber: '830000199201300022' })],
  ['BAD_NATIONALITY', 0x73, withSender({ nationality: 'CHN' })],
  ['DOC_NOT_ACCEPTED', 0x72, withSender({ docType: 'PASSPORT_CN', docNumber: 'E12345678' })],
  ['BAD_ORG_CHECK', 0x72, withSender({ docType: 'USCC', docNumber: '92520102MA0000000F' })],
  ['BAD_NAME', 0x74, withSender({ name: '王' })],
  ['PLACEHOLDER', 0x74, withSender({ name: '张女士' })],
  [
    'PLACEHOLDER',
    0xb4,
    validRecord(NOW, { recipient: { ...validRecord(NOW).recipient, name: '略' } }),
  ],
  ['GUARDIAN_REQUIRED', 0x0a, withSender(child)],
  ['GUARDIAN_REQUIRED', 0xa2, withSender(child, { guardian: { ...guardian, ...child } })],
  ['DOC_NOT_ACCEPTED', 0xa1, withSender(child, { guardian: { ...guardian, docType: 'USCC' } })],
];

describe('in trial', () => {
  it('every code of the set has a case here', () => {
    expect(new Set(PASSED.map(([code]) => code))).toEqual(new Set(TRIAL_REFUSALS));
  });

  it.each(PASSED)(
    '%s (field %i) is refused when enforced, stored with its code in trial',
    async (...given) => {
      const [name, field, record] = given;
      startEpochs();
      const code = REFUSALS[name];
      const enforced = await submit(record, {});
      expect(enforced.draft).toMatchObject({ outcome: OUTCOMES.REFUSED, code, field });
      expect(enforced.batch).toBeUndefined();
      expect(judged(record, false)).toMatchObject({ refusal: code, field, flagged: false });

      const { batch, draft } = await submit(record, { trial: true });
      expect(draft).toMatchObject({ ...MARKED, code, field });
      expect(batch?.count).toBe(1);
      expect(batch?.flagged).toBe(1);
      expect(batch?.records[0]?.trialCode).toBe(code);
      expect(judged(record, true)).toMatchObject({ refusal: code, field, flagged: true });
    },
  );

  it('a good record has no code', async () => {
    startEpochs();
    const { batch, draft } = await submit(validRecord(NOW), { trial: true });
    expect(draft).toMatchObject({ ...MARKED, code: 0, field: 0 });
    expect(batch?.flagged).toBe(0);
    expect(batch?.records[0]?.trialCode).toBe(0);
    expect(judged(validRecord(NOW), true)).toMatchObject({ refusal: 0, flagged: false });
  });

  it('the first of several faults stands', async () => {
    const record = withSender({ docNumber: '110105194912310021', name: '略' });
    expect(judged(record, true)).toMatchObject({ refusal: REFUSALS.BAD_CHECK, flagged: true });
  });

  const faulty = { docNumber: '110105194912310021' };
  it.each<[Refusal, number, ParcelRecord]>([
    ['BAD_CHECK', 0x03, validRecord(NOW, { carrier: 'EMS', waybill: 'RB123456786US' })],
    ['BAD_COUNTRY', 0x03, validRecord(NOW, { carrier: 'EMS', waybill: 'RB123456785XX' })],
    ['BAD_CARRIER', 0x02, withSender(faulty, { carrier: '顺丰' })],
    ['BAD_OUTLET', 0x05, withSender(faulty, { outlet: '' })],
    ['ID_TOO_OLD', 0x01, validRecord(NOW - 9 * 86_400_000)],
    ['BAD_TAKEN_AT', 0x04, validRecord(NOW, { takenAt: new Date(NOW + 200_000).toISOString() })],
    ['BAD_PHONE', 0x75, withSender({ ...faulty, phone: '12' })],
    ['IOT_NOT_CONTACT', 0x75, withSender({ ...faulty, phone: '1440012345678' })],
    ['BAD_ADDRESS', 0x76, withSender({ ...faulty, address: '无' })],
    ['BAD_DIVISION', 0x77, withSender({ ...faulty, division: '990000' })],
    ['BAD_ADDRESS', 0x76, withSender({ name: '略', address: '无' })],
    ['UNKNOWN_DOC_TYPE', 0x71, withSender({ docType: 'OTHER' as never, docNumber: 'x' })],
    ['NOT_STRING', 0x72, withSender({ docNumber: 110105194912 as never })],
    ['MISSING_FIELD', 0x73, withSender({ docType: 'PASSPORT_FOREIGN', docNumber: 'AB12345' })],
    [
      'BAD_REPLACES',
      0x0d,
      withSender(faulty, { replaces: '017f22e2-79b0-4cc3-98c4-dc0c0c07398f' }),
    ],
  ])('%s (field %i) is refused all the same', async (name, field, record) => {
    Object.assign(DOC_TYPES, { OTHER: 12 });
    const cbor = encodeRecord(record);
    Reflect.deleteProperty(DOC_TYPES, 'OTHER');
    const verdict = checkRecord(instance, cbor, NOW, true);
    expect(verdict).toMatchObject({ refusal: REFUSALS[name], field, flagged: false });
    expect(verdict.masked.length).toBe(0);
  });

  it('a child whose number is wrong is not asked for a guardian, another record’s age does not count', () => {
    const wrong = withSender({ docNumber: '1'.repeat(600) });
    expect(judged(withSender(child), true)).toMatchObject({ refusal: REFUSALS.GUARDIAN_REQUIRED });
    expect(judged(wrong, true)).toMatchObject({ refusal: REFUSALS.BAD_FORM, flagged: true });
  });
});

describe('the masked view of what only a trial takes', () => {
  it.each<[string, Partial<Sender>, Partial<Sender>]>([
    ['a number that fails its check', { docNumber: '110105194912310021' }, { docNumber: '*' }],
    ['a number of one letter', { docNumber: 'Q' }, { docNumber: '*' }],
    ['no number', { docNumber: '' }, { docNumber: '*' }],
    ['a name in the place of the number', { docNumber: '买买提' }, { docNumber: '*' }],
    ['a very long number', { docNumber: '7'.repeat(3_000) }, { docNumber: '*' }],
    ['a placeholder', { name: '张女士' }, { name: '*' }],
    ['a long text in the place of the name', { name: '贵阳市南明区'.repeat(20) }, { name: '*' }],
    ['a name with a control character', { name: '张\u202e三' }, { name: '*' }],
    [
      'a passport that is not accepted, whose number is right',
      { docType: 'PASSPORT_CN', docNumber: 'E12345678' },
      { docNumber: 'E*******8' },
    ],
  ])('%s', (_name, changes, shown) => {
    const record = withSender(changes);
    const { masked, flagged } = judged(record, true);
    expect(flagged).toBe(true);
    const view = decodeMasked(masked);
    expect(view.sender).toMatchObject(shown);
    expect(view.recipient).toEqual(decodeMasked(judged(validRecord(NOW), true).masked).recipient);
    for (const [name, value] of Object.entries(changes)) {
      if (name === 'docType' || value === '') continue;
      expect(JSON.stringify(view)).not.toContain(value);
    }
  });

  it('is the one that is sealed for the enterprise', async () => {
    startEpochs();
    const record = withSender({ docNumber: '110105194912310021' });
    const { batch } = await submit(record, { trial: true });
    expect(parseParcel(batch?.records[0]?.masked as Uint8Array).bucket).toBe(0);
    expect(Buffer.from(batch?.records[0]?.masked as Uint8Array).includes('110105')).toBe(false);
  });
});

describe('keyed indexes of what only a trial takes', () => {
  const zeros = new Uint8Array(16);
  const indexes = async (record: ParcelRecord) => {
    startEpochs();
    const { batch } = await submit(record, { trial: true });
    return parseParcel(batch?.records[0]?.full as Uint8Array).indexes;
  };

  it('are zeros where there is no canonical value, and as ever otherwise', async () => {
    const [document, ...others] = await indexes(withSender({ docNumber: '110105194912310021' }));
    expect(document).toEqual(zeros);
    expect(others).toEqual((await indexes(validRecord(NOW))).slice(1));
  });

  it('are there for a number that is right', async () => {
    const passport = { docType: 'PASSPORT_CN', docNumber: 'E12345678' } as const;
    const [refused] = await indexes(withSender(passport));
    const [accepted] = await indexes(withSender({ ...passport, settledAbroad: true }));
    expect(refused).toEqual(accepted);
    expect(refused).not.toEqual(zeros);
    expect(canonicalDocument(instance, DOC_TYPES.PASSPORT_CN, 'E12345678')).toBeDefined();
    const [foreign] = await indexes(
      withSender({ docType: 'PASSPORT_FOREIGN', docNumber: 'AB12345', nationality: 'XXX' }),
    );
    expect(foreign).toEqual(zeros);
  });

  it('are zeros for what is too long to be a number', async () => {
    const [document] = await indexes(withSender({ docNumber: '1'.repeat(600) }));
    expect(document).toEqual(zeros);
  });
});

describe('a stream', () => {
  const faulty = withSender({ docNumber: '110105194912310021' });
  const outcomes = async (opened: boolean, chunks: boolean[]) => {
    startEpochs();
    const { head, seal } = await encapsulated(STREAM);
    const started = session.openStream(head, { ...party, trial: opened }, NOW);
    if (started.status !== 'ok') throw new Error(started.status);
    let { request } = started;
    const found: (number | undefined)[] = [];
    for (const trial of chunks) {
      const chunk = await seal(encodeRecord({ ...faulty, id: validRecord(NOW).id }));
      const next = session.openChunk(request, chunk, false, NOW, trial);
      if (next.status !== 'ok') throw new Error(next.status);
      request = next.request;
      found.push(parseResults(next.drafts)[0]?.outcome);
    }
    return found;
  };
  const { STORED, REFUSED } = OUTCOMES;

  it('is judged by the phase of each chunk’s moment', async () => {
    expect(await outcomes(true, [true, true, false])).toEqual([STORED, STORED, REFUSED]);
  });

  it('that was opened in earnest stays so', async () => {
    expect(await outcomes(false, [true])).toEqual([REFUSED]);
  });
});

describe('a dry run', () => {
  const { CHECKED, REFUSED, STORED } = OUTCOMES;
  const dry = { dryRun: true };

  it('judges and masks without an epoch, and seals nothing for the store', async () => {
    const { batch, draft, context } = await submit(validRecord(NOW), dry);
    expect(batch).toBeUndefined();
    expect(draft).toMatchObject({ outcome: CHECKED, code: 0 });
    // Whatever the host says became of it, the answer says that it was checked.
    for (const outcome of [STORED, CHECKED]) {
      expect(session.answerSingle(context, outcome).length).toBeGreaterThan(300);
    }
    const bad = await submit(withSender({ docNumber: '110105194912310021' }), dry);
    expect(bad.draft).toMatchObject({ outcome: REFUSED, code: REFUSALS.BAD_CHECK, field: 0x72 });
  });

  it('in trial tells the code too', async () => {
    const { draft } = await submit(withSender({ name: '略' }), { ...dry, trial: true });
    expect(draft).toMatchObject({ outcome: CHECKED, code: REFUSALS.PLACEHOLDER });
  });

  it('spends no position of an epoch', async () => {
    startEpochs();
    for (let i = 0; i < 3; i++) await submit(validRecord(NOW), dry);
    const { batch } = await submit(validRecord(NOW), {});
    expect(parseParcel(batch?.records[0]?.full as Uint8Array).sequence).toBe(0);
    expect(batch?.receipts.length).toBe(BATCH_RECEIPT_BYTES);
  });

  it('of a stream is one for all of its chunks', async () => {
    const { head, seal } = await encapsulated(STREAM);
    const started = session.openStream(head, { ...party, ...dry }, NOW);
    if (started.status !== 'ok') throw new Error(started.status);
    const records = [validRecord(NOW), withSender({ name: '略' }), validRecord(NOW)];
    const chunk = await seal(concat(...records.map(encodeRecord)));
    const next = session.openChunk(started.request, chunk, false, NOW);
    if (next.status !== 'ok') throw new Error(next.status);
    expect(next.batch.length).toBe(0);
    const found = parseResults(next.drafts).map(({ outcome }) => outcome);
    expect(found).toEqual([CHECKED, REFUSED, CHECKED]);
    const sealed = session.sealResults(started.answer, next.drafts, new Uint8Array(0));
    expect(sealed.sealed.length).toBe(3 * 32 + 16);
  });
});

describe('memory', () => {
  it('holds nothing of a record after a trial, a dry run, or both', async () => {
    startEpochs();
    const faults = [
      ...PASSED.map(([, , record]) => record),
      withSender({ docNumber: '110105194912310021', name: '略', phone: '12' }),
    ];
    for (const record of faults) {
      for (const how of [{ trial: true }, { dryRun: true }, { trial: true, dryRun: true }]) {
        const { context } = await submit(record, how);
        session.answerSingle(context, OUTCOMES.STORED);
      }
    }
    const texts = faults.flatMap(({ sender, recipient }) => [
      ...[sender?.docNumber, sender?.name, sender?.phone, sender?.address],
      ...[recipient.name, recipient.phone, recipient.address, '*******8000'],
    ]);
    const markers = texts.filter((text) => text !== undefined && text.length > 4);
    expect(markers.length).toBeGreaterThan(100);
    const [memory] = memories as [Uint8Array];
    expect(Buffer.from(memory.buffer).includes(Buffer.from(edgePrivate))).toBe(true);
    for (const marker of new Set(markers as string[])) {
      expect(Buffer.from(memory.buffer).includes(marker), marker.slice(0, 20)).toBe(false);
    }
  });
});
