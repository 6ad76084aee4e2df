/**
 * Streams: chunks are opened as they come, several commits are under way at once, and results go back strictly in order
 * while the request is still being read. Only a sealed result is an acknowledgement: what breaks off has none.
 */
import { RESULT_BYTES } from '../../../wire/answer.ts';
import { parseBatchHead } from '../../../wire/batch.ts';
import { FormatError } from '../../../wire/bytes.ts';
import { OUTCOMES } from '../../../wire/codes.ts';
import { frameChunk } from '../../../wire/envelope.ts';
import { MAX_STREAM_RECORDS } from '../../../wire/limits.ts';
import type { BodyReader } from './body.ts';
import { Failure } from './failure.ts';
import { checkSuite, commit, type Ingest } from './ingest.ts';
import { CHUNKS_IN_FLIGHT, MAX_STREAM_MS } from './limits.ts';

/**
 * Starts a stream and gives its answer once the first chunk has opened: what fails until then is a refusal of the request.
 * Results wait in memory while the sender does not read: MAX_STREAM_RECORDS of them, 2 MiB.
 * @param encapsulation hdr ‖ enc, the first octets of the body
 * @param body what follows them
 * @param dryRun judge and answer, store nothing
 * @param admitted throws when the sender has been shut out meanwhile
 * @param report is told what went wrong inside; never with anything of the input
 * @throws Failure unsupported_suite, unknown_key, decrypt_failed, malformed_request, too_large, no_recipient, unavailable
 */
export async function startStream(
  ingest: Ingest,
  enterprise: Uint8Array,
  encapsulation: Uint8Array,
  body: BodyReader,
  dryRun: boolean,
  admitted: () => Promise<void>,
  report: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  const { session, epochs, inFlight, clock } = ingest;
  checkSuite(encapsulation);
  if (inFlight.full) throw new Failure('unavailable');
  const opened = await epochs.sealing(enterprise, clock, dryRun, (party, now) =>
    session.openStream(encapsulation, party, now),
  );
  const stream = new Stream(ingest, enterprise, body, dryRun, opened, admitted, report);
  const first = await stream.open().catch((error) => {
    throw error instanceof FormatError ? new Failure('malformed_request') : error;
  });
  return new ReadableStream<Uint8Array>({
    start(out) {
      out.enqueue(opened.head);
      // Not awaited: results must flow while chunks are read.
      stream.run(first, out).catch((error) => {
        report(error);
        void body.cancel();
        attempt(() => out.error(new Error('the stream broke off')));
      });
    },
    cancel: () => body.cancel(),
  });
}

interface Chunk {
  batch: Uint8Array;
  /** One result a record, without its outcome yet. */
  drafts: Uint8Array;
  /** Its place in what is in flight. */
  release: () => void;
  final: boolean;
}

class Stream {
  readonly #ingest: Ingest;
  readonly #enterprise: Uint8Array;
  readonly #body: BodyReader;
  readonly #dryRun: boolean;
  readonly #admitted: () => Promise<void>;
  readonly #report: (error: unknown) => void;
  readonly #lastMs: number;
  /** Sealed contexts of the module, opaque here. */
  #request: Uint8Array;
  #answer: Uint8Array;
  #records = 0;
  /** Settles when the results of every chunk so far are on their way. */
  #sent: Promise<void> = Promise.resolve();
  /** Settlement of each chunk whose commit is awaited. */
  readonly #inFlight: Promise<void>[] = [];

  constructor(
    ingest: Ingest,
    enterprise: Uint8Array,
    body: BodyReader,
    dryRun: boolean,
    contexts: { request: Uint8Array; answer: Uint8Array },
    admitted: () => Promise<void>,
    report: (error: unknown) => void,
  ) {
    this.#admitted = admitted;
    this.#lastMs = ingest.clock() + MAX_STREAM_MS;
    this.#report = report;
    this.#ingest = ingest;
    this.#enterprise = enterprise;
    this.#body = body;
    this.#dryRun = dryRun;
    this.#request = contexts.request;
    this.#answer = contexts.answer;
  }

  async run(first: Chunk, out: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const complete = await this.#settleAll(first, out);
    await this.#sent;
    out.enqueue(frameChunk(this.#ingest.session.sealSummary(this.#answer, complete), true));
    // A sender that reads only after it has sent all would otherwise never come to read this.
    if (!complete) await this.#body.drain().catch(() => this.#body.cancel());
    out.close();
  }

  /** Opens the next chunk. @throws FormatError, Failure when the rest of the stream is not worth anything */
  async open(): Promise<Chunk> {
    const { inFlight } = this.#ingest;
    const { sealed, final } = await this.#body.chunk();
    await inFlight.room(() => this.#inFlight.shift());
    const release = inFlight.take(sealed.length);
    try {
      return { ...(await this.#judge(sealed, final)), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #judge(sealed: Uint8Array, final: boolean): Promise<Omit<Chunk, 'release'>> {
    const { session, epochs, clock } = this.#ingest;
    if (clock() > this.#lastMs) throw new Failure('unavailable');
    await this.#admitted();
    const opened = await epochs.sealing(this.#enterprise, clock, this.#dryRun, ({ trial }, now) =>
      session.openChunk(this.#request, sealed, final, now, trial),
    );
    this.#request = opened.request;
    const records = opened.drafts.length / RESULT_BYTES;
    // Only the final chunk may be empty: otherwise chunks without end would cost nothing.
    if (records === 0 && !final) throw new FormatError();
    this.#records += records;
    if (this.#records > MAX_STREAM_RECORDS) throw new Failure('too_large');
    return { batch: opened.batch, drafts: opened.drafts, final };
  }

  /** @returns true when the final chunk opened; false when something is wrong with the rest of the stream */
  async #settleAll(
    first: Chunk,
    out: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<boolean> {
    try {
      for (let chunk = first; ; chunk = await this.open()) {
        if (chunk.drafts.length > 0) await this.#settle(chunk, out);
        else chunk.release();
        if (chunk.final) return true;
      }
    } catch (error) {
      if (error instanceof FormatError || error instanceof Failure) return false;
      throw error;
    }
  }

  /** Commits a batch and, when the chunks before it have theirs, sends its results. Waits only while too many are under way. */
  async #settle(
    { batch, drafts, release }: Chunk,
    out: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    const outcomes = commit(this.#ingest, this.#enterprise, batch).catch((error) => {
      this.#report(error);
      return retryAll(batch);
    });
    const sent = Promise.all([outcomes, this.#sent]).then(([settled]) => {
      const { answer, sealed } = this.#ingest.session.sealResults(this.#answer, drafts, settled);
      this.#answer = answer;
      out.enqueue(frameChunk(sealed, false));
    });
    // Whoever awaits it gets the error; until then nobody may.
    sent.then(release, release);
    this.#sent = sent;
    this.#inFlight.push(sent);
    if (this.#inFlight.length >= CHUNKS_IN_FLIGHT) await this.#inFlight.shift();
  }
}

/** Not stored as far as anybody knows: sending it again is safe either way. */
function retryAll(batch: Uint8Array): Uint8Array {
  return new Uint8Array(parseBatchHead(batch).count).fill(OUTCOMES.RETRY);
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // the answer is closed already
  }
}
