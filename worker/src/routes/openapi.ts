import { openapiDocument } from '../openapi.ts';
import type { Route } from './description.ts';

/**
 * GET /v1/openapi.json: all routes as OpenAPI 3.1, this one too.
 * @param others every other route
 */
export function openapiRoute(others: readonly Route[]): Route {
  const route: Route = {
    method: 'GET',
    path: '/v1/openapi.json',
    handler: (c) => c.json(document()),
    description: {
      operationId: 'getOpenapi',
      summary: 'This document',
      text: 'The routes of the edge as OpenAPI 3.1.',
      signedBy: [],
      answers: [
        {
          status: 200,
          type: 'application/json',
          text: 'An OpenAPI 3.1 document.',
          schema: { type: 'object', required: ['openapi', 'info', 'paths'] },
        },
      ],
      problems: [],
    },
  };
  let made: object | undefined;
  const document = () => {
    made ??= openapiDocument([...others, route]);
    return made;
  };
  return route;
}
