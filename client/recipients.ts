/** Recipient lists that the pinned root key has signed (wire/recipients.ts). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, FormatError } from '../wire/bytes.ts';
import { type CityPolicy, encodePolicyBody, policySigningInput } from '../wire/policy.ts';
import {
  certificateSigningInput,
  type EnterpriseCertificate,
  encodeCertificateBody,
  encodeListBody,
  LIST_KIND,
  listSigningInput,
  parseSignedList,
  type RecipientList,
  validEntries,
} from '../wire/recipients.ts';
import { TrustError } from './errors.ts';

export interface TrustedList {
  list: RecipientList;
  /** SHA-256 of the list's body, as epochs name it. */
  hash: Uint8Array;
  /** As signed. */
  bytes: Uint8Array;
}

/**
 * The lists that an opener knows, all signed by one root key.
 * An opener keeps old ones, since parcels of their time are to be opened for years.
 */
export class TrustedLists {
  readonly #rootKey: Uint8Array;
  readonly #byVersion = new Map<number, TrustedList>();

  /** @param rootKey Ed25519 public key, 32 octets, from a trusted place */
  constructor(rootKey: Uint8Array) {
    this.#rootKey = rootKey;
  }

  /**
   * Checks a list's signature and remembers it. Old and expired ones are welcome here.
   * @throws TrustError `list_malformed`, `list_signature`, `list_conflict`
   */
  add(bytes: Uint8Array): TrustedList {
    const { list, body, signature } = parseList(bytes);
    if (!verifyEd25519(signature, listSigningInput(body), this.#rootKey)) {
      throw new TrustError('list_signature');
    }
    const known = this.#byVersion.get(list.version);
    const hash = sha256(body);
    if (known !== undefined && !equalBytes(known.hash, hash)) throw new TrustError('list_conflict');
    const trusted = known ?? { list, hash, bytes: bytes.slice() };
    this.#byVersion.set(list.version, trusted);
    return trusted;
  }

  get(version: number): TrustedList | undefined {
    return this.#byVersion.get(version);
  }

  /** The list of the highest version. */
  get latest(): TrustedList | undefined {
    return this.all().at(-1);
  }

  /** Ascending by version. */
  all(): TrustedList[] {
    return [...this.#byVersion.values()].sort((a, b) => a.list.version - b.list.version);
  }
}

/** Does the list hold at this time (ms)? */
export function listHolds(list: RecipientList, now: number): boolean {
  return list.notBefore <= now && now < list.notAfter;
}

/** The edge's signing key with this key id that the list certifies for a city at a time (ms), if there is one. */
export function edgeSigningKey(
  list: RecipientList,
  keyid: Uint8Array,
  city: number,
  now: number,
): Uint8Array | undefined {
  return validEntries(list, LIST_KIND.EDGE_SIGNING, city, now).find((entry) =>
    equalBytes(sha256(entry.publicKey), keyid),
  )?.publicKey;
}

/** Ed25519 by RFC 8032's strict rules. False also for malformed signatures and keys. */
export function verifyEd25519(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** Makes a signed recipient list. @param rootPrivateKey Ed25519, kept offline */
export function signList(list: RecipientList, rootPrivateKey: Uint8Array): Uint8Array {
  const body = encodeListBody(list);
  return concat(body, ed25519.sign(listSigningInput(body), rootPrivateKey));
}

/** Makes the certificate of an enterprise's masked-view key. @param delegatePrivateKey Ed25519 of the city's delegate */
export function signCertificate(
  certificate: EnterpriseCertificate,
  delegatePrivateKey: Uint8Array,
): Uint8Array {
  const body = encodeCertificateBody(certificate);
  return concat(body, ed25519.sign(certificateSigningInput(body), delegatePrivateKey));
}

/** Makes a signed city policy. @param delegatePrivateKey Ed25519 of the city's delegate */
export function signPolicy(policy: CityPolicy, delegatePrivateKey: Uint8Array): Uint8Array {
  const body = encodePolicyBody(policy);
  return concat(body, ed25519.sign(policySigningInput(body), delegatePrivateKey));
}

function parseList(bytes: Uint8Array): ReturnType<typeof parseSignedList> {
  try {
    return parseSignedList(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw new TrustError('list_malformed');
    throw error;
  }
}
