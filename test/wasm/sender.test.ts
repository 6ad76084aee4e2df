/**
 * The client's side of encapsulations in the module: against an edge made of another library's parts, against the edge in the same
 * module, and what is left in memory after each call.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { type AnswerReader, Sender, type SendingContext } from '../../wasm/host/sender.ts';
import { parseSummary, RESULT_BYTES, resultAt } from '../../wire/answer.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { encapsulationInfo, encodeHeader, FINAL_AAD, SINGLE, STREAM } from '../../wire/envelope.ts';
import { MAX_CHUNK_BYTES } from '../../wire/limits.ts';
import { buffer, openWith, suite } from '../support/hpke.ts';
import { cbor, record } from '../support/rules.ts';
import { loadModule } from '../support/wasm.ts';
import { KEY_ID, NOW, opened, randomParty, recordMemories, TestEdge } from '../twin/edge.ts';
import { answerSecrets, exchange, received, sealAt } from '../twin/hpke.ts';
import { findAny, fragments, keyForms, keystream } from '../twin/needles.ts';

const module = loadModule();
const NOTHING = new Uint8Array(0);
const HDR = encodeHeader(KEY_ID);
const KINDS = [
  ['single', SINGLE],
  ['stream', STREAM],
] as const;
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Both sides' keys and the context that `sender` makes of them. */
function start(kind: typeof SINGLE | typeof STREAM, sender = new Sender(module)) {
  const party = { enterprise: random(16), device: random(16) };
  const privateKey = random(32);
  const publicKey = x25519.getPublicKey(privateKey);
  const info = encapsulationInfo(kind.requestLabel, HDR, party.enterprise, party.device);
  const context = sender.start(kind === STREAM, { publicKey, hdr: HDR, ...party });
  return { context, info, privateKey, publicKey, edge: received(privateKey, context.enc, info) };
}

/** What an edge seals as its answer. */
function answering(kind: typeof SINGLE | typeof STREAM, edge: ReturnType<typeof received>) {
  const nonce = random(32);
  const { key, nonce: baseNonce, ...secrets } = answerSecrets(edge, kind.responseLabel, nonce);
  const as = { ...edge, secrets: { ...edge.secrets, key, baseNonce } };
  const seal = (position: number, plaintext: Uint8Array, aad?: Uint8Array) =>
    sealAt(as, position, plaintext, aad);
  return { nonce, seal, key, baseNonce, ...secrets };
}

describe.each([RELAXED_FILE, PLAIN_FILE])('%s seals for an edge of another library', (file) => {
  const sender = new Sender(loadModule(file));

  it.each(KINDS)('a %s, and opens its answer', async (_, kind) => {
    const { context, info, privateKey, edge } = start(kind, sender);
    const plaintext = random(500);
    const sealed = context.seal(plaintext);
    expect(await openWith(privateKey, context.enc, info, NOTHING, sealed)).toEqual(plaintext);
    const { nonce, seal } = answering(kind, edge);
    expect(context.answer(nonce).open(seal(0, utf8('answer')))).toEqual(utf8('answer'));
  });

  it('chunks of every length at an edge, in order, the last one marked', async () => {
    const { context, info, privateKey } = start(STREAM, sender);
    const recipientKey = await suite.kem.deserializePrivateKey(buffer(privateKey));
    const receiver = await suite.createRecipientContext({
      ...{ recipientKey, enc: buffer(context.enc), info: buffer(info) },
    });
    const lengths = [0, 1, 15, 16, 63, 64, 65, 511, 512, 513, 4096, MAX_CHUNK_BYTES];
    for (const plaintext of lengths.map(random)) {
      const sealed = context.seal(plaintext);
      expect(sealed.length).toBe(plaintext.length + 16);
      expect(new Uint8Array(await receiver.open(buffer(sealed)))).toEqual(plaintext);
    }
    const last = context.seal(NOTHING, true);
    expect(last.length).toBe(16);
    const opens = await receiver.open(buffer(last), buffer(FINAL_AAD));
    expect(opens.byteLength).toBe(0);
  });

  it('answers of every length at an edge', () => {
    const { context, edge } = start(STREAM, sender);
    const { nonce, seal } = answering(STREAM, edge);
    const reader = context.answer(nonce);
    const lengths = [0, 1, 25, 64, 4096, 256 * RESULT_BYTES];
    lengths.forEach((length, position) => {
      const plaintext = random(length);
      expect(reader.open(seal(position, plaintext))).toEqual(plaintext);
    });
    expect(reader.open(seal(lengths.length, utf8('end'), FINAL_AAD), true)).toEqual(utf8('end'));
  });
});

