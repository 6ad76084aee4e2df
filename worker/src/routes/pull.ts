import { type Cursor, parseCursor } from '../../../wire/pull.ts';
import { useNonce } from '../auth.ts';
import { fromBase64url } from '../base64url.ts';
import { Failure } from '../pipeline/failure.ts';
import { pull } from '../pipeline/pull.ts';
import type { AppContext } from './context.ts';
import { checkKind, gated, signedQuery } from './request.ts';

/** GET /v1/pull?cursor=: pages of ciphertext. Whose, and in which view, follows from the credential alone. */
export async function getPull(c: AppContext): Promise<Response> {
  const deps = c.get('deps');
  const signer = await signedQuery(c);
  checkKind(signer, 'enterprise', 'regulator');
  const cursor = cursorOf(new URL(c.req.url).searchParams);
  await useNonce(deps.auth, signer);
  const enterprise = signer.party.kind === 'regulator' ? undefined : signer.party.id;
  return gated(c, signer, () =>
    pull(deps.pull, { enterprise, cursor, signature: signer.signature }),
  );
}

/** The one parameter: where the last pull ended; the beginning when it is absent. */
function cursorOf(query: URLSearchParams): Cursor {
  const names = [...query.keys()];
  if (names.length > 1 || names.some((name) => name !== 'cursor')) {
    throw new Failure('malformed_request');
  }
  try {
    return parseCursor(fromBase64url(query.get('cursor') ?? ''));
  } catch {
    throw new Failure('malformed_request');
  }
}
