/**
 * Verdicts and canonical values from the module, for whoever may see the plaintext: a client before it seals a record, a
 * regulator that computes a keyed index. All calls are synchronous and leave nothing in the module's memory.
 */
import { IN_BYTES } from './abi.gen.ts';

/** Numbers as in the list of codes; a record is acceptable when `refusal` is 0, or when it is `flagged`. */
export interface Verdict {
  refusal: number;
  /** It is taken all the same, for the city is in trial. */
  flagged: boolean;
  /** Where: the parent's key in the high four bits, the field's own in the low four. */
  field: number;
  warnings: number;
  /** Deterministic CBOR of the masked view; empty when refused. */
  masked: Uint8Array;
}

interface CheckExports {
  memory: WebAssembly.Memory;
  IN: WebAssembly.Global;
  OUT: WebAssembly.Global;
  RULESET: WebAssembly.Global;
  checkRecord(length: number, now: bigint, trial: number): number;
  canonicalDocument(docType: number, nationalityLength: number, length: number): number;
  canonicalPhone(length: number): number;
  canonicalWaybill(carrierLength: number, length: number): number;
}

const VERDICT_BYTES = 10;
/** Octets of text that the functions for canonical values take; no valid number has as many. */
const MAX_VALUE = 160;

/**
 * Judges one record.
 * @param cbor one item as in docs/record.cddl @param now milliseconds since 1970
 * @param trial judge as an edge whose city is in trial (docs/rules.md)
 */
export function checkRecord(
  instance: WebAssembly.Instance,
  cbor: Uint8Array,
  now: number,
  trial = false,
): Verdict {
  const module = exportsOf(instance);
  if (cbor.length <= IN_BYTES) input(module, cbor);
  const length = module.checkRecord(cbor.length, BigInt(now), Number(trial));
  const bytes = takeOutput(module, length);
  const view = new DataView(bytes.buffer);
  return {
    refusal: view.getUint16(0),
    field: view.getUint8(2),
    flagged: view.getUint8(3) === 1,
    warnings: view.getUint32(4),
    masked: bytes.subarray(VERDICT_BYTES, VERDICT_BYTES + view.getUint16(8)),
  };
}

/** Version of the rule set in the module: the day of its last change, as YYYYMMDD. */
export function ruleset(instance: WebAssembly.Instance): number {
  return exportsOf(instance).RULESET.value;
}

/**
 * What the keyed index of a document is made over: class, nationality or zeros, canonical number. Undefined when the number is
 * not valid for its type.
 * @param docType number on the wire @param nationality ISO 3166-1 alpha-3, for a foreign passport only
 */
export function canonicalDocument(
  instance: WebAssembly.Instance,
  docType: number,
  number: string,
  nationality = '',
): Uint8Array | undefined {
  const module = exportsOf(instance);
  const [head, tail] = inputTexts(module, nationality, number);
  return output(module, module.canonicalDocument(docType, head, tail));
}

/** What the keyed index of a phone is made over: canonical digits. Undefined when the number is not valid. */
export function canonicalPhone(
  instance: WebAssembly.Instance,
  phone: string,
): Uint8Array | undefined {
  const module = exportsOf(instance);
  const [, length] = inputTexts(module, '', phone);
  return output(module, module.canonicalPhone(length));
}

/** What the keyed index of a waybill is made over: carrier, 00, number. Undefined when one of them is not valid. */
export function canonicalWaybill(
  instance: WebAssembly.Instance,
  carrier: string,
  number: string,
): Uint8Array | undefined {
  const module = exportsOf(instance);
  const [head, tail] = inputTexts(module, carrier, number);
  return output(module, module.canonicalWaybill(head, tail));
}

function exportsOf(instance: WebAssembly.Instance): CheckExports {
  return instance.exports as unknown as CheckExports;
}

function input(module: CheckExports, bytes: Uint8Array, at = 0): void {
  new Uint8Array(module.memory.buffer, module.IN.value, IN_BYTES).set(bytes, at);
}

/** Writes two texts one behind the other; returns their lengths in octets. Text too long for any value goes as none. */
function inputTexts(module: CheckExports, first: string, second: string): [number, number] {
  const texts = [first, second].map((text) => new TextEncoder().encode(text));
  const [head, tail] = texts as [Uint8Array, Uint8Array];
  if (head.length > MAX_VALUE || tail.length > MAX_VALUE) return [0, 0];
  input(module, head);
  input(module, tail, head.length);
  return [head.length, tail.length];
}

function output(module: CheckExports, length: number): Uint8Array | undefined {
  return length === 0 ? undefined : takeOutput(module, length);
}

/** A copy of the output, which is wiped. */
function takeOutput(module: CheckExports, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(module.memory.buffer, module.OUT.value, length);
  const copy = bytes.slice();
  bytes.fill(0);
  return copy;
}
