import { KEYS_SIGNATURE_HEADER, KEYS_TYPE } from '../../../wire/keys.ts';
import { byteSequence } from '../../../wire/signature.ts';
import type { AppContext } from './context.ts';

/** GET /v1/keys: the key configurations to seal to (RFC 9458 section 3), and the signed statement about them. */
export async function getKeys(c: AppContext): Promise<Response> {
  const { keys, clock } = c.get('deps');
  const { body, signature } = await keys.current(clock());
  return c.body(body, 200, {
    'content-type': KEYS_TYPE,
    [KEYS_SIGNATURE_HEADER]: byteSequence(signature),
  });
}
