/**
 * Opening, offline: an epoch is accepted only when a key that the root certified has signed it, a parcel only when every
 * readable column of its row is the one it was sealed with.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  PARCEL_MALFORMED,
  PARCEL_NO_EPOCH,
  PARCEL_OTHER_EPOCH,
  PARCEL_PADDING,
  PARCEL_SEALED,
  RECORD_MALFORMED,
  RECORD_OTHER_ID,
} from '../wasm/host/abi.gen.ts';
import type { EpochHandle } from '../wasm/host/opener.ts';
import { equalBytes, FormatError } from '../wire/bytes.ts';
import { type Epoch, epochSigningInput, NATIONAL, parseEpoch } from '../wire/epoch.ts';
import { MAX_EPOCH_MS } from '../wire/limits.ts';
import { PARCEL_AT, parseParcel, VIEW_FULL, VIEW_MASKED } from '../wire/parcel.ts';
import {
  decodeMasked,
  decodeRecord,
  type MaskedRecord,
  type ParcelRecord,
  uuidText,
} from '../wire/record.ts';
import { toHex } from './encoding.ts';
import { type OpenCode, OpenError } from './errors.ts';
import type { KeyPair } from './hpke.ts';
import { parcelOpener } from './module.ts';
import { edgeSigningKey, listHolds, type TrustedLists, verifyEd25519 } from './recipients.ts';

/** What a reader should know about an epoch that was accepted. */
export type EpochFlag =
  | 'list_unknown' // names a recipient list that we have not seen; its signer is certified by another one of the time
  | 'list_step_back'; // names an older list than an epoch of this city that began before it

/** The row in which a parcel came; what of it is given must be what the parcel is bound to. */
export interface ParcelRow {
  /** 16 octets each. */
  id?: Uint8Array;
  enterprise?: Uint8Array;
  city?: number;
  view?: number;
}

interface OpenedBase {
  id: string;
  /** UUID text. */
  enterprise: string;
  city: number;
  /** ISO 8601, UTC. */
  acceptedAt: string;
  flags: readonly EpochFlag[];
  /** Id of the record that stands in its place, as far as that is known (corrections.ts). */
  replacedBy?: string;
}

export type Opened =
  | (OpenedBase & { view: 'full'; record: ParcelRecord })
  | (OpenedBase & { view: 'masked'; record: MaskedRecord });

export interface SealedParcel {
  bytes: Uint8Array;
  /** The row that it came in. */
  row?: ParcelRow;
}

interface AcceptedEpoch extends Epoch {
  /** Its key, in the module. */
  handle: EpochHandle;
  flags: EpochFlag[];
}

export class Opener {
  readonly #lists: TrustedLists;
  readonly #recipients: ReadonlyMap<string, KeyPair>;
  readonly #epochs = new Map<string, AcceptedEpoch>();
  /** Parcels come epoch by epoch, mostly. */
  #last: AcceptedEpoch | undefined;

  /**
   * @param lists recipient lists signed by the root, those of the parcels' time included
   * @param recipients the private keys that we hold
   */
  constructor(lists: TrustedLists, recipients: readonly KeyPair[]) {
    this.#lists = lists;
    this.#recipients = new Map(recipients.map((pair) => [toHex(sha256(pair.publicKey)), pair]));
  }

