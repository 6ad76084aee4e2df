/**
 * A parcel: one view of one record, sealed. As stored and as pulled it is its additional data followed by the ciphertext,
 * so that everything about it that is readable is also bound to it.
 */
import { FormatError, Reader, utf8 } from './bytes.ts';
import { TAG_BYTES } from './limits.ts';

export const VIEW_FULL = 1;
export const VIEW_MASKED = 2;

/**
 * Octets of padded plaintext, by bucket number. Chosen on generated days (docs/wire-format.md, "Size buckets"): whole
 * numbers of ChaCha20 blocks. The masked view starts with the first, the full view with the second.
 */
export const BUCKETS = [320, 448, 960, 1984, 4288] as const;

/** Octets of additional data of the full view: 80 that the masked view has too, and 64 of keyed indexes. */
export const FULL_PARCEL_AAD_BYTES = 144;

export const PARCEL_MAGIC = utf8('SPP1');
/** Version of the record schema (docs/record.cddl). */
export const RECORD_SCHEMA = 1;

export interface Parcel {
  view: number;
  bucket: number;
  /** 16 octets each. */
  epoch: Uint8Array;
  enterprise: Uint8Array;
  id: Uint8Array;
  /** Position in its epoch: the AEAD nonce is 00000000 ‖ sequence (8). */
  sequence: number;
  acceptedMs: number;
  city: number;
  indexVersion: number;
  /** Four keyed indexes of 16 octets: document, waybill, sender phone, recipient phone. Empty in the masked view. */
  indexes: Uint8Array[];
  /** All of the above as it is bound: 80 or 144 octets. */
  aad: Uint8Array;
  /** Ciphertext and tag. */
  sealed: Uint8Array;
}

/** @throws FormatError when it is not a parcel of this version */
export function parseParcel(bytes: Uint8Array): Parcel {
  const reader = new Reader(bytes);
  reader.expect(PARCEL_MAGIC);
  const aead = reader.u16();
  const schema = reader.u16();
  const view = reader.u8();
  const bucket = reader.u8();
  const epoch = reader.bytes(16);
  const sequence = reader.u64();
  const enterprise = reader.bytes(16);
  const id = reader.bytes(16);
  const acceptedMs = reader.u64();
  const city = reader.u32();
  const indexVersion = reader.u16();
  const size = BUCKETS[bucket];
  if (aead !== 3 || schema !== RECORD_SCHEMA || size === undefined) throw new FormatError();
  if (view !== VIEW_FULL && view !== VIEW_MASKED) throw new FormatError();
  const indexes = view === VIEW_FULL ? [0, 1, 2, 3].map(() => reader.bytes(16)) : [];
  const aad = bytes.subarray(0, bytes.length - reader.left);
  const sealed = reader.bytes(size + TAG_BYTES);
  reader.end();
  return {
    ...{ view, bucket, epoch, enterprise, id, sequence, acceptedMs, city, indexVersion },
    ...{ indexes, aad, sealed },
  };
}

/** The AEAD nonce of a parcel: 00000000 ‖ sequence (8). Never reused: the epoch's key is its own. */
export function parcelNonce(parcel: Parcel): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce.set(parcel.aad.subarray(PARCEL_AT.sequence, PARCEL_AT.sequence + 8), 4);
  return nonce;
}

/** Where the additional data, which a parcel begins with, holds what. */
export const PARCEL_AT = {
  view: 8,
  epoch: 10,
  sequence: 26,
  enterprise: 34,
  id: 50,
  acceptedMs: 66,
  city: 74,
} as const;

export const PARCEL_KEY_LABEL = 'sealpost parcel key v1';
