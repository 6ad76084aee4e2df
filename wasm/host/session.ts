/**
 * The only code that touches the module's memory. Every call is synchronous: sealed bytes go in, sealed bytes come out, and
 * the module has wiped itself before it returns.
 *
 * A call that traps leaves the instance unusable (its memory may hold anything): it is zeroed and replaced, and the keys
 * are loaded again. Epochs then start anew; open streams and waiting answers of the old instance are lost.
 */
import {
  FLAG_DRY_RUN,
  FLAG_MASKED,
  FLAG_TRIAL,
  IN_BYTES,
  RANDOM_BYTES,
  REPLY_HEAD_BYTES,
  RESULT_BYTES,
  STATUS_DECRYPT_FAILED,
  STATUS_NEED_EPOCH,
  STATUS_NO_INDEX_KEY,
  STATUS_OK,
  STATUS_UNKNOWN_KEY,
  STATUS_UNSUPPORTED_SUITE,
} from './abi.gen.ts';

const STATUS_NAMES = {
  [STATUS_UNKNOWN_KEY]: 'unknown_key',
  [STATUS_UNSUPPORTED_SUITE]: 'unsupported_suite',
  [STATUS_DECRYPT_FAILED]: 'decrypt_failed',
  [STATUS_NEED_EPOCH]: 'need_epoch',
  [STATUS_NO_INDEX_KEY]: 'no_index_key',
} as const;

/** Why nothing was opened. On `need_epoch` nothing was consumed: start the epoch and call again. */
export interface Failure {
  status: (typeof STATUS_NAMES)[keyof typeof STATUS_NAMES];
}

/** Who signed the request, which is part of the HPKE info, and how it is taken. */
export interface PartyBinding {
  /** 16 octets each; the device is all zeros when the enterprise's own system sends. */
  enterprise: Uint8Array;
  device: Uint8Array;
  /** Seal a masked view for this enterprise: it has a recipient key. */
  masked: boolean;
  /** The city is in trial: what is wrong over a person marks a record and does not refuse it. */
  trial?: boolean;
  /** Everything is judged, nothing is sealed for the store: no epoch is needed, and the batch is empty. */
  dryRun?: boolean;
}

export interface EpochRequest {
  view: number;
  /** 16 octets. */
  audience: Uint8Array;
  startMs: number;
  endMs: number;
  listVersion: number;
  /** 32 octets. */
  listHash: Uint8Array;
}

/** What an epoch's header is made of, to be signed (wire/epoch.ts). */
export interface StartedEpoch {
  id: Uint8Array;
  params: Uint8Array;
  commit: Uint8Array;
  wraps: Uint8Array;
}

/** What a call made of records: the packed batch (empty when all were refused), one 32-octet draft result a record. */
interface Opened {
  status: 'ok';
  batch: Uint8Array;
  drafts: Uint8Array;
}

export type OpenedSingle = Opened & { /** For answerSingle. Opaque. */ context: Uint8Array };
export type OpenedChunk = Opened & { /** For the next chunk. Opaque. */ request: Uint8Array };

export interface OpenedStream {
  status: 'ok';
  /** For the first chunk. Opaque. */
  request: Uint8Array;
  /** For the first results. Opaque. */
  answer: Uint8Array;
  /** Response nonce (32): the first thing to send back. */
  head: Uint8Array;
}

/** Octets of the HPKE head hdr ‖ enc. */
const HEAD_BYTES = 39;
const EPOCH_PARAMS_BYTES = 96;
const EPOCH_COMMIT_BYTES = 32;
const EPOCH_ID_AT = 8;
const RESPONSE_NONCE_BYTES = 32;

interface Exports {
  memory: WebAssembly.Memory;
  IN: WebAssembly.Global;
  OUT: WebAssembly.Global;
  RANDOM: WebAssembly.Global;
  SEALED_REQUEST_BYTES: WebAssembly.Global;
  SEALED_ANSWER_BYTES: WebAssembly.Global;
  setCity(city: number): void;
  drawInstanceKey(): void;
  setEdgeKey(keyId: number, notBefore: bigint, notAfter: bigint): number;
  setIndexKey(version: number, from: bigint, until: bigint): number;
  hasEpoch(view: number, now: bigint): number;
  startEpoch(recipients: number): number;
  endEpochs(): void;
  openSingle(length: number, flags: number, now: bigint): number;
  answerSingle(length: number, outcome: number): number;
  openStream(flags: number, now: bigint): number;
  openChunk(length: number, final: number, now: bigint, trial: number): number;
  sealResults(count: number, outcomes: number): number;
  sealSummary(complete: number): number;
}

