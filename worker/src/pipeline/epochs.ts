/**
 * Makes sure that epochs are open before something is sealed, signs their headers, and hands the headers to whoever
 * commits. A parcel without a durable epoch header could be opened by nobody.
 */
import type { ControlStore } from '../../../db/control.ts';
import type { Failure as NotOpened, PartyBinding, Session } from '../../../wasm/host/session.ts';
import { equalBytes } from '../../../wire/bytes.ts';
import { NO_DEVICE } from '../../../wire/envelope.ts';
import { encodeEpoch, epochSigningInput, NATIONAL } from '../../../wire/epoch.ts';
import { MAX_EPOCH_MS } from '../../../wire/limits.ts';
import { VIEW_FULL, VIEW_MASKED } from '../../../wire/parcel.ts';
import {
  type EnterpriseCertificate,
  LIST_KIND,
  type RecipientList,
  validEntries,
} from '../../../wire/recipients.ts';
import { hex, sha256 } from './digest.ts';
import type { Signer } from './ed25519.ts';
import { Failure, fromStore } from './failure.ts';
import {
  CERTIFICATE_REREAD_MS,
  DAY_MS,
  EPOCH_ATTEMPTS,
  EPOCH_GRACE_MS,
  MAX_KNOWN_CERTIFICATES,
  MAX_KNOWN_EPOCHS,
  MAX_KNOWN_KEYIDS,
} from './limits.ts';
import type { PolicyKeeper } from './policy.ts';
import { type RecipientKeeper, type VerifiedList, verifyCertificate } from './recipients.ts';

export interface EpochParts {
  session: Session;
  recipients: RecipientKeeper;
  policies: PolicyKeeper;
  control: Pick<ControlStore, 'certificate'>;
  signer: Signer;
  city: number;
}

interface KnownEpoch {
  endMs: number;
  header: Promise<Uint8Array>;
}

interface KnownTerms {
  verified: VerifiedList;
  terms: Terms;
  /** While they hold, for no entry of the list begins or ends. */
  fromMs: number;
  untilMs: number;
}

interface KnownCertificate {
  /** Of the list it was verified by. */
  listName: string;
  rereadMs: number;
  /** Verified. */
  certificate: EnterpriseCertificate | undefined;
}

export class EpochKeeper {
  readonly #parts: EpochParts;
  /** By hexadecimal epoch id, least recently used first. */
  readonly #headers = new Map<string, KnownEpoch>();
  /** Whom the live epoch of a view and audience is wrapped to. */
  readonly #readers = new Map<string, string>();
  readonly #certificates = new Map<string, KnownCertificate>();
  readonly #keyids = new Map<string, Uint8Array>();
  #known: KnownTerms | undefined;
  /** Hash of the list that the live epochs were started by, in hexadecimal; empty when there is none. */
  #listName = '';

  constructor(parts: EpochParts) {
    this.#parts = parts;
  }

