/**
 * Abuse case 31: requests of two parties in one instance, in any order, with answers outstanding. What one gets never holds
 * anything of the other. SEALPOST_INTERLEAVINGS says how many steps.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expect, it } from 'vitest';
import { Prng } from '../../client/generate/prng.ts';
import type { PartyBinding } from '../../wasm/host/session.ts';
import { parsePadded, parseResults, parseSingleAnswer } from '../../wire/answer.ts';
import { type BatchRecord, parseBatch } from '../../wire/batch.ts';
import { equalBytes, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE, STREAM } from '../../wire/envelope.ts';
import { parcelNonce, parseParcel } from '../../wire/parcel.ts';
import { cbor, record, sender, uuid7 } from '../support/rules.ts';
import { loadModule } from '../support/wasm.ts';
import { epochKeys, NOW, opened, randomParty, TestEdge } from '../twin/edge.ts';
import { answerSecrets, nonceAt } from '../twin/hpke.ts';
import { indexIn } from '../twin/needles.ts';

const STEPS = Number(process.env.SEALPOST_INTERLEAVINGS ?? 20_000);

/** Letters that stand in every text of one party and in no other place. */
const MARKS = ['隼鷹', '驫麤'];

interface Side {
  party: PartyBinding;
  mark: Uint8Array;
  parcelKeys: { full: Uint8Array; masked: Uint8Array };
  stream: ReturnType<TestEdge['stream']>;
  request: Uint8Array;
  answer: Uint8Array;
  answerKey: Uint8Array;
  answerNonce: Uint8Array;
  position: number;
  results: number;
  /** Chunks whose results are not sealed yet, and singles that are not answered yet. */
  chunks: { drafts: Uint8Array; count: number; id: Uint8Array }[];
  singles: { context: Uint8Array; made: ReturnType<TestEdge['single']>; id: Uint8Array }[];
}

