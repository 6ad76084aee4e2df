/**
 * After every call of the edge's part of the module, all of its memory is searched: for the plaintext in fragments of 8 octets,
 * for every key of the message and every key derived on the way, which are computed here independently.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it, vi } from 'vitest';
import { RANDOM_BYTES } from '../../wasm/host/abi.gen.ts';
import { ModuleTrap, type PartyBinding } from '../../wasm/host/session.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, u16, u32, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE, STREAM } from '../../wire/envelope.ts';
import { parcelNonce, parseParcel } from '../../wire/parcel.ts';
import { agreement, cbor, guardian, recipient, record, sender } from '../support/rules.ts';
import { loadModule } from '../support/wasm.ts';
import { CITY, epochKeys, NOW, opened, randomKeys, randomParty, TestEdge } from '../twin/edge.ts';
import { answerSecrets, type Exchange } from '../twin/hpke.ts';
import { countIn, findAny, fragments, indexIn, keyForms, keystream } from '../twin/needles.ts';
import { judgeRecord } from '../twin/validate.ts';

const module = loadModule();
const NOTHING = new Uint8Array(0);

/** Records with every kind of field; each name, number and address is long enough to be found. */
const CHILD = sender([
  [2, '520102201501010017'],
  [4, '歐陽驫麤鱻'],
]);
const PLAINTEXTS: Record<string, Uint8Array> = {
  resident: cbor(record()),
  guardian: cbor(
    record([
      [7, CHILD],
      [10, guardian()],
    ]),
  ),
  agreement: cbor(
    record([
      [7, undefined],
      [8, agreement()],
    ]),
  ),
  foreign: cbor(
    record([
      [
        7,
        sender([
          [1, 7],
          [2, 'ｐ９８７６５４３'],
          [3, 'GBR'],
          [4, 'Zacharias Featherstone'],
          [5, '+86 138-0013-8000'],
        ]),
      ],
    ]),
  ),
  'refused: number': cbor(record([[7, sender([[2, '110105194912310021']])]])),
  'refused: carrier': cbor(record([[2, '王建国的姓名写错了地方']])),
  'refused: waybill': cbor(record([[3, '贵阳市南明区阳光小区8-2-301']])),
  'refused: phone': cbor(record([[7, sender([[5, '0086138-0013-80001-99999999']])]])),
  'refused: outlet': cbor(record([[5, '中山东路12号鸿基大厦3单元']])),
  'refused: address': cbor(record([[11, recipient([[6, '贵阳市\u0007南明区阳光小区8-2-301']])]])),
  'refused: unknown field': cbor(record([[14, '贵阳市南明区阳光小区8-2-301']])),
  'not canonical': concat(Uint8Array.of(0xb8), Uint8Array.of(8), cbor(record()).subarray(1)),
  malformed: cbor(record()).subarray(0, -9),
  'two records': concat(cbor(record()), cbor(record())),
};

const known = new Map<Uint8Array, Uint8Array[]>();

/** What a plaintext could leave: itself and its masked view, without the id, which is no secret (it stands in every row). */
function plaintextForms(plaintext: Uint8Array): Uint8Array[] {
  const forms = known.get(plaintext) ?? formsOf(plaintext);
  known.set(plaintext, forms);
  return forms;
}

function formsOf(plaintext: Uint8Array): Uint8Array[] {
  const id = cbor(record().get(1)).subarray(1);
  const { masked } = judgeRecord(plaintext, NOW);
  return [plaintext, masked]
    .flatMap((bytes) => fragments(bytes))
    .filter((fragment) => !overlaps(fragment, id));
}

/** Does it hold more than three octets of the id in a row? */
function overlaps(fragment: Uint8Array, id: Uint8Array): boolean {
  const parts = Array.from({ length: id.length - 3 }, (_, i) => id.subarray(i, i + 4));
  return parts.some((part) => indexIn(fragment, part) >= 0);
}

/** Keys of one exchange, and the keystream of its first message. */
function exchangeForms(made: Exchange): Uint8Array[] {
  const { secrets } = made;
  return [
    ...Object.values(secrets).flatMap((secret) => keyForms(secret)),
    ...keystream(secrets.key, secrets.baseNonce),
  ];
}

function answerForms(made: Exchange, label: string, nonce: Uint8Array): Uint8Array[] {
  const keys = answerSecrets(made, label, nonce);
  return [...Object.values(keys).flatMap(keyForms), ...keystream(keys.key, keys.nonce, 0)];
}

