/** What a route is, beside its handler: the table of routes and the OpenAPI document are made of these. */
import type { ProblemCode } from '../../../wire/problem.ts';
import type { AppContext } from './context.ts';

export type RouteHandler = (c: AppContext) => Response | Promise<Response>;

/** A route can't be added without its description: `createApp` takes nothing else. */
export interface Route {
  method: 'GET' | 'POST';
  path: string;
  handler: RouteHandler;
  description: RouteDescription;
}

export type PartyKindName = 'enterprise' | 'regulator' | 'erasure';

export interface RouteDescription {
  /** Unique among the routes; generated clients call the operation by it. */
  operationId: string;
  summary: string;
  /** CommonMark; where to read on in docs/. */
  text: string;
  /** Who may sign the request; nobody means that anyone may ask, unsigned. */
  signedBy: readonly PartyKindName[];
  query?: readonly QueryParameter[];
  body?: BodyDescription;
  answers: readonly AnswerDescription[];
  /** Every refusal that can come, beside `internal`, which can always come, and those of a signature. */
  problems: readonly ProblemCode[];
}

export interface QueryParameter {
  name: string;
  text: string;
  required?: boolean;
  /** JSON Schema. */
  schema: Readonly<Record<string, unknown>>;
}

export interface BodyDescription {
  type: string;
  text: string;
  /** Octets at most. */
  limit: number;
  /** The body begins with hdr ‖ enc, which the header `sealpost-encapsulation` repeats. */
  sealed: boolean;
  /** The header `content-digest` names its digest. */
  digest: boolean;
}

export interface AnswerDescription {
  status: number;
  type: string;
  text: string;
  /** JSON Schema; left out for octets. */
  schema?: Readonly<Record<string, unknown>>;
  /** Headers beside those that every answer has. */
  headers?: Readonly<Record<string, string>>;
}
