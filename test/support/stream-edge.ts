/** An edge for streams in plain TypeScript, and items for it. */
import { BodyReader } from '../../client/body-reader.ts';
import type { StreamItem } from '../../client/stream.ts';
import { encodeResult } from '../../wire/answer.ts';
import { concat, Reader, u32 } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS } from '../../wire/codes.ts';
import { FINAL_AAD, frameChunk, STREAM } from '../../wire/envelope.ts';
import { MAX_CHUNK_RECORDS } from '../../wire/limits.ts';
import { type EdgeContext, FakeEdge, refuse } from './fake-edge.ts';
import { makeWorld } from './fake-store.ts';

export const NOW = Date.UTC(2026, 10, 20, 9);

/**
 * An edge that stores 4-octet numbers with `size` octets in all: a stand-in for records, since it is the stream that is tested.
 * It answers each chunk as soon as it has it.
 */
export class StreamEdge extends FakeEdge {
  readonly stored = new Map<number, number>();
  readonly chunks: number[][] = [];
  streams = 0;
  /** Called with each opened chunk; may break the stream off by throwing, or change outcomes. */
  onChunk: (numbers: number[], stream: number) => number[] = (numbers) =>
    numbers.map((n) => this.#store(n));
  /** The code that comes with an outcome. */
  code: (outcome: number) => number = () => REFUSALS.BAD_ID;
  /** The place that a result names. */
  place: (place: number) => number = (place) => place;
  /** Reads the whole request before the first octet of the answer. */
  late = false;
  complete = true;
  readonly #size: number;

  constructor(size = 4, world = makeWorld(NOW)) {
    super(world);
    this.#size = size;
    this.handlers.set('POST /v1/parcels/stream', (request) => this.#answer(request));
  }

  #store(n: number): number {
    const before = this.stored.get(n) ?? 0;
    this.stored.set(n, before + 1);
    return before === 0 ? OUTCOMES.STORED : OUTCOMES.DUPLICATE;
  }

  async #answer(request: Request): Promise<Response> {
    const stream = this.streams++;
    if (request.body === null) return refuse('malformed_request');
    const frames = framesOf(request.body);
    const head = (await frames.next()).value as Frame;
    const context = this.receive(STREAM, head.bytes);
    const parts = this.#parts(context, frames, stream);
    const early: Uint8Array[] = [];
    if (this.late) for await (const part of parts) early.push(part);
    const source = this.late ? early[Symbol.iterator]() : parts;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await source.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
    });
    return new Response(body, { headers: { 'content-type': STREAM.responseType } });
  }

  async *#parts(context: EdgeContext, frames: AsyncGenerator<Frame>, stream: number) {
    yield context.responseNonce;
    let chunk = 0;
    for await (const { bytes, final } of frames) {
      if (!final) {
        yield this.#results(context, context.request.open(bytes), chunk++, stream);
        continue;
      }
      context.request.open(bytes, FINAL_AAD);
      const summary = concat(Uint8Array.of(this.complete ? 1 : 0), ...[1, 2, 3, 4, 5, 6].map(u32));
      yield frameChunk(context.seal(summary, FINAL_AAD), true);
    }
  }

  #results(context: EdgeContext, plaintext: Uint8Array, chunk: number, stream: number) {
    const numbers: number[] = [];
    for (let at = 0; at < plaintext.length; at += this.#size) {
      numbers.push(new Reader(plaintext.subarray(at)).u32());
    }
    this.chunks.push(numbers);
    const results = this.onChunk(numbers, stream).map((outcome, index) =>
      encodeResult({
        ...{ place: this.place(chunk * MAX_CHUNK_RECORDS + index), id: new Uint8Array(16) },
        ...{ outcome, field: 0 },
        ...{ code: this.code(outcome), warnings: 0, ruleset: 1 },
      }),
    );
    return frameChunk(context.seal(concat(...results)), false);
  }
}

interface Frame {
  bytes: Uint8Array;
  final: boolean;
}

/** hdr ‖ enc, then each sealed chunk as soon as it is whole. */
async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = new BodyReader(body as unknown as AsyncIterable<Uint8Array>);
  const read = async (length: number) => {
    const bytes = await reader.read(length);
    if (bytes === undefined) throw new Error('cut');
    return bytes.slice();
  };
  yield { bytes: await read(39), final: false };
  while (true) {
    const first = await read(1);
    const more = (1 << ((first[0] as number) >> 6)) - 1;
    const length = new Reader(concat(first, await read(more))).varint();
    if (length > 0) yield { bytes: await read(length), final: false };
    else return yield { bytes: (await reader.rest(100)) ?? first, final: true };
  }
}

export function items(count: number, size = 4): StreamItem<number>[] {
  return Array.from({ length: count }, (_, key) => {
    const cbor = new Uint8Array(size);
    cbor.set(u32(key));
    return { cbor, key };
  });
}
