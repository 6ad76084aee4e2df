/** checkRecord under the fuzzer: called as a host calls it, its memory compared with what it was. */

import { IN_BYTES } from '../../wasm/host/abi.gen.ts';
import { REFUSALS } from '../../wire/codes.ts';
import { FIELDS } from '../../wire/record.ts';
import { NOW } from './edge.ts';
import { FuzzFailure, type FuzzReport } from './fuzzer.ts';
import { judgeRecord } from './validate.ts';

const KNOWN = new Set<number>(Object.values(REFUSALS));
const VERDICT_BYTES = 10;
const NOW_MS = BigInt(NOW);

/** Every so many executions the twin judges too, and the memory is compared. */
const TWIN_EVERY = 128;
const SCAN_EVERY = 512;

export class CheckTarget {
  readonly #check: (length: number, now: bigint, trial: number) => number;
  readonly #memory: Buffer;
  readonly #untouched: Buffer;
  readonly #inAt: number;
  readonly #outAt: number;
  readonly #view: DataView;
  readonly #valid: Uint8Array;
  readonly #validVerdict: Buffer;
  readonly #report: FuzzReport;

  constructor(module: WebAssembly.Module, valid: Uint8Array, report: FuzzReport) {
    const { memory, IN, OUT, checkRecord } = new WebAssembly.Instance(module, {}).exports;
    this.#check = checkRecord as (length: number, now: bigint, trial: number) => number;
    const { buffer } = memory as WebAssembly.Memory;
    this.#memory = Buffer.from(buffer);
    this.#view = new DataView(buffer);
    this.#inAt = (IN as WebAssembly.Global).value as number;
    this.#outAt = (OUT as WebAssembly.Global).value as number;
    this.#untouched = Buffer.from(this.#memory);
    this.#valid = valid;
    this.#report = report;
    const out = this.#validOutput();
    this.#validVerdict = Buffer.from(out);
    out.fill(0);
    if (this.#validVerdict.readUint16BE(0) !== 0) throw new Error('the first seed is not valid');
  }

  /** One execution; returns what it came to as a number. @throws FuzzFailure */
  run(bytes: Uint8Array, trial: boolean): number {
    const report = this.#report;
    const fail = (reason: string) =>
      new FuzzFailure(reason, report.executions, `checkRecord${trial ? ' in trial' : ''}`, bytes);
    report.checks++;
    const length = this.#call(bytes, trial, fail);
    const [at, view] = [this.#outAt, this.#view];
    const refusal = view.getUint16(at);
    const field = view.getUint8(at + 2);
    const flagged = view.getUint8(at + 3);
    const warnings = view.getUint32(at + 4);
    const masked = view.getUint16(at + 8);
    const taken = refusal === 0 || flagged === 1;
    if (refusal !== 0 && !KNOWN.has(refusal)) throw fail(`unknown refusal ${refusal}`);
    if (FIELDS[field] === undefined) throw fail(`unknown field ${field}`);
    if (flagged > (trial && refusal !== 0 ? 1 : 0)) throw fail('flagged out of trial');
    if (warnings > 31 || (!taken && warnings !== 0)) throw fail(`warnings ${warnings}`);
    if (taken !== masked > 0 || length !== VERDICT_BYTES + masked) throw fail('masked view');
    if (taken) report.accepted++;
    if (report.checks % TWIN_EVERY === 0) this.#compare(bytes, trial, length, fail);
    this.#memory.fill(0, at, at + length);

    if (!this.#validStands()) throw fail('the next valid record is judged otherwise');
    report.valid++;
    if (report.checks % SCAN_EVERY === 0) this.#scan(fail);
    const size = 32 - Math.clz32(bytes.length);
    return refusal | (field << 8) | (flagged << 16) | (warnings << 17) | (size << 22);
  }

  finish(): void {
    this.#scan(
      (reason) => new FuzzFailure(reason, this.#report.executions, 'the last calls', this.#valid),
    );
  }

  #call(bytes: Uint8Array, trial: boolean, fail: (reason: string) => FuzzFailure): number {
    if (bytes.length <= IN_BYTES) this.#memory.set(bytes, this.#inAt);
    try {
      return this.#check(bytes.length, NOW_MS, Number(trial));
    } catch {
      throw fail('trap');
    }
  }

  #compare(
    bytes: Uint8Array,
    trial: boolean,
    length: number,
    fail: (reason: string) => FuzzFailure,
  ): void {
    const twin = judgeRecord(bytes, NOW, trial);
    const expected = Buffer.alloc(VERDICT_BYTES + twin.masked.length);
    expected.writeUint16BE(twin.refusal, 0);
    expected.writeUint8(twin.field, 2);
    expected.writeUint8(Number(twin.flagged), 3);
    expected.writeUint32BE(twin.warnings, 4);
    expected.writeUint16BE(twin.masked.length, 8);
    expected.set(twin.masked, VERDICT_BYTES);
    const verdict = this.#memory.subarray(this.#outAt, this.#outAt + length);
    if (!expected.equals(verdict)) {
      throw fail(`the twin says ${twin.refusal} at ${twin.field}, warnings ${twin.warnings}`);
    }
    this.#report.compared++;
  }

  /** Compared in place: a copy a call would cost more than the call. */
  #validStands(): boolean {
    const out = this.#validOutput();
    const same = out.equals(this.#validVerdict);
    out.fill(0);
    return same;
  }

  #validOutput(): Buffer {
    this.#memory.set(this.#valid, this.#inAt);
    const length = this.#check(this.#valid.length, NOW_MS, 0);
    return this.#memory.subarray(this.#outAt, this.#outAt + length);
  }

  /** A check has no state: when it is over, every octet is what it was before the first. */
  #scan(fail: (reason: string) => FuzzFailure): void {
    this.#report.scans++;
    if (this.#memory.equals(this.#untouched)) return;
    const at = this.#memory.findIndex((octet, i) => octet !== this.#untouched[i]);
    throw fail(`left in memory at ${at}`);
  }
}
