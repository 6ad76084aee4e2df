/**
 * Pulls: frames of ciphertext, and a signed end that proves that nothing is missing. An end without that frame is an
 * incomplete pull.
 */
import { concat, FormatError, Reader, u16, u32, u64, utf8, varint } from './bytes.ts';
import { MAX_PULL_FRAME_BYTES } from './limits.ts';

export const PULL_TYPE = 'application/sealpost-pull';
export const LOOKUP_TYPE = 'application/sealpost-lookup';

export const FRAME = {
  /** An epoch header; stands before the first parcel that needs it. */
  EPOCH: 1,
  /** One commit of one writer: its receipts and parcels. */
  COMMIT: 2,
  /** Parcels found by a lookup. */
  PARCELS: 3,
  /** Record ids of a day, and what they come to (wire/reconcile.ts). */
  IDS: 4,
  DAY: 5,
  /** The signed end. */
  END: 127,
} as const;

/** type (1) ‖ length (4) ‖ body */
export function encodeFrame(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(type), u32(body.length), body);
}

/** Octets of a frame's head. */
export const FRAME_HEAD_BYTES = 5;

/** @returns the frame's type and the length of its body. @throws FormatError over MAX_PULL_FRAME_BYTES */
export function parseFrameHead(bytes: Uint8Array): { type: number; length: number } {
  const reader = new Reader(bytes);
  const [type, length] = [reader.u8(), reader.u32()];
  if (length > MAX_PULL_FRAME_BYTES) throw new FormatError();
  return { type, length };
}

/** How far a pull has come, by writer. A single number over several writers would silently skip late commits. */
export type Cursor = Map<number, number>;

/** Pairs of varint(writer) ‖ varint(sequence), ascending by writer. */
export function encodeCursor(cursor: Cursor): Uint8Array {
  const sorted = [...cursor].sort(([a], [b]) => a - b);
  return concat(...sorted.map(([writer, sequence]) => concat(varint(writer), varint(sequence))));
}

/** @throws FormatError */
export function parseCursor(bytes: Uint8Array): Cursor {
  const reader = new Reader(bytes);
  const cursor: Cursor = new Map();
  let last = -1;
  while (reader.left > 0) {
    const writer = reader.varint();
    if (writer <= last) throw new FormatError();
    cursor.set(writer, reader.varint());
    last = writer;
  }
  return cursor;
}

/** State of a parcel in a commit frame. */
export const PARCEL_STATE = {
  PRESENT: 0,
  /** Erased by law, or past retention; its receipt remains. */
  ERASED: 1,
  /** Not stored in the view that was asked for. */
  NO_VIEW: 2,
} as const;

export interface CommitReceipt {
  /** Record id, 16 octets. */
  id: Uint8Array;
  /** 16 octets. */
  contentTag: Uint8Array;
  state: number;
  /** Parcel as in wire/parcel.ts; empty unless PRESENT. */
  parcel: Uint8Array;
}

export interface Commit {
  writer: number;
  sequence: number;
  committedMs: number;
  /** 16 octets. */
  enterprise: Uint8Array;
  /** Chain head before this commit, 32 octets; zeros before a writer's first. */
  previous: Uint8Array;
  receipts: CommitReceipt[];
}

/** writer (4) ‖ sequence (8) ‖ committed (8) ‖ enterprise (16) ‖ previous (32) ‖ count (4) ‖ receipts ‖ parcels */
export function encodeCommit(commit: Commit): Uint8Array {
  return concat(
    u32(commit.writer),
    u64(commit.sequence),
    u64(commit.committedMs),
    commit.enterprise,
    commit.previous,
    u32(commit.receipts.length),
    receiptBytes(commit.receipts),
    ...commit.receipts.map(({ state, parcel }) =>
      concat(Uint8Array.of(state), u16(parcel.length), parcel),
    ),
  );
}

/** @throws FormatError */
export function parseCommit(bytes: Uint8Array): Commit {
  const reader = new Reader(bytes);
  const head = {
    writer: reader.u32(),
    sequence: reader.u64(),
    committedMs: reader.u64(),
    enterprise: reader.bytes(16),
    previous: reader.bytes(32),
  };
  const count = reader.u32();
  const receipts = new Reader(reader.bytes(count * 32));
  const commit: Commit = { ...head, receipts: [] };
  for (let i = 0; i < count; i++) {
    const [id, contentTag] = [receipts.bytes(16), receipts.bytes(16)];
    const state = reader.u8();
    const parcel = reader.bytes(reader.u16());
    if ((state === PARCEL_STATE.PRESENT) !== parcel.length > 0) throw new FormatError();
    commit.receipts.push({ id, contentTag, state, parcel });
  }
  reader.end();
  return commit;
}