/** The module trapped; a new instance has taken its place. */
export class ModuleTrap extends Error {
  constructor() {
    super('the module trapped');
    this.name = 'ModuleTrap';
  }
}

export class Session {
  readonly #module: WebAssembly.Module;
  readonly #city: number;
  readonly #configure: (session: Session) => void;
  #exports!: Exports;
  #memory!: Uint8Array<ArrayBuffer>;

  /** @param configure loads the keys; run again after a trap */
  constructor(module: WebAssembly.Module, city: number, configure: (session: Session) => void) {
    this.#module = module;
    this.#city = city;
    this.#configure = configure;
    this.#start();
  }

  /**
   * Loads an edge key; the module refuses it outside [notBefore, notAfter) (ms).
   * @param privateKey X25519, 32 octets
   * @returns its public key
   */
  setEdgeKey(
    keyId: number,
    privateKey: Uint8Array,
    notBefore: number,
    notAfter: number,
  ): Uint8Array {
    this.#write(exactly(privateKey, 32));
    const done = this.#exports.setEdgeKey(keyId, BigInt(notBefore), BigInt(notAfter));
    if (!done) throw new RangeError('too many edge keys');
    return this.#read(0, 32);
  }

  /** Loads the index key (32 octets) of a version, for record ids of [fromMs, untilMs). */
  setIndexKey(period: { version: number; fromMs: number; untilMs: number }, key: Uint8Array): void {
    this.#write(exactly(key, 32));
    const { version, fromMs, untilMs } = period;
    const done = this.#exports.setIndexKey(version, BigInt(fromMs), BigInt(untilMs));
    if (!done) throw new RangeError('too many index keys');
  }

  /** Is there no live epoch of that view and audience, with room for a chunk, at `now`? */
  needsEpoch(view: number, audience: Uint8Array, now: number): boolean {
    this.#write(exactly(audience, 16));
    return !this.#call(({ hasEpoch }) => hasEpoch(view, BigInt(now)));
  }

  /** Starts an epoch. @param recipients X25519 public keys, 1 to 32 */
  startEpoch(request: EpochRequest, recipients: readonly Uint8Array[]): StartedEpoch {
    const head = new Uint8Array(69);
    const view = new DataView(head.buffer);
    head[0] = request.view;
    head.set(exactly(request.audience, 16), 1);
    view.setBigUint64(17, BigInt(request.startMs));
    view.setBigUint64(25, BigInt(request.endMs));
    view.setUint32(33, request.listVersion);
    head.set(exactly(request.listHash, 32), 37);
    this.#write(head, ...recipients.map((key) => exactly(key, 32)));
    const length = this.#callRandom(({ startEpoch }) => startEpoch(recipients.length));
    if (length === 0) throw new RangeError('an epoch takes 1 to 32 recipients');
    const made = this.#read(0, length);
    const commitAt = EPOCH_PARAMS_BYTES;
    const wrapsAt = commitAt + EPOCH_COMMIT_BYTES;
    return {
      id: made.subarray(EPOCH_ID_AT, EPOCH_ID_AT + 16),
      params: made.subarray(0, commitAt),
      commit: made.subarray(commitAt, wrapsAt),
      wraps: made.subarray(wrapsAt),
    };
  }

  /** Ends all epochs: the recipient list has changed. */
  endEpochs(): void {
    this.#call(({ endEpochs }) => endEpochs());
  }

  /** Opens a single submission. @param body hdr ‖ enc ‖ ciphertext */
  openSingle(body: Uint8Array, party: PartyBinding, now: number): OpenedSingle | Failure {
    const length = this.#write(party.enterprise, party.device, body);
    const status = this.#call(({ openSingle }) => openSingle(length, flags(party), BigInt(now)));
    if (status !== STATUS_OK) return failure(status);
    const [batch, drafts, context] = this.#reply();
    return { status: 'ok', batch, drafts, context };
  }

  /**
   * The body of the answer: response nonce (32) ‖ ciphertext.
   * @param outcome byte of OUTCOMES; a draft that is refused or checked stays so
   */
  answerSingle(context: Uint8Array, outcome: number): Uint8Array {
    const length = this.#write(context);
    const answer = this.#callRandom(({ answerSingle }) => answerSingle(length, outcome));
    if (answer === 0) throw new ModuleTrap();
    return this.#read(0, answer);
  }

  /** Starts a stream. @param head hdr ‖ enc (39) */
  openStream(head: Uint8Array, party: PartyBinding, now: number): OpenedStream | Failure {
    this.#write(party.enterprise, party.device, exactly(head, HEAD_BYTES));
    const status = this.#callRandom(({ openStream }) => openStream(flags(party), BigInt(now)));
    if (status !== STATUS_OK) return failure(status);
    const answerAt = RESPONSE_NONCE_BYTES + this.#exports.SEALED_REQUEST_BYTES.value;
    return {
      status: 'ok',
      head: this.#read(0, RESPONSE_NONCE_BYTES),
      request: this.#read(RESPONSE_NONCE_BYTES, answerAt),
      answer: this.#read(answerAt, answerAt + this.#exports.SEALED_ANSWER_BYTES.value),
    };
  }

