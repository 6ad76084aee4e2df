/** Answers: results of fixed size, the masked view of a single submission, the final counts of a stream. */
import { concat, FormatError, Reader, u16, u32 } from './bytes.ts';

/** Octets of one result. */
export const RESULT_BYTES = 32;

/** place (4) ‖ record id (16) ‖ outcome (1) ‖ field (1) ‖ code (2) ‖ warnings (4) ‖ rule set (4) */
export interface Result {
  /** Where the record stood: chunk number × 256 + index in the chunk. 0 for a single submission. */
  place: number;
  /** 16 octets; zeros when the record was too malformed to have one. */
  id: Uint8Array;
  outcome: number;
  /** Of `code`: the parent's key in the high four bits, the field's own in the low four. */
  field: number;
  /** REFUSALS (wire/codes.ts); beside another outcome than REFUSED what a city in trial let pass. 0 for neither. */
  code: number;
  warnings: number;
  /** Date number of the rules that judged it, e.g. 20261101. */
  ruleset: number;
}

export function encodeResult(result: Result): Uint8Array {
  return concat(
    u32(result.place),
    result.id,
    Uint8Array.of(result.outcome, result.field),
    u16(result.code),
    u32(result.warnings),
    u32(result.ruleset),
  );
}

/** @throws FormatError when the length is not a multiple of RESULT_BYTES */
export function parseResults(bytes: Uint8Array): Result[] {
  if (bytes.length % RESULT_BYTES !== 0) throw new FormatError();
  const reader = new Reader(bytes);
  const results: Result[] = [];
  while (reader.left > 0) results.push(readResult(reader));
  return results;
}

/** The result from octet `at` on. @throws FormatError when there is none */
export function resultAt(results: Uint8Array, at: number): Result {
  return readResult(new Reader(results.subarray(at, at + RESULT_BYTES)));
}

function readResult(reader: Reader): Result {
  return {
    place: reader.u32(),
    id: reader.bytes(16),
    outcome: reader.u8(),
    field: reader.u8(),
    code: reader.u16(),
    warnings: reader.u32(),
    ruleset: reader.u32(),
  };
}

/** A result's place, outcome and code where it stands, from octet `at` on: for those of which nothing else is asked. */
export function placeAt(results: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [
    results[at],
    results[at + 1],
    results[at + 2],
    results[at + 3],
  ];
  return a * 0x1000000 + ((b << 16) | (c << 8) | d);
}

export function outcomeAt(results: Uint8Array, at: number): number {
  return results[at + 20] ?? 0;
}

export function codeAt(results: Uint8Array, at: number): number {
  return ((results[at + 22] ?? 0) << 8) | (results[at + 23] ?? 0);
}

/** The opened answer to a single submission: result ‖ length (2) ‖ masked CBOR ‖ zeros up to a size bucket. */
export interface SingleAnswer {
  result: Result;
  /** CBOR of the masked view; empty when nothing was stored or checked. */
  masked: Uint8Array;
}

/** @throws FormatError when a length is wrong or padding is not zero */
export function parseSingleAnswer(bytes: Uint8Array): SingleAnswer {
  const reader = new Reader(bytes);
  const result = readResult(reader);
  const masked = parsePadded(reader.bytes(reader.left));
  return { result, masked };
}

/** Takes `length (2) ‖ value ‖ zeros` apart. @throws FormatError */
export function parsePadded(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  const value = reader.bytes(reader.u16());
  if (reader.bytes(reader.left).some((byte) => byte !== 0)) throw new FormatError();
  return value;
}

/** The final chunk of a stream's answer. */
export interface StreamSummary {
  /** The request's final chunk opened: nothing was cut off. */
  complete: boolean;
  stored: number;
  duplicate: number;
  conflict: number;
  refused: number;
  retry: number;
  /** Of a dry run: would be taken. */
  checked: number;
}

/** complete (1) ‖ stored (4) ‖ duplicate (4) ‖ conflict (4) ‖ refused (4) ‖ retry (4) ‖ checked (4) */
export const SUMMARY_BYTES = 25;

/** @throws FormatError */
export function parseSummary(bytes: Uint8Array): StreamSummary {
  const reader = new Reader(bytes);
  const complete = reader.u8();
  if (complete > 1) throw new FormatError();
  const summary = {
    complete: complete === 1,
    stored: reader.u32(),
    duplicate: reader.u32(),
    conflict: reader.u32(),
    refused: reader.u32(),
    retry: reader.u32(),
    checked: reader.u32(),
  };
  reader.end();
  return summary;
}
