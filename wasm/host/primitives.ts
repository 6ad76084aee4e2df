/**
 * The module's cryptographic primitives for JavaScript: clients, and the tests that hold them against published vectors.
 *
 * Takes any Uint8Array, also a view into a larger buffer; gives new ones. TypeError for anything else, RangeError for
 * wrong sizes. `undefined` is the refusal that a method names. Not for the edge, where JavaScript sees no plaintext.
 */
import { IN_BYTES } from './abi.gen.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HASH_BYTES = 32;
const POINT_BYTES = 32;
const SEQUENCE_BYTES = 8;

/** RFC 5869 2.3 */
const MAX_EXPAND_BYTES = 255 * HASH_BYTES;

interface Exports {
  memory: WebAssembly.Memory;
  IN: WebAssembly.Global;
  OUT: WebAssembly.Global;
  sha256(length: number): number;
  sha256Parts(first: number, second: number, third: number): number;
  hmacSha256(keyLength: number, length: number): number;
  hkdfExtract(saltLength: number, ikmLength: number): number;
  hkdfExpand(infoLength: number, outLength: number): number;
  chacha20(counter: number, length: number): number;
  poly1305(length: number): number;
  poly1305Blocks(length: number): number;
  aeadSeal(aadLength: number, length: number): number;
  aeadOpen(aadLength: number, lengthWithTag: number): number;
  messageSeal(aadLength: number, length: number): number;
  messageOpen(aadLength: number, lengthWithTag: number): number;
  sealList(length: number): number;
  openList(length: number): number;
  x25519(): number;
  x25519Base(): number;
  hpkeSeal(infoLength: number, sequence: bigint, aadLength: number, length: number): number;
  hpkeOpen(infoLength: number, sequence: bigint, aadLength: number, lengthWithTag: number): number;
  hpkeSenderExport(infoLength: number, contextLength: number, outLength: number): number;
  hpkeReceiverExport(infoLength: number, contextLength: number, outLength: number): number;
}

/** What SetupBaseS of RFC 9180 5.1.1 takes; the keys have 32 octets each. */
export interface HpkeSender {
  /** Fresh randomness, used for this context alone. */
  ephemeralPrivateKey: Uint8Array;
  receiverPublicKey: Uint8Array;
  info: Uint8Array;
}

/** What SetupBaseR of RFC 9180 5.1.1 takes; the keys and enc have 32 octets each. */
export interface HpkeReceiver {
  enc: Uint8Array;
  privateKey: Uint8Array;
  publicKey: Uint8Array;
  info: Uint8Array;
}

export class Primitives {
  readonly #exports: Exports;
  readonly #memory: Uint8Array;

  constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as Exports;
    // Valid for good: the module's memory never grows.
    this.#memory = new Uint8Array(this.#exports.memory.buffer);
  }

  /** FIPS 180-4 */
  sha256(message: Uint8Array): Uint8Array {
    this.#write(message);
    return this.#required(this.#exports.sha256(message.length), HASH_BYTES);
  }

  /** The same digest of the three parts joined, taken in one after the other. */
  sha256Parts(first: Uint8Array, second: Uint8Array, third: Uint8Array): Uint8Array {
    this.#write(first, second, third);
    const done = this.#exports.sha256Parts(first.length, second.length, third.length);
    return this.#required(done, HASH_BYTES);
  }

  /** RFC 2104 */
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
    this.#write(key, message);
    return this.#required(this.#exports.hmacSha256(key.length, message.length), HASH_BYTES);
  }

  /** RFC 5869 2.2 */
  hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
    this.#write(salt, ikm);
    return this.#required(this.#exports.hkdfExtract(salt.length, ikm.length), HASH_BYTES);
  }

  /** RFC 5869 2.3. RangeError beyond 255 * 32 octets. */
  hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    expandable(length);
    this.#write(exactly(prk, HASH_BYTES), info);
    return this.#required(this.#exports.hkdfExpand(info.length, length), length);
  }

  /** Data XOR the keystream from block `counter` on. RFC 8439 2.4 */
  chacha20(key: Uint8Array, nonce: Uint8Array, counter: number, data: Uint8Array): Uint8Array {
    this.#write(exactly(key, KEY_BYTES), exactly(nonce, NONCE_BYTES), data);
    return this.#required(this.#exports.chacha20(counter, data.length), data.length);
  }

  /** The tag of a message under a one-time key. RFC 8439 2.5 */
  poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
    this.#write(exactly(key, KEY_BYTES), message);
    return this.#required(this.#exports.poly1305(message.length), TAG_BYTES);
  }

  /** As poly1305, of whole blocks (16), by the limbs of the kernels. */
  poly1305Blocks(key: Uint8Array, message: Uint8Array): Uint8Array {
    if (message.length % 16 !== 0) throw new RangeError('expected whole blocks');
    this.#write(exactly(key, KEY_BYTES), message);
    return this.#required(this.#exports.poly1305Blocks(message.length), TAG_BYTES);
  }

  /** Ciphertext and tag. A nonce must never come twice under one key. RFC 8439 2.8 */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.#write(exactly(key, KEY_BYTES), exactly(nonce, NONCE_BYTES), aad, plaintext);
    const done = this.#exports.aeadSeal(aad.length, plaintext.length);
    return this.#required(done, plaintext.length + TAG_BYTES);
  }

  /** The plaintext of ciphertext and tag; undefined when the tag is wrong. RFC 8439 2.8 */
  aeadOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined {
    this.#write(exactly(key, KEY_BYTES), exactly(nonce, NONCE_BYTES), aad, sealed);
    const opened = this.#exports.aeadOpen(aad.length, sealed.length);
    return this.#optional(opened, sealed.length - TAG_BYTES);
  }

  /** As aeadSeal, by the kernel for long messages. */
  messageSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array {
    this.#write(exactly(key, KEY_BYTES), exactly(nonce, NONCE_BYTES), aad, plaintext);
    const done = this.#exports.messageSeal(aad.length, plaintext.length);
    return this.#required(done, plaintext.length + TAG_BYTES);
  }

  /** As aeadOpen, by the kernel for long messages. */
  messageOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array | undefined {
    this.#write(exactly(key, KEY_BYTES), exactly(nonce, NONCE_BYTES), aad, ciphertext);
    const opened = this.#exports.messageOpen(aad.length, ciphertext.length);
    return this.#optional(opened, ciphertext.length - TAG_BYTES);
  }

  /** A list of seal jobs, done. @param list as wasm/assembly/job-lists.ts lays it out */
  sealList(list: Uint8Array): Uint8Array {
    this.#write(list);
    return this.#required(this.#exports.sealList(list.length), list.length);
  }

  /** A list of open jobs, done. @param list as wasm/assembly/job-lists.ts lays it out */
  openList(list: Uint8Array): Uint8Array {
    this.#write(list);
    return this.#required(this.#exports.openList(list.length), list.length);
  }

  /** The shared point; undefined when it is all zeros. RFC 7748 6.1 */
  x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array | undefined {
    this.#write(exactly(scalar, KEY_BYTES), exactly(u, POINT_BYTES));
    return this.#optional(this.#exports.x25519(), POINT_BYTES);
  }

  /** The public key of a private key. RFC 7748 6.1 */
  x25519Base(privateKey: Uint8Array): Uint8Array {
    this.#write(exactly(privateKey, KEY_BYTES));
    return this.#required(this.#exports.x25519Base(), POINT_BYTES);
  }

  /**
   * Seals message number `sequence` of a context. RFC 9180 5.2
   * Undefined for a receiver's key of small order, and at the message limit (2^64 - 1).
   * The same ephemeral key and sequence number must never seal two different messages.
   */
  hpkeSeal(
    sender: HpkeSender,
    sequence: bigint,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): { enc: Uint8Array; ciphertext: Uint8Array } | undefined {
    const { info } = sender;
    this.#write(...senderFields(sender), aad, plaintext);
    const done = this.#exports.hpkeSeal(info.length, sequence, aad.length, plaintext.length);
    const length = SEQUENCE_BYTES + POINT_BYTES + plaintext.length + TAG_BYTES;
    const result = this.#optional(done, length)?.subarray(SEQUENCE_BYTES);
    if (!result) return undefined;
    return { enc: result.slice(0, POINT_BYTES), ciphertext: result.slice(POINT_BYTES) };
  }

  /**
   * Opens message number `sequence` of a context. RFC 9180 5.2
   * Undefined when the tag is wrong, for an enc of small order, and at the message limit (2^64 - 1).
   */
  hpkeOpen(
    receiver: HpkeReceiver,
    sequence: bigint,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array | undefined {
    const { info } = receiver;
    this.#write(...receiverFields(receiver), aad, ciphertext);
    const opened = this.#exports.hpkeOpen(info.length, sequence, aad.length, ciphertext.length);
    const length = SEQUENCE_BYTES + ciphertext.length - TAG_BYTES;
    return this.#optional(opened, length)?.slice(SEQUENCE_BYTES);
  }

  /** A secret of `length` octets from the sender's context. RFC 9180 5.3. Undefined for a key of small order. */
  hpkeSenderExport(
    sender: HpkeSender,
    exporterContext: Uint8Array,
    length: number,
  ): Uint8Array | undefined {
    expandable(length);
    this.#write(...senderFields(sender), exporterContext);
    const { info } = sender;
    const done = this.#exports.hpkeSenderExport(info.length, exporterContext.length, length);
    return this.#optional(done, length);
  }

  /** A secret of `length` octets from the receiver's context. RFC 9180 5.3. Undefined for an enc of small order. */
  hpkeReceiverExport(
    receiver: HpkeReceiver,
    exporterContext: Uint8Array,
    length: number,
  ): Uint8Array | undefined {
    expandable(length);
    this.#write(...receiverFields(receiver), exporterContext);
    const { info } = receiver;
    const done = this.#exports.hpkeReceiverExport(info.length, exporterContext.length, length);
    return this.#optional(done, length);
  }

  /** Joins the fields in the input buffer; nothing is written unless all of them fit. */
  #write(...fields: Uint8Array[]): void {
    let length = 0;
    for (const field of fields) length += octets(field).length;
    if (length > IN_BYTES) throw new RangeError(`at most ${IN_BYTES} octets in all`);
    let at = Number(this.#exports.IN.value);
    for (const field of fields) {
      this.#memory.set(field, at);
      at += field.length;
    }
  }

  #required(done: number, length: number): Uint8Array {
    const result = this.#optional(done, length);
    if (!result) throw new Error('the module refused lengths that were checked');
    return result;
  }

  /** Copies the result, if there is one, and wipes its place in the module. */
  #optional(done: number, length: number): Uint8Array | undefined {
    const out = Number(this.#exports.OUT.value);
    const end = out + Math.max(length, 0);
    const result = done ? this.#memory.slice(out, end) : undefined;
    this.#memory.fill(0, out, end);
    return result;
  }
}

function senderFields(sender: HpkeSender): Uint8Array[] {
  return [
    exactly(sender.ephemeralPrivateKey, KEY_BYTES),
    exactly(sender.receiverPublicKey, POINT_BYTES),
    sender.info,
  ];
}

function receiverFields(receiver: HpkeReceiver): Uint8Array[] {
  return [
    exactly(receiver.enc, POINT_BYTES),
    exactly(receiver.privateKey, KEY_BYTES),
    exactly(receiver.publicKey, POINT_BYTES),
    receiver.info,
  ];
}

function octets(value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('expected a Uint8Array');
  return value;
}

function exactly(value: Uint8Array, length: number): Uint8Array {
  if (octets(value).length !== length) throw new RangeError(`expected ${length} octets`);
  return value;
}

function expandable(length: number): void {
  if (!Number.isInteger(length)) throw new TypeError('expected a whole number of octets');
  if (length < 0 || length > MAX_EXPAND_BYTES) {
    throw new RangeError(`at most ${MAX_EXPAND_BYTES} octets can be expanded`);
  }
}
