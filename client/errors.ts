/** What can go wrong on a client's side. Every error has a code; none echoes a record, a number or a name. */
import { PROBLEMS, type ProblemCode } from '../wire/problem.ts';

/** `unreachable`: no answer came. `bad_answer`: what came is not an answer of this protocol, or does not open. */
export type EdgeErrorCode = ProblemCode | 'unreachable' | 'bad_answer';

/** The edge refused a request as a whole, or did not answer. */
export class EdgeError extends Error {
  readonly code: EdgeErrorCode;
  /** HTTP status; 0 when there was none. */
  readonly status: number;
  /** Names the request in the edge's log; empty when there was none. */
  readonly requestId: string;
  /** The edge's clock (ms since 1970), told with `clock_skew`. */
  readonly serverMs: number | undefined;

  constructor(
    code: EdgeErrorCode,
    details: { status?: number; requestId?: string; serverMs?: number; cause?: unknown } = {},
  ) {
    super(code in PROBLEMS ? PROBLEMS[code as ProblemCode].title : (OWN_TITLES[code] ?? code), {
      cause: details.cause,
    });
    this.name = 'EdgeError';
    this.code = code;
    this.status = details.status ?? 0;
    this.requestId = details.requestId ?? '';
    this.serverMs = details.serverMs;
  }

  /** The same request may succeed a little later. */
  get passing(): boolean {
    return ['unreachable', 'internal', 'unavailable', 'bad_answer'].includes(this.code);
  }
}

const OWN_TITLES: Readonly<Record<string, string>> = {
  unreachable: 'The edge did not answer.',
  bad_answer: 'The answer does not have the form it must have, or does not open.',
};

/** A stream was given up. What has a result is settled and stands in the report; the rest is to be sent again. */
export class StreamIncomplete<Report = unknown> extends EdgeError {
  readonly report: Report;
  /** Records that were sent, or were to be sent next, without an opened result. */
  readonly unresolved: number;

  constructor(cause: EdgeError, report: Report, unresolved: number) {
    super(cause.code, {
      ...{ status: cause.status, requestId: cause.requestId, cause },
      ...(cause.serverMs === undefined ? {} : { serverMs: cause.serverMs }),
    });
    this.name = 'StreamIncomplete';
    this.report = report;
    this.unresolved = unresolved;
  }
}

/** Why a recipient list or a key configuration is not to be trusted. */
export type TrustCode =
  | 'list_malformed'
  | 'list_signature' // not by the pinned root key
  | 'list_not_valid' // not yet, or no longer
  | 'list_step_back' // older than one already seen
  | 'list_conflict' // of a version already seen, with other content
  | 'keys_malformed'
  | 'keys_signature'
  | 'keys_signer' // not an edge signing key of the recipient list
  | 'keys_other_city'
  | 'keys_not_valid'
  | 'keys_step_back' // older than a statement already seen
  | 'other_mode' // a sandbox where production is meant, or the other way round
  | 'no_key'; // none with our suite

export class TrustError extends Error {
  readonly code: TrustCode;

  constructor(code: TrustCode) {
    super(`not trusted: ${code}`);
    this.name = 'TrustError';
    this.code = code;
  }
}

/** Why a pull or a lookup does not prove that it is complete. */
export type IncompleteCode =
  | 'broken' // the connection ended in mid-answer
  | 'no_end' // everything came but the signed end
  | 'after_end' // something follows the end
  | 'bad_frame'
  | 'bad_chain' // a commit is missing, doubled, or not the one that its chain names
  | 'stepped_back' // a writer's head is older than, or other than, one that was promised before
  | 'end_signature'
  | 'end_signer' // not an edge signing key of the recipient list
  | 'end_other_request' // an end of another request, or of another city or view
  | 'end_mismatch' // rows, digest or cursors are not those of what came
  | 'no_progress';

/** What came is not provably all. Nothing of the page that failed may be kept. */
export class IncompletePull extends Error {
  readonly code: IncompleteCode;

  constructor(code: IncompleteCode, cause?: unknown) {
    super(`incomplete: ${code}`, { cause });
    this.name = 'IncompletePull';
    this.code = code;
  }
}

/** Why an epoch or a parcel is refused by the opener. */
export type OpenCode =
  | 'epoch_malformed'
  | 'epoch_times' // longer than an epoch may be, or backwards
  | 'epoch_audience' // the view and the audience do not go together
  | 'epoch_list_mismatch' // names a list version that is known with other content
  | 'epoch_list_expired' // the list it names, or every known one, did not hold when it began
  | 'epoch_signer' // not an edge signing key of its city at its start
  | 'epoch_signature'
  | 'epoch_conflict' // another epoch with this id was accepted before
  | 'epoch_not_for_us' // no wrap to a key that we hold
  | 'epoch_wrap' // the wrap to us does not open
  | 'epoch_commit' // the content key is not the one committed to
  | 'parcel_malformed'
  | 'parcel_no_epoch' // its epoch is unknown or was refused
  | 'parcel_other_epoch' // view, city, enterprise or time are not those of its epoch
  | 'parcel_other_row' // id, enterprise, city or view are not those of the row it came in
  | 'parcel_sealed' // does not open: ciphertext or a readable column was changed
  | 'parcel_padding'
  | 'record_malformed'
  | 'record_other_id' // the record inside has another id
  | 'record_not_asked'; // a lookup's answer that carries none of the indexes asked for

export class OpenError extends Error {
  readonly code: OpenCode;

  constructor(code: OpenCode) {
    super(`does not open: ${code}`);
    this.name = 'OpenError';
    this.code = code;
  }
}