  /**
   * Verifies an epoch header and takes its content key out.
   * @returns what a reader should know
   * @throws OpenError `epoch_…`; its parcels then do not open
   */
  addEpoch(header: Uint8Array): readonly EpochFlag[] {
    const epoch = parsed(() => parseEpoch(header), 'epoch_malformed');
    const id = toHex(epoch.epoch);
    const known = this.#epochs.get(id);
    if (known !== undefined) {
      const same = equalBytes(known.params, epoch.params) && equalBytes(known.commit, epoch.commit);
      return same ? known.flags : refuse('epoch_conflict');
    }
    const duration = epoch.endMs - epoch.startMs;
    if (duration <= 0 || duration > MAX_EPOCH_MS) refuse('epoch_times');
    if (!audienceFits(epoch)) refuse('epoch_audience');
    const { signer, flags } = this.#signer(epoch);
    const signed = epochSigningInput(epoch.params, epoch.commit, sha256(epoch.wrapBytes));
    if (!verifyEd25519(epoch.signature, signed, signer)) refuse('epoch_signature');
    const handle = this.#unwrap(epoch);
    if (this.#stepsBack(epoch)) flags.push('list_step_back');
    this.#epochs.set(id, { ...epoch, handle, flags });
    return flags;
  }

  /**
   * Opens one parcel.
   * @param row the row that it came in
   * @throws OpenError `parcel_…`, `record_…`
   */
  open(bytes: Uint8Array, row: ParcelRow = {}): Opened {
    const [opened] = this.openAll([{ bytes, row }]) as [Opened | OpenError];
    if (opened instanceof OpenError) throw opened;
    return opened;
  }

  /** Opens parcels, for each at its place what `open` would return or throw. Some hundred at a time are much faster than one by one. */
  openAll(parcels: readonly SealedParcel[]): (Opened | OpenError)[] {
    let acceptedMs = Number.NaN;
    let acceptedAt = '';
    return this.#unseal(parcels, (cbor, bytes, flags): Opened => {
      const parcel = new DataView(bytes.buffer, bytes.byteOffset);
      const accepted = Number(parcel.getBigUint64(PARCEL_AT.acceptedMs));
      // Parcels of one commit were accepted at one time, mostly.
      if (accepted !== acceptedMs) {
        acceptedAt = new Date(accepted).toISOString();
        acceptedMs = accepted;
      }
      const full = parcel.getUint8(PARCEL_AT.view) === VIEW_FULL;
      const record = decoded(() => (full ? decodeRecord(cbor) : decodeMasked(cbor)));
      return {
        id: record.id,
        enterprise: uuidText(bytes.subarray(PARCEL_AT.enterprise, PARCEL_AT.enterprise + 16)),
        city: parcel.getUint32(PARCEL_AT.city),
        ...{ acceptedAt, flags, view: full ? 'full' : 'masked', record },
      } as Opened;
    });
  }

  /** The same as CBOR: of the whole record, or of its masked view. */
  openCbor(parcels: readonly SealedParcel[]): (Uint8Array | OpenError)[] {
    return this.#unseal(parcels, (cbor) => cbor);
  }

  /** Parcels go into the module epoch by epoch, as they come. */
  #unseal<T>(
    parcels: readonly SealedParcel[],
    read: (cbor: Uint8Array, bytes: Uint8Array, flags: readonly EpochFlag[]) => T,
  ): (T | OpenError)[] {
    const all = parcels.map(({ bytes }) => bytes);
    const results: (T | OpenError)[] = [];
    while (results.length < all.length) {
      const from = results.length;
      const epoch = this.#epochOf(all[from] as Uint8Array);
      if (epoch === undefined) {
        results.push(withoutEpoch(all[from] as Uint8Array));
        continue;
      }
      let to = from + 1;
      while (to < all.length && isOf(all[to] as Uint8Array, epoch)) to++;
      const opened = parcelOpener().open(epoch.handle, all, from, to);
      for (let i = 0; i < opened.count; i++) {
        const { bytes, row } = parcels[from + i] as SealedParcel;
        results.push(
          attempt(() => {
            const status = opened.status(i);
            const code = REFUSED[status];
            const readable = code === undefined || !BEFORE_ROW.has(status);
            if (readable && row && !fitsRow(bytes, row)) refuse('parcel_other_row');
            if (code !== undefined) refuse(code);
            return read(opened.cbor(i), bytes, epoch.flags);
          }),
        );
      }
    }
    return results;
  }

  #epochOf(bytes: Uint8Array): AcceptedEpoch | undefined {
    if (this.#last === undefined || !isOf(bytes, this.#last)) {
      this.#last = this.#epochs.get(toHex(bytes.subarray(PARCEL_AT.epoch, PARCEL_AT.epoch + 16)));
    }
    return this.#last;
  }

  /** The key that may have signed this epoch: certified for its city at its start by the list that it names. */
  #signer(epoch: Epoch): { signer: Uint8Array; flags: EpochFlag[] } {
    const named = this.#lists.get(epoch.listVersion);
    if (named && !equalBytes(named.hash, epoch.listHash)) refuse('epoch_list_mismatch');
    const lists = (named ? [named] : this.#lists.all()).filter(({ list }) =>
      listHolds(list, epoch.startMs),
    );
    if (lists.length === 0) refuse('epoch_list_expired');
    for (const { list } of lists) {
      const signer = edgeSigningKey(list, epoch.signer, epoch.city, epoch.startMs);
      if (signer !== undefined) return { signer, flags: named ? [] : ['list_unknown'] };
    }
    return refuse('epoch_signer');
  }

  /** Has the module unwrap the content key and check that it is the one committed to. */
  #unwrap({ wraps, params, commit }: Epoch): EpochHandle {
    for (const { recipient, enc, sealed } of wraps) {
      const pair = this.#recipients.get(toHex(recipient));
      if (pair === undefined) continue;
      const handle = parcelOpener().openEpoch({ ...pair, enc, sealed, params, commit });
      return typeof handle === 'string' ? refuse(`epoch_${handle}`) : handle;
    }
    return refuse('epoch_not_for_us');
  }

  /** Did an epoch of this city that began well before this one already name a newer list? */
  #stepsBack({ city, startMs, listVersion }: Epoch): boolean {
    for (const other of this.#epochs.values()) {
      const before = other.startMs + MAX_EPOCH_MS < startMs;
      if (other.city === city && other.listVersion > listVersion && before) return true;
    }
    return false;
  }
}

