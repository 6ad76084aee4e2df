import { PULL_TYPE } from '../../../wire/pull.ts';
import { dayOfText } from '../../../wire/reconcile.ts';
import { authenticate, useNonce } from '../auth.ts';
import { Failure } from '../pipeline/failure.ts';
import { bodyOf } from '../pipeline/pull.ts';
import { reconcile } from '../pipeline/reconcile.ts';
import { report } from '../problems.ts';
import type { AppContext } from './context.ts';
import { checkKind } from './request.ts';

/** GET /v1/reconcile?day=YYYY-MM-DD[&ids=1]: what the store holds of the asking enterprise and that day. */
export async function getReconciliation(c: AppContext): Promise<Response> {
  const deps = c.get('deps');
  const signer = await authenticate(deps.auth, c.req.raw, new Uint8Array());
  checkKind(signer, 'enterprise');
  const asked = parse(new URL(c.req.url).searchParams);
  await useNonce(deps.auth, signer);
  const { signature, party } = signer;
  const nowMs = deps.clock();
  const frames = await reconcile(deps.pull, { ...asked, enterprise: party.id, nowMs, signature });
  const requestId = c.get('requestId');
  const body = bodyOf(frames, (error) => report(requestId, error));
  return c.body(body, 200, { 'content-type': PULL_TYPE });
}

function parse(query: URLSearchParams): { day: number; ids: boolean } {
  const names = [...query.keys()];
  const [day, ids] = [query.get('day'), query.get('ids')];
  const known = names.every((name) => name === 'day' || name === 'ids');
  if (!known || names.length !== new Set(names).size || (ids !== null && ids !== '1')) {
    throw new Failure('malformed_request');
  }
  try {
    return { day: dayOfText(day ?? ''), ids: ids === '1' };
  } catch {
    throw new Failure('malformed_request');
  }
}