/** id (16) ‖ content tag (16) of each: what the chain is made over. It stays when parcels are erased. */
export function receiptBytes(
  receipts: readonly Pick<CommitReceipt, 'id' | 'contentTag'>[],
): Uint8Array<ArrayBuffer> {
  return concat(...receipts.flatMap(({ id, contentTag }) => [id, contentTag]));
}

const CHAIN_LABEL = 'sealpost chain v1';

/** The chain head after a commit is SHA-256 of this. @param receiptsDigest SHA-256 of receiptBytes */
export function chainInput(
  commit: Pick<Commit, 'writer' | 'sequence' | 'enterprise' | 'previous'>,
  city: number,
  count: number,
  receiptsDigest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(
    utf8(CHAIN_LABEL),
    Uint8Array.of(0),
    commit.previous,
    u32(city),
    commit.enterprise,
    u32(commit.writer),
    u64(commit.sequence),
    u32(count),
    receiptsDigest,
  );
}

export interface ChainHead {
  writer: number;
  sequence: number;
  /** 32 octets. */
  head: Uint8Array;
}

export interface PullEnd {
  /** SHA-256 of the request's signature, so that an old end can't be replayed. */
  request: Uint8Array;
  city: number;
  view: number;
  /** There is more past the end cursor. */
  more: boolean;
  /** Parcels in the frames before. */
  rows: number;
  /** SHA-256 of all frames before. */
  digest: Uint8Array;
  start: Cursor;
  end: Cursor;
  /** Of every writer in scope, ascending. */
  heads: ChainHead[];
}

const END_MAGIC = utf8('SPX1');
const END_SIGN_LABEL = 'sealpost pull end v1';

/** The end without signer and signature. */
export function encodeEndBody(end: PullEnd): Uint8Array {
  const [start, last] = [encodeCursor(end.start), encodeCursor(end.end)];
  return concat(
    END_MAGIC,
    end.request,
    u32(end.city),
    Uint8Array.of(end.view, end.more ? 1 : 0),
    u64(end.rows),
    end.digest,
    ...[u32(start.length), start, u32(last.length), last],
    u32(end.heads.length),
    ...end.heads.map(({ writer, sequence, head }) => concat(u32(writer), u64(sequence), head)),
  );
}

/** What the edge signs, given the body. */
export function endSigningInput(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(END_SIGN_LABEL), Uint8Array.of(0), body);
}

/** Takes an end frame apart: body ‖ signer (32) ‖ Ed25519 signature (64). @throws FormatError */
export function parseEnd(bytes: Uint8Array): {
  end: PullEnd;
  body: Uint8Array;
  signer: Uint8Array;
  signature: Uint8Array;
} {
  const reader = new Reader(bytes);
  reader.expect(END_MAGIC);
  const end: PullEnd = {
    request: reader.bytes(32),
    city: reader.u32(),
    view: reader.u8(),
    more: reader.u8() === 1,
    rows: reader.u64(),
    digest: reader.bytes(32),
    start: parseCursor(reader.bytes(reader.u32())),
    end: parseCursor(reader.bytes(reader.u32())),
    heads: [],
  };
  for (let count = reader.u32(); count > 0; count--) {
    end.heads.push({ writer: reader.u32(), sequence: reader.u64(), head: reader.bytes(32) });
  }
  const body = bytes.subarray(0, bytes.length - reader.left);
  const [signer, signature] = [reader.bytes(32), reader.bytes(64)];
  reader.end();
  return { end, body, signer, signature };
}

/** Body of a PARCELS frame: length (2) ‖ parcel, repeated. */
export function encodeParcels(parcels: readonly Uint8Array[]): Uint8Array {
  return concat(...parcels.map((parcel) => concat(u16(parcel.length), parcel)));
}

/** @throws FormatError */
export function parseParcels(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes);
  const parcels: Uint8Array[] = [];
  while (reader.left > 0) parcels.push(reader.bytes(reader.u16()));
  return parcels;
}

export interface Lookup {
  /** Days since 1970-01-01 UTC on which the parcels were committed, both included. */
  fromDay: number;
  toDay: number;
  /** 16 octets each. */
  indexes: Uint8Array[];
}

/** "SPQ1" ‖ from (4) ‖ to (4) ‖ indexes (16 each) */
export function encodeLookup(lookup: Lookup): Uint8Array<ArrayBuffer> {
  return concat(LOOKUP_MAGIC, u32(lookup.fromDay), u32(lookup.toDay), ...lookup.indexes);
}

/** @throws FormatError */
export function parseLookup(bytes: Uint8Array): Lookup {
  const reader = new Reader(bytes);
  reader.expect(LOOKUP_MAGIC);
  const lookup: Lookup = { fromDay: reader.u32(), toDay: reader.u32(), indexes: [] };
  while (reader.left > 0) lookup.indexes.push(reader.bytes(16));
  return lookup;
}

const LOOKUP_MAGIC = utf8('SPQ1');
