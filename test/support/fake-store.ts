/**
 * What a store holds and what an edge serves from it, made in plain TypeScript: epochs, parcels, commits, signed ends.
 * Each maker takes changes, so that tests can make what an edge never would.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { generateKeyPair, type KeyPair } from '../../client/hpke.ts';
import { signList } from '../../client/recipients.ts';
import { compareBytes, concat, u16, u32, u64, utf8 } from '../../wire/bytes.ts';
import { KEM_X25519 } from '../../wire/envelope.ts';
import {
  EPOCH_COMMIT_LABEL,
  type EpochParams,
  encodeEpoch,
  encodeParams,
  epochSigningInput,
  NATIONAL,
  wrapInfo,
} from '../../wire/epoch.ts';
import {
  BUCKETS,
  PARCEL_KEY_LABEL,
  PARCEL_MAGIC,
  RECORD_SCHEMA,
  VIEW_FULL,
} from '../../wire/parcel.ts';
import {
  type CommitReceipt,
  type Cursor,
  chainInput,
  encodeCommit,
  encodeEndBody,
  encodeFrame,
  endSigningInput,
  FRAME,
  PARCEL_STATE,
  type PullEnd,
  receiptBytes,
} from '../../wire/pull.ts';
import {
  ALGORITHM_ED25519,
  LIST_KIND,
  type ListEntry,
  type RecipientList,
} from '../../wire/recipients.ts';
import { uuidBytes } from '../../wire/record.ts';
import { setupSender } from './noble-hpke.ts';

export const CITY = 520100;
export const DAY_MS = 86_400_000;

export function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** An Ed25519 key pair. */
export function signingPair(): KeyPair {
  const privateKey = random(32);
  return { privateKey, publicKey: ed25519.getPublicKey(privateKey) };
}

export interface World {
  now: number;
  root: KeyPair;
  edge: KeyPair;
  readers: KeyPair[];
  enterprise: Uint8Array;
  list: RecipientList;
  signedList: Uint8Array;
}

/** A root, an edge, two readers, one enterprise, and the list that ties them together. */
export function makeWorld(now: number): World {
  const [root, edge] = [signingPair(), signingPair()];
  const readers = [generateKeyPair(), generateKeyPair()];
  const period = { notBefore: now - DAY_MS, notAfter: now + 20 * DAY_MS };
  const list: RecipientList = {
    version: 3,
    ...period,
    entries: [
      ...readers.map(({ publicKey }): ListEntry => {
        const kind = LIST_KIND.FULL_VIEW;
        return { kind, algorithm: KEM_X25519, city: 0, ...period, publicKey };
      }),
      edgeEntry(edge, period),
    ],
  };
  const signedList = signList(list, root.privateKey);
  return { now, root, edge, readers, enterprise: random(16), list, signedList };
}

export function edgeEntry(
  { publicKey }: KeyPair,
  period: { notBefore: number; notAfter: number },
  city = CITY,
): ListEntry {
  return { kind: LIST_KIND.EDGE_SIGNING, algorithm: ALGORITHM_ED25519, city, ...period, publicKey };
}

export interface FakeEpoch {
  params: EpochParams;
  header: Uint8Array;
  parcelKey: Uint8Array;
  sequence: number;
}

export interface EpochChanges extends Partial<EpochParams> {
  /** Who signs, instead of the world's edge. */
  signer?: KeyPair;
  /** To whom the content key is wrapped, instead of the world's readers. */
  wrapTo?: readonly KeyPair[];
  /** Turns the commitment into another one, before it is signed. */
  commit?: Uint8Array;
}

export function makeEpoch(world: World, changes: EpochChanges = {}): FakeEpoch {
  const { signer = world.edge, wrapTo = world.readers, commit: forged, ...own } = changes;
  const params: EpochParams = {
    view: VIEW_FULL,
    epoch: random(16),
    audience: NATIONAL,
    city: CITY,
    startMs: world.now,
    endMs: world.now + 15 * 60_000,
    listVersion: world.list.version,
    listHash: sha256(world.signedList.subarray(0, -64)),
    ...own,
  };
  const [p, contentKey] = [encodeParams(params), random(32)];
  const derive = (label: string) => expand(sha256, contentKey, concat(utf8(label), p), 32);
  const commit = forged ?? derive(EPOCH_COMMIT_LABEL);
  const wraps = wrapTo
    .map(({ publicKey }) => wrapFor(publicKey, contentKey, concat(p, commit)))
    .sort(compareBytes);
  const all = concat(...wraps);
  const signature = ed25519.sign(epochSigningInput(p, commit, sha256(all)), signer.privateKey);
  const header = encodeEpoch(p, commit, all, sha256(signer.publicKey), signature);
  return { params, header, parcelKey: derive(PARCEL_KEY_LABEL), sequence: 0 };
}

function wrapFor(publicKey: Uint8Array, contentKey: Uint8Array, aad: Uint8Array): Uint8Array {
  const recipient = sha256(publicKey);
  const context = setupSender(publicKey, wrapInfo(recipient));
  const body = concat(context.enc, context.seal(contentKey, aad));
  return concat(recipient, u16(body.length), body);
}

