/** Streams of the independent client: a body that is written by hand, an answer that is read frame by frame. */
import {
  Answer,
  type Credentials,
  type EdgeKey,
  type Encapsulation,
  encapsulate,
  type Result,
  readResults,
  signedHeaders,
} from './independent-client.ts';

export interface Summary {
  complete: boolean;
  stored: number;
  duplicate: number;
  conflict: number;
  refused: number;
  retry: number;
  checked: number;
}

/** What came back, in order; a summary is the last of it, or missing when the answer was cut. */
export interface StreamAnswer {
  /** Results of each chunk that had records. */
  chunks: Result[][];
  summary: Summary | undefined;
}

const PATH = '/v1/parcels/stream';

export function streamHeaders(
  url: string,
  credentials: Credentials,
  head: Uint8Array,
): Record<string, string> {
  return signedHeaders(url, credentials, {
    ...{ method: 'POST', path: PATH, head },
    headers: { 'content-type': 'message/sealpost-parcel-chunked-req' },
  });
}

/** Sends a whole body and reads the answer only then. */
export async function sendStream(
  url: string,
  credentials: Credentials,
  encapsulation: Encapsulation,
  chunks: readonly Uint8Array[],
): Promise<{ response: Response } & StreamAnswer> {
  const body = new Uint8Array(Buffer.concat([encapsulation.head, ...chunks]));
  const headers = streamHeaders(url, credentials, encapsulation.head);
  const response = await fetch(url + PATH, { method: 'POST', headers, body });
  return { response, ...(await readAnswer(response.clone(), encapsulation)) };
}

/** A stream that is written and read at the same time. */
export async function openDuplex(url: string, credentials: Credentials, key: EdgeKey) {
  const encapsulation = await encapsulate(key, credentials.id, 'chunked request');
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      out = controller;
      controller.enqueue(new Uint8Array(encapsulation.head));
    },
  });
  const abort = new AbortController();
  const response = fetch(url + PATH, {
    ...{ method: 'POST', body, duplex: 'half', signal: abort.signal },
    headers: streamHeaders(url, credentials, encapsulation.head),
  } as RequestInit);
  return {
    encapsulation,
    write: (bytes: Uint8Array) => out?.enqueue(new Uint8Array(bytes)),
    end: () => out?.close(),
    /** Resets the connection. */
    reset: () => abort.abort(),
    response,
    /** Frames of the answer, as they come; it begins when the first chunk has opened. */
    answer: async () => new AnswerReader((await response).body, encapsulation),
  };
}

/** Reads an answer to its end. Nothing of it when it is not a stream's. */
export async function readAnswer(
  response: Response,
  encapsulation: Encapsulation,
): Promise<StreamAnswer> {
  const type = response.headers.get('content-type');
  if (type !== 'message/sealpost-parcel-chunked-res') return { chunks: [], summary: undefined };
  const reader = new AnswerReader(response.body, encapsulation);
  const chunks: Result[][] = [];
  for (;;) {
    const next = await reader.next();
    if (next === undefined || !Array.isArray(next)) return { chunks, summary: next };
    chunks.push(next);
  }
}

export class AnswerReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #encapsulation: Encapsulation;
  #held = Buffer.alloc(0);
  #answer: Answer | undefined;

  constructor(body: ReadableStream<Uint8Array> | null, encapsulation: Encapsulation) {
    this.#reader = body?.getReader();
    this.#encapsulation = encapsulation;
  }

  /** Results of the next chunk, or the summary; undefined when the answer ends without one. */
  async next(): Promise<Result[] | Summary | undefined> {
    this.#answer ??= await Answer.start(this.#encapsulation, await this.#take(32));
    if (!(await this.#fill(1))) return undefined;
    const lengthOctets = 1 << ((this.#held[0] as number) >> 6);
    const prefix = Buffer.from(await this.#take(lengthOctets));
    prefix[0] = (prefix[0] as number) & 0x3f;
    const length = prefix.readUIntBE(0, lengthOctets);
    if (length > 0) return readResults(this.#answer.open(await this.#take(length)));
    await this.#fill(Number.POSITIVE_INFINITY);
    return readSummary(this.#answer.open(this.#held, true));
  }

  async #take(length: number): Promise<Buffer> {
    if (!(await this.#fill(length))) throw new Error('the answer was cut');
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async #fill(length: number): Promise<boolean> {
    while (this.#held.length < length) {
      const read = await this.#reader?.read();
      if (read?.value === undefined) return false;
      this.#held = Buffer.concat([this.#held, read.value]);
    }
    return true;
  }
}

function readSummary(bytes: Buffer): Summary {
  const [stored, duplicate, conflict, refused, retry, checked] = [1, 5, 9, 13, 17, 21].map((at) =>
    bytes.readUInt32BE(at),
  ) as [number, number, number, number, number, number];
  const complete = bytes.readUInt8(0) === 1;
  return { complete, stored, duplicate, conflict, refused, retry, checked };
}
