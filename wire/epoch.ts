/**
 * Epochs: a content key of one module instance for one view and one audience, wrapped to each recipient and signed by
 * the edge. Whoever can write the store can neither read a parcel nor forge one.
 */
import { concat, FormatError, Reader, u16, u32, u64, utf8 } from './bytes.ts';
import { AEAD_CHACHA20_POLY1305, KDF_SHA256, KEM_X25519 } from './envelope.ts';

export const EPOCH_MAGIC = utf8('SPE1');
/** Octets of P, the epoch's parameters. */
export const EPOCH_PARAMS_BYTES = 96;
export const EPOCH_COMMIT_BYTES = 32;
/** keyid (32) ‖ length (2) ‖ enc (32) ‖ sealed content key (48) */
export const WRAP_BYTES = 114;

export const EPOCH_COMMIT_LABEL = 'sealpost epoch commit v1';
export const EPOCH_WRAP_LABEL = 'sealpost epoch wrap v1';
export const EPOCH_SIGN_LABEL = 'sealpost epoch v1';

/** The audience of the national full view. */
export const NATIONAL = new Uint8Array(16);

export interface EpochParams {
  view: number;
  /** 16 octets each. */
  epoch: Uint8Array;
  audience: Uint8Array;
  city: number;
  startMs: number;
  endMs: number;
  listVersion: number;
  /** 32 octets. */
  listHash: Uint8Array;
}

export interface EpochWrap {
  /** SHA-256 of the recipient's public key. */
  recipient: Uint8Array;
  enc: Uint8Array;
  sealed: Uint8Array;
}

export interface Epoch extends EpochParams {
  /** P, 96 octets. */
  params: Uint8Array;
  /** Commitment to the content key, 32 octets. */
  commit: Uint8Array;
  /** Sorted by recipient. */
  wraps: EpochWrap[];
  /** The wraps as signed. */
  wrapBytes: Uint8Array;
  /** SHA-256 of the edge's signing key. */
  signer: Uint8Array;
  /** Ed25519. */
  signature: Uint8Array;
}

/** An epoch header as stored and pulled: P ‖ commit ‖ length of wraps (2) ‖ wraps ‖ signer (32) ‖ signature (64). */
export function encodeEpoch(
  params: Uint8Array,
  commit: Uint8Array,
  wraps: Uint8Array,
  signer: Uint8Array,
  signature: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(params, commit, u16(wraps.length), wraps, signer, signature);
}

/** @throws FormatError */
export function parseEpoch(bytes: Uint8Array): Epoch {
  const reader = new Reader(bytes);
  const params = reader.bytes(EPOCH_PARAMS_BYTES);
  const commit = reader.bytes(EPOCH_COMMIT_BYTES);
  const wrapBytes = reader.bytes(reader.u16());
  const signer = reader.bytes(32);
  const signature = reader.bytes(64);
  reader.end();
  return {
    ...parseParams(params),
    ...{ params, commit, wraps: parseWraps(wrapBytes), wrapBytes, signer, signature },
  };
}

function parseParams(bytes: Uint8Array): EpochParams {
  const reader = new Reader(bytes);
  reader.expect(EPOCH_MAGIC);
  if (reader.u16() !== AEAD_CHACHA20_POLY1305) throw new FormatError();
  const view = reader.u8();
  reader.expect(Uint8Array.of(0));
  return {
    view,
    epoch: reader.bytes(16),
    audience: reader.bytes(16),
    city: reader.u32(),
    startMs: reader.u64(),
    endMs: reader.u64(),
    listVersion: reader.u32(),
    listHash: reader.bytes(32),
  };
}

function parseWraps(bytes: Uint8Array): EpochWrap[] {
  const reader = new Reader(bytes);
  const wraps: EpochWrap[] = [];
  while (reader.left > 0) {
    const recipient = reader.bytes(32);
    const body = new Reader(reader.bytes(reader.u16()));
    wraps.push({ recipient, enc: body.bytes(32), sealed: body.bytes(body.left) });
  }
  return wraps;
}

/** P as the module and the opener compute with it. */
export function encodeParams(p: EpochParams): Uint8Array {
  return concat(
    EPOCH_MAGIC,
    u16(AEAD_CHACHA20_POLY1305),
    Uint8Array.of(p.view, 0),
    p.epoch,
    p.audience,
    u32(p.city),
    u64(p.startMs),
    u64(p.endMs),
    u32(p.listVersion),
    p.listHash,
  );
}

/** HPKE info of the wrap to one recipient; its additional data is P ‖ commit. */
export function wrapInfo(recipient: Uint8Array): Uint8Array {
  return concat(
    utf8(EPOCH_WRAP_LABEL),
    Uint8Array.of(0),
    u16(KEM_X25519),
    u16(KDF_SHA256),
    u16(AEAD_CHACHA20_POLY1305),
    recipient,
  );
}

/** What the edge signs. @param wrapsDigest SHA-256 of the wraps as they stand in the header */
export function epochSigningInput(
  params: Uint8Array,
  commit: Uint8Array,
  wrapsDigest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(utf8(EPOCH_SIGN_LABEL), Uint8Array.of(0), params, commit, wrapsDigest);
}
