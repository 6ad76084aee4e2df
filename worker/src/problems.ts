/** Every refusal of a request becomes problem details (RFC 9457) here: a code and a request id, nothing of the input. */
import { PROBLEM_TYPE, type ProblemCode, problem } from '../../wire/problem.ts';
import { Failure } from './pipeline/failure.ts';
import { RETRY_AFTER_S } from './pipeline/limits.ts';

/** Response header with the id of the request, for whoever asks the operator about it. */
export const REQUEST_ID_HEADER = 'sealpost-request-id';

/** The answer to a request that failed. @param nowMs told to whose clock is wrong */
export function problemResponse(code: ProblemCode, requestId: string, nowMs: number): Response {
  const serverTime = code === 'clock_skew' ? new Date(nowMs).toISOString() : undefined;
  const details = problem(code, requestId, serverTime);
  const headers = new Headers({ 'content-type': PROBLEM_TYPE });
  if (details.status === 503) headers.set('retry-after', String(RETRY_AFTER_S));
  return new Response(JSON.stringify(details), { status: details.status, headers });
}

/** What an error means to the client. Errors that are not ours mean `internal`. */
export function problemCode(error: unknown): ProblemCode {
  return error instanceof Failure ? error.code : 'internal';
}

/**
 * Logs an error that is not a refusal, or what stands behind one: its kind and the request's id. Its message stays here, for it may quote input;
 * only our own configuration errors, which quote nothing, are told in full.
 */
export function report(requestId: string, error: unknown): void {
  const fault = error instanceof Failure ? error.cause : error;
  if (fault === undefined) return;
  const kind = fault instanceof Error ? fault.name : typeof fault;
  const message = kind === 'EnvironmentError' ? (fault as Error).message : undefined;
  console.error(JSON.stringify({ level: 'error', requestId, kind, message }));
}
