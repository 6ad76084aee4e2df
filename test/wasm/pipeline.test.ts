import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModuleTrap, type PartyBinding, Session } from '../../wasm/host/session.ts';
import { parsePadded, parseResults, parseSingleAnswer, parseSummary } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, equalBytes, u16, u32, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS } from '../../wire/codes.ts';
import { encapsulationInfo, encodeHeader, FINAL_AAD, SINGLE, STREAM } from '../../wire/envelope.ts';
import {
  EPOCH_COMMIT_LABEL,
  encodeEpoch,
  NATIONAL,
  parseEpoch,
  wrapInfo,
} from '../../wire/epoch.ts';
import {
  PARCEL_KEY_LABEL,
  type Parcel,
  parcelNonce,
  parseParcel,
  VIEW_FULL,
  VIEW_MASKED,
} from '../../wire/parcel.ts';
import { decodeMasked, decodeRecord, encodeRecord, uuidBytes } from '../../wire/record.ts';
import { openWith, sender } from '../support/hpke.ts';
import { validRecord } from '../support/records.ts';
import { loadModule } from '../support/wasm.ts';

const NOW = Date.UTC(2026, 10, 20, 8);
const CITY = 520100;
const KEY_ID = 7;

const edgePrivate = crypto.getRandomValues(new Uint8Array(32));
const indexKey = crypto.getRandomValues(new Uint8Array(32));
const regulators = [1, 2].map(() => crypto.getRandomValues(new Uint8Array(32)));
const company = crypto.getRandomValues(new Uint8Array(32));
const party: PartyBinding = {
  enterprise: crypto.getRandomValues(new Uint8Array(16)),
  device: new Uint8Array(16),
  masked: true,
};

let session: Session;
let memories: Uint8Array[];

/** Keeps every instance's memory, so that it can be searched for what should not be there. */
const recording = new Proxy(WebAssembly.Instance, {
  construct(target, [module]: [WebAssembly.Module]) {
    const instance = new target(module);
    memories.push(new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer));
    return instance;
  },
});

