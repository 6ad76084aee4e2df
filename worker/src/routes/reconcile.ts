import { dayOfText } from '../../../wire/reconcile.ts';
import { useNonce } from '../auth.ts';
import { Failure } from '../pipeline/failure.ts';
import { reconcile } from '../pipeline/reconcile.ts';
import type { AppContext } from './context.ts';
import { checkKind, gated, signedQuery } from './request.ts';

/** GET /v1/reconcile?day=YYYY-MM-DD[&ids=1]: what the store holds of the asking enterprise and that day. */
export async function getReconciliation(c: AppContext): Promise<Response> {
  const deps = c.get('deps');
  const signer = await signedQuery(c);
  checkKind(signer, 'enterprise');
  const asked = parse(new URL(c.req.url).searchParams);
  await useNonce(deps.auth, signer);
  const { signature, party } = signer;
  const nowMs = deps.clock();
  return gated(c, signer, () =>
    reconcile(deps.pull, { ...asked, enterprise: party.id, nowMs, signature }),
  );
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