function newEdge(party: PartyBinding) {
  const edge = new TestEdge(module);
  const { full, masked } = edge.startEpochs(party);
  const keys = {
    full: epochKeys(full, edge.keys.regulators[0] as Uint8Array),
    masked: epochKeys(masked, edge.keys.company),
  };
  /** The keystreams under which the parcels of a batch were sealed. */
  const parcelForms = (bytes: Uint8Array) => {
    if (bytes.length === 0) return [];
    const { records } = parseBatch(bytes);
    const streams = (parcels: Uint8Array[], key: Uint8Array) =>
      parcels
        .filter((parcel) => parcel.length > 0)
        .map((parcel) => parseParcel(parcel))
        .flatMap((parcel) => keystream(key, parcelNonce(parcel)));
    return [
      ...streams(
        records.map((record) => record.full),
        keys.full.parcel,
      ),
      ...streams(
        records.map((record) => record.masked),
        keys.masked.parcel,
      ),
    ];
  };
  return { edge, parcelForms, keys };
}

function expectClean(edge: TestEdge, ...needles: Uint8Array[][]): void {
  for (const memory of edge.memories) expect(findAny(memory, needles.flat())).toEqual([]);
}

const WAYS: [string, Partial<PartyBinding>][] = [
  ['', {}],
  [' without a masked view', { masked: false }],
  [' in trial', { trial: true }],
  [' in a dry run', { dryRun: true }],
];