beforeEach(() => {
  memories = [];
  vi.stubGlobal('WebAssembly', {
    Module: WebAssembly.Module,
    RuntimeError: WebAssembly.RuntimeError,
    Instance: recording,
  });
  session = new Session(loadModule(), CITY, (s) => {
    s.setEdgeKey(KEY_ID, edgePrivate, NOW - 1000, NOW + 86_400_000);
    s.setIndexKey(
      { version: 323, fromMs: NOW - 40 * 86_400_000, untilMs: NOW + 86_400_000 },
      indexKey,
    );
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function startEpochs(at = NOW) {
  const common = {
    startMs: at,
    endMs: at + 900_000,
    listVersion: 3,
    listHash: new Uint8Array(32).fill(9),
  };
  const full = session.startEpoch(
    { ...common, view: VIEW_FULL, audience: NATIONAL },
    regulators.map((key) => x25519.getPublicKey(key)),
  );
  const masked = session.startEpoch({ ...common, view: VIEW_MASKED, audience: party.enterprise }, [
    x25519.getPublicKey(company),
  ]);
  return { full, masked };
}

async function sealSingle(plaintext: Uint8Array, by = party) {
  const hdr = encodeHeader(KEY_ID);
  const info = encapsulationInfo(SINGLE.requestLabel, hdr, by.enterprise, by.device);
  const context = await sender(x25519.getPublicKey(edgePrivate), info);
  const sealed = new Uint8Array(await context.seal(plaintext.slice().buffer as ArrayBuffer));
  const enc = new Uint8Array(context.enc);
  const secret = new Uint8Array(await context.export(utf8(SINGLE.responseLabel).buffer, 32));
  return { body: concat(hdr, enc, sealed), enc, secret };
}

/** RFC 9458 section 4.4. */
function answerKey(secret: Uint8Array, enc: Uint8Array, nonce: Uint8Array) {
  const prk = extract(sha256, secret, concat(enc, nonce));
  return {
    key: expand(sha256, prk, utf8('key'), 32),
    nonce: expand(sha256, prk, utf8('nonce'), 12),
  };
}

function openAnswer(answer: Uint8Array, enc: Uint8Array, secret: Uint8Array) {
  const { key, nonce } = answerKey(secret, enc, answer.subarray(0, 32));
  return parseSingleAnswer(chacha20poly1305(key, nonce).decrypt(answer.subarray(32)));
}

type Started = ReturnType<typeof startEpochs>['full'];

/** The parcel key of an epoch, as one of its recipients finds it. */
async function parcelKey(started: Started, privateKey: Uint8Array): Promise<Uint8Array> {
  const zeros = new Uint8Array(64);
  const header = encodeEpoch(
    started.params,
    started.commit,
    started.wraps,
    zeros.subarray(32),
    zeros,
  );
  const epoch = parseEpoch(header);
  const keyid = sha256(x25519.getPublicKey(privateKey));
  const wrap = epoch.wraps.find(({ recipient }) => equalBytes(recipient, keyid));
  if (wrap === undefined) throw new Error('not a recipient');
  const aad = concat(epoch.params, epoch.commit);
  const cek = await openWith(privateKey, wrap.enc, wrapInfo(keyid), aad, wrap.sealed);
  expect(expand(sha256, cek, concat(utf8(EPOCH_COMMIT_LABEL), epoch.params), 32)).toEqual(
    epoch.commit,
  );
  return expand(sha256, cek, concat(utf8(PARCEL_KEY_LABEL), epoch.params), 32);
}

function openParcel(key: Uint8Array, parcel: Parcel): Uint8Array {
  return parsePadded(chacha20poly1305(key, parcelNonce(parcel), parcel.aad).decrypt(parcel.sealed));
}

function opened<T extends { status: string }>(result: T): Extract<T, { status: 'ok' }> {
  expect(result.status).toBe('ok');
  return result as Extract<T, { status: 'ok' }>;
}

/** Does a byte string stand anywhere in the memory of an instance? */
function inMemory(marker: Uint8Array): boolean {
  return memories.some((memory) => Buffer.from(memory.buffer).includes(Buffer.from(marker)));
}

describe('a single submission', () => {
  it('opens, is sealed again for its readers, and is answered with the masked view', async () => {
    const { full, masked } = startEpochs();
    const record = validRecord(NOW);
    const cbor = encodeRecord(record);
    const { body, enc, secret } = await sealSingle(cbor);
    const { batch, drafts, context } = opened(session.openSingle(body, party, NOW));

    const stored = parseBatch(batch);
    expect(stored).toMatchObject({ city: CITY, count: 1, acceptedMs: NOW });
    expect(stored.enterprise).toEqual(party.enterprise);
    expect(stored.fullEpoch).toEqual(full.id);
    expect(stored.maskedEpoch).toEqual(masked.id);
    const parcel = parseParcel(stored.records[0]?.full as Uint8Array);
    expect(parcel.id).toEqual(uuidBytes(record.id));
    for (const regulator of regulators) {
      const bytes = openParcel(await parcelKey(full, regulator), parcel);
      expect(bytes).toEqual(cbor);
      expect(decodeRecord(bytes)).toEqual(record);
    }
    const maskedParcel = parseParcel(stored.records[0]?.masked as Uint8Array);
    const view = decodeMasked(openParcel(await parcelKey(masked, company), maskedParcel));
    expect(view.sender).toMatchObject({
      name: '买**',
      phone: '*******8000',
      docNumber: '1****************X',
    });

    expect(parseResults(drafts)).toMatchObject([{ outcome: OUTCOMES.STORED, code: 0, place: 0 }]);
    const answer = openAnswer(session.answerSingle(context, OUTCOMES.DUPLICATE), enc, secret);
    expect(answer.result.outcome).toBe(OUTCOMES.DUPLICATE);
    expect(decodeMasked(answer.masked)).toEqual(view);
  });

  it('binds the content tag and four keyed indexes to the period of the record id', async () => {
    startEpochs();
    const cbor = encodeRecord(validRecord(NOW));
    const { body } = await sealSingle(cbor);
    const stored = parseBatch(opened(session.openSingle(body, party, NOW)).batch);
    const parcel = parseParcel(stored.records[0]?.full as Uint8Array);
    const keyed = (purpose: string, value: Uint8Array) => {
      const prk = extract(sha256, indexKey, utf8('sealpost index v1'));
      const key = expand(
        sha256,
        prk,
        concat(utf8(purpose), Uint8Array.of(0), u32(CITY), u16(323)),
        32,
      );
      return hmac(sha256, key, value).subarray(0, 16);
    };
    const document = concat(Uint8Array.of(1, 0, 0, 0), utf8('11010519491231002X'));
    expect(parcel.indexVersion).toBe(323);
    expect(parcel.indexes).toEqual([
      keyed('document', document),
      keyed('waybill', utf8('SF\0SF1234567890123')),
      keyed('sender phone', utf8('13800138000')),
      keyed('recipient phone', utf8('13912345678')),
    ]);
    expect(stored.receipts.subarray(0, 16)).toEqual(parcel.id);
    expect(stored.receipts.subarray(16, 32)).toEqual(
      keyed('content', concat(party.enterprise, parcel.id, cbor)),
    );
  });

  it('answers stored and duplicate in the same size, conflict without a masked view', async () => {
    startEpochs();
    const { body, enc, secret } = await sealSingle(encodeRecord(validRecord(NOW)));
    const { context } = opened(session.openSingle(body, party, NOW));
    const [stored, duplicate, conflict] = [
      session.answerSingle(context, OUTCOMES.STORED),
      session.answerSingle(context, OUTCOMES.DUPLICATE),
      session.answerSingle(context, OUTCOMES.CONFLICT),
    ];
    expect(stored.length).toBe(duplicate.length);
    expect(stored.subarray(0, 32)).not.toEqual(duplicate.subarray(0, 32));
    expect(openAnswer(conflict, enc, secret).masked.length).toBe(0);
  });

  it('refuses a bad record with code and field, and stores nothing of it', async () => {
    startEpochs();
    const good = validRecord(NOW);
    const bad = { ...good, sender: { ...good.sender, docNumber: '110105194912310021' } };
    const { body, enc, secret } = await sealSingle(encodeRecord(bad as never));
    const { batch, context } = opened(session.openSingle(body, party, NOW));
    expect(batch.length).toBe(0);
    const { result, masked } = openAnswer(
      session.answerSingle(context, OUTCOMES.STORED),
      enc,
      secret,
    );
    expect(result).toMatchObject({
      outcome: OUTCOMES.REFUSED,
      code: REFUSALS.BAD_CHECK,
      field: 0x72,
    });
    expect(masked.length).toBe(0);
  });

  it('does not open for another party, key, suite, or when a bit is changed', async () => {
    startEpochs();
    const { body } = await sealSingle(encodeRecord(validRecord(NOW)));
    const other = { ...party, enterprise: new Uint8Array(16).fill(1), masked: false };
    expect(session.openSingle(body, other, NOW).status).toBe('decrypt_failed');
    expect(session.openSingle(concat(Uint8Array.of(8), body.subarray(1)), party, NOW).status).toBe(
      'unknown_key',
    );
    expect(session.openSingle(body, party, NOW + 86_400_000).status).toBe('unknown_key');
    const suite = body.slice();
    suite[6] = 1;
    expect(session.openSingle(suite, party, NOW).status).toBe('unsupported_suite');
    for (let at = 7; at < body.length; at += 13) {
      const changed = body.slice();
      changed[at] = (changed[at] as number) ^ 0x10;
      expect(session.openSingle(changed, party, NOW).status).toBe('decrypt_failed');
    }
    for (let length = 0; length < body.length; length += 29) {
      expect(session.openSingle(body.subarray(0, length), party, NOW).status).not.toBe('ok');
    }
    expect(session.openSingle(body, party, NOW).status).toBe('ok');
  });
});

describe('a stream', () => {
  async function openSender() {
    const hdr = encodeHeader(KEY_ID);
    const info = encapsulationInfo(STREAM.requestLabel, hdr, party.enterprise, party.device);
    const context = await sender(x25519.getPublicKey(edgePrivate), info);
    const enc = new Uint8Array(context.enc);
    const secret = new Uint8Array(await context.export(utf8(STREAM.responseLabel).buffer, 32));
    const seal = async (plain: Uint8Array, final = false) =>
      new Uint8Array(
        await context.seal(
          plain.slice().buffer as ArrayBuffer,
          final ? FINAL_AAD.buffer : undefined,
        ),
      );
    return { head: concat(hdr, enc), enc, secret, seal };
  }

  it('gives each record its result, refuses a bad one alone, and ends with authenticated counts', async () => {
    startEpochs();
    const { head, enc, secret, seal } = await openSender();
    const stream = opened(session.openStream(head, party, NOW));
    const bad = { ...validRecord(NOW), waybill: 'RB123456786US', carrier: 'EMS' };
    const chunks = [[validRecord(NOW), bad, validRecord(NOW)], [validRecord(NOW)]].map((records) =>
      concat(...records.map(encodeRecord)),
    );
    let { request, answer } = stream;
    const answers: Uint8Array[] = [];
    for (const [i, chunk] of chunks.entries()) {
      const result = opened(session.openChunk(request, await seal(chunk), false, NOW));
      request = result.request;
      const { count } = parseBatch(result.batch);
      const sealed = session.sealResults(answer, result.drafts, new Uint8Array(count).fill(1 + i));
      answer = sealed.answer;
      answers.push(sealed.sealed);
    }
    const last = opened(session.openChunk(request, await seal(new Uint8Array(0), true), true, NOW));
    expect(last.drafts.length).toBe(0);
    answers.push(session.sealSummary(answer, true));

    const { key, nonce } = answerKey(secret, enc, stream.head);
    const open = (i: number, aad?: Uint8Array) => {
      const at = nonce.slice();
      at[11] = (at[11] as number) ^ i;
      return chacha20poly1305(key, at, aad).decrypt(answers[i] as Uint8Array);
    };
    expect(parseResults(open(0))).toMatchObject([
      { place: 0, outcome: OUTCOMES.STORED },
      { place: 1, outcome: OUTCOMES.REFUSED, code: REFUSALS.BAD_CHECK, field: 0x03 },
      { place: 2, outcome: OUTCOMES.STORED },
    ]);
    expect(parseResults(open(1))).toMatchObject([{ place: 256, outcome: OUTCOMES.DUPLICATE }]);
    expect(parseSummary(open(2, FINAL_AAD))).toEqual({
      ...{ complete: true, stored: 2, duplicate: 1, conflict: 0, refused: 1, retry: 0, checked: 0 },
    });
  });

  it('takes no chunk twice, out of order, cut, or as final when it is not', async () => {
    startEpochs();
    const { head, seal } = await openSender();
    const { request } = opened(session.openStream(head, party, NOW));
    const [first, second] = [
      await seal(encodeRecord(validRecord(NOW))),
      await seal(new Uint8Array(0)),
    ];
    expect(session.openChunk(request, second, false, NOW).status).toBe('decrypt_failed');
    expect(session.openChunk(request, first, true, NOW).status).toBe('decrypt_failed');
    expect(session.openChunk(request, first.subarray(1), false, NOW).status).toBe('decrypt_failed');
    const next = opened(session.openChunk(request, first, false, NOW));
    expect(session.openChunk(next.request, first, false, NOW).status).toBe('decrypt_failed');
  });

  it('asks for an epoch before it consumes anything, and goes on with the new one', async () => {
    const { head, seal } = await openSender();
    const { request } = opened(session.openStream(head, party, NOW));
    const chunk = await seal(encodeRecord(validRecord(NOW)));
    expect(session.openChunk(request, chunk, false, NOW).status).toBe('need_epoch');
    startEpochs();
    const first = opened(session.openChunk(request, chunk, false, NOW));
    const later = await seal(encodeRecord(validRecord(NOW)));
    expect(session.openChunk(first.request, later, false, NOW + 900_000).status).toBe('need_epoch');
    startEpochs(NOW + 900_000);
    expect(session.openChunk(first.request, later, false, NOW + 900_000).status).toBe('ok');
  });
});

describe('memory', () => {
  it('holds no plaintext and no key of a message after success, refusal and failure', async () => {
    startEpochs();
    const record = validRecord(NOW);
    const { body, secret } = await sealSingle(encodeRecord(record));
    const { context } = opened(session.openSingle(body, party, NOW));
    session.answerSingle(context, OUTCOMES.STORED);
    const forged = body.slice();
    forged[60] = (forged[60] as number) ^ 1;
    session.openSingle(forged, party, NOW);
    const markers = [
      ...[
        '11010519491231002X',
        '买买提',
        '13800138000',
        '鸿基大厦',
        '中山东路',
        '欧阳若兰',
        '*******8000',
      ].map(utf8),
      secret,
    ];
    for (const marker of markers) expect(inMemory(marker)).toBe(false);
    expect(inMemory(edgePrivate)).toBe(true); // the search does find what is there
  });

  it('is zeroed after a trap, and the next instance never repeats a key and position', async () => {
    const before = startEpochs();
    const { body } = await sealSingle(encodeRecord(validRecord(NOW)));
    const one = parseBatch(opened(session.openSingle(body, party, NOW)).batch);
    const fixed = vi
      .spyOn(crypto, 'getRandomValues')
      .mockImplementation(((view: Uint8Array) => view.fill(7)) as never);
    const { context } = opened(session.openSingle(body, party, NOW));
    session.answerSingle(context, OUTCOMES.STORED);
    fixed.mockRestore();
    // A generator that stands still is refused by a trap: here, by drawing the same twice.
    const { context: waiting } = opened(session.openSingle(body, party, NOW));
    const again = vi.spyOn(crypto, 'getRandomValues');
    again.mockImplementationOnce(((view: Uint8Array) => view.fill(7)) as never);
    expect(() => session.answerSingle(waiting, OUTCOMES.STORED)).toThrow(ModuleTrap);
    expect((memories[0] as Uint8Array).every((byte) => byte === 0)).toBe(true);

    expect(session.openSingle(body, party, NOW).status).toBe('need_epoch');
    const after = startEpochs();
    expect(after.full.commit).not.toEqual(before.full.commit);
    const two = parseBatch(opened(session.openSingle(body, party, NOW)).batch);
    expect(two.fullEpoch).not.toEqual(one.fullEpoch);
    expect(() => session.answerSingle(waiting, OUTCOMES.STORED)).toThrow(); // contexts died with the instance
  });
});
