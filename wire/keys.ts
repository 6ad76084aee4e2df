/** Key configurations: `application/ohttp-keys` (RFC 9458 section 3), with a signature by a key of the recipient list. */
import { concat, FormatError, Reader, u16, u32, u64, utf8 } from './bytes.ts';
import { AEAD_CHACHA20_POLY1305, KDF_SHA256, KEM_X25519 } from './envelope.ts';

export const KEYS_TYPE = 'application/ohttp-keys';
/** Response header: a structured-field byte sequence of the encoded KeysStatement and its signature. */
export const KEYS_SIGNATURE_HEADER = 'sealpost-keys-signature';
const KEYS_SIGN_LABEL = 'sealpost keys v1';

/** `production` counts; `sandbox` is for trying out. They never share a key, and no client of one talks to the other. */
export type Mode = 'production' | 'sandbox';
/** Header of every answer of a sandbox, with its mode. One of production does not carry it. */
export const MODE_HEADER = 'sealpost-mode';
/** Key ids from this one on are a sandbox's, so that the first octet of a sealed body tells where it belongs. */
export const FIRST_SANDBOX_KEY_ID = 128;

export function modeOfKeyId(keyId: number): Mode {
  return keyId >= FIRST_SANDBOX_KEY_ID ? 'sandbox' : 'production';
}

export interface KeyConfiguration {
  keyId: number;
  /** X25519, 32 octets. */
  publicKey: Uint8Array;
}

/** The id of the key that follows another one, in the same mode. */
export function nextKeyId(keyId: number): number {
  return (keyId & FIRST_SANDBOX_KEY_ID) | ((keyId + 1) & (FIRST_SANDBOX_KEY_ID - 1));
}

/** Each configuration is preceded by its length (RFC 9458 section 3.2). The first is the one to use. */
export function encodeKeyConfigurations(
  keys: readonly KeyConfiguration[],
): Uint8Array<ArrayBuffer> {
  return concat(
    ...keys.map(({ keyId, publicKey }) => {
      const configuration = concat(
        Uint8Array.of(keyId),
        u16(KEM_X25519),
        publicKey,
        u16(4),
        u16(KDF_SHA256),
        u16(AEAD_CHACHA20_POLY1305),
      );
      return concat(u16(configuration.length), configuration);
    }),
  );
}

/** The configurations with our suite, in order; others are passed over. @throws FormatError */
export function parseKeyConfigurations(bytes: Uint8Array): KeyConfiguration[] {
  const reader = new Reader(bytes);
  const keys: KeyConfiguration[] = [];
  while (reader.left > 0) {
    const configuration = new Reader(reader.bytes(reader.u16()));
    const keyId = configuration.u8();
    if (configuration.u16() !== KEM_X25519) continue;
    const publicKey = configuration.bytes(32);
    const suites = new Reader(configuration.bytes(configuration.u16()));
    configuration.end();
    while (suites.left > 0) {
      const kdf = suites.u16();
      const aead = suites.u16();
      if (kdf === KDF_SHA256 && aead === AEAD_CHACHA20_POLY1305) keys.push({ keyId, publicKey });
    }
  }
  return keys;
}

/** Where and when a set of configurations holds. */
export interface KeysStatement {
  version: number;
  city: number;
  notBefore: number;
  notAfter: number;
  /** SHA-256 of the signing key, which must stand in the recipient list as EDGE_SIGNING. */
  signer: Uint8Array;
}

/** version (4) ‖ city (4) ‖ not before (8) ‖ not after (8) ‖ signer (32) */
export function encodeKeysStatement(statement: KeysStatement): Uint8Array {
  return concat(
    u32(statement.version),
    u32(statement.city),
    u64(statement.notBefore),
    u64(statement.notAfter),
    statement.signer,
  );
}

/** What the edge signs. @param bodyDigest SHA-256 of the encoded configurations */
export function keysSigningInput(
  statement: Uint8Array,
  bodyDigest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(utf8(KEYS_SIGN_LABEL), Uint8Array.of(0), statement, bodyDigest);
}

/** Takes the header's value apart: statement (56) ‖ Ed25519 signature (64). @throws FormatError */
export function parseKeysSignature(bytes: Uint8Array): {
  statement: KeysStatement;
  statementBytes: Uint8Array;
  signature: Uint8Array;
} {
  if (bytes.length !== 120) throw new FormatError();
  const reader = new Reader(bytes);
  const statement = {
    version: reader.u32(),
    city: reader.u32(),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    signer: reader.bytes(32),
  };
  return { statement, statementBytes: bytes.subarray(0, 56), signature: reader.bytes(64) };
}