describe('abuse case 30: nothing of a message is left after', () => {
  it.each(
    WAYS.flatMap(([way, changes]) =>
      Object.keys(PLAINTEXTS).map((name) => [name, way, changes] as const),
    ),
  )('openSingle and answerSingle: %s%s', (name, _, changes) => {
    const party = { ...randomParty(), ...changes };
    const { edge, parcelForms } = newEdge(party);
    const plaintext = PLAINTEXTS[name] as Uint8Array;
    const made = edge.single(party, plaintext);
    const secrets = [...plaintextForms(plaintext), ...exchangeForms(made)];
    const result = opened(edge.session.openSingle(made.body, party, NOW));
    expectClean(edge, secrets, parcelForms(result.batch));

    for (const outcome of [OUTCOMES.STORED, OUTCOMES.CONFLICT]) {
      const answer = edge.session.answerSingle(result.context, outcome);
      const nonce = answer.subarray(0, 32);
      const answered = answerForms(made, SINGLE.responseLabel, nonce);
      expectClean(edge, secrets, answered);
    }
  });

  it.each([
    ['a forged tag', -1],
    ['a forged ciphertext', 60],
    ['a forged enc', 20],
  ])('openSingle with %s', (_, at) => {
    const party = randomParty();
    const { edge } = newEdge(party);
    const plaintext = PLAINTEXTS.resident as Uint8Array;
    const made = edge.single(party, plaintext);
    const forged = made.body.slice();
    const place = at < 0 ? forged.length + at : at;
    forged[place] = (forged[place] as number) ^ 1;
    expect(edge.session.openSingle(forged, party, NOW).status).toBe('decrypt_failed');
    expectClean(edge, plaintextForms(plaintext), exchangeForms(made));
  });

  it.each(['another party', 'another key', 'another suite', 'no epoch', 'cut short', 'no point'])(
    'openSingle with %s',
    (fault) => {
      const party = randomParty();
      const { edge } = newEdge(party);
      const plaintext = PLAINTEXTS.resident as Uint8Array;
      const made = edge.single(party, plaintext);
      let { body } = made;
      let by = party;
      if (fault === 'another party') by = { ...party, device: new Uint8Array(16).fill(1) };
      if (fault === 'another key') body = concat(Uint8Array.of(99), body.subarray(1));
      if (fault === 'another suite') body = concat(body.subarray(0, 6), u16(1), body.subarray(8));
      if (fault === 'no epoch') edge.session.endEpochs();
      if (fault === 'cut short') body = body.subarray(0, 50);
      if (fault === 'no point') body = body.map((octet, i) => (i >= 7 && i < 39 ? 0 : octet));
      expect(edge.session.openSingle(body, by, NOW).status).not.toBe('ok');
      expectClean(edge, plaintextForms(plaintext), exchangeForms(made));
    },
  );

  it('openSingle and openChunk without an index key for the record', () => {
    const party = randomParty();
    const edge = new TestEdge(module, randomKeys(), false);
    edge.startEpochs(party);
    const plaintext = PLAINTEXTS.resident as Uint8Array;
    const single = edge.single(party, plaintext);
    expect(edge.session.openSingle(single.body, party, NOW).status).toBe('no_index_key');
    expectClean(edge, plaintextForms(plaintext), exchangeForms(single));
    const stream = edge.stream(party);
    const { request } = opened(edge.session.openStream(stream.head, party, NOW));
    const chunk = stream.seal(0, plaintext);
    expect(edge.session.openChunk(request, chunk, false, NOW).status).toBe('no_index_key');
    expectClean(edge, plaintextForms(plaintext), exchangeForms(stream));
  });

  it.each(WAYS)('every call of a stream%s', (_, changes) => {
    const party = { ...randomParty(), ...changes };
    const { edge, parcelForms } = newEdge(party);
    const { session } = edge;
    const made = edge.stream(party);
    const streamed = opened(session.openStream(made.head, party, NOW));
    const whole = concat(...Object.values(PLAINTEXTS));
    const secrets = [
      ...Object.values(PLAINTEXTS).flatMap(plaintextForms),
      ...exchangeForms(made),
      ...answerForms(made, STREAM.responseLabel, streamed.head),
    ];
    expectClean(edge, secrets);

    const chunk = made.seal(0, whole);
    const forged = chunk.slice();
    forged[9] = (forged[9] as number) ^ 0x80;
    expect(session.openChunk(streamed.request, forged, false, NOW).status).toBe('decrypt_failed');
    expectClean(edge, secrets);
    expect(session.openChunk(streamed.request, chunk, true, NOW).status).toBe('decrypt_failed');
    expectClean(edge, secrets);

    const first = opened(session.openChunk(streamed.request, chunk, false, NOW, true));
    expectClean(edge, secrets, parcelForms(first.batch));
    const stored = first.batch.length === 0 ? 0 : parseBatch(first.batch).count;
    const outcomes = new Uint8Array(stored).fill(OUTCOMES.STORED);
    const results = session.sealResults(streamed.answer, first.drafts, outcomes);
    expectClean(edge, secrets);

    // A client that sends too many records, then its last chunk.
    const many = made.seal(1, new Uint8Array(300));
    const second = opened(session.openChunk(first.request, many, false, NOW));
    expectClean(edge, secrets);
    const last = opened(session.openChunk(second.request, made.seal(2, NOTHING, true), true, NOW));
    expect(last.drafts.length).toBe(0);
    session.sealSummary(results.answer, true);
    expectClean(edge, secrets);
  });

  it('a stream whose client never comes back', () => {
    const party = randomParty();
    const { edge } = newEdge(party);
    const plaintext = PLAINTEXTS.resident as Uint8Array;
    const needles = Array.from({ length: 20 }, () => {
      const made = edge.stream(party);
      const streamed = opened(edge.session.openStream(made.head, party, NOW));
      edge.session.openChunk(streamed.request, made.seal(0, plaintext), false, NOW);
      return [...exchangeForms(made), ...answerForms(made, STREAM.responseLabel, streamed.head)];
    });
    expectClean(edge, plaintextForms(plaintext), ...needles);
  });

  it('contexts of another instance, and contexts of another kind', () => {
    const party = randomParty();
    const { edge } = newEdge(party);
    const plaintext = PLAINTEXTS.resident as Uint8Array;
    const foreign = new TestEdge(module, edge.keys);
    foreign.startEpochs(party);
    const made = edge.stream(party);
    const here = opened(edge.session.openStream(made.head, party, NOW));
    const there = opened(foreign.session.openStream(made.head, party, NOW));
    const single = foreign.single(party, plaintext);
    const { context } = opened(foreign.session.openSingle(single.body, party, NOW));
    const needles = [
      ...plaintextForms(plaintext),
      ...exchangeForms(made),
      ...exchangeForms(single),
      ...answerForms(made, STREAM.responseLabel, there.head),
    ];
    const chunk = made.seal(0, plaintext);
    const { session } = edge;
    expect(session.openChunk(there.request, chunk, false, NOW).status).toBe('decrypt_failed');
    expectClean(edge, needles);
    expect(() => session.answerSingle(context, OUTCOMES.STORED)).toThrow(ModuleTrap);
    expect(() => session.sealResults(there.answer, NOTHING, NOTHING)).toThrow(ModuleTrap);
    expect(() => session.sealSummary(there.answer, true)).toThrow(ModuleTrap);
    // The kinds have other nonces, so that none is taken for another.
    const padded = concat(here.answer, new Uint8Array(here.request.length - here.answer.length));
    expect(session.openChunk(padded, chunk, false, NOW).status).toBe('decrypt_failed');
    expect(() => session.sealSummary(here.request.subarray(0, here.answer.length), true)).toThrow();
    expectClean(edge, needles);
    expectClean(foreign, needles);
  });

  it('a trap: the whole memory is zeros, and the next instance has nothing of it', () => {
    const party = randomParty();
    const { edge, keys } = newEdge(party);
    const plaintext = PLAINTEXTS.resident as Uint8Array;
    const made = edge.single(party, plaintext);
    const { context } = opened(edge.session.openSingle(made.body, party, NOW));
    // A generator that stands still is refused by a trap.
    const still = vi.spyOn(crypto, 'getRandomValues');
    still.mockImplementation(((view: Uint8Array) => view.fill(7)) as never);
    edge.session.answerSingle(context, OUTCOMES.STORED);
    still.mockRestore();
    const again = vi.spyOn(crypto, 'getRandomValues');
    again.mockImplementationOnce(((view: Uint8Array) => view.fill(7)) as never);
    edge.recorded(() => {
      expect(() => edge.session.answerSingle(context, OUTCOMES.STORED)).toThrow(ModuleTrap);
    });
    again.mockRestore();
    expect(edge.memories.length).toBe(2);
    expect((edge.memories[0] as Uint8Array).every((octet) => octet === 0)).toBe(true);
    expectClean(edge, plaintextForms(plaintext), exchangeForms(made), keyForms(keys.full.parcel));
    expect(() => edge.session.answerSingle(context, OUTCOMES.STORED)).toThrow(ModuleTrap);
  });
});

