import { ERASE_TYPE, ERASURE_TYPE, MAX_ERASE_BYTES } from '../../../wire/erase.ts';
import { useNonce } from '../auth.ts';
import { erase } from '../pipeline/erase.ts';
import type { AppContext } from './context.ts';
import { checkKind, checkMedia, signedBody } from './request.ts';

/** POST /v1/erase: deletes payloads by law, for the party that may do that and nothing else; a signed receipt answers. */
export async function postErase(c: AppContext): Promise<Response> {
  const { auth, erasure, clock } = c.get('deps');
  checkMedia(c, ERASE_TYPE);
  const { signer, body } = await signedBody(c, MAX_ERASE_BYTES);
  checkKind(signer, 'erasure');
  await useNonce(auth, signer);
  const receipt = await erase(erasure, body, signer.signature, clock());
  return c.body(receipt, 200, { 'content-type': ERASURE_TYPE });
}
