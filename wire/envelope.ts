/**
 * Encapsulation of submissions: RFC 9458 with labels of our own (its section 4.6), HPKE (RFC 9180) inside,
 * and the chunked form of draft-ietf-ohai-chunked-ohttp for streams.
 */
import { concat, Reader, u16, utf8, varint } from './bytes.ts';
import { MAX_CHUNK_BYTES, TAG_BYTES } from './limits.ts';

/** The one HPKE suite (RFC 9180 section 7). */
export const KEM_X25519 = 0x0020;
export const KDF_SHA256 = 0x0001;
export const AEAD_CHACHA20_POLY1305 = 0x0003;

/** Octets of `hdr`: key id (1), KEM (2), KDF (2), AEAD (2). */
export const HDR_BYTES = 7;
/** Octets of `enc`, the encapsulated key: an X25519 public key. */
export const ENC_BYTES = 32;
/** Octets of the nonce that salts an answer: max(Nn, Nk) of RFC 9458 section 4.4. */
export const RESPONSE_NONCE_BYTES = 32;

export const SINGLE = {
  requestLabel: 'message/sealpost-parcel request',
  responseLabel: 'message/sealpost-parcel response',
  requestType: 'message/sealpost-parcel-req',
  responseType: 'message/sealpost-parcel-res',
} as const;

export const STREAM = {
  requestLabel: 'message/sealpost-parcel chunked request',
  responseLabel: 'message/sealpost-parcel chunked response',
  requestType: 'message/sealpost-parcel-chunked-req',
  responseType: 'message/sealpost-parcel-chunked-res',
} as const;

/** Query of both: the records are judged and masked, and nothing is stored. */
export const DRY_RUN_QUERY = '?dryRun=1';

/** Additional data of the last chunk of a stream, so that an end can't be forged or cut off. */
export const FINAL_AAD = utf8('final');

export const NO_DEVICE = new Uint8Array(16);

export interface Header {
  keyId: number;
  kem: number;
  kdf: number;
  aead: number;
}

export function encodeHeader(keyId: number): Uint8Array {
  return concat(
    Uint8Array.of(keyId),
    u16(KEM_X25519),
    u16(KDF_SHA256),
    u16(AEAD_CHACHA20_POLY1305),
  );
}

/** @throws FormatError when there are fewer than HDR_BYTES octets */
export function parseHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes);
  return { keyId: reader.u8(), kem: reader.u16(), kdf: reader.u16(), aead: reader.u16() };
}

/**
 * HPKE info: binds the suite and the party that signed the request.
 * @param enterprise 16 octets
 * @param device 16 octets, NO_DEVICE when the enterprise's own system sends
 */
export function encapsulationInfo(
  label: string,
  hdr: Uint8Array,
  enterprise: Uint8Array,
  device: Uint8Array,
): Uint8Array {
  return concat(utf8(label), Uint8Array.of(0), hdr, Uint8Array.of(1), enterprise, device);
}

/** One chunk as it travels: its length before it, or 0 before the final one, which ends with the body. */
export function frameChunk(sealed: Uint8Array, final: boolean): Uint8Array {
  return concat(varint(final ? 0 : sealed.length), sealed);
}

/** Octets of the largest sealed chunk. */
export const MAX_SEALED_CHUNK_BYTES = MAX_CHUNK_BYTES + TAG_BYTES;
