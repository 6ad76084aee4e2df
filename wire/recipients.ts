/**
 * Who may read, and which edges may seal: the recipient list, signed by the offline root key that every edge and every
 * opener pins; and the certificates by which a city's delegate adds an enterprise to the masked view of its own parcels.
 */
import { concat, FormatError, Reader, u16, u32, u64, utf8 } from './bytes.ts';
import { KEM_X25519 } from './envelope.ts';
import { MAX_LIST_VALIDITY_MS } from './limits.ts';

export const LIST_KIND = {
  /** X25519: a national regulator's key for the full view. */
  FULL_VIEW: 1,
  /** Ed25519: an edge's key, signs epochs, key configurations and pulls. */
  EDGE_SIGNING: 2,
  /** Ed25519: may certify enterprises' keys for the masked view in its city. */
  DELEGATE: 3,
} as const;

/** kind (1) ‖ algorithm (2) ‖ city (4) ‖ not before (8) ‖ not after (8) ‖ public key (32) */
export interface ListEntry {
  kind: number;
  /** HPKE KEM id of a reader's key; 0xed for Ed25519. */
  algorithm: number;
  /** Division code; 0 for the whole country. */
  city: number;
  notBefore: number;
  notAfter: number;
  publicKey: Uint8Array;
}

export const ALGORITHM_ED25519 = 0x00ed;

export interface RecipientList {
  version: number;
  notBefore: number;
  notAfter: number;
  entries: ListEntry[];
}

const LIST_MAGIC = utf8('SPL1');
const LIST_SIGN_LABEL = 'sealpost recipient list v1';
const SIGNATURE_BYTES = 64;

/** The list without its signature: "SPL1" ‖ version (4) ‖ not before (8) ‖ not after (8) ‖ count (2) ‖ entries. */
export function encodeListBody(list: RecipientList): Uint8Array {
  return concat(
    LIST_MAGIC,
    u32(list.version),
    u64(list.notBefore),
    u64(list.notAfter),
    u16(list.entries.length),
    ...list.entries.map((entry) =>
      concat(
        Uint8Array.of(entry.kind),
        u16(entry.algorithm),
        u32(entry.city),
        u64(entry.notBefore),
        u64(entry.notAfter),
        entry.publicKey,
      ),
    ),
  );
}

/** What the root signs, given the body. */
export function listSigningInput(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(LIST_SIGN_LABEL), Uint8Array.of(0), body);
}

/** A signed list taken apart. Its hash, which epochs name, is SHA-256 of `body`. @throws FormatError */
export function parseSignedList(bytes: Uint8Array): {
  list: RecipientList;
  body: Uint8Array;
  signature: Uint8Array;
} {
  if (bytes.length < SIGNATURE_BYTES) throw new FormatError();
  const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES);
  const reader = new Reader(body);
  reader.expect(LIST_MAGIC);
  const list: RecipientList = {
    version: reader.u32(),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    entries: [],
  };
  for (let count = reader.u16(); count > 0; count--) list.entries.push(readEntry(reader));
  reader.end();
  if (list.notAfter - list.notBefore > MAX_LIST_VALIDITY_MS) throw new FormatError();
  return { list, body, signature };
}

function readEntry(reader: Reader): ListEntry {
  const kind = reader.u8();
  const algorithm = reader.u16();
  const expected = kind === LIST_KIND.FULL_VIEW ? KEM_X25519 : ALGORITHM_ED25519;
  if (!(Object.values(LIST_KIND) as number[]).includes(kind)) throw new FormatError();
  if (algorithm !== expected) throw new FormatError();
  return {
    ...{ kind, algorithm },
    city: reader.u32(),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    publicKey: reader.bytes(32),
  };
}

/** The entries of a kind that are valid at `now` (ms) for a city. */
export function validEntries(
  list: RecipientList,
  kind: number,
  city: number,
  now: number,
): ListEntry[] {
  return list.entries.filter(
    (entry) =>
      entry.kind === kind &&
      (entry.city === 0 || entry.city === city) &&
      entry.notBefore <= now &&
      now < entry.notAfter,
  );
}

/** An enterprise's key for the masked view of its own parcels, certified by a delegate of the city. */
export interface EnterpriseCertificate {
  city: number;
  /** 16 octets. */
  enterprise: Uint8Array;
  notBefore: number;
  notAfter: number;
  /** X25519. */
  publicKey: Uint8Array;
  /** SHA-256 of the delegate's key. */
  delegate: Uint8Array;
}

const CERTIFICATE_MAGIC = utf8('SPC1');
const CERTIFICATE_SIGN_LABEL = 'sealpost enterprise key v1';

/** "SPC1" ‖ city (4) ‖ enterprise (16) ‖ not before (8) ‖ not after (8) ‖ public key (32) ‖ delegate (32) */
export function encodeCertificateBody(certificate: EnterpriseCertificate): Uint8Array {
  return concat(
    CERTIFICATE_MAGIC,
    u32(certificate.city),
    certificate.enterprise,
    u64(certificate.notBefore),
    u64(certificate.notAfter),
    certificate.publicKey,
    certificate.delegate,
  );
}

/** What the delegate signs, given the body. */
export function certificateSigningInput(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(CERTIFICATE_SIGN_LABEL), Uint8Array.of(0), body);
}

/** A certificate as stored: body ‖ signature (64). @throws FormatError */
export function parseCertificate(bytes: Uint8Array): {
  certificate: EnterpriseCertificate;
  body: Uint8Array;
  signature: Uint8Array;
} {
  const reader = new Reader(bytes);
  reader.expect(CERTIFICATE_MAGIC);
  const certificate = {
    city: reader.u32(),
    enterprise: reader.bytes(16),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    publicKey: reader.bytes(32),
    delegate: reader.bytes(32),
  };
  const body = bytes.subarray(0, bytes.length - reader.left);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  return { certificate, body, signature };
}
