/**
 * The recipient list as this edge believes it: signed by the pinned root, in time, never a step back. What the store says
 * is only a proposal; a store that proposes something else than a good list stops the edge.
 */
import type { ControlStore } from '../../../db/control.ts';
import { equalBytes } from '../../../wire/bytes.ts';
import {
  certificateSigningInput,
  type EnterpriseCertificate,
  LIST_KIND,
  listSigningInput,
  parseCertificate,
  parseSignedList,
  type RecipientList,
  validEntries,
} from '../../../wire/recipients.ts';
import { sha256 } from './digest.ts';
import { verifyEd25519 } from './ed25519.ts';
import { Failure } from './failure.ts';
import { LIST_REREAD_MS, LIST_STALE_MS } from './limits.ts';
import { isSmallOrderEd25519, isSmallOrderX25519 } from './small-order.ts';

export interface VerifiedList {
  list: RecipientList;
  /** SHA-256 of the list without its signature: what epochs name. */
  hash: Uint8Array;
  /** As the root signed it. */
  signed: Uint8Array;
}

/** What an edge is configured to believe. */
export interface Pinned {
  /** Ed25519, 32 octets. */
  rootKey: Uint8Array;
  minVersion: number;
}

/** @returns undefined for a list that is wrongly signed, too old a version, or holds a key that must not be used */
export async function verifyList(
  signed: Uint8Array,
  pinned: Pinned,
): Promise<VerifiedList | undefined> {
  const parsed = attempt(() => parseSignedList(signed));
  if (parsed === undefined || parsed.list.version < pinned.minVersion) return undefined;
  const { list, body, signature } = parsed;
  if (!(await verifyEd25519(pinned.rootKey, signature, listSigningInput(body)))) return undefined;
  const weak = list.entries.some(({ kind, publicKey }) =>
    kind === LIST_KIND.FULL_VIEW ? isSmallOrderX25519(publicKey) : isSmallOrderEd25519(publicKey),
  );
  return weak ? undefined : { list, hash: await sha256(body), signed };
}

/**
 * The certificate of an enterprise's key, if a delegate of the city made it and it is in time.
 * @param now milliseconds since 1970
 */
export async function verifyCertificate(
  bytes: Uint8Array,
  list: RecipientList,
  party: { city: number; enterprise: Uint8Array },
  now: number,
): Promise<EnterpriseCertificate | undefined> {
  const parsed = attempt(() => parseCertificate(bytes));
  if (parsed === undefined) return undefined;
  const { certificate, body, signature } = parsed;
  const { city, enterprise, notBefore, notAfter, publicKey } = certificate;
  if (city !== party.city || !equalBytes(enterprise, party.enterprise)) return undefined;
  if (now < notBefore || now >= notAfter || isSmallOrderX25519(publicKey)) return undefined;
  for (const delegate of validEntries(list, LIST_KIND.DELEGATE, city, now)) {
    if (!equalBytes(await sha256(delegate.publicKey), certificate.delegate)) continue;
    const input = certificateSigningInput(body);
    if (await verifyEd25519(delegate.publicKey, signature, input)) return certificate;
  }
  return undefined;
}

/** Holds the list of one isolate and reads it again every LIST_REREAD_MS. */
export class RecipientKeeper {
  readonly #control: Pick<ControlStore, 'recipientList'>;
  readonly #pinned: Pinned;
  #current: VerifiedList | undefined;
  /** The newest list ever taken here; `#current` is empty while the store proposes a bad one. */
  #newest: VerifiedList | undefined;
  #rereadMs = 0;
  #confirmedMs = 0;

  constructor(control: Pick<ControlStore, 'recipientList'>, pinned: Pinned) {
    this.#control = control;
    this.#pinned = pinned;
  }

  /**
   * The list that holds at `now`.
   * @throws Failure no_recipient when there is none, unavailable when the store can't be asked
   */
  async current(now: number): Promise<VerifiedList> {
    if (this.#current === undefined || now >= this.#rereadMs) await this.#reread(now);
    const current = this.#current;
    if (current === undefined) throw new Failure('no_recipient');
    const { notBefore, notAfter } = current.list;
    if (now < notBefore || now >= notAfter) throw new Failure('no_recipient');
    return current;
  }

  async #reread(now: number): Promise<void> {
    // Other requests go on with the list at hand meanwhile: a promise of one request must not be awaited by another.
    this.#rereadMs = now + LIST_REREAD_MS;
    const before = this.#newest;
    const signed = await this.#control.recipientList().catch((error) => {
      if (this.#current === undefined || now - this.#confirmedMs > LIST_STALE_MS) {
        throw new Failure('unavailable', error);
      }
      return this.#current.signed;
    });
    if (this.#current !== undefined && signed === this.#current.signed) return;
    const proposed = signed && (await verifyList(signed, this.#pinned));
    const newest = this.#newest;
    if (proposed && newest !== before && proposed.list.version < (newest?.list.version ?? 0)) {
      return; // overtaken by another request, which read later
    }
    this.#take(proposed && !isStepBack(proposed, newest) ? proposed : undefined, now);
  }

  #take(list: VerifiedList | undefined, now: number): void {
    this.#current = list;
    if (list === undefined) return;
    this.#newest = list;
    this.#confirmedMs = now;
  }
}

/** Of a lower version, or of the same version with other content. */
function isStepBack(proposed: VerifiedList, newest: VerifiedList | undefined): boolean {
  if (newest === undefined || proposed.list.version > newest.list.version) return false;
  return proposed.list.version < newest.list.version || !equalBytes(proposed.hash, newest.hash);
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
