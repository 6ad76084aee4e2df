/** Refusals of whole requests: problem details (RFC 9457) with a code of this list and a request id, never an echo. */

/** HTTP status and title of each code. Codes are stable; texts may change. */
export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request does not have the form it must have.' },
  signature_invalid: {
    status: 401,
    title: 'The request is not signed by a registered key, or the signature does not fit.',
  },
  clock_skew: { status: 401, title: 'The signature was made too long ago or lies ahead.' },
  replayed: { status: 401, title: 'The nonce of this signature was used before.' },
  forbidden: { status: 403, title: 'This party may not do that.' },
  not_found: { status: 404, title: 'There is nothing here.' },
  method_not_allowed: { status: 405, title: 'This address does not take that method.' },
  too_large: { status: 413, title: 'The body exceeds the limit.' },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not the one expected here, or the body is compressed.',
  },
  unsupported_suite: { status: 422, title: 'The suite is not the one that this edge offers.' },
  unknown_key: { status: 422, title: 'The key id is unknown or expired; get /v1/keys again.' },
  decrypt_failed: { status: 422, title: 'The body does not open.' },
  internal: { status: 500, title: 'The edge failed; nothing was acknowledged.' },
  no_recipient: { status: 503, title: 'No valid recipient: nothing can be sealed now.' },
  unavailable: { status: 503, title: 'The store cannot take it now; send it again.' },
  store_full: { status: 503, title: 'The store is full.' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_TYPE = 'application/problem+json';

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  requestId: string;
  /** Server time, ISO 8601; with clock_skew only. */
  serverTime?: string;
}

export function problem(code: ProblemCode, requestId: string, serverTime?: string): Problem {
  return {
    type: `urn:sealpost:problem:${code}`,
    ...PROBLEMS[code],
    code,
    requestId,
    ...(serverTime === undefined ? {} : { serverTime }),
  };
}
