/** What the abuse cases have in common: refusals of one form, and requests that no HTTP library would send. */
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import {
  encapsulate,
  OUTCOME,
  readSingle,
  seal,
  signedHeaders,
  submit,
  type Tampering,
  type Unsigned,
} from './independent-client.ts';
import { pull } from './independent-pull.ts';
import { validRecord } from './records.ts';
import type { TestParty, TestService } from './service.ts';

export const PARCELS = '/v1/parcels';
export const SINGLE_TYPE = 'message/sealpost-parcel-req';
export const STREAM_TYPE = 'message/sealpost-parcel-chunked-req';

/** Exact CBOR of a record that every rule accepts. */
export function record(changes: Partial<ParcelRecord> = {}): Uint8Array {
  return encodeRecord(validRecord(Date.now(), changes));
}

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

/** Headers of a single submission with this body. */
export function signedSingle(
  service: TestService,
  party: TestParty,
  body: Uint8Array,
  changes: Partial<Unsigned> = {},
  tampering: Tampering = {},
): Record<string, string> {
  const request: Unsigned = {
    ...{ method: 'POST', path: PARCELS, body, head: body.subarray(0, 39) },
    headers: { 'content-type': SINGLE_TYPE },
    ...changes,
  };
  return signedHeaders(service.url, party, request, tampering);
}

export function post(
  service: TestService,
  path: string,
  headers: Record<string, string>,
  body: Uint8Array,
): Promise<Response> {
  return fetch(service.url + path, { method: 'POST', headers, body: new Uint8Array(body) });
}

/** Does something with each item, `width` of them at a time; results in order. */
export async function inParallel<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  width = 16,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const place = next++;
      results[place] = await act(items[place] as T);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}

/** The first line and the headers of a request, octet by octet as given (latin1). */
export function requestHead(
  method: string,
  path: string,
  service: TestService,
  headers: readonly (readonly [name: string, value: string])[],
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(service.url).host}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A connection that says what it is told, whether that is HTTP or not. */
export class RawConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #ended = true;
  #wake = () => {};

  constructor(service: TestService) {
    this.#port = Number(new URL(service.url).port);
  }

  /** True while neither side has closed. */
  get open(): boolean {
    return !this.#ended;
  }

  /** Sends octets; connects first when there is no connection. */
  send(bytes: Uint8Array): void {
    if (this.#ended) this.#connect();
    this.#socket?.write(bytes);
  }

  /** The next answer; undefined when the other side closed without one. Answers have a Content-Length here. */
  async answer(): Promise<Response | undefined> {
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n');
      const text = this.#received.toString('latin1', 0, Math.max(head, 0));
      const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? Number.NaN);
      const end = head + 4 + (Number.isNaN(length) ? 0 : length);
      const whole =
        head >= 0 && (Number.isNaN(length) ? this.#ended : this.#received.length >= end);
      if (whole) {
        const rest = Number.isNaN(length) ? this.#received.length : end;
        const body = this.#received.subarray(head + 4, rest);
        this.#received = this.#received.subarray(rest);
        return responseOf(text, body);
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#ended = true;
  }

  #connect(): void {
    this.#ended = false;
    this.#received = Buffer.alloc(0);
    const socket = connect(this.#port, '127.0.0.1');
    this.#socket = socket;
    const ended = () => {
      if (socket === this.#socket) this.#ended = true;
      this.#wake();
    };
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    for (const event of ['end', 'error', 'close']) socket.on(event, ended);
  }
}

function responseOf(head: string, body: Buffer): Response {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return new Response(new Uint8Array(body), { status: Number(first.split(' ')[1]), headers });
}

/** Sends one request on a connection of its own and gives its answer. */
export async function rawRequest(
  service: TestService,
  ...parts: readonly Uint8Array[]
): Promise<Response | undefined> {
  const connection = new RawConnection(service);
  for (const part of parts) connection.send(part);
  try {
    return await connection.answer();
  } finally {
    connection.close();
  }
}
