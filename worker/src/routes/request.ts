/** What routes check of a request before they look into it. */
import { DRY_RUN_QUERY } from '../../../wire/envelope.ts';
import { PULL_TYPE } from '../../../wire/pull.ts';
import { authenticate, checkDigest, type Signer } from '../auth.ts';
import { readBody } from '../pipeline/body.ts';
import { hex } from '../pipeline/digest.ts';
import { Failure } from '../pipeline/failure.ts';
import { bodyOf } from '../pipeline/pull.ts';
import { report } from '../problems.ts';
import type { AppContext } from './context.ts';

/**
 * The content type is the one expected, and nothing is compressed: the edge never inflates.
 * @throws Failure unsupported_media_type
 */
export function checkMedia(c: AppContext, type: string): void {
  const given = c.req.header('content-type')?.trim().toLowerCase();
  if (given !== type || c.req.header('content-encoding') !== undefined) {
    throw new Failure('unsupported_media_type');
  }
}

/**
 * Verifies the signature, then reads the whole body and compares it with the digest that was signed: nothing is held for
 * strangers.
 * @throws Failure too_large, signature_invalid, clock_skew
 */
export async function signedBody(
  c: AppContext,
  limit: number,
): Promise<{ signer: Signer; body: Uint8Array }> {
  const { auth, patience } = c.get('deps');
  checkLength(c, limit);
  const signer = await authenticate(auth, c.req.raw);
  const body = await readBody(c.req.raw.body, limit, patience.bodyDeadlineMs);
  await checkDigest(c.req.raw, body);
  return { signer, body };
}

/** Verifies the signature of a request that has no body. @throws Failure signature_invalid, clock_skew */
export async function signedQuery(c: AppContext): Promise<Signer> {
  const signer = await authenticate(c.get('deps').auth, c.req.raw);
  await checkDigest(c.req.raw, new Uint8Array());
  return signer;
}

/** The length that the body claims to have is within the limit. @throws Failure too_large */
export function checkLength(c: AppContext, limit: number): void {
  if (Number(c.req.header('content-length') ?? 0) > limit) throw new Failure('too_large');
}

/** The frames of a pull or lookup as the answer, while there is a place for it. @throws Failure unavailable */
export async function gated(
  c: AppContext,
  { party }: Signer,
  frames: () => Promise<AsyncGenerator<Uint8Array>>,
): Promise<Response> {
  const pass = c.get('deps').pull.gate.enter(hex(party.id));
  try {
    const requestId = c.get('requestId');
    const body = bodyOf(await frames(), pass, (error) => report(requestId, error));
    return c.body(body, 200, { 'content-type': PULL_TYPE });
  } catch (error) {
    pass.leave();
    throw error;
  }
}

/**
 * The one query of the two sealed routes: `?dryRun=1`. Anything near it must not be taken for a submission in earnest.
 * @throws Failure malformed_request
 */
export function isDryRun(c: AppContext): boolean {
  const { search } = new URL(c.req.url);
  if (search !== '' && search !== DRY_RUN_QUERY) throw new Failure('malformed_request');
  return search === DRY_RUN_QUERY;
}

/** @throws Failure forbidden */
export function checkKind(signer: Signer, ...kinds: Signer['party']['kind'][]): void {
  if (!kinds.includes(signer.party.kind)) throw new Failure('forbidden');
}
