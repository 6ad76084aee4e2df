/** The edge as HTTP: what every answer has in common, around the table of routes. */
import { Hono } from 'hono';
import { MODE_HEADER } from '../../wire/keys.ts';
import type { Deps } from './deps.ts';
import type { RawEnv } from './env.ts';
import { problemCode, problemResponse, REQUEST_ID_HEADER, report } from './problems.ts';
import type { AppContext, AppEnv } from './routes/context.ts';
import { ROUTES } from './routes/table.ts';

/** Nothing is cached anywhere, guessed at, or told to another site. */
const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** @param dependencies gives the parts for an environment; the same ones every time */
export function createApp(dependencies: (env: RawEnv) => Promise<Deps>): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set('requestId', crypto.randomUUID());
    await next();
    for (const [name, value] of Object.entries(COMMON_HEADERS)) c.res.headers.set(name, value);
    c.res.headers.set(REQUEST_ID_HEADER, c.get('requestId'));
    if (c.get('deps')?.mode === 'sandbox') c.res.headers.set(MODE_HEADER, 'sandbox');
  });
  app.use(async (c, next) => {
    c.set('deps', await dependencies(c.env));
    await next();
  });
  for (const { method, path, handler } of ROUTES) {
    const refuse = (c: AppContext) => {
      const refusal = problemResponse('method_not_allowed', c.get('requestId'), Date.now());
      refusal.headers.set('allow', method);
      return refusal;
    };
    // Hono hands HEAD to the GET handler, which would use up a nonce for an answer without a body.
    app.on(method, path, (c) => (c.req.method === method ? handler(c) : refuse(c)));
    app.all(path, refuse);
  }
  app.notFound((c) => problemResponse('not_found', c.get('requestId'), Date.now()));
  app.onError((error, c) => {
    report(c.get('requestId'), error);
    return problemResponse(problemCode(error), c.get('requestId'), Date.now());
  });
  return app;
}
