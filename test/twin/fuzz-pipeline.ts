/** The sealed path under the fuzzer: chunks and single submissions with mutated records, forged ciphertexts and contexts. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { Prng } from '../../client/generate/prng.ts';
import { ModuleTrap, type PartyBinding } from '../../wasm/host/session.ts';
import { parsePadded, parseResults, parseSingleAnswer, type Result } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { MAX_CHUNK_BYTES } from '../../wire/limits.ts';
import { parcelNonce, parseParcel } from '../../wire/parcel.ts';
import { findInMemory } from '../support/wasm.ts';
import { epochKeys, NOW, opened, randomParty, TestEdge } from './edge.ts';
import { FuzzFailure, type FuzzReport } from './fuzzer.ts';
import { answerSecrets } from './hpke.ts';
import type { Mutator } from './mutate.ts';
import { judgeSequence, type TwinVerdict } from './validate.ts';

/** Every so many calls the twin judges too, parcels are opened as their readers do, and keys are searched for. */
const TWIN_EVERY = 4;
const OPEN_EVERY = 8;
const SCAN_EVERY = 16;

const party = randomParty();
const VARIANTS: PartyBinding[] = [
  party,
  { ...party, masked: false },
  { ...party, trial: true },
  { ...party, trial: true, dryRun: true },
];

type Fail = (reason: string) => FuzzFailure;

export class PipelineTarget {
  readonly #edge: TestEdge;
  readonly #marker: Uint8Array;
  readonly #report: FuzzReport;
  readonly #streams;
  readonly #single;
  readonly #validBody: Uint8Array;
  readonly #validChunk: Uint8Array;
  #parcelKeys!: { full: Uint8Array; masked: Uint8Array };
  #calls = 0;

