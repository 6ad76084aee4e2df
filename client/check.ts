/**
 * Judging a record before it is sent, by the module that the edge runs: in Node and in a browser alike. What the edge alone
 * can know (whether the id is used already, the city's phase) is left to it.
 */
import { checkRecord, ruleset } from '../wasm/host/check.ts';
import { type Refusal, refusalName, type Warning, warningNames } from '../wire/codes.ts';
import {
  decodeMasked,
  encodeRecord,
  FIELDS,
  type MaskedRecord,
  type ParcelRecord,
} from '../wire/record.ts';

export interface LocalVerdict {
  /** Why the edge would refuse it; absent when it would take it. */
  code?: Refusal | 'UNKNOWN';
  /** The field at fault, e.g. `sender.docNumber`; absent when it is the record as a whole. */
  field?: string;
  warnings: Warning[];
  /** The view that a courier would see; absent when refused. */
  masked?: MaskedRecord;
  /** Date number of the rules that judged it. */
  ruleset: number;
}

export class Checker {
  readonly #instance: WebAssembly.Instance;

  /** @param instance of wasm/build/sealpost.wasm, which imports nothing */
  constructor(instance: WebAssembly.Instance) {
    this.#instance = instance;
  }

  /**
   * @param record a record, or its CBOR
   * @param now milliseconds since 1970
   * @throws RangeError, TypeError when the record cannot be encoded
   */
  check(record: ParcelRecord | Uint8Array, now: number): LocalVerdict {
    const cbor = record instanceof Uint8Array ? record : encodeRecord(record);
    const { refusal, field, warnings, masked } = checkRecord(this.#instance, cbor, now);
    const verdict = { warnings: warningNames(warnings), ruleset: ruleset(this.#instance) };
    if (refusal === 0) return { ...verdict, masked: decodeMasked(masked) };
    const where = FIELDS[field];
    return { ...verdict, code: refusalName(refusal) ?? 'UNKNOWN', ...(where && { field: where }) };
  }
}
