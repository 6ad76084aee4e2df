/**
 * The OpenAPI 3.1 document of the edge, made from the table of routes that the app itself is made of. Bodies are octets, so
 * there is nothing for a schema library to check: what the document adds is who signs, which headers, what may come back.
 */
import { MODE_HEADER } from '../../wire/keys.ts';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../../wire/problem.ts';
import { ENCAPSULATION_HEADER } from '../../wire/signature.ts';
import { REQUEST_ID_HEADER } from './problems.ts';
import type {
  AnswerDescription,
  BodyDescription,
  QueryParameter,
  Route,
} from './routes/description.ts';

/** Version of the routes and formats: that in their paths and labels. */
const API_VERSION = '1';

type Json = Record<string, unknown>;

/** @param routes all of the app's */
export function openapiDocument(routes: readonly Route[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sealpost edge',
      version: API_VERSION,
      description:
        'Takes in real-name parcel registrations sealed and keeps only ciphertext and keyed indexes. Bodies are octets whose format is docs/wire-format.md; a 2xx status acknowledges nothing, a sealed result that opens does. Every path answers other methods with `method_not_allowed`, other paths with `not_found`. Codes with meaning and remedy: docs/errors.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The edge that serves this document.' }],
    paths: pathsOf(routes),
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: { signature: SIGNATURE_SCHEME },
    },
  };
}

function pathsOf(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const item = paths[route.path] ?? {};
    item[route.method.toLowerCase()] = operation(route);
    paths[route.path] = item;
  }
  return paths;
}

function operation({ description }: Route): Json {
  const { operationId, summary, text, signedBy, query = [], body, answers } = description;
  const parameters = [...query.map(queryParameter), ...headerParameters(description)];
  return {
    ...{ operationId, summary, description: text },
    // Since OpenAPI 3.1 a requirement names the roles it needs, whatever the scheme is.
    security: signedBy.length === 0 ? [] : [{ signature: [...signedBy] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: responses(answers, problemsOf(description)),
  };
}

/** Every code with which a route refuses. */
export function problemsOf({ signedBy, problems }: Route['description']): ProblemCode[] {
  const signed: ProblemCode[] =
    signedBy.length === 0 ? [] : ['signature_invalid', 'clock_skew', 'unavailable'];
  return [...new Set<ProblemCode>([...problems, ...signed, 'internal'])];
}

function headerParameters({ signedBy, body }: Route['description']): Json[] {
  const names = [
    ...(signedBy.length > 0 ? ['SignatureInput'] : []),
    ...(body?.digest ? ['ContentDigest'] : []),
    ...(body?.sealed ? ['Encapsulation'] : []),
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function queryParameter({ name, text, required = false, schema }: QueryParameter): Json {
  return { name, in: 'query', required, description: text, schema };
}

function requestBody({ type, text, limit }: BodyDescription): Json {
  return {
    required: true,
    description: `${text} At most ${limit} octets. Neither compressed nor with parameters in its content type.`,
    // Octets that are not encoded as text: OpenAPI 3.1 leaves the schema empty.
    content: { [type]: {} },
  };
}

function responses(answers: readonly AnswerDescription[], problems: readonly ProblemCode[]): Json {
  const statuses = new Set([
    ...answers.map(({ status }) => status),
    ...problems.map((code) => PROBLEMS[code].status),
  ]);
  const all: Json = {};
  for (const status of [...statuses].sort((a, b) => a - b)) {
    all[status] = response(
      answers.filter((answer) => answer.status === status),
      problems.filter((code) => PROBLEMS[code].status === status),
    );
  }
  return all;
}

/** One status may mean an answer or a refusal of the request: the content type tells which. */
function response(answers: readonly AnswerDescription[], problems: readonly ProblemCode[]): Json {
  const content: Json = {};
  const headers: Json = {
    [REQUEST_ID_HEADER]: { $ref: '#/components/headers/RequestId' },
    [MODE_HEADER]: { $ref: '#/components/headers/Mode' },
  };
  for (const { type, schema, headers: own = {} } of answers) {
    content[type] = schema === undefined ? {} : { schema };
    for (const [name, text] of Object.entries(own)) {
      headers[name] = { description: text, required: true, schema: { type: 'string' } };
    }
  }
  if (problems.length > 0) {
    content[PROBLEM_TYPE] = {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          { properties: { code: { enum: problems } } },
        ],
      },
    };
  }
  if (problems.some((code) => PROBLEMS[code].status === 503)) {
    headers['retry-after'] = { $ref: '#/components/headers/RetryAfter' };
  }
  const texts = [
    ...answers.map(({ text }) => text),
    ...problems.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`),
  ];
  return { description: texts.join('\n\n'), headers, content };
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Problem details (RFC 9457). Nothing of the request is repeated.',
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', pattern: '^urn:sealpost:problem:[a-z_]+$' },
    title: { type: 'string', description: 'For people; may change.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'Stable.' },
    requestId: {
      type: 'string',
      format: 'uuid',
      description: "Names the request in the edge's log.",
    },
    serverTime: {
      type: 'string',
      format: 'date-time',
      description: "The edge's clock; with `clock_skew` only.",
    },
  },
} as const;

const PARAMETERS = {
  SignatureInput: {
    name: 'signature-input',
    in: 'header',
    required: true,
    description:
      'RFC 9421: label `sealpost`, components and parameters in one fixed order. docs/wire-format.md, section 5.',
    schema: { type: 'string', pattern: '^sealpost=\\(' },
  },
  ContentDigest: {
    name: 'content-digest',
    in: 'header',
    required: true,
    description: 'RFC 9530: SHA-256 of the body. Signed.',
    schema: { type: 'string', pattern: '^sha-256=:[A-Za-z0-9+/]{43}=:$' },
  },
  Encapsulation: {
    name: ENCAPSULATION_HEADER,
    in: 'header',
    required: true,
    description: 'Byte sequence (RFC 9651): hdr ‖ enc, the first 39 octets of the body. Signed.',
    schema: { type: 'string', pattern: '^:[A-Za-z0-9+/]{52}:$' },
  },
} as const;

const HEADERS = {
  RequestId: {
    description: "Names the request in the edge's log.",
    required: true,
    schema: { type: 'string', format: 'uuid' },
  },
  Mode: {
    description: 'In answers of a sandbox alone: nothing that it stores counts.',
    schema: { type: 'string', const: 'sandbox' },
  },
  RetryAfter: {
    description: 'Seconds after which to send it again.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
} as const;

const SIGNATURE_SCHEME = {
  type: 'apiKey',
  in: 'header',
  name: 'signature',
  description:
    'HTTP message signature (RFC 9421) by a registered key, Ed25519 or ECDSA P-256, label `sealpost`: made anew for every request over the components that `signature-input` names. The party, and what it may do, follow from the key. Roles: enterprise, regulator.',
} as const;