describe('with the edge of the same module', () => {
  it('a submission and a stream from end to end', () => {
    const party = { ...randomParty(), masked: false };
    const edge = new TestEdge(module);
    edge.startEpochs(party);
    const { session, publicKey } = edge;
    const sender = new Sender(module);
    const to = { publicKey, hdr: HDR, ...party };
    const plaintext = cbor(record());

    const single = sender.start(false, to);
    const body = concat(HDR, single.enc, single.seal(plaintext));
    const taken = opened(session.openSingle(body, party, NOW));
    const answer = session.answerSingle(taken.context, OUTCOMES.STORED);
    const shown = single.answer(answer.slice(0, 32)).open(answer.subarray(32)) as Uint8Array;
    expect(resultAt(shown, 0).outcome).toBe(OUTCOMES.STORED);

    const stream = sender.start(true, to);
    const begun = opened(session.openStream(concat(HDR, stream.enc), party, NOW));
    const first = opened(session.openChunk(begun.request, stream.seal(plaintext), false, NOW));
    const end = opened(session.openChunk(first.request, stream.seal(NOTHING, true), true, NOW));
    expect(end.drafts.length).toBe(0);
    const outcomes = Uint8Array.of(OUTCOMES.DUPLICATE);
    const sealed = session.sealResults(begun.answer, first.drafts, outcomes);
    const reader = stream.answer(begun.head);
    const results = reader.open(sealed.sealed) as Uint8Array;
    expect(results.length).toBe(RESULT_BYTES);
    expect(resultAt(results, 0)).toMatchObject({ place: 0, outcome: OUTCOMES.DUPLICATE });
    const summary = reader.open(session.sealSummary(sealed.answer, true), true) as Uint8Array;
    expect(parseSummary(summary)).toMatchObject({ complete: true, duplicate: 1 });
  });

  it('several streams of one instance, in turns', () => {
    const sender = new Sender(module);
    const streams = Array.from({ length: 5 }, () => start(STREAM, sender));
    const answers = streams.map(({ edge, context }) => {
      const { nonce, seal } = answering(STREAM, edge);
      return { reader: context.answer(nonce), seal };
    });
    for (let chunk = 0; chunk < 3; chunk++) {
      streams.forEach(({ context, edge }, i) => {
        const plaintext = utf8(`${i} ${chunk}`);
        expect(context.seal(plaintext)).toEqual(sealAt(edge, chunk, plaintext));
        const { reader, seal } = answers[i] as (typeof answers)[number];
        expect(reader.open(seal(chunk, plaintext))).toEqual(plaintext);
      });
    }
  });
});

describe('what does not open', () => {
  it('gives nothing at any chunk, and the right one is still taken', () => {
    const { context, edge } = start(STREAM);
    const { nonce, seal } = answering(STREAM, edge);
    const reader = context.answer(nonce);
    for (let position = 0; position < 3; position++) {
      const right = seal(position, random(96));
      for (const at of [0, 50, 96, 111]) {
        const wrong = right.slice();
        wrong[at] = (wrong[at] as number) ^ 1;
        expect(reader.open(wrong)).toBeUndefined();
      }
      for (const cut of [0, 15, 16, 111])
        expect(reader.open(right.subarray(0, cut))).toBeUndefined();
      expect(reader.open(right, true)).toBeUndefined();
      expect(reader.open(seal(position + 1, random(96)))).toBeUndefined();
      expect(reader.open(right)).toHaveLength(96);
    }
  });

  it('an answer under another nonce or to another request', () => {
    const sender = new Sender(module);
    const [one, other] = [start(SINGLE, sender), start(SINGLE, sender)];
    const { nonce, seal } = answering(SINGLE, one.edge);
    expect(one.context.answer(random(32)).open(seal(0, utf8('x')))).toBeUndefined();
    expect(other.context.answer(nonce).open(seal(0, utf8('x')))).toBeUndefined();
    expect(one.context.answer(nonce).open(seal(0, utf8('x')))).toEqual(utf8('x'));
  });

  it.each([0, 1])('a public key of low order, %i', (first) => {
    const publicKey = new Uint8Array(32);
    publicKey[0] = first;
    const to = { publicKey, hdr: HDR, enterprise: random(16), device: random(16) };
    expect(() => new Sender(module).start(true, to)).toThrow(RangeError);
  });

  it('one octet too many; nothing is counted', () => {
    const { context, edge } = start(STREAM);
    expect(() => context.seal(random(MAX_CHUNK_BYTES + 1))).toThrow(RangeError);
    expect(context.seal(utf8('x'))).toEqual(sealAt(edge, 0, utf8('x')));
  });
});

