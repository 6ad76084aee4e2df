/**
 * The control store: who takes part with which keys, the recipient list, city policies, certificates, one-time nonces. No
 * personal data.
 * Every implementation passes `test/store/control.suite.ts`.
 */

/**
 * `enterprise` submits and pulls its own masked view; `regulator` pulls and looks up full views; `erasure` erases by law, and
 * does nothing else: neither who holds the records nor who reads them can make them vanish.
 */
export type PartyKind = (typeof PARTY_KINDS)[number];
export const PARTY_KINDS = ['enterprise', 'regulator', 'erasure'] as const;
export type KeyAlgorithm = 'ed25519' | 'ecdsa-p256';

export interface Party {
  /** 16 octets. */
  id: Uint8Array;
  kind: PartyKind;
  /** Name for people. */
  name: string;
  active: boolean;
}

export interface PartyKey {
  /** SHA-256 of the public key, 32 octets. */
  keyid: Uint8Array;
  party: Uint8Array;
  algorithm: KeyAlgorithm;
  /** Ed25519: 32 octets; P-256: 65 octets, uncompressed. */
  publicKey: Uint8Array;
  active: boolean;
}

export interface ControlStore {
  /** The party and key behind a key id, if both are active. Never from a cache. */
  findSigner(keyid: Uint8Array): Promise<{ party: Party; key: PartyKey } | undefined>;

  /** Adds a party, or updates it by id; whether one that is there is active stays as it is. */
  putParty(party: Party): Promise<void>;
  /** Adds a key, or updates it by key id; whether one that is there is active stays as it is. */
  putKey(key: PartyKey): Promise<void>;
  /** Shuts a party out, or lets it in again. */
  setPartyActive(id: Uint8Array, active: boolean): Promise<void>;
  /** Withdraws a key, or restores it. */
  setKeyActive(keyid: Uint8Array, active: boolean): Promise<void>;

  /** The signed recipient list (wire/recipients.ts) of the highest version. */
  recipientList(): Promise<Uint8Array | undefined>;
  /**
   * Stores a list. The caller has verified it.
   * @throws VersionError when its version is lower than the stored one, or equal with other content
   */
  putRecipientList(version: number, signed: Uint8Array): Promise<void>;

  /** The signed policy of a city (wire/policy.ts) of the highest version. The caller verifies it. */
  cityPolicy(city: number): Promise<Uint8Array | undefined>;
  /**
   * Stores a policy of a city.
   * @throws VersionError when its version is lower than the city's stored one, or equal with other content
   */
  putCityPolicy(city: number, version: number, signed: Uint8Array): Promise<void>;

  /** The certificate of an enterprise's key for its masked view in a city. The caller verifies it. */
  certificate(city: number, enterprise: Uint8Array): Promise<Uint8Array | undefined>;
  putCertificate(city: number, enterprise: Uint8Array, certificate: Uint8Array): Promise<void>;

  /**
   * True the first time a signer uses this nonce, false ever after until `expiresMs`. Durable and atomic. Those of all signers
   * that expired before `nowMs` are forgotten.
   */
  useNonce(keyid: Uint8Array, nonce: string, expiresMs: number, nowMs: number): Promise<boolean>;
}

/** A recipient list or city policy that would be a step back, or a second one of the same version. */
export class VersionError extends Error {
  constructor() {
    super('older than the stored one, or of equal version and other content');
    this.name = 'VersionError';
  }
}
