/**
 * Bulk submission: records flow out sealed in chunks while results flow back. A stream that breaks off is resumed by
 * sending, under a new context, every record again that has no opened result; the edge knows by its id what it has.
 */
import type { SendingContext } from '../wasm/host/sender.ts';
import {
  codeAt,
  outcomeAt,
  parseSummary,
  placeAt,
  RESULT_BYTES,
  resultAt,
  SUMMARY_BYTES,
} from '../wire/answer.ts';
import { concat, FormatError, Reader } from '../wire/bytes.ts';
import { OUTCOMES } from '../wire/codes.ts';
import { DRY_RUN_QUERY, frameChunk, RESPONSE_NONCE_BYTES, STREAM } from '../wire/envelope.ts';
import {
  MAX_CHUNK_BYTES,
  MAX_CHUNK_RECORDS,
  MAX_STREAM_BYTES,
  MAX_STREAM_RECORDS,
  TAG_BYTES,
} from '../wire/limits.ts';
import { uuidText } from '../wire/record.ts';
import { byteSequence, ENCAPSULATION_HEADER } from '../wire/signature.ts';
import { BodyReader } from './body-reader.ts';
import { type EdgeClient, readBody } from './edge.ts';
import { encapsulate, openAnswer } from './encapsulation.ts';
import { EdgeError, StreamIncomplete } from './errors.ts';
import { loadSender } from './module.ts';
import {
  chunkBytes,
  ItemQueue,
  type ItemSource,
  nextChunk,
  PendingItems,
  type StreamItem,
} from './packing.ts';
import { backoff, type Pace } from './retry.ts';
import type { Identity } from './signing.ts';
import { describeResult, type RecordResult } from './submit.ts';

export type { ItemSource, StreamItem } from './packing.ts';

export interface ItemResult<Key = unknown> extends RecordResult {
  /** The item's handle. */
  key: Key;
}

export interface StreamCounts {
  stored: number;
  duplicate: number;
  conflict: number;
  refused: number;
  /** Of a dry run: would be taken. */
  checked: number;
}

export interface StreamReport<Key = unknown> {
  counts: StreamCounts;
  /** Of those not refused, the records with a code: taken only because the city is in trial. */
  flagged: number;
  /** The results told of, in the order in which they came; empty when `collect` is false. */
  results: ItemResult<Key>[];
  /** Requests that were made. */
  attempts: number;
}

export interface StreamProgress {
  /** Records sealed and handed to the connection, those sent again counted again. */
  sent: number;
  /** Records with a final result. */
  resolved: number;
}

export interface StreamOptions<Key = unknown> extends Pace {
  /** Results as they come, some hundred at a time. What it returns is awaited. */
  onResults?: (results: ItemResult<Key>[]) => void | Promise<void>;
  onProgress?: (progress: StreamProgress) => void;
  /** Whether the report lists the results. True unless given. */
  collect?: boolean;
  /**
   * Of which results the report and `onResults` tell: of all unless given, or only of those that need a look: refused, in
   * conflict, or flagged. Counts are of all. Results that nobody asks for cost next to nothing.
   */
  tell?: 'all' | 'faults';
  /** The edge judges the records and stores nothing: outcomes are CHECKED instead of STORED. */
  dryRun?: boolean;
  /** Send while reading. False for runtimes that can't: each stream is then made in memory first. True unless given. */
  fullDuplex?: boolean;
}

/** Octets that a chunk adds to a body at most, its frame included; a stream ends while another one would still fit. */
const CHUNK_ROOM = MAX_CHUNK_BYTES + TAG_BYTES + 4;

/**
 * Streams records to the edge, in as many streams as the limits ask for, one after the other.
 * @param records one by one or, for speed, in blocks of some hundred
 * Memory holds the records of one stream (at most 64 MiB) and, unless `collect` is false, all results.
 * @throws StreamIncomplete (an EdgeError) when the edge refuses the stream, or when `maxAttempts` (5) attempts in a row
 * bring no result
 * @throws TrustError when the edge's keys can't be trusted
 * @throws what the source throws
 */
export async function streamRecords<Key>(
  edge: EdgeClient,
  identity: Identity,
  records: ItemSource<Key>,
  options: StreamOptions<Key> = {},
): Promise<StreamReport<Key>> {
  const queue = new ItemQueue(records);
  const run = new Run<Key>(options);
  const limit = options.maxAttempts ?? 5;
  let fruitless = 0;
  try {
    while ((await queue.peek()) !== undefined) {
      const before = run.resolved;
      const failure = await sendStream(edge, identity, queue, run, options);
      const [advanced, left] = [run.resolved > before, queue.waiting];
      fruitless = advanced ? 0 : fruitless + 1;
      if (failure?.code === 'unknown_key') edge.forgetKeys();
      else if (failure && !failure.passing) throw new StreamIncomplete(failure, run.report, left);
      if (fruitless >= limit) {
        throw new StreamIncomplete(failure ?? new EdgeError('unavailable'), run.report, left);
      }
      if (failure || !advanced) await backoff(fruitless, options);
    }
  } finally {
    await queue.close();
  }
  return run.report;
}