it(`abuse case 31: ${STEPS.toLocaleString('en')} interleavings of two parties`, () => {
  const edge = new TestEdge(loadModule());
  const { session } = edge;
  const random = new Prng('interleaving', process.env.SEALPOST_SEED ?? '1');
  const sides = MARKS.map((mark): Side => {
    const party = randomParty();
    const { full, masked } = edge.startEpochs(party);
    const fullKey = epochKeys(full, edge.keys.regulators[0] as Uint8Array).parcel;
    const parcelKeys = { full: fullKey, masked: epochKeys(masked, edge.keys.company).parcel };
    return { ...openStream(party), mark: utf8(mark), parcelKeys };
  });
  // The full view has one epoch for all: the second start has ended the first one's.
  for (const side of sides) side.parcelKeys.full = (sides[1] as Side).parcelKeys.full;

  function openStream(party: PartyBinding): Omit<Side, 'mark' | 'parcelKeys'> {
    const stream = edge.stream(party);
    const { request, answer, head } = opened(session.openStream(stream.head, party, NOW));
    const { key, nonce } = answerSecrets(stream, STREAM.responseLabel, head);
    return {
      ...{ party, stream, request, answer, answerKey: key, answerNonce: nonce },
      ...{ position: 0, results: 0, chunks: [], singles: [] },
    };
  }

  let ids = 0;
  function nextRecord(side: Side) {
    const id = uuid7(NOW - (ids % 60_000));
    new DataView(id.buffer).setUint32(12, ids++);
    const mark = Buffer.from(side.mark).toString();
    const plaintext = cbor(
      record([
        [1, id],
        [
          7,
          sender([
            [4, `${mark}王`],
            [6, `贵阳市${mark}${ids}路`],
          ]),
        ],
      ]),
    );
    return { id, plaintext };
  }

  /** Everything that comes out for one side: sealed, and never of the other. */
  function expectOf(side: Side, ...outputs: Uint8Array[]): void {
    const other = sides[side === sides[0] ? 1 : 0] as Side;
    for (const output of outputs) {
      if (
        indexIn(output, other.mark) >= 0 ||
        indexIn(output, other.party.enterprise) >= 0 ||
        indexIn(output, side.mark) >= 0
      ) {
        throw new Error('an output holds what it must not');
      }
    }
  }

  /** An opened text of one side: its own, and not the other's. */
  function expectOpened(side: Side, text: Uint8Array, marked: boolean): void {
    const other = sides[side === sides[0] ? 1 : 0] as Side;
    if (indexIn(text, other.mark) >= 0) throw new Error('what was opened is of the other');
    if (marked && indexIn(text, side.mark) < 0) throw new Error('what was opened is of nobody');
  }

  function expectParcels(side: Side, batch: Uint8Array, plaintext: Uint8Array): void {
    const { enterprise, records } = parseBatch(batch);
    const { full, masked } = records[0] as BatchRecord;
    expect(equalBytes(enterprise, side.party.enterprise)).toBe(true);
    const open = (key: Uint8Array, bytes: Uint8Array) => {
      const parcel = parseParcel(bytes);
      const cipher = chacha20poly1305(key, parcelNonce(parcel), parcel.aad);
      return parsePadded(cipher.decrypt(parcel.sealed));
    };
    const whole = open(side.parcelKeys.full, full);
    expect(equalBytes(whole, plaintext)).toBe(true);
    expectOpened(side, open(side.parcelKeys.masked, masked), true);
  }

  const steps: ((side: Side) => void)[] = [
    function chunk(side) {
      const { id, plaintext } = nextRecord(side);
      const sealed = side.stream.seal(side.position++, plaintext);
      const result = opened(session.openChunk(side.request, sealed, false, NOW));
      side.request = result.request;
      expectOf(side, result.drafts, result.request);
      if (random.int(4) === 0) expectParcels(side, result.batch, plaintext);
      side.chunks.push({ drafts: result.drafts, count: 1, id });
    },
    function results(side) {
      const [chunk] = side.chunks.splice(0, 1);
      if (!chunk) return;
      const outcomes = new Uint8Array(chunk.count).fill(OUTCOMES.STORED);
      const { answer, sealed } = session.sealResults(side.answer, chunk.drafts, outcomes);
      side.answer = answer;
      expectOf(side, sealed, answer);
      const nonce = nonceAt(side.answerNonce, side.results++);
      const [result] = parseResults(chacha20poly1305(side.answerKey, nonce).decrypt(sealed));
      expect(equalBytes(result?.id as Uint8Array, chunk.id)).toBe(true);
    },
    function single(side) {
      const { id, plaintext } = nextRecord(side);
      const made = edge.single(side.party, plaintext, EPHEMERAL);
      const result = opened(session.openSingle(made.body, side.party, NOW));
      expectOf(side, result.drafts, result.context);
      side.singles.push({ context: result.context, made, id });
    },
    function answer(side) {
      const at = random.int(Math.max(1, side.singles.length));
      const [waiting] = side.singles.splice(at, 1);
      if (!waiting) return;
      const body = session.answerSingle(waiting.context, OUTCOMES.STORED);
      expectOf(side, body);
      const nonce = body.subarray(0, 32);
      const keys = answerSecrets(waiting.made, SINGLE.responseLabel, nonce);
      const opens = chacha20poly1305(keys.key, keys.nonce).decrypt(body.subarray(32));
      const { result, masked } = parseSingleAnswer(opens);
      expect(equalBytes(result.id, waiting.id)).toBe(true);
      expectOpened(side, masked, true);
    },
    function crossed(side) {
      // One party's chunk under the other's context, and its single as the other's.
      const other = sides[side === sides[0] ? 1 : 0] as Side;
      const { plaintext } = nextRecord(other);
      const sealed = other.stream.seal(side.position, plaintext);
      expect(session.openChunk(side.request, sealed, false, NOW).status).toBe('decrypt_failed');
    },
  ];
  const EPHEMERAL = crypto.getRandomValues(new Uint8Array(32));
  // Singles are dear: X25519 for each.
  const weights = [10, 9, 1, 1, 2];
  const drawn = weights.flatMap((weight, i) => Array(weight).fill(i) as number[]);
  for (let step = 0; step < STEPS; step++) {
    const side = sides[random.int(2)] as Side;
    steps[drawn[random.int(drawn.length)] as number]?.(side);
    if (step % 500 === 0) {
      for (const { mark } of sides) expect(indexIn(edge.memory, mark)).toBe(-1);
    }
  }
  for (const side of sides) expect(side.results).toBeGreaterThan(STEPS / 20);
}, 3_600_000);
