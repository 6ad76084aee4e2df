/**
 * The client's side of encapsulations by the module (wasm/assembly/sender.ts): any number of them at once by one instance. Keys
 * stay inside; what is kept between calls is sealed under a key of the instance.
 */
import { type ClientExports, ClientInstance } from './instance.ts';

const POINT_BYTES = 32;
const UUID_BYTES = 16;
const HDR_BYTES = 7;
const RESPONSE_NONCE_BYTES = 32;
/** Octets of plaintext that one call seals: the edge opens no more. */
const MAX_PLAINTEXT_BYTES = 16_384;

interface Exports extends ClientExports {
  SEALED_SENDER_BYTES: WebAssembly.Global;
  SEALED_READER_BYTES: WebAssembly.Global;
  startSending(streaming: number): number;
  sealNext(length: number, final: number): number;
  startReading(): number;
  readNext(length: number, final: number): number;
}

/** Whom an encapsulation is for, and who signs it. */
export interface SendingParty {
  /** The edge's X25519 public key, 32 octets. */
  publicKey: Uint8Array;
  /** Key id and suite, 7 octets. */
  hdr: Uint8Array;
  /** 16 octets each. */
  enterprise: Uint8Array;
  device: Uint8Array;
}

export class Sender {
  readonly #instance: ClientInstance<Exports>;

  /** @param module wasm/build/sealpost.wasm or its twin */
  constructor(module: WebAssembly.Module) {
    this.#instance = new ClientInstance(module);
  }

  /** @throws RangeError for a public key of low order (RFC 9180 section 7.1.4) */
  start(streaming: boolean, party: SendingParty): SendingContext {
    const instance = this.#instance;
    instance.write(
      exactly(party.publicKey, POINT_BYTES),
      exactly(party.enterprise, UUID_BYTES),
      exactly(party.device, UUID_BYTES),
      exactly(party.hdr, HDR_BYTES),
    );
    const started = instance.callRandom(({ startSending }) => startSending(Number(streaming)));
    if (started === 0) throw new RangeError('public key of low order');
    const end = POINT_BYTES + instance.exports.SEALED_SENDER_BYTES.value;
    return new SendingContext(
      instance,
      instance.read(0, POINT_BYTES),
      instance.read(POINT_BYTES, end),
    );
  }
}

/** One encapsulation. After the last use nothing is to be done: no key of it is held anywhere. */
export class SendingContext {
  /** The encapsulated key, 32 octets. */
  readonly enc: Uint8Array<ArrayBuffer>;
  readonly #instance: ClientInstance<Exports>;
  #context: Uint8Array;

  constructor(
    instance: ClientInstance<Exports>,
    enc: Uint8Array<ArrayBuffer>,
    context: Uint8Array,
  ) {
    this.enc = enc;
    this.#instance = instance;
    this.#context = context;
  }

  /**
   * Seals the next message: ciphertext ‖ tag.
   * @param plaintext up to 16,384 octets @param final the last chunk of a stream
   * @throws RangeError when it is longer; nothing is then counted
   */
  seal(plaintext: Uint8Array, final = false): Uint8Array<ArrayBuffer> {
    if (plaintext.length > MAX_PLAINTEXT_BYTES) throw new RangeError('over 16,384 octets');
    const instance = this.#instance;
    const length = instance.write(this.#context, plaintext);
    const written = instance.call(({ sealNext }) => sealNext(length, Number(final)));
    if (written === 0) throw new Error('the context is of an instance that is gone');
    const sealedAt = this.#context.length;
    this.#context = instance.read(0, sealedAt);
    return instance.read(sealedAt, written);
  }

  /** What opens the answer. @param nonce the response nonce, 32 octets */
  answer(nonce: Uint8Array): AnswerReader {
    const instance = this.#instance;
    instance.write(this.#context, exactly(nonce, RESPONSE_NONCE_BYTES));
    const length = instance.call(({ startReading }) => startReading());
    return new AnswerReader(instance, instance.read(0, length));
  }
}

/** Opens an answer part by part, in the order in which it was sealed. */
export class AnswerReader {
  readonly #instance: ClientInstance<Exports>;
  #context: Uint8Array;

  constructor(instance: ClientInstance<Exports>, context: Uint8Array) {
    this.#instance = instance;
    this.#context = context;
  }

  /**
   * Opens the next part; undefined when it does not open, and the same part is then still the next.
   * @param final the last part of a stream's answer
   */
  open(sealed: Uint8Array, final = false): Uint8Array<ArrayBuffer> | undefined {
    const instance = this.#instance;
    const length = instance.write(this.#context, sealed);
    const written = instance.call(({ readNext }) => readNext(length, Number(final)));
    if (written === 0) return undefined;
    const openedAt = this.#context.length;
    this.#context = instance.read(0, openedAt);
    return instance.take(openedAt, written);
  }
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`expected ${length} octets`);
  return bytes;
}