/** Where an outcome is counted. */
const COUNTED = new Map<number, keyof StreamCounts>([
  [OUTCOMES.STORED, 'stored'],
  [OUTCOMES.DUPLICATE, 'duplicate'],
  [OUTCOMES.CONFLICT, 'conflict'],
  [OUTCOMES.REFUSED, 'refused'],
  [OUTCOMES.CHECKED, 'checked'],
]);

/** What all streams of one call have brought so far. */
class Run<Key> {
  readonly report: StreamReport<Key> = {
    counts: { stored: 0, duplicate: 0, conflict: 0, refused: 0, checked: 0 },
    flagged: 0,
    results: [],
    attempts: 0,
  };
  resolved = 0;
  #sent = 0;
  readonly #options: StreamOptions<Key>;
  /** Somebody wants results. */
  readonly #told: boolean;

  constructor(options: StreamOptions<Key>) {
    this.#options = options;
    this.#told = options.collect !== false || options.onResults !== undefined;
  }

  sent(records: number): void {
    this.#sent += records;
    this.#progress();
  }

  /**
   * Takes the items that have a final result out of `pending`; those to be sent again stay there.
   * @param results of one chunk, opened
   */
  async settle(results: Uint8Array, pending: PendingItems<Key>): Promise<void> {
    if (results.length % RESULT_BYTES !== 0) throw new FormatError();
    for (let at = 0; at < results.length; at += RESULT_BYTES) {
      const outcome = outcomeAt(results, at);
      if (outcome !== OUTCOMES.RETRY && !COUNTED.has(outcome)) throw new EdgeError('bad_answer');
    }
    const told: ItemResult<Key>[] = [];
    for (let at = 0; at < results.length; at += RESULT_BYTES) {
      const outcome = outcomeAt(results, at);
      const counted = COUNTED.get(outcome);
      const item = counted && pending.take(placeAt(results, at));
      if (!counted || item === undefined) continue;
      this.resolved++;
      this.report.counts[counted]++;
      const flagged = outcome !== OUTCOMES.REFUSED && codeAt(results, at) !== 0;
      if (flagged) this.report.flagged++;
      if (this.#tells(outcome, flagged)) {
        told.push({ key: item.key, ...describeResult(resultAt(results, at)) });
      }
    }
    await this.#tell(told);
  }

  /** No chunk can carry them, so the edge can't be asked; it would say the same. */
  async refuseOversized(items: readonly StreamItem<Key>[]): Promise<void> {
    this.resolved += items.length;
    this.report.counts.refused += items.length;
    const id = uuidText(new Uint8Array(16));
    const refusal = { outcome: 'REFUSED', code: 'RECORD_TOO_LARGE' } as const;
    await this.#tell(items.map(({ key }) => ({ key, ...refusal, id, warnings: [], ruleset: 0 })));
  }

  #tells(outcome: number, flagged: boolean): boolean {
    if (!this.#told || this.#options.tell !== 'faults') return this.#told;
    return flagged || outcome === OUTCOMES.REFUSED || outcome === OUTCOMES.CONFLICT;
  }

  async #tell(results: ItemResult<Key>[]): Promise<void> {
    if (results.length > 0) {
      if (this.#options.collect !== false) this.report.results.push(...results);
      await this.#options.onResults?.(results);
    }
    this.#progress();
  }

  #progress(): void {
    this.#options.onProgress?.({ sent: this.#sent, resolved: this.resolved });
  }
}

/**
 * One stream: a new context, as many items as it may carry, and their results. Items without a final result go back into
 * the queue.
 * @returns why it broke off, if it did
 */