export interface ParcelChanges {
  enterprise?: Uint8Array;
  id?: Uint8Array;
  acceptedMs?: number;
  city?: number;
  view?: number;
  epochId?: Uint8Array;
  indexes?: Uint8Array[];
  /** Octets after the record that should be zeros. */
  padding?: number;
}

/** Seals a record's CBOR as the edge would. @returns additional data ‖ ciphertext */
export function sealParcel(
  world: World,
  epoch: FakeEpoch,
  id: string,
  cbor: Uint8Array,
  changes: ParcelChanges = {},
): Uint8Array<ArrayBuffer> {
  const view = changes.view ?? epoch.params.view;
  const bucket = BUCKETS.findIndex(
    (octets, number) => cbor.length + 2 <= octets && (view !== VIEW_FULL || number > 0),
  );
  const size = BUCKETS[bucket] as number;
  const padded = new Uint8Array(size).fill(changes.padding ?? 0, cbor.length + 2);
  padded.set(concat(u16(cbor.length), cbor));
  const sequence = u64(epoch.sequence++);
  const aad = concat(
    ...[PARCEL_MAGIC, u16(3), u16(RECORD_SCHEMA)],
    Uint8Array.of(view, bucket),
    changes.epochId ?? epoch.params.epoch,
    sequence,
    changes.enterprise ?? world.enterprise,
    changes.id ?? uuidBytes(id),
    u64(changes.acceptedMs ?? epoch.params.startMs + 5),
    u32(changes.city ?? CITY),
    u16(view === VIEW_FULL ? 323 : 0),
    ...(view === VIEW_FULL ? (changes.indexes ?? [1, 2, 3, 4].map(() => random(16))) : []),
  );
  const nonce = concat(new Uint8Array(4), sequence);
  return concat(aad, chacha20poly1305(epoch.parcelKey, nonce, aad).encrypt(padded));
}

export interface FakeCommit {
  writer: number;
  sequence: number;
  committedMs: number;
  enterprise: Uint8Array;
  previous: Uint8Array;
  receipts: CommitReceipt[];
  /** The chain's head after it. */
  head: Uint8Array;
}

/** One writer's chain. */
export class FakeWriter {
  readonly commits: FakeCommit[] = [];
  readonly writer: number;
  readonly enterprise: Uint8Array;

  constructor(writer: number, enterprise: Uint8Array) {
    this.writer = writer;
    this.enterprise = enterprise;
  }

  get head(): { writer: number; sequence: number; head: Uint8Array } {
    const last = this.commits.at(-1);
    const { sequence, head } = last ?? { sequence: 0, head: new Uint8Array(32) };
    return { writer: this.writer, sequence, head };
  }

  /** Commits parcels; `parcel` empty means erased. */
  commit(parcels: readonly { id: string; parcel: Uint8Array }[]): FakeCommit {
    const receipts = parcels.map(({ id, parcel }): CommitReceipt => {
      const state = parcel.length === 0 ? PARCEL_STATE.ERASED : PARCEL_STATE.PRESENT;
      return { id: uuidBytes(id), contentTag: random(16), state, parcel };
    });
    const { sequence, head: previous } = this.head;
    const { writer, enterprise } = this;
    const commit = {
      writer,
      sequence: sequence + 1,
      committedMs: 1,
      enterprise,
      previous,
      receipts,
    };
    const digest = sha256(receiptBytes(receipts));
    const head = sha256(chainInput(commit, CITY, receipts.length, digest));
    const whole = { ...commit, head };
    this.commits.push(whole);
    return whole;
  }
}

export function commitFrame(commit: FakeCommit, receipts = commit.receipts): Uint8Array {
  return encodeFrame(FRAME.COMMIT, encodeCommit({ ...commit, receipts }));
}

/** A signed end over frames. */
export function endFrame(
  world: World,
  frames: readonly Uint8Array[],
  end: Partial<PullEnd> & { request: Uint8Array },
  signer: KeyPair = world.edge,
): Uint8Array {
  const body = encodeEndBody({
    ...{ city: CITY, view: VIEW_FULL, more: false, rows: 0 },
    ...{ digest: sha256(concat(...frames)), start: new Map(), end: new Map(), heads: [] },
    ...end,
  });
  const signature = ed25519.sign(endSigningInput(body), signer.privateKey);
  return encodeFrame(FRAME.END, concat(body, sha256(signer.publicKey), signature));
}

/** The commits of writers after a cursor, at most `limit` of them, as a page of frames without its end. */
export function page(
  writers: readonly FakeWriter[],
  cursor: Cursor,
  limit = Number.MAX_SAFE_INTEGER,
) {
  const all = writers.flatMap(({ writer, commits }) => commits.slice(cursor.get(writer) ?? 0));
  const commits = all.slice(0, limit);
  const end: Cursor = new Map(cursor);
  for (const { writer, sequence } of commits) end.set(writer, sequence);
  return {
    commits,
    end: {
      more: commits.length < all.length,
      rows: commits.flatMap(({ receipts }) => receipts).filter(({ parcel }) => parcel.length > 0)
        .length,
      start: cursor,
      end,
      heads: writers.map(({ head }) => head),
    },
  };
}
