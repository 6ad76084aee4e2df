/** The key configurations that this edge offers, with a statement signed by its signing key. */
import { concat } from '../../wire/bytes.ts';
import { encodeKeyConfigurations, encodeKeysStatement, keysSigningInput } from '../../wire/keys.ts';
import { sha256 } from './pipeline/digest.ts';
import type { Signer } from './pipeline/ed25519.ts';
import { Failure } from './pipeline/failure.ts';
import { KEYS_BACKDATE_MS, KEYS_VALIDITY_MS } from './pipeline/limits.ts';

export interface PublicEdgeKey {
  id: number;
  /** X25519, 32 octets. */
  publicKey: Uint8Array;
  notBefore: number;
  notAfter: number;
}

export interface SignedKeys {
  /** `application/ohttp-keys` */
  body: Uint8Array<ArrayBuffer>;
  /** Statement ‖ signature: the value of KEYS_SIGNATURE_HEADER. */
  signature: Uint8Array;
}

/** Makes the statement, and keeps it in the isolate until half of its validity or a change of keys. */
export class KeyDirectory {
  readonly #city: number;
  readonly #signer: Signer;
  readonly #keys: readonly PublicEdgeKey[];
  #made: SignedKeys | undefined;
  #remakeMs = 0;

  constructor(city: number, signer: Signer, keys: readonly PublicEdgeKey[]) {
    this.#city = city;
    this.#signer = signer;
    this.#keys = keys;
  }

  /** @throws Failure unavailable when no key is valid at `now` (ms) */
  async current(now: number): Promise<SignedKeys> {
    if (this.#made === undefined || now >= this.#remakeMs) await this.#make(now);
    return this.#made as SignedKeys;
  }

  async #make(now: number): Promise<void> {
    const offered = this.#keys
      .filter(({ notBefore, notAfter }) => notBefore <= now && now < notAfter)
      .sort((a, b) => b.notBefore - a.notBefore);
    const [newest] = offered;
    if (newest === undefined) throw new Failure('unavailable');
    const body = encodeKeyConfigurations(
      offered.map(({ id, publicKey }) => ({ keyId: id, publicKey })),
    );
    const ends = offered.map(({ notAfter }) => notAfter);
    const notAfter = Math.min(now + KEYS_VALIDITY_MS, ...ends);
    const statement = encodeKeysStatement({
      // Rises with every new key, so that a client can refuse a step back.
      version: Math.floor(newest.notBefore / 1000),
      city: this.#city,
      notBefore: Math.max(newest.notBefore, now - KEYS_BACKDATE_MS),
      notAfter,
      signer: this.#signer.keyid,
    });
    const signed = await this.#signer.sign(keysSigningInput(statement, await sha256(body)));
    const beginnings = this.#keys.map(({ notBefore }) => notBefore).filter((ms) => ms > now);
    this.#made = { body, signature: concat(statement, signed) };
    this.#remakeMs = Math.min(now + (notAfter - now) / 2, ...beginnings);
  }
}