  constructor(
    module: WebAssembly.Module,
    valid: Uint8Array,
    marker: Uint8Array,
    report: FuzzReport,
  ) {
    this.#edge = new TestEdge(module);
    this.#marker = marker;
    this.#report = report;
    this.#single = this.#edge.single(party, valid);
    this.#validBody = this.#single.body;
    const { session } = this.#edge;
    this.#streams = VARIANTS.map((variant) => {
      const client = this.#edge.stream(variant);
      return { variant, client, ...opened(session.openStream(client.head, variant, NOW)) };
    });
    this.#validChunk = (this.#streams[0] as Stream).client.seal(0, valid);
    this.#startEpochs();
  }

  /** One chunk: every record of it is judged by itself, and what is accepted is sealed. */
  chunk(bytes: Uint8Array, random: Prng): void {
    const report = this.#report;
    report.chunks++;
    const stream = this.#streams[random.int(this.#streams.length)] as Stream;
    const final = random.int(8) === 0;
    const fail: Fail = (reason) =>
      new FuzzFailure(reason, report.executions, `openChunk ${describe(stream.variant)}`, bytes);
    const sealed = stream.client.seal(0, bytes, final);
    const result = this.#guard(fail, () => this.#openChunk(stream, sealed, final));
    if (result.status !== 'ok') throw fail(`status ${result.status}`);
    const drafts = parseResults(result.drafts);
    report.records += drafts.length;
    if (bytes.length > 0 && drafts.length === 0) throw fail('no result');
    if ((report.chunks & (SCAN_EVERY - 1)) === 0) this.#scan(fail);
    this.#judge(bytes, result, drafts, stream.variant, fail);
    const outcomes = drafts.filter(({ outcome }) => outcome === OUTCOMES.STORED).length;
    const answer = this.#guard(fail, () =>
      this.#edge.session.sealResults(
        stream.answer,
        result.drafts,
        new Uint8Array(outcomes).fill(OUTCOMES.DUPLICATE),
      ),
    );
    if (answer.sealed.length !== result.drafts.length + 16) throw fail('length of the results');
    this.#afterwards(fail);
  }

  /** A single submission and its answer. */
  single(record: Uint8Array, random: Prng): void {
    const report = this.#report;
    report.singles++;
    const variant = VARIANTS[random.int(VARIANTS.length)] as PartyBinding;
    const bytes = record.slice(0, MAX_CHUNK_BYTES);
    const fail: Fail = (reason) =>
      new FuzzFailure(reason, report.executions, `openSingle ${describe(variant)}`, bytes);
    const client = this.#single;
    const body = concat(
      client.head,
      chacha20poly1305(client.secrets.key, client.secrets.baseNonce).encrypt(bytes),
    );
    const { session } = this.#edge;
    const result = this.#guard(fail, () => {
      const first = session.openSingle(body, variant, NOW);
      if (first.status !== 'need_epoch') return first;
      this.#startEpochs();
      return session.openSingle(body, variant, NOW);
    });
    if (bytes.length === 0) {
      if (result.status !== 'decrypt_failed') throw fail(`status ${result.status}`);
    } else {
      if (result.status !== 'ok') throw fail(`status ${result.status}`);
      report.records++;
      const drafts = parseResults(result.drafts);
      if (drafts.length !== 1) throw fail('results of a single');
      const answer = this.#guard(fail, () => session.answerSingle(result.context, 1));
      const { key, nonce } = answerSecrets(client, SINGLE.responseLabel, answer.subarray(0, 32));
      const told = parseSingleAnswer(chacha20poly1305(key, nonce).decrypt(answer.subarray(32)));
      const [first, ...more] = judgeSequence(bytes, NOW, variant.trial);
      const expected = more.length > 0 ? judgeSequence(Uint8Array.of(0xff), NOW) : [first];
      this.#compare(drafts, expected as TwinVerdict[], fail);
      if (Buffer.compare(told.masked, (expected[0] as TwinVerdict).masked) !== 0) {
        throw fail('masked view');
      }
    }
    this.#afterwards(fail);
  }

  /** A ciphertext, a head or a context that is not what it was. */
  forgery(random: Prng, mutator: Mutator): void {
    const report = this.#report;
    report.forgeries++;
    const { session } = this.#edge;
    const stream = this.#streams[0] as Stream;
    const originals = [this.#validBody, this.#validChunk, stream.request, stream.answer];
    const which = random.int(originals.length);
    const original = originals[which] as Uint8Array;
    const forged = mutator.octets(original).slice(0, 17_000);
    const call = ['openSingle', 'openChunk', 'openChunk: context', 'sealSummary'][which] as string;
    const fail: Fail = (reason) =>
      new FuzzFailure(reason, report.executions, `forged ${call}`, forged);
    if (Buffer.compare(forged, original) === 0) return;
    const isShort = which >= 2 && forged.length !== original.length;
    const context = isShort ? resized(forged, original.length) : forged;
    if (which >= 2 && Buffer.compare(context, original) === 0) return;
    const status = this.#guard(fail, () => {
      if (which === 0) return session.openSingle(forged, party, NOW).status;
      if (which === 1) return session.openChunk(stream.request, forged, false, NOW).status;
      if (which === 2) return session.openChunk(context, this.#validChunk, false, NOW).status;
      return refusesContext(() => session.sealSummary(context, true));
    });
    if (!['decrypt_failed', 'unknown_key', 'unsupported_suite'].includes(status)) {
      throw fail(`status ${status}`);
    }
    this.#afterwards(fail);
  }

  finish(): void {
    this.#scan(
      (reason) =>
        new FuzzFailure(reason, this.#report.executions, 'the last calls', this.#validBody),
    );
  }

  #openChunk(stream: Stream, sealed: Uint8Array, final: boolean) {
    const { session } = this.#edge;
    const trial = stream.variant.trial === true;
    const first = session.openChunk(stream.request, sealed, final, NOW, trial);
    if (first.status !== 'need_epoch') return first;
    this.#startEpochs();
    return session.openChunk(stream.request, sealed, final, NOW, trial);
  }

  #judge(
    bytes: Uint8Array,
    result: { batch: Uint8Array },
    drafts: Result[],
    variant: PartyBinding,
    fail: Fail,
  ): void {
    const stored = drafts.filter(({ outcome }) => outcome === OUTCOMES.STORED);
    this.#report.accepted += stored.length;
    if (variant.dryRun ? result.batch.length > 0 : result.batch.length > 0 !== stored.length > 0) {
      throw fail('batch');
    }
    this.#calls++;
    if (this.#calls % TWIN_EVERY !== 0) return;
    const expected = judgeSequence(bytes, NOW, variant.trial);
    this.#compare(drafts, expected, fail);
    if (this.#calls % OPEN_EVERY !== 0 || result.batch.length === 0) return;
    const batch = parseBatch(result.batch);
    const taken = expected.filter(({ refusal, flagged }) => refusal === 0 || flagged);
    if (batch.count !== taken.length) throw fail('count of the batch');
    taken.forEach(({ masked }, i) => {
      const full = openParcel(this.#parcelKeys.full, batch.records[i]?.full as Uint8Array);
      if (Buffer.from(bytes).indexOf(full) < 0) throw fail('full view');
      if (!variant.masked) return;
      const view = openParcel(this.#parcelKeys.masked, batch.records[i]?.masked as Uint8Array);
      if (Buffer.compare(view, masked) !== 0) throw fail('masked view');
    });
  }

  #compare(drafts: Result[], expected: TwinVerdict[], fail: Fail): void {
    const same = (draft: Result, twin: TwinVerdict) =>
      draft.code === twin.refusal &&
      draft.field === twin.field &&
      draft.warnings === twin.warnings &&
      (draft.outcome === OUTCOMES.REFUSED) === (twin.refusal !== 0 && !twin.flagged);
    if (
      drafts.length !== expected.length ||
      !drafts.every((draft, i) => same(draft, expected[i] as TwinVerdict))
    ) {
      throw fail(`the twin says ${expected.map(({ refusal }) => refusal)}`);
    }
    this.#report.compared += drafts.length;
  }

  /** The next valid record succeeds, and nothing of this one is left. */
  #afterwards(fail: Fail): void {
    const result = this.#guard(fail, () =>
      this.#openChunk(this.#streams[0] as Stream, this.#validChunk, false),
    );
    if (result.status !== 'ok' || parseResults(result.drafts)[0]?.outcome !== OUTCOMES.STORED) {
      throw fail('the next valid record does not succeed');
    }
    this.#report.valid++;
    if (this.#report.valid % SCAN_EVERY === 0) this.#scan(fail);
  }

  #scan(fail: Fail): void {
    this.#report.scans++;
    const { memory } = this.#edge;
    if (findInMemory(memory, this.#marker) >= 0) throw fail('the marker is in memory');
    const keys = this.#report.scans % 16 === 0 ? Object.entries(this.#single.secrets) : [];
    for (const [name, secret] of keys)
      if (findInMemory(memory, secret) >= 0) throw fail(`${name} is in memory`);
  }

  #guard<T>(fail: Fail, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw fail(error instanceof ModuleTrap ? 'trap' : `throws ${(error as Error).name}`);
    }
  }

  #startEpochs(): void {
    const { full, masked } = this.#edge.startEpochs(party);
    const { regulators, company } = this.#edge.keys;
    this.#parcelKeys = {
      full: epochKeys(full, regulators[0] as Uint8Array).parcel,
      masked: epochKeys(masked, company).parcel,
    };
  }
}

interface Stream {
  variant: PartyBinding;
  client: ReturnType<TestEdge['stream']>;
  request: Uint8Array;
  answer: Uint8Array;
}

function openParcel(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const parcel = parseParcel(bytes);
  return parsePadded(chacha20poly1305(key, parcelNonce(parcel), parcel.aad).decrypt(parcel.sealed));
}

/** The host says so of a context that the module does not open, though nothing has trapped. */
function refusesContext(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    if (error instanceof ModuleTrap) return 'decrypt_failed';
    throw error;
  }
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, length));
  return out;
}

function describe({ masked, trial, dryRun }: PartyBinding): string {
  return `${masked ? 'masked' : 'full'}${trial ? ' in trial' : ''}${dryRun ? ', dry run' : ''}`;
}
