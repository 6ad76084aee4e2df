/**
 * Opening, offline: an epoch is accepted only when a key that the root certified has signed it, a parcel only when every
 * readable column of its row is the one it was sealed with.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { parsePadded } from '../wire/answer.ts';
import { concat, equalBytes, FormatError, utf8 } from '../wire/bytes.ts';
import {
  EPOCH_COMMIT_LABEL,
  type Epoch,
  epochSigningInput,
  NATIONAL,
  parseEpoch,
  wrapInfo,
} from '../wire/epoch.ts';
import { MAX_CLOCK_SKEW_S, MAX_EPOCH_MS } from '../wire/limits.ts';
import {
  PARCEL_KEY_LABEL,
  type Parcel,
  parcelNonce,
  parseParcel,
  VIEW_FULL,
  VIEW_MASKED,
} from '../wire/parcel.ts';
import {
  decodeMasked,
  decodeRecord,
  type MaskedRecord,
  type ParcelRecord,
  uuidText,
} from '../wire/record.ts';
import { toHex } from './encoding.ts';
import { type OpenCode, OpenError } from './errors.ts';
import { type KeyPair, setupReceiver } from './hpke.ts';
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

interface AcceptedEpoch extends Epoch {
  parcelKey: Uint8Array;
  flags: EpochFlag[];
}

/** Milliseconds by which a parcel's time may lie outside its epoch: isolates of one edge see time pass at different moments. */
const TIME_SLACK_MS = MAX_CLOCK_SKEW_S * 1000;

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
    const parcelKey = this.#parcelKey(epoch);
    if (this.#stepsBack(epoch)) flags.push('list_step_back');
    this.#epochs.set(id, { ...epoch, parcelKey, flags });
    return flags;
  }

  /**
   * Opens one parcel.
   * @param row the row that it came in
   * @throws OpenError `parcel_…`, `record_…`
   */
  open(bytes: Uint8Array, row: ParcelRow = {}): Opened {
    const parcel = parsed(() => parseParcel(bytes), 'parcel_malformed');
    const epoch = this.#epochOf(parcel);
    if (!belongs(parcel, epoch)) refuse('parcel_other_epoch');
    if (!fitsRow(parcel, row)) refuse('parcel_other_row');
    const plaintext = unseal(parcel, epoch.parcelKey);
    const cbor = parsed(() => parsePadded(plaintext), 'parcel_padding');
    const id = uuidText(parcel.id);
    const base = {
      id,
      enterprise: uuidText(parcel.enterprise),
      city: parcel.city,
      acceptedAt: new Date(parcel.acceptedMs).toISOString(),
      flags: epoch.flags,
    };
    const opened: Opened =
      parcel.view === VIEW_FULL
        ? { ...base, view: 'full', record: decoded(() => decodeRecord(cbor)) }
        : { ...base, view: 'masked', record: decoded(() => decodeMasked(cbor)) };
    return opened.record.id === id ? opened : refuse('record_other_id');
  }

  #epochOf(parcel: Parcel): AcceptedEpoch {
    if (this.#last === undefined || !equalBytes(this.#last.epoch, parcel.epoch)) {
      this.#last = this.#epochs.get(toHex(parcel.epoch));
    }
    return this.#last ?? refuse('parcel_no_epoch');
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

  /** Unwraps the content key, checks that it is the one committed to, and derives the parcels' key from it. */
  #parcelKey(epoch: Epoch): Uint8Array {
    for (const wrap of epoch.wraps) {
      const recipient = this.#recipients.get(toHex(wrap.recipient));
      if (recipient === undefined) continue;
      const contentKey = unwrap(epoch, wrap, recipient);
      const commit = expandKey(contentKey, EPOCH_COMMIT_LABEL, epoch.params);
      if (!equalSecrets(commit, epoch.commit)) refuse('epoch_commit');
      const key = expandKey(contentKey, PARCEL_KEY_LABEL, epoch.params);
      contentKey.fill(0);
      return key;
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

function unwrap(epoch: Epoch, wrap: Epoch['wraps'][number], recipient: KeyPair): Uint8Array {
  const aad = concat(epoch.params, epoch.commit);
  try {
    const contentKey = setupReceiver(wrap.enc, recipient, wrapInfo(wrap.recipient)).open(
      wrap.sealed,
      aad,
    );
    if (contentKey.length === 32) return contentKey;
  } catch {
    // Says the same as a wrong length.
  }
  return refuse('epoch_wrap');
}

function expandKey(contentKey: Uint8Array, label: string, params: Uint8Array): Uint8Array {
  return expand(sha256, contentKey, concat(utf8(label), params), 32);
}

function belongs(parcel: Parcel, epoch: AcceptedEpoch): boolean {
  return (
    parcel.view === epoch.view &&
    parcel.city === epoch.city &&
    (parcel.view === VIEW_FULL || equalBytes(parcel.enterprise, epoch.audience)) &&
    epoch.startMs - TIME_SLACK_MS <= parcel.acceptedMs &&
    parcel.acceptedMs <= epoch.endMs + TIME_SLACK_MS
  );
}

function fitsRow(parcel: Parcel, row: ParcelRow): boolean {
  return (
    (row.id === undefined || equalBytes(row.id, parcel.id)) &&
    (row.enterprise === undefined || equalBytes(row.enterprise, parcel.enterprise)) &&
    (row.city === undefined || row.city === parcel.city) &&
    (row.view === undefined || row.view === parcel.view)
  );
}

/** The additional data is the stored octets themselves, not what was parsed of them. */
function unseal(parcel: Parcel, key: Uint8Array): Uint8Array {
  try {
    return chacha20poly1305(key, parcelNonce(parcel), parcel.aad).decrypt(parcel.sealed);
  } catch {
    return refuse('parcel_sealed');
  }
}

/** Equality in time that does not hang on where they differ. */
function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0);
  return difference === 0;
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
