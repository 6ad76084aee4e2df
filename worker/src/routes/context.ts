import type { Context } from 'hono';
import type { Deps } from '../deps.ts';
import type { RawEnv } from '../env.ts';

/** What every request carries. */
export interface AppEnv {
  Bindings: RawEnv;
  Variables: { requestId: string; deps: Deps };
}

export type AppContext = Context<AppEnv>;
