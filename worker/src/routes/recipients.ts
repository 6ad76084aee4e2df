import { concat } from '../../../wire/bytes.ts';
import type { AppContext } from './context.ts';

/** GET /v1/recipients: the list as the root signed it, with which a client checks this edge's keys. */
export async function getRecipients(c: AppContext): Promise<Response> {
  const { recipients, clock } = c.get('deps');
  const { signed } = await recipients.current(clock());
  return c.body(concat(signed), 200, { 'content-type': 'application/octet-stream' });
}
