/**
 * Makes sure that epochs are open before something is sealed, signs their headers, and hands the headers to whoever
 * commits. A parcel without a durable epoch header could be opened by nobody.
 */
import type { ControlStore } from '../../../db/control.ts';
import type { Failure as NotOpened, PartyBinding, Session } from '../../../wasm/host/session.ts';
import { NO_DEVICE } from '../../../wire/envelope.ts';
import { encodeEpoch, epochSigningInput, NATIONAL } from '../../../wire/epoch.ts';
import { MAX_EPOCH_MS } from '../../../wire/limits.ts';
import { VIEW_FULL, VIEW_MASKED } from '../../../wire/parcel.ts';
import { type EnterpriseCertificate, LIST_KIND, validEntries } from '../../../wire/recipients.ts';
import { hex, sha256 } from './digest.ts';
import type { Signer } from './ed25519.ts';
import { Failure, fromStore } from './failure.ts';
import {
  DAY_MS,
  EPOCH_ATTEMPTS,
  EPOCH_GRACE_MS,
  LIST_REREAD_MS,
  MAX_KNOWN_CERTIFICATES,
  MAX_KNOWN_EPOCHS,
} from './limits.ts';
import { type RecipientKeeper, type VerifiedList, verifyCertificate } from './recipients.ts';

export interface EpochParts {
  session: Session;
  recipients: RecipientKeeper;
  control: Pick<ControlStore, 'certificate'>;
  signer: Signer;
  city: number;
}

interface KnownEpoch {
  endMs: number;
  header: Promise<Uint8Array>;
}

interface KnownCertificate {
  readMs: number;
  bytes: Uint8Array | undefined;
}

export class EpochKeeper {
  readonly #parts: EpochParts;
  /** By hexadecimal epoch id, least recently used first. */
  readonly #headers = new Map<string, KnownEpoch>();
  readonly #certificates = new Map<string, KnownCertificate>();
  #listHash = '';

  constructor(parts: EpochParts) {
    this.#parts = parts;
  }

  /**
   * Runs a call of the module with epochs open for the enterprise: again when one ended in between.
   * @param call one synchronous call; `need_epoch` means that it consumed nothing
   * @returns what the call opened
   * @throws Failure unknown_key, unsupported_suite, decrypt_failed, no_recipient, unavailable
   */
  async sealing<T extends { status: 'ok' }>(
    enterprise: Uint8Array,
    clock: () => number,
    call: (party: PartyBinding, now: number) => T | NotOpened,
  ): Promise<T> {
    for (let attempt = 0; attempt < EPOCH_ATTEMPTS; attempt++) {
      const party = await this.#ready(enterprise, clock());
      const done = call(party, clock());
      if (done.status === 'ok') return done;
      // Without an index key the edge is not ready: only its operator can help.
      if (done.status === 'no_index_key') break;
      if (done.status !== 'need_epoch') throw new Failure(done.status);
    }
    throw new Failure('unavailable');
  }

  /** The signed headers of the epochs that a batch names. @throws Failure unavailable when one is not known (any more) */
  async headers(epochs: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return Promise.all(
      epochs
        .filter((id) => id.some((byte) => byte !== 0))
        .map((id) => {
          const name = hex(id);
          const known = this.#headers.get(name);
          if (known === undefined) throw new Failure('unavailable');
          this.#headers.delete(name);
          this.#headers.set(name, known);
          return known.header;
        }),
    );
  }

