/** Requests that no HTTP library would send, and the pieces that they are made of. */
import { connect, type Socket } from 'node:net';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import { signedHeaders, type Tampering, type Unsigned } from './independent-client.ts';
import { validRecord } from './records.ts';
import type { TestParty, TestService } from './service.ts';

export const PARCELS = '/v1/parcels';
export const SINGLE_TYPE = 'message/sealpost-parcel-req';
export const STREAM_TYPE = 'message/sealpost-parcel-chunked-req';

/** Exact CBOR of a record that every rule accepts. */
export function record(changes: Partial<ParcelRecord> = {}): Uint8Array {
  return encodeRecord(validRecord(Date.now(), changes));
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
      await this.#more();
    }
  }

  /** Waits for the head of an answer. @returns false when the other side closed without one */
  async begun(): Promise<boolean> {
    while (!this.#received.includes('\r\n\r\n')) {
      if (this.#ended) return false;
      await this.#more();
    }
    return true;
  }

  close(): void {
    this.#socket?.destroy();
    this.#ended = true;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
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
