import type { AppContext } from './context.ts';

/** GET /healthz: the environment is right and the module runs. Asks nothing of the store. */
export function getHealth(c: AppContext): Response {
  return c.json({ status: 'ok' });
}
