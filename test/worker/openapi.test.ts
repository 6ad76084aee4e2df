import { describe, expect, it } from 'vitest';
import wasm from '../../wasm/build/sealpost.wasm';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../../wire/problem.ts';
import { createApp } from '../../worker/src/app.ts';
import { openapiDocument, problemsOf } from '../../worker/src/openapi.ts';
import type { RouteDescription } from '../../worker/src/routes/description.ts';
import { ROUTES } from '../../worker/src/routes/table.ts';
import { makeEdge } from './edge-parts.ts';

interface Response200 {
  content: Record<
    string,
    { schema?: { allOf?: [unknown, { properties: { code: { enum: string[] } } }] } }
  >;
  headers: Record<string, unknown>;
}

interface Operation {
  operationId: string;
  parameters?: ({ $ref: string } | { name: string })[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, Response200>;
  security: { signature: string[] }[];
}

const paths = openapiDocument(ROUTES).paths as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

function operationOf(method: string, path: string): Operation {
  const found = operations.find((one) => one.path === path && one.method === method.toLowerCase());
  if (found === undefined) throw new Error('not described');
  return found.operation;
}

/** Codes that an operation names for a status. */
const codes = ({ responses }: Operation, status: number): string[] =>
  responses[status]?.content[PROBLEM_TYPE]?.schema?.allOf?.[1].properties.code.enum ?? [];

describe('the OpenAPI document', () => {
  it('describes every route of the app, and no other', () => {
    const app = createApp(async () => undefined as never);
    // Those for ALL methods are what is in front of the handlers and the refusals of other methods.
    const served = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`);
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(served.length).toBeGreaterThan(7);
    expect(described.sort()).toEqual(served.sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(
      operations.length,
    );
  });

  it('asks for the headers that a route needs', () => {
    const headers = ({ parameters = [] }: Operation) =>
      parameters.flatMap((one) => ('$ref' in one ? [one.$ref.split('/').at(-1)] : []));
    for (const { operation } of operations) {
      const signed = operation.security.length > 0;
      expect(headers(operation).includes('SignatureInput'), operation.operationId).toBe(signed);
    }
    expect(headers(operationOf('POST', '/v1/parcels'))).toEqual([
      ...['SignatureInput', 'ContentDigest', 'Encapsulation'],
    ]);
    expect(headers(operationOf('POST', '/v1/parcels/stream'))).toEqual([
      ...['SignatureInput', 'Encapsulation'],
    ]);
    expect(headers(operationOf('POST', '/v1/lookup'))).toEqual([
      ...['SignatureInput', 'ContentDigest'],
    ]);
  });

  it('names every code of a route under its status, and a retry-after with each 503', () => {
    for (const { path, method, description } of ROUTES) {
      const operation = operationOf(method, path);
      for (const code of problemsOf(description)) {
        expect(codes(operation, PROBLEMS[code].status), path).toContain(code);
      }
      const unavailable = operation.responses[503];
      if (unavailable) expect(unavailable.headers).toHaveProperty('retry-after');
    }
  });

  it('tells the sealed answers of a submission from refusals of the request', () => {
    const { responses } = operationOf('POST', '/v1/parcels');
    const types = (status: number) => Object.keys(responses[status]?.content ?? {});
    expect([200, 409].map(types)).toEqual([
      ['message/sealpost-parcel-res'],
      ['message/sealpost-parcel-res'],
    ]);
    expect(types(422)).toEqual(['message/sealpost-parcel-res', PROBLEM_TYPE]);
  });
});

describe('what the routes say', () => {
  const send = async (method: string, path: string, headers: Record<string, string>) => {
    const edge = await makeEdge(wasm);
    return edge.fetch(path, { method, headers, ...(method === 'POST' && { body: 'x' }) });
  };
  const described = ROUTES.map(
    ({ method, path, description }) =>
      [method, path, description] as [string, string, RouteDescription],
  );

  it.each(described)(
    'unsigned, %s %s answers as it is described',
    async (method, path, description) => {
      const type = description.body?.type;
      const response = await send(method, path, type ? { 'content-type': type } : {});
      const operation = operationOf(method, path);
      const answer = operation.responses[response.status];
      const given = response.headers.get('content-type') ?? '';
      expect(Object.keys(answer?.content ?? {}), `${response.status}`).toContain(
        given.replace(/;.*/, ''),
      );
      if (description.signedBy.length === 0) return;
      const { code } = (await response.json()) as { code: ProblemCode };
      expect(code).toBe('signature_invalid');
      expect(codes(operation, response.status)).toContain(code);
    },
  );

  it.each(described.filter(([, , { body }]) => body))(
    '%s %s takes its content type alone',
    async (method, path) => {
      const response = await send(method, path, { 'content-type': 'text/plain' });
      const { code } = (await response.json()) as { code: ProblemCode };
      expect(code).toBe('unsupported_media_type');
      expect(codes(operationOf(method, path), 415)).toEqual([code]);
    },
  );
});
