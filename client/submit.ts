/** Submission of one record: sealed to the edge, answered with a result and the masked view that a courier's screen shows. */
import { parseSingleAnswer, type Result } from '../wire/answer.ts';
import { concat, Reader } from '../wire/bytes.ts';
import {
  type Outcome,
  outcomeName,
  type Refusal,
  refusalName,
  type Warning,
  warningNames,
} from '../wire/codes.ts';
import { RESPONSE_NONCE_BYTES, SINGLE } from '../wire/envelope.ts';
import {
  decodeMasked,
  encodeRecord,
  FIELDS,
  type MaskedRecord,
  type ParcelRecord,
  uuidText,
} from '../wire/record.ts';
import { byteSequence, ENCAPSULATION_HEADER } from '../wire/signature.ts';
import { type EdgeClient, readAll } from './edge.ts';
import { encapsulate } from './encapsulation.ts';
import { EdgeError } from './errors.ts';
import { backoff, type Pace } from './retry.ts';
import type { Identity } from './signing.ts';

/** What became of one record, in words. */
export interface RecordResult {
  outcome: Outcome;
  /** The record's id as the edge read it; all zeros when it could not. */
  id: string;
  /** Why it was refused; `UNKNOWN` for a code that this client is too old to know. */
  code?: Refusal | 'UNKNOWN';
  /** The field at fault, e.g. `sender.docNumber`; absent when it is the record as a whole. */
  field?: string;
  warnings: Warning[];
  /** Date number of the rules that judged it. */
  ruleset: number;
}

export interface SubmitResult extends RecordResult {
  /** Present when the record is stored: the only view that a courier's device gets back. */
  masked?: MaskedRecord;
}

/**
 * Seals one record, sends it and opens the answer. Sends again, under a new context, when the edge cannot take it now.
 * @param record a record, or its CBOR
 * @throws EdgeError when the request as a whole is refused or stays unanswered; nothing is then known to be stored
 * @throws RangeError, TypeError when the record cannot be encoded
 */
export async function submitRecord(
  edge: EdgeClient,
  identity: Identity,
  record: ParcelRecord | Uint8Array,
  pace: Pace = {},
): Promise<SubmitResult> {
  const cbor = record instanceof Uint8Array ? record : encodeRecord(record);
  const last = (pace.maxAttempts ?? 4) - 1;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await submitOnce(edge, identity, cbor, pace.signal);
      if (result.outcome !== 'RETRY' || attempt >= last) return result;
    } catch (error) {
      if (!(error instanceof EdgeError) || attempt >= last) throw error;
      if (error.code === 'unknown_key') edge.forgetKeys();
      else if (!error.passing) throw error;
    }
    await backoff(attempt, pace);
  }
}

async function submitOnce(
  edge: EdgeClient,
  identity: Identity,
  cbor: Uint8Array,
  signal?: AbortSignal,
): Promise<SubmitResult> {
  const { head, context, answer } = encapsulate(SINGLE, await edge.keys(), identity);
  const { response } = await edge.send({
    method: 'POST',
    path: '/v1/parcels',
    headers: { 'content-type': SINGLE.requestType, [ENCAPSULATION_HEADER]: byteSequence(head) },
    body: concat(head, context.seal(cbor)),
    answerType: SINGLE.responseType,
    identity,
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = await readAll(response);
  try {
    const reader = new Reader(bytes);
    const opener = answer(reader.bytes(RESPONSE_NONCE_BYTES));
    const { result, masked } = parseSingleAnswer(opener.open(reader.bytes(reader.left)));
    return {
      ...describeResult(result),
      ...(masked.length === 0 ? {} : { masked: decodeMasked(masked) }),
    };
  } catch {
    throw new EdgeError('bad_answer', { status: response.status });
  }
}

/** A result in words. @throws EdgeError `bad_answer` for an outcome that this client does not know */
export function describeResult(result: Result): RecordResult {
  const outcome = outcomeName(result.outcome);
  if (outcome === undefined) throw new EdgeError('bad_answer');
  const field = FIELDS[result.field];
  return {
    outcome,
    id: uuidText(result.id),
    ...(outcome === 'REFUSED' ? { code: refusalName(result.code) ?? 'UNKNOWN' } : {}),
    ...(outcome === 'REFUSED' && field ? { field } : {}),
    warnings: warningNames(result.warnings),
    ruleset: result.ruleset,
  };
}