async function sendStream<Key>(
  edge: EdgeClient,
  identity: Identity,
  queue: ItemQueue<Key>,
  run: Run<Key>,
  options: StreamOptions<Key>,
): Promise<EdgeError | undefined> {
  const over = new AbortController();
  const stream = new OutgoingStream(queue, run);
  run.report.attempts++;
  try {
    const { head, context } = encapsulate(await loadSender(), STREAM, await edge.keys(), identity);
    const frames = stream.frames(head, context);
    const { response } = await edge.send({
      method: 'POST',
      path: '/v1/parcels/stream',
      query: options.dryRun ? DRY_RUN_QUERY : '',
      headers: { 'content-type': STREAM.requestType, [ENCAPSULATION_HEADER]: byteSequence(head) },
      body: options.fullDuplex === false ? await collect(frames) : readableOf(frames, stream),
      undigested: true,
      answerType: STREAM.responseType,
      identity,
      signal: AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]),
    });
    await readAnswer(new BodyReader(readBody(response)), context, stream.pending, run);
    return undefined;
  } catch (error) {
    if (stream.failure) throw stream.failure.error;
    options.signal?.throwIfAborted();
    if (error instanceof FormatError) return new EdgeError('bad_answer', { cause: error });
    if (!(error instanceof EdgeError)) throw error;
    return error;
  } finally {
    stream.stop();
    over.abort();
    queue.putBack(stream.pending.rest());
  }
}

/** The body of a request while it is being made. */
class OutgoingStream<Key> {
  readonly pending = new PendingItems<Key>();
  /** Set when the source itself failed. */
  failure: { error: unknown } | undefined;
  readonly #queue: ItemQueue<Key>;
  readonly #run: Run<Key>;
  #live = true;

  constructor(queue: ItemQueue<Key>, run: Run<Key>) {
    this.#queue = queue;
    this.#run = run;
  }

  /** Nothing more is to be taken from the queue. */
  stop(): void {
    this.#live = false;
  }

  async *frames(
    head: Uint8Array,
    context: SendingContext,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield head;
    let [records, length] = [0, 0];
    while (length + 2 * CHUNK_ROOM <= MAX_STREAM_BYTES) {
      const items = await this.#nextItems(MAX_STREAM_RECORDS - records);
      if (items === undefined || !this.#live) return;
      if (items.length === 0) break;
      const frame = frameChunk(context.seal(chunkBytes(items)), false);
      records += items.length;
      length += frame.length;
      this.#run.sent(items.length);
      yield frame;
    }
    yield frameChunk(context.seal(new Uint8Array(0), true), true);
  }

  /** The items of a chunk, in `pending` from the moment on in which they leave the queue. */
  async #nextItems(room: number): Promise<StreamItem<Key>[] | undefined> {
    const wanted = () => this.#live;
    const accept = (items: StreamItem<Key>[], oversized: StreamItem<Key>[]) => {
      if (items.length > 0) this.pending.add(items);
      const settling = oversized.length > 0 && this.#run.refuseOversized(oversized);
      return { items, settling };
    };
    try {
      while (true) {
        const taken = await nextChunk(this.#queue, room, wanted, accept);
        if (taken?.settling) await taken.settling;
        if (!taken?.settling || taken.items.length > 0) return taken?.items;
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** Opens results as they come and settles them. Returns only when the edge says that it has read the stream to its end. */
async function readAnswer<Key>(
  body: BodyReader,
  context: SendingContext,
  pending: PendingItems<Key>,
  run: Run<Key>,
): Promise<void> {
  try {
    const answer = context.answer(await readExactly(body, RESPONSE_NONCE_BYTES));
    for (let length = await readVarint(body); length > 0; length = await readVarint(body)) {
      if (length > MAX_CHUNK_RECORDS * RESULT_BYTES + TAG_BYTES) throw new EdgeError('bad_answer');
      await run.settle(openAnswer(answer, await readExactly(body, length)), pending);
    }
    const sealed = await body.rest(SUMMARY_BYTES + TAG_BYTES);
    if (sealed === undefined) throw new EdgeError('bad_answer');
    if (sealed.length < SUMMARY_BYTES + TAG_BYTES) throw new EdgeError('unreachable');
    if (!parseSummary(openAnswer(answer, sealed, true)).complete)
      throw new EdgeError('unavailable');
  } finally {
    await body.close();
  }
}

async function readExactly(body: BodyReader, length: number): Promise<Uint8Array> {
  const bytes = await body.read(length);
  if (bytes === undefined) throw new EdgeError('unreachable');
  return bytes;
}

async function readVarint(body: BodyReader): Promise<number> {
  const first = await readExactly(body, 1);
  const more = (1 << ((first[0] as number) >> 6)) - 1;
  return new Reader(concat(first, await readExactly(body, more))).varint();
}

function readableOf<Key>(
  frames: AsyncGenerator<Uint8Array, void, undefined>,
  stream: OutgoingStream<Key>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await frames.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => stream.stop(),
  });
}

async function collect(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of frames) parts.push(part);
  return concat(...parts);
}