function audienceFits({ view, audience }: Epoch): boolean {
  const national = equalBytes(audience, NATIONAL);
  return view === VIEW_FULL ? national : view === VIEW_MASKED && !national;
}

/** What the module says, in words. */
const REFUSED: Readonly<Record<number, OpenCode>> = {
  [PARCEL_MALFORMED]: 'parcel_malformed',
  [PARCEL_NO_EPOCH]: 'parcel_no_epoch',
  [PARCEL_OTHER_EPOCH]: 'parcel_other_epoch',
  [PARCEL_SEALED]: 'parcel_sealed',
  [PARCEL_PADDING]: 'parcel_padding',
  [RECORD_MALFORMED]: 'record_malformed',
  [RECORD_OTHER_ID]: 'record_other_id',
};

/** What is said of a parcel before its row is looked at. */
const BEFORE_ROW: ReadonlySet<number> = new Set([
  PARCEL_MALFORMED,
  PARCEL_NO_EPOCH,
  PARCEL_OTHER_EPOCH,
]);

/** Is a parcel of this epoch, as far as its octets can be taken for what they should be? */
function isOf(bytes: Uint8Array, { epoch }: AcceptedEpoch): boolean {
  return holds(bytes, PARCEL_AT.epoch, epoch);
}

function holds(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

function withoutEpoch(bytes: Uint8Array): OpenError {
  return attempt((): never => {
    parsed(() => parseParcel(bytes), 'parcel_malformed');
    return refuse('parcel_no_epoch');
  });
}

function fitsRow(bytes: Uint8Array, { id, enterprise, city, view }: ParcelRow): boolean {
  const parcel = new DataView(bytes.buffer, bytes.byteOffset);
  return (
    (id === undefined || (id.length === 16 && holds(bytes, PARCEL_AT.id, id))) &&
    (enterprise === undefined ||
      (enterprise.length === 16 && holds(bytes, PARCEL_AT.enterprise, enterprise))) &&
    (city === undefined || city === parcel.getUint32(PARCEL_AT.city)) &&
    (view === undefined || view === parcel.getUint8(PARCEL_AT.view))
  );
}

function attempt<T>(open: () => T): T | OpenError {
  try {
    return open();
  } catch (error) {
    if (error instanceof OpenError) return error;
    throw error;
  }
}

function parsed<T>(parse: () => T, code: OpenCode): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError || error instanceof RangeError) return refuse(code);
    throw error;
  }
}

/** A decoder's own errors may quote what it read. */
function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch {
    return refuse('record_malformed');
  }
}

function refuse(code: OpenCode): never {
  throw new OpenError(code);
}