  async #ready(enterprise: Uint8Array, now: number): Promise<PartyBinding> {
    const list = await this.#list(now);
    const certificate = await this.#certificate(enterprise, list, now);
    // From here on nothing waits: two requests can't both find an epoch missing and start it twice.
    this.#ensure(VIEW_FULL, NATIONAL, readers(list, this.#parts.city, now), list, now);
    if (certificate) this.#ensure(VIEW_MASKED, enterprise, [certificate], list, now);
    return { enterprise, device: NO_DEVICE, masked: certificate !== undefined };
  }

  /** The list that holds, for a city in which this edge is certified. A change of list ends every epoch. */
  async #list(now: number): Promise<VerifiedList> {
    try {
      const list = await this.#parts.recipients.current(now);
      this.#follow(hex(list.hash));
      if (!(await this.#isCertified(list, now))) throw new Failure('no_recipient');
      return list;
    } catch (error) {
      this.#follow('');
      throw error;
    }
  }

  #follow(listHash: string): void {
    if (listHash === this.#listHash) return;
    if (this.#listHash !== '') this.#parts.session.endEpochs();
    this.#listHash = listHash;
  }

  /** Openers refuse what an edge seals that the list does not name: better to seal nothing. */
  async #isCertified({ list }: VerifiedList, now: number): Promise<boolean> {
    const { city, signer } = this.#parts;
    const entries = validEntries(list, LIST_KIND.EDGE_SIGNING, city, now);
    const keyids = await Promise.all(entries.map(({ publicKey }) => sha256(publicKey)));
    return keyids.some((keyid) => hex(keyid) === hex(signer.keyid));
  }

  async #certificate(
    enterprise: Uint8Array,
    { list }: VerifiedList,
    now: number,
  ): Promise<EnterpriseCertificate | undefined> {
    const { city, control } = this.#parts;
    const name = hex(enterprise);
    let known = this.#certificates.get(name);
    if (known === undefined || now >= known.readMs + LIST_REREAD_MS) {
      const bytes = await fromStore(control.certificate(city, enterprise));
      known = { readMs: now, bytes };
      this.#certificates.delete(name);
      this.#certificates.set(name, known);
      forgetOldest(this.#certificates, MAX_KNOWN_CERTIFICATES);
    }
    return known.bytes && verifyCertificate(known.bytes, list, { city, enterprise }, now);
  }

  #ensure(
    view: number,
    audience: Uint8Array,
    recipients: readonly Recipient[],
    { list, hash }: VerifiedList,
    now: number,
  ): void {
    const { session } = this.#parts;
    if (!session.needsEpoch(view, audience, now)) return;
    const nextDay = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
    const terms = recipients.map(({ notAfter }) => notAfter);
    const endMs = Math.min(now + MAX_EPOCH_MS, nextDay, list.notAfter, ...terms);
    const made = session.startEpoch(
      { view, audience, startMs: now, endMs, listVersion: list.version, listHash: hash },
      recipients.map(({ publicKey }) => publicKey),
    );
    const header = signedHeader(made, this.#parts.signer);
    // Whoever needs it awaits it; nobody may.
    header.catch(() => {});
    this.#headers.set(hex(made.id), { endMs, header });
    this.#forgetHeaders(now);
  }

  #forgetHeaders(now: number): void {
    for (const [name, { endMs }] of this.#headers) {
      if (now > endMs + EPOCH_GRACE_MS) this.#headers.delete(name);
    }
    forgetOldest(this.#headers, MAX_KNOWN_EPOCHS);
  }
}

type Recipient = Pick<EnterpriseCertificate, 'publicKey' | 'notAfter'>;

function readers({ list }: VerifiedList, city: number, now: number): Recipient[] {
  const entries = validEntries(list, LIST_KIND.FULL_VIEW, city, now);
  if (entries.length === 0) throw new Failure('no_recipient');
  return entries;
}

async function signedHeader(
  made: { params: Uint8Array; commit: Uint8Array; wraps: Uint8Array },
  signer: Signer,
): Promise<Uint8Array> {
  const { params, commit, wraps } = made;
  const input = epochSigningInput(params, commit, await sha256(wraps));
  return encodeEpoch(params, commit, wraps, signer.keyid, await signer.sign(input));
}

function forgetOldest(map: Map<string, unknown>, keep: number): void {
  for (const name of map.keys()) {
    if (map.size <= keep) return;
    map.delete(name);
  }
}