  /**
   * Runs a call of the module with epochs open for the enterprise, in the city's present phase.
   * @param dryRun nothing will be sealed for the store: no epoch is started
   * @param call synchronous
   * @returns what the call opened
   * @throws Failure unknown_key, unsupported_suite, decrypt_failed, no_recipient, unavailable
   */
  async sealing<T extends { status: 'ok' }>(
    enterprise: Uint8Array,
    clock: () => number,
    dryRun: boolean,
    call: (party: PartyBinding & { trial: boolean }, now: number) => T | NotOpened,
  ): Promise<T> {
    for (let attempt = 0; attempt < EPOCH_ATTEMPTS; attempt++) {
      const now = clock();
      const terms = await this.#terms(now);
      const certificate = await this.#certificate(enterprise, terms, now);
      const trial = await this.#parts.policies.inTrial(terms, now);
      // Another request has met a newer list meanwhile: nothing may be sealed by the older one any more.
      if (terms.name !== this.#listName) continue;
      // From here on nothing waits: no epoch is started twice, or taken away before it is used.
      if (!dryRun) this.#ensure(VIEW_FULL, NATIONAL, terms.readers, terms, now);
      if (!dryRun && certificate) this.#ensure(VIEW_MASKED, enterprise, [certificate], terms, now);
      const masked = certificate !== undefined;
      return opened(call({ enterprise, device: NO_DEVICE, masked, trial, dryRun }, now));
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

  /** What the list that holds says about this edge. A change of list ends every epoch. */
  async #terms(now: number): Promise<Terms> {
    try {
      const list = await this.#parts.recipients.current(now);
      this.#follow(hex(list.hash));
      return await this.#read(list, now);
    } catch (error) {
      this.#follow('');
      throw error;
    }
  }

  #follow(listName: string): void {
    if (listName === this.#listName) return;
    if (this.#listName !== '') this.#parts.session.endEpochs();
    this.#listName = listName;
  }

  /** @throws Failure no_recipient without a reader, or when openers would refuse what this edge seals */
  async #read(verified: VerifiedList, now: number): Promise<Terms> {
    // Remembered: this is asked for every chunk.
    const known = this.#known;
    if (known?.verified === verified && now >= known.fromMs && now < known.untilMs) {
      return known.terms;
    }
    const { city, signer } = this.#parts;
    const { list, hash } = verified;
    const readers = validEntries(list, LIST_KIND.FULL_VIEW, city, now);
    for (const entry of validEntries(list, LIST_KIND.EDGE_SIGNING, city, now)) {
      if (!equalBytes(await this.#keyid(entry.publicKey), signer.keyid)) continue;
      if (readers.length === 0) break;
      const endMs = Math.min(list.notAfter, entry.notAfter);
      const terms = { list, hash, name: hex(hash), readers, endMs };
      this.#known = { verified, terms, fromMs: now, untilMs: nextChange(list, now) };
      return terms;
    }
    throw new Failure('no_recipient');
  }

  async #keyid(publicKey: Uint8Array): Promise<Uint8Array> {
    const name = hex(publicKey);
    const keyid = this.#keyids.get(name) ?? (await sha256(publicKey));
    this.#keyids.set(name, keyid);
    forgetOldest(this.#keyids, MAX_KNOWN_KEYIDS);
    return keyid;
  }

  /** The enterprise's certificate, read and verified every CERTIFICATE_REREAD_MS and at every change of list. */
  async #certificate(
    enterprise: Uint8Array,
    { list, name: listName }: Terms,
    now: number,
  ): Promise<EnterpriseCertificate | undefined> {
    const { city, control } = this.#parts;
    const name = hex(enterprise);
    let known = this.#certificates.get(name);
    if (known === undefined || known.listName !== listName || now >= known.rereadMs) {
      const bytes = await fromStore(control.certificate(city, enterprise));
      const certificate =
        bytes && (await verifyCertificate(bytes, list, { city, enterprise }, now));
      const rereadMs = Math.min(now + CERTIFICATE_REREAD_MS, nextChange(list, now));
      known = { listName, rereadMs, certificate };
      this.#certificates.delete(name);
      this.#certificates.set(name, known);
      forgetOldest(this.#certificates, MAX_KNOWN_CERTIFICATES);
    }
    const { certificate } = known;
    return certificate && now < certificate.notAfter ? certificate : undefined;
  }

  #ensure(
    view: number,
    audience: Uint8Array,
    recipients: readonly Recipient[],
    { list, hash, endMs: termsEndMs }: Terms,
    now: number,
  ): void {
    const { session } = this.#parts;
    const slot = `${view}/${hex(audience)}`;
    const readers = nameOf(recipients);
    // A key that was replaced must not go on reading until the epoch ends.
    if (this.#readers.get(slot) === readers && !session.needsEpoch(view, audience, now)) return;
    this.#readers.set(slot, readers);
    forgetOldest(this.#readers, MAX_KNOWN_CERTIFICATES);
    const nextDay = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
    const ends = recipients.map(({ notAfter }) => notAfter);
    const endMs = Math.min(now + MAX_EPOCH_MS, nextDay, termsEndMs, ...ends);
    const made = session.startEpoch(
      { view, audience, startMs: now, endMs, listVersion: list.version, listHash: hash },
      recipients.map(({ publicKey }) => publicKey),
    );
    const header = signedHeader(made, this.#parts.signer);
    const name = hex(made.id);
    // Whoever needs it awaits it; nobody may. Nothing more is sealed in an epoch that could not be signed.
    header.catch(() => {
      this.#headers.delete(name);
      session.endEpochs();
    });
    this.#headers.set(name, { endMs, header });
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

/** A list as this edge may seal by it. */
interface Terms extends Pick<VerifiedList, 'list' | 'hash'> {
  /** The hash, in hexadecimal. */
  name: string;
  /** At least one. */
  readers: readonly Recipient[];
  /** When the list, or this edge's place in it, ends. */
  endMs: number;
}

/** @throws Failure for everything else that a call of the module may come back with */
function opened<T extends { status: 'ok' }>(done: T | NotOpened): T {
  switch (done.status) {
    case 'ok':
      return done;
    // A stream was opened for a masked view whose certificate has ended: a new stream opens without it.
    case 'need_epoch':
    // Only the operator can give the edge an index key for now.
    case 'no_index_key':
      throw new Failure('unavailable');
    default:
      throw new Failure(done.status);
  }
}

async function signedHeader(
  made: { params: Uint8Array; commit: Uint8Array; wraps: Uint8Array },
  signer: Signer,
): Promise<Uint8Array> {
  const { params, commit, wraps } = made;
  const input = epochSigningInput(params, commit, await sha256(wraps));
  return encodeEpoch(params, commit, wraps, signer.keyid, await signer.sign(input));
}

/** The next time at which an entry of a list begins or ends. */
function nextChange({ entries }: RecipientList, now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { notBefore, notAfter } of entries) {
    if (notBefore > now) next = Math.min(next, notBefore);
    if (notAfter > now) next = Math.min(next, notAfter);
  }
  return next;
}

function nameOf(recipients: readonly Recipient[]): string {
  return recipients.map(({ publicKey }) => hex(publicKey)).join();
}

function forgetOldest(map: Map<string, unknown>, keep: number): void {
  for (const name of map.keys()) {
    if (map.size <= keep) return;
    map.delete(name);
  }
}
