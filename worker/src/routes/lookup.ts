import { MAX_LOOKUP_INDEXES } from '../../../wire/limits.ts';
import { LOOKUP_TYPE } from '../../../wire/pull.ts';
import { useNonce } from '../auth.ts';
import { lookup } from '../pipeline/lookup.ts';
import type { AppContext } from './context.ts';
import { checkKind, checkMedia, gated, signedBody } from './request.ts';

/** Octets of the largest lookup (wire/pull.ts): magic, two days, indexes of 16. */
export const MAX_LOOKUP_BYTES = 12 + 16 * MAX_LOOKUP_INDEXES;

/** POST /v1/lookup: full parcels by keyed index, for regulators. */
export async function postLookup(c: AppContext): Promise<Response> {
  const deps = c.get('deps');
  checkMedia(c, LOOKUP_TYPE);
  const { signer, body } = await signedBody(c, MAX_LOOKUP_BYTES);
  checkKind(signer, 'regulator');
  await useNonce(deps.auth, signer);
  return gated(c, signer, () => lookup(deps.pull, body, signer.signature));
}
