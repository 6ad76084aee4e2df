/**
 * Opening parcels by the module (wasm/assembly/opener.ts). Keys of epochs stay inside; what is kept of them between calls is
 * sealed under a key of the instance. For regulators and enterprises, offline.
 */
import {
  MAX_OPEN_PARCELS,
  OPEN_TABLE_BYTES,
  OUT_BYTES,
  STATUS_DECRYPT_FAILED,
  STATUS_OK,
} from './abi.gen.ts';
import { type ClientExports, ClientInstance } from './instance.ts';

const KEY_BYTES = 32;
const SEALED_KEY_BYTES = 48;
const EPOCH_PARAMS_BYTES = 96;
const LENGTH_BYTES = 2;
/** Additional data, the largest bucket and its tag (wire/parcel.ts). */
const MAX_PARCEL_BYTES = 144 + 4288 + 16;
const NOTHING = new Uint8Array(0);
/** Table entry: where the CBOR begins (4) | its length (2) | status (2) */
const ENTRY_BYTES = 8;

interface Exports extends ClientExports {
  SEALED_EPOCH_BYTES: WebAssembly.Global;
  openEpoch(): number;
  openParcels(count: number, slack: bigint): number;
}

/** An epoch's content key as it was wrapped, and to whom. */
export interface WrappedEpoch {
  /** X25519, 32 octets each. */
  privateKey: Uint8Array;
  publicKey: Uint8Array;
  /** Encapsulated key (32) and sealed content key (48). */
  enc: Uint8Array;
  sealed: Uint8Array;
  /** P (96) and the commitment to the content key (32). Verify their signature first. */
  params: Uint8Array;
  commit: Uint8Array;
}

/** The parcels of one epoch can be opened with it. Opaque. */
export interface EpochHandle {
  readonly context: Uint8Array;
}

/** What became of parcels, each by its place. */
export class OpenedParcels {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array<ArrayBuffer>, count: number) {
    this.count = count;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset);
  }

  /** PARCEL_… or RECORD_… of wasm/host/abi.gen.ts. */
  status(index: number): number {
    return this.#view.getUint16(index * ENTRY_BYTES + 6);
  }

  /** The record's CBOR, as a view; empty unless the status is PARCEL_OPENED. */
  cbor(index: number): Uint8Array {
    const at = this.#view.getUint32(index * ENTRY_BYTES);
    return this.#bytes.subarray(at, at + this.#view.getUint16(index * ENTRY_BYTES + 4));
  }
}

export class ParcelOpener {
  readonly #instance: ClientInstance<Exports>;
  readonly #slack: bigint;

  /**
   * @param module wasm/build/sealpost.wasm or its twin
   * @param slackMs by which a parcel's time may lie outside its epoch
   */
  constructor(module: WebAssembly.Module, slackMs: number) {
    this.#instance = new ClientInstance(module);
    this.#slack = BigInt(slackMs);
  }

  /**
   * Takes the key of an epoch out of its wrap.
   * @returns `wrap` when it does not open, `commit` when it holds another key than the epoch commits to
   */
  openEpoch(epoch: WrappedEpoch): EpochHandle | 'wrap' | 'commit' {
    const { privateKey, publicKey, enc, sealed, params, commit } = epoch;
    if (enc.length !== KEY_BYTES || sealed.length !== SEALED_KEY_BYTES) return 'wrap';
    const instance = this.#instance;
    instance.write(
      ...[exactly(privateKey, KEY_BYTES), exactly(publicKey, KEY_BYTES), enc, sealed],
      ...[exactly(params, EPOCH_PARAMS_BYTES), exactly(commit, KEY_BYTES)],
    );
    const status = instance.call(({ openEpoch }) => openEpoch());
    if (status === STATUS_OK) {
      return { context: instance.read(0, instance.exports.SEALED_EPOCH_BYTES.value) };
    }
    return status === STATUS_DECRYPT_FAILED ? 'wrap' : 'commit';
  }

  /**
   * Opens parcels of one epoch, those from `from` on and before `to`, as many as one call takes: at least one.
   * Their plaintext is in the result alone; the module has wiped itself.
   */
  open(
    epoch: EpochHandle,
    parcels: readonly Uint8Array[],
    from = 0,
    to = parcels.length,
  ): OpenedParcels {
    const instance = this.#instance;
    const out = instance.output;
    const last = Math.min(to, from + MAX_OPEN_PARCELS);
    let at = OPEN_TABLE_BYTES;
    let next = from;
    for (; next < last; next++) {
      const given = parcels[next] as Uint8Array;
      // Whatever is too long to be one is malformed, at its own place.
      const parcel = given.length > MAX_PARCEL_BYTES ? NOTHING : given;
      const end = at + LENGTH_BYTES + parcel.length;
      if (end > OUT_BYTES) break;
      out[at] = parcel.length >> 8;
      out[at + 1] = parcel.length;
      out.set(parcel, at + LENGTH_BYTES);
      at = end;
    }
    const count = next - from;
    instance.write(epoch.context);
    const done = instance.call(({ openParcels }) => openParcels(count, this.#slack));
    if (!done) throw new Error('the epoch is of an instance that is gone');
    return new OpenedParcels(instance.take(0, at), count);
  }
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`expected ${length} octets`);
  return bytes;
}