  /**
   * Opens the next chunk of a stream. On `decrypt_failed` the stream is over.
   * @param trial the city is in trial at `now`; a stream that was not opened so is judged in earnest all the same
   */
  openChunk(
    request: Uint8Array,
    sealed: Uint8Array,
    final: boolean,
    now: number,
    trial = false,
  ): OpenedChunk | Failure {
    const length = this.#write(request, sealed);
    const status = this.#call(({ openChunk }) =>
      openChunk(length, Number(final), BigInt(now), Number(trial)),
    );
    if (status !== STATUS_OK) return failure(status);
    const [batch, drafts, next] = this.#reply();
    return { status: 'ok', batch, drafts, request: next };
  }

  /**
   * Seals the results of a chunk; must be called in the order of the chunks.
   * @param outcomes one byte of OUTCOMES per record of the chunk's batch, in order; none for a dry run
   */
  sealResults(
    answer: Uint8Array,
    drafts: Uint8Array,
    outcomes: Uint8Array,
  ): { answer: Uint8Array; sealed: Uint8Array } {
    this.#write(answer, drafts, outcomes);
    const count = drafts.length / RESULT_BYTES;
    const status = this.#call(({ sealResults }) => sealResults(count, outcomes.length));
    if (status !== STATUS_OK) throw new ModuleTrap();
    const [sealed, , next] = this.#reply();
    return { answer: next, sealed };
  }

  /** Seals the final chunk of the answer. @param complete the request's final chunk has opened */
  sealSummary(answer: Uint8Array, complete: boolean): Uint8Array {
    this.#write(answer);
    const length = this.#call(({ sealSummary }) => sealSummary(Number(complete)));
    if (length === 0) throw new ModuleTrap();
    return this.#read(0, length);
  }

  #start(): void {
    const instance = new WebAssembly.Instance(this.#module);
    this.#exports = instance.exports as unknown as Exports;
    this.#memory = new Uint8Array(this.#exports.memory.buffer as ArrayBuffer);
    this.#exports.setCity(this.#city);
    this.#draw();
    this.#exports.drawInstanceKey();
    this.#configure(this);
  }

  /** Runs a call of the module. A trap zeroes the instance and replaces it. */
  #call<T>(run: (exports: Exports) => T): T {
    try {
      return run(this.#exports);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#memory.fill(0);
      this.#start();
      throw new ModuleTrap();
    }
  }

  #callRandom<T>(run: (exports: Exports) => T): T {
    this.#draw();
    return this.#call(run);
  }

  /** Straight from the platform's generator into the module's memory; the module takes and zeroes it. */
  #draw(): void {
    const at = this.#exports.RANDOM.value as number;
    crypto.getRandomValues(this.#memory.subarray(at, at + RANDOM_BYTES));
  }

  /** Writes the parts one behind the other to the input buffer; returns their length. */
  #write(...parts: readonly Uint8Array[]): number {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > IN_BYTES) throw new RangeError('input exceeds the input buffer');
    let at = this.#exports.IN.value as number;
    for (const part of parts) {
      this.#memory.set(part, at);
      at += part.length;
    }
    return length;
  }

  /** A copy of [from, to) of the output buffer. */
  #read(from: number, to: number): Uint8Array {
    const at = this.#exports.OUT.value as number;
    return this.#memory.slice(at + from, at + to);
  }

  /** The three sections of a reply, as copies. */
  #reply(): [Uint8Array, Uint8Array, Uint8Array] {
    const at = this.#exports.OUT.value as number;
    const head = new DataView(this.#memory.buffer, at, REPLY_HEAD_BYTES);
    const first = REPLY_HEAD_BYTES + head.getUint32(0);
    const second = first + head.getUint32(4);
    const third = second + head.getUint32(8);
    return [
      this.#read(REPLY_HEAD_BYTES, first),
      this.#read(first, second),
      this.#read(second, third),
    ];
  }
}

function flags({ masked, trial, dryRun }: PartyBinding): number {
  return (masked ? FLAG_MASKED : 0) | (trial ? FLAG_TRIAL : 0) | (dryRun ? FLAG_DRY_RUN : 0);
}

function failure(status: number): Failure {
  return { status: STATUS_NAMES[status as keyof typeof STATUS_NAMES] };
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`expected ${length} octets`);
  return bytes;
}
