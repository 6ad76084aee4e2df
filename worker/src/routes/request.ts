/** What routes check of a request before they look into it. */
import { authenticate, type Signer } from '../auth.ts';
import { readBody } from '../pipeline/body.ts';
import { Failure } from '../pipeline/failure.ts';
import { BODY_DEADLINE_MS } from '../pipeline/limits.ts';
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
  const body = await readBody(c.req.raw, limit, BODY_DEADLINE_MS);
  return { signer: await authenticate(c.get('deps').auth, c.req.raw, body), body };
}

/** @throws Failure forbidden */
export function checkKind(signer: Signer, kind: Signer['party']['kind']): void {
  if (signer.party.kind !== kind) throw new Failure('forbidden');
}
