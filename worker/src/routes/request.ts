/** What routes check of a request before they look into it. */
import { DRY_RUN_QUERY } from '../../../wire/envelope.ts';
import { authenticate, type Signer } from '../auth.ts';
import { readBody } from '../pipeline/body.ts';
import { Failure } from '../pipeline/failure.ts';
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

/** Reads the whole body and verifies the signature over it. @throws Failure too_large, signature_invalid, clock_skew */
export async function signedBody(
  c: AppContext,
  limit: number,
): Promise<{ signer: Signer; body: Uint8Array }> {
  const { auth, patience } = c.get('deps');
  const body = await readBody(c.req.raw, limit, patience.bodyDeadlineMs);
  return { signer: await authenticate(auth, c.req.raw, body), body };
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
