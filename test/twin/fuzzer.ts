/**
 * A seeded fuzzer of the record path: records are mutated, judged, opened and sealed by the module; inputs that come to
 * something new are kept and mutated further. A failure carries all that is needed to run it again.
 */
import { generateDay } from '../../client/generate/day.ts';
import { Prng } from '../../client/generate/prng.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import { encodeRecord } from '../../wire/record.ts';
import { CheckTarget } from './fuzz-check.ts';
import { PipelineTarget } from './fuzz-pipeline.ts';
import { Mutator, Seed } from './mutate.ts';
import { type Node, parseTree, TreeWriter } from './tree.ts';

/** Stands in every name and address of the seeds. Nowhere in the module's memory may it be when a call is over. */
export const MARKER = '隼鷹驫麤';
const MARKER_BYTES = utf8(MARKER);

export interface FuzzOptions {
  seed: string;
  /** Stops at whichever comes first. */
  executions: number;
  seconds: number;
  /** Called every second or so. */
  progress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  /** Calls with mutated input. */
  executions: number;
  seconds: number;
  /** Of them: checkRecord; openChunk and openSingle with sealed mutations; forged ciphertexts and contexts. */
  checks: number;
  chunks: number;
  singles: number;
  forgeries: number;
  /** Records that chunks held. */
  records: number;
  accepted: number;
  /** Calls with a valid record in between, all of which succeeded. */
  valid: number;
  /** Verdicts that were compared with the plain twin's. */
  compared: number;
  /** Times that the whole memory was compared with what it was, or searched for the marker. */
  scans: number;
  /** Different (refusal, field, warnings, length class) that were reached. */
  outcomes: number;
  corpus: number;
}

/** The module did what it must not. */
export class FuzzFailure extends Error {
  readonly execution: number;
  readonly call: string;
  readonly input: Uint8Array;

  constructor(reason: string, execution: number, call: string, input: Uint8Array) {
    super(reason);
    this.name = 'FuzzFailure';
    this.execution = execution;
    this.call = call;
    this.input = input.slice();
  }
}

/** Of a thousand executions: how many go through the sealed path, and how many are forged. */
const CHUNKS_PER_MILLE = 4;
const SINGLES_PER_MILLE = 1;
const FORGERIES_PER_MILLE = 1;
const MAX_CORPUS = 4_000;

export class Fuzzer {
  readonly #random: Prng;
  readonly #mutator: Mutator;
  readonly #corpus: Seed[];
  /** How many of the first of the corpus are valid. */
  readonly #valid: number;
  readonly #check: CheckTarget;
  readonly #pipeline: PipelineTarget;
  readonly #outcomes = new Set<number>();
  readonly #report: FuzzReport = {
    ...{ executions: 0, seconds: 0, checks: 0, chunks: 0, singles: 0, forgeries: 0, records: 0 },
    ...{ accepted: 0, valid: 0, compared: 0, scans: 0, outcomes: 0, corpus: 0 },
  };

  constructor(module: WebAssembly.Module, seed: string) {
    this.#random = new Prng('fuzz', seed);
    this.#mutator = new Mutator(this.#random);
    const { valid: good, faulty } = seeds();
    this.#corpus = [...good, ...faulty];
    this.#valid = good.length;
    const valid = (good[0] as Seed).bytes;
    this.#check = new CheckTarget(module, valid, this.#report);
    this.#pipeline = new PipelineTarget(module, valid, MARKER_BYTES, this.#report);
  }

  /** @throws FuzzFailure */
  run(options: FuzzOptions): FuzzReport {
    const { executions, seconds, progress } = options;
    const report = this.#report;
    const start = performance.now();
    let told = start;
    while (report.executions < executions) {
      this.#step();
      if ((report.executions & 1023) !== 0) continue;
      const now = performance.now();
      report.seconds = (now - start) / 1000;
      if (report.seconds >= seconds) break;
      if (progress && now - told > 1000) {
        told = now;
        progress(this.#current());
      }
    }
    this.#check.finish();
    this.#pipeline.finish();
    report.seconds = (performance.now() - start) / 1000;
    return this.#current();
  }

  #current(): FuzzReport {
    return { ...this.#report, outcomes: this.#outcomes.size, corpus: this.#corpus.length };
  }

  #step(): void {
    this.#report.executions++;
    const kind = this.#random.int(1000);
    if (kind < CHUNKS_PER_MILLE) this.#chunk();
    else if (kind < CHUNKS_PER_MILLE + SINGLES_PER_MILLE) {
      this.#pipeline.single(this.#mutate(), this.#random);
    } else if (kind < CHUNKS_PER_MILLE + SINGLES_PER_MILLE + FORGERIES_PER_MILLE) {
      this.#pipeline.forgery(this.#random, this.#mutator);
    } else this.#record();
  }

  #record(): void {
    const bytes = this.#mutate();
    const outcome = this.#check.run(bytes, this.#random.int(4) === 0);
    if (this.#outcomes.has(outcome)) return;
    this.#outcomes.add(outcome);
    this.#keep(new Seed(bytes.slice()));
  }

  /** One to eight records, now and then as many as a chunk holds. */
  #chunk(): void {
    const count = this.#random.int(20) === 0 ? 300 : 1 + this.#random.int(8);
    const records: Uint8Array[] = [];
    let left = 16_384;
    while (records.length < count && left > 0) {
      const record = this.#mutate().slice(0, left);
      left -= record.length;
      records.push(record);
    }
    this.#pipeline.chunk(concat(...records), this.#random);
  }

  #mutate(): Uint8Array {
    return this.#mutator.record(this.#pick(), this.#pick());
  }

  /** Half of the time one that is valid: what is refused early never comes to the masks. */
  #pick(): Seed {
    const among = this.#random.int(2) ? this.#valid : this.#corpus.length;
    return this.#corpus[this.#random.int(among)] as Seed;
  }

  #keep(seed: Seed): void {
    if (this.#corpus.length < MAX_CORPUS) this.#corpus.push(seed);
    else this.#corpus[this.#valid + this.#random.int(MAX_CORPUS - this.#valid)] = seed;
  }
}

/** A generated day with every kind of sender and fault, and the marker in every name and address. */
function seeds(): { valid: Seed[]; faulty: Seed[] } {
  const day = { city: 'guiyang', parcels: 400, seed: 1, bad: 0.25, day: '2026-11-19' } as const;
  const writer = new TreeWriter(5_000);
  const [valid, faulty]: [Seed[], Seed[]] = [[], []];
  for (const line of generateDay(day)) {
    if (line.raw !== undefined) continue;
    const tree = parseTree(encodeRecord(line.record));
    mark(tree);
    (line.expect ? faulty : valid).push(new Seed(writer.write(tree).slice()));
  }
  return { valid, faulty };
}

const NAME = 4n;
const ADDRESS = 6n;

function mark(tree: Node): void {
  if (tree.kind !== 'map') return;
  for (const [key, value] of tree.value) {
    if (value.kind === 'map') mark(value);
    const texts = key.kind === 'int' && (key.value === NAME || key.value === ADDRESS);
    if (value.kind === 'text' && texts) value.value = MARKER + value.value;
  }
}
