/** What the abuse cases have in common: refusals of one form, after which the service goes on. */
import { expect } from 'vitest';
import { PARCELS, post, record, signedSingle } from './abuse-raw.ts';
import { encapsulate, OUTCOME, readSingle, seal, submit } from './independent-client.ts';
import { pull } from './independent-pull.ts';
import type { TestParty, TestService } from './service.ts';

export * from './abuse-raw.ts';

/** The members of a refusal, and nothing else: what was sent is not repeated, and nothing inside shows. */
const PROBLEM = ['code', 'requestId', 'status', 'title', 'type'];

/** What two refusals of one kind must have in common down to the octet: all but the request's id and the date. */
export interface Shape {
  status: number;
  headers: string;
  octets: number;
}

/** Checks that a response is a refusal with this status and code, in the one form that refusals have. */
export async function expectRefusal(
  response: Response,
  status: number,
  code: string,
): Promise<Shape> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  expect(headers['content-type'], bytes.toString()).toBe('application/problem+json');
  const problem = JSON.parse(bytes.toString()) as Record<string, unknown>;
  expect(problem).toMatchObject({ code, status });
  expect(response.status).toBe(status);
  const members = code === 'clock_skew' ? [...PROBLEM, 'serverTime'] : PROBLEM;
  expect(Object.keys(problem).sort()).toEqual([...members].sort());
  expect(problem.requestId).toBe(headers['sealpost-request-id']);
  const { date: _, 'sealpost-request-id': id, ...rest } = headers;
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  return { status, headers: JSON.stringify(rest), octets: bytes.length };
}

/** One number of all shapes: how many different ones there are. */
export function distinct(shapes: readonly Shape[]): number {
  return new Set(shapes.map((shape) => JSON.stringify(shape))).size;
}

/** How many parcels the store holds, as the regulator is told. */
export async function rows(service: TestService): Promise<number> {
  const { end } = await pull(service.url, service.regulator, service.edgeSigning);
  return end?.rows as number;
}

/** After abuse: the next valid request succeeds, nothing else was stored, and the log is empty. @param before rows */
export async function expectUndisturbed(service: TestService, before: number): Promise<void> {
  const { result } = await submit(service.url, service.a, service.edgeKey, record());
  expect(result?.outcome).toBe(OUTCOME.stored);
  expect(await rows(service)).toBe(before + 1);
  expect(await service.log()).toBe('');
}

/** A sealed single submission that can be sent, signed, as often as one likes. */
export async function sealedSingle(
  service: TestService,
  party: TestParty = service.a,
  plaintext = record(),
) {
  const encapsulation = await encapsulate(service.edgeKey, party.id, 'request');
  const body = Buffer.concat([encapsulation.head, await seal(encapsulation, plaintext)]);
  const headers = signedSingle(service, party, body);
  return {
    ...{ encapsulation, body, headers },
    send: async () => {
      const response = await post(service, PARCELS, headers, body);
      return { response, ...(await readSingle(response, encapsulation)) };
    },
  };
}
