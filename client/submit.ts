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
import { DRY_RUN_QUERY, RESPONSE_NONCE_BYTES, SINGLE } from '../wire/envelope.ts';
import { MAX_RECORD_BYTES } from '../wire/limits.ts';
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
import { encapsulate, openAnswer } from './encapsulation.ts';
import { EdgeError } from './errors.ts';
import { loadSender } from './module.ts';
import { backoff, type Pace } from './retry.ts';
import type { Identity } from './signing.ts';

/** What became of one record, in words. */
export interface RecordResult {
  outcome: Outcome;
  /** The record's id as the edge read it; all zeros when it could not. */
  id: string;
  /**
   * Why it was refused; `UNKNOWN` for a code that this client is too old to know. With another outcome: the city is in trial,
   * and from its end on the record would be refused for this.
   */
  code?: Refusal | 'UNKNOWN';
  /** The field at fault, e.g. `sender.docNumber`; absent when it is the record as a whole. */
  field?: string;
  warnings: Warning[];
  /** Date number of the rules that judged it. */
  ruleset: number;
}

export interface SubmitResult extends RecordResult {
  /** Present when the record is stored or checked: the only view that a courier's device gets back. */
  masked?: MaskedRecord;
}

export interface SubmitOptions extends Pace {
  /** The edge judges and masks the record and stores nothing: the outcome is CHECKED instead of STORED. */
  dryRun?: boolean;
}

/** No submission can carry it, so the edge can't be asked; it would say the same. */
const OVERSIZED: SubmitResult = {
  ...{ outcome: 'REFUSED', id: uuidText(new Uint8Array(16)), code: 'RECORD_TOO_LARGE' },
  ...{ warnings: [], ruleset: 0 },
};

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
  options: SubmitOptions = {},
): Promise<SubmitResult> {
  const cbor = record instanceof Uint8Array ? record : encodeRecord(record);
  if (cbor.length > MAX_RECORD_BYTES) return OVERSIZED;
  const last = (options.maxAttempts ?? 4) - 1;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await submitOnce(edge, identity, cbor, options);
      if (result.outcome !== 'RETRY' || attempt >= last) return result;
    } catch (error) {
      if (!(error instanceof EdgeError) || attempt >= last) throw error;
      if (error.code === 'unknown_key') edge.forgetKeys();
      else if (!error.passing) throw error;
    }
    await backoff(attempt, options);
  }
}

async function submitOnce(
  edge: EdgeClient,
  identity: Identity,
  cbor: Uint8Array,
  { dryRun, signal }: SubmitOptions,
): Promise<SubmitResult> {
  const { head, context } = encapsulate(await loadSender(), SINGLE, await edge.keys(), identity);
  const { response } = await edge.send({
    method: 'POST',
    path: '/v1/parcels',
    query: dryRun ? DRY_RUN_QUERY : '',
    headers: { 'content-type': SINGLE.requestType, [ENCAPSULATION_HEADER]: byteSequence(head) },
    body: concat(head, context.seal(cbor)),
    answerType: SINGLE.responseType,
    identity,
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = await readAll(response);
  try {
    const reader = new Reader(bytes);
    const answer = context.answer(reader.bytes(RESPONSE_NONCE_BYTES));
    const opened = openAnswer(answer, reader.bytes(reader.left));
    const { result, masked } = parseSingleAnswer(opened);
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
  const warnings = result.warnings === 0 ? [] : warningNames(result.warnings);
  const [id, ruleset] = [uuidText(result.id), result.ruleset];
  if (outcome !== 'REFUSED' && result.code === 0) return { outcome, id, warnings, ruleset };
  const code = refusalName(result.code) ?? 'UNKNOWN';
  const field = FIELDS[result.field];
  return { outcome, id, code, ...(field && { field }), warnings, ruleset };
}