describe('abuse case 30: keys in memory are those that must be there, once, after', () => {
  it('setEdgeKey: the private key', () => {
    const { edge } = newEdge(randomParty());
    const { edgePrivate } = edge.keys;
    expect(countIn(edge.memory, edgePrivate)).toBe(1);
    const others = keyForms(edgePrivate).filter((form) => indexIn(edgePrivate, form) < 0);
    expectClean(edge, others);
  });

  it('setIndexKey: neither the key, nor what it is expanded from, nor the keys by purpose', () => {
    const { edge } = newEdge(randomParty());
    const prk = extract(sha256, edge.keys.indexKey, utf8('sealpost index v1'));
    const purposes = ['document', 'waybill', 'sender phone', 'recipient phone', 'content'];
    const derived = purposes.map((purpose) =>
      expand(sha256, prk, concat(utf8(purpose), Uint8Array.of(0), u32(CITY), u16(323)), 32),
    );
    expectClean(edge, keyForms(edge.keys.indexKey), keyForms(prk), ...derived.map(keyForms));
    edge.setIndexKey();
    expectClean(edge, keyForms(edge.keys.indexKey), keyForms(prk), ...derived.map(keyForms));
  });

  it('startEpoch: the parcel key, not the content key, nor the randomness, nor what wrapped it', () => {
    const party = randomParty();
    const edge = new TestEdge(module);
    const draws: Uint8Array[] = [];
    const original = crypto.getRandomValues.bind(crypto);
    const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation(((view: Uint8Array) => {
      original(view as Uint8Array<ArrayBuffer>);
      if (view.length === RANDOM_BYTES) draws.push(view.slice());
      return view;
    }) as never);
    const { full, masked } = edge.startEpochs(party);
    spy.mockRestore();
    expect(draws.length).toBe(2);
    const readers: [typeof full, Uint8Array[]][] = [
      [full, edge.keys.regulators],
      [masked, [edge.keys.company]],
    ];
    for (const [i, [epoch, keys]] of readers.entries()) {
      const draw = draws[i] as Uint8Array;
      const prk = extract(sha256, draw, new Uint8Array(0));
      // The ephemeral keys of the wraps follow from the draw: the encapsulated keys prove the way they do.
      const ephemerals = keys.map((_, ordinal) =>
        expand(sha256, prk, concat(utf8('ephemeral'), u32(ordinal)), 32),
      );
      for (const ephemeral of ephemerals) {
        expect(indexIn(epoch.wraps, x25519.getPublicKey(ephemeral))).toBeGreaterThan(0);
      }
      for (const reader of keys) {
        const { content, parcel, wrap } = epochKeys(epoch, reader);
        expect(countIn(edge.memory, parcel)).toBe(1);
        expectClean(edge, keyForms(content), ...Object.values(wrap).map(keyForms));
      }
      expectClean(edge, fragments(draw, 4), keyForms(prk), ...ephemerals.map(keyForms));
    }
    const parcelKeys = readers.flatMap(([epoch, keys]) =>
      keys.map((reader) => epochKeys(epoch, reader).parcel),
    );
    edge.session.endEpochs();
    expectClean(edge, ...parcelKeys.map(keyForms));
  });

  it('an epoch that takes the place of another: the later parcel key alone', () => {
    const party = randomParty();
    const { edge, keys } = newEdge(party);
    edge.startEpochs(party);
    expectClean(edge, keyForms(keys.full.parcel), keyForms(keys.masked.parcel));
  });
});

it('the search finds what is there', () => {
  const { edge, keys } = newEdge(randomParty());
  expect(findAny(edge.memory, keyForms(keys.full.parcel)).length).toBeGreaterThan(0);
  const planted = PLAINTEXTS.resident as Uint8Array;
  edge.memory.set(planted.subarray(100, 130), 500_000);
  expect(findAny(edge.memory, plaintextForms(planted)).length).toBeGreaterThan(0);
});