describe('the exports themselves', () => {
  const instance = new WebAssembly.Instance(module);
  const exports = instance.exports as unknown as {
    memory: WebAssembly.Memory;
    sealNext(length: number, final: number): number;
    readNext(length: number, final: number): number;
    startReading(): number;
  };

  it('refuse contexts that they did not make, and lengths beyond the buffer', () => {
    expect(exports.startReading()).toBe(0);
    for (const length of [0, 1, 175, 176, 300, 16_560, 16_561, 24_577, 0xffff_ffff]) {
      expect(exports.sealNext(length, 0)).toBe(0);
      expect(exports.readNext(length, 0)).toBe(0);
    }
  });
});

describe('nothing of a message is left', () => {
  const ephemeral = random(32);
  beforeEach(() => {
    // The key of the instance first, then the ephemeral key. What libraries draw stays random.
    const draws = [random(64), concat(ephemeral, random(32))];
    const real = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const { buffer } = array as unknown as Uint8Array;
      if (buffer.byteLength < 1 << 20) return real(array);
      (array as unknown as Uint8Array).set(draws.shift() as Uint8Array);
      return array;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it.each(KINDS)('after any call for a %s', (_, kind) => {
    const memories: Uint8Array[] = [];
    const sender = recordMemories(memories, () => new Sender(module));
    const memory = memories[0] as Uint8Array;
    const privateKey = new Uint8Array(32).fill(7, 0, 31);
    const publicKey = x25519.getPublicKey(privateKey);
    const party = { enterprise: new Uint8Array(16).fill(3), device: new Uint8Array(16).fill(4) };
    const info = encapsulationInfo(kind.requestLabel, HDR, party.enterprise, party.device);
    const made = exchange(ephemeral, publicKey, info);
    const nonce = Uint8Array.from({ length: 32 }, (_, i) => 11 * i);
    const answer = answerSecrets(made, kind.responseLabel, nonce);
    const as = { ...made, secrets: { ...made.secrets, key: answer.key, baseNonce: answer.nonce } };
    const [plaintext, told] = [cbor(record()), utf8('结果 of a record that nobody else may see')];
    const { key, baseNonce } = made.secrets;
    const secrets = [
      ...[plaintext, told].flatMap((text) => fragments(text)),
      ...[ephemeral, ...Object.values(made.secrets)].flatMap(keyForms),
      ...[answer.key, answer.prk, answer.secret].flatMap(keyForms),
      ...[...keystream(key, baseNonce), ...keystream(answer.key, answer.nonce)],
    ];
    const expectClean = () => expect(findAny(memory, secrets)).toEqual([]);

    const context: SendingContext = sender.start(kind === STREAM, {
      publicKey,
      hdr: HDR,
      ...party,
    });
    expect(context.enc).toEqual(made.enc);
    expectClean();
    expect(context.seal(plaintext)).toEqual(sealAt(made, 0, plaintext));
    expectClean();
    const reader: AnswerReader = context.answer(nonce);
    expectClean();
    const sealed = sealAt(as, 0, told);
    const forged = sealed.slice();
    forged[5] = (forged[5] as number) ^ 1;
    expect(reader.open(forged)).toBeUndefined();
    expectClean();
    expect(reader.open(sealed)).toEqual(told);
    expectClean();
  });
});
