import { concat } from '../../../wire/bytes.ts';
import { OUTCOMES } from '../../../wire/codes.ts';
import { SINGLE } from '../../../wire/envelope.ts';
import { MAX_SINGLE_BODY_BYTES } from '../../../wire/limits.ts';
import { checkEncapsulation } from '../auth.ts';
import { ingestSingle } from '../pipeline/ingest.ts';
import type { AppContext } from './context.ts';
import { checkKind, checkMedia, isDryRun, signedBody } from './request.ts';

/** POST /v1/parcels[?dryRun=1]: one sealed record in, a sealed answer out; the status tells its outcome. */
export async function postParcel(c: AppContext): Promise<Response> {
  checkMedia(c, SINGLE.requestType);
  const { signer, body } = await signedBody(c, MAX_SINGLE_BODY_BYTES);
  checkEncapsulation(c.req.raw, body);
  checkKind(signer, 'enterprise');
  const answer = await ingestSingle(c.get('deps').ingest, signer.party.id, body, isDryRun(c));
  return c.body(concat(answer.body), statusOf(answer.outcome), {
    'content-type': SINGLE.responseType,
  });
}

function statusOf(outcome: number): 200 | 409 | 422 {
  if (outcome === OUTCOMES.CONFLICT) return 409;
  return outcome === OUTCOMES.REFUSED ? 422 : 200;
}
