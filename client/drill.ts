/**
 * The drill: proof that each recipient key, on its own, opens what the edges seal now. A key that is lost or spoilt is noticed
 * while there is still another one, and not on the day it is needed.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concat } from '../wire/bytes.ts';
import { parseEpoch } from '../wire/epoch.ts';
import { parseParcel } from '../wire/parcel.ts';
import { LIST_KIND, type RecipientList } from '../wire/recipients.ts';
import { toHex } from './encoding.ts';
import { type OpenCode, OpenError } from './errors.ts';
import type { KeyPair } from './hpke.ts';
import { Opener, type ParcelRow, type SealedParcel } from './open.ts';
import type { TrustedLists } from './recipients.ts';

/** Epochs and some of their parcels, proven to come from the edge. */
export interface DrillMaterial {
  /** Those that a parcel names, by their id in hexadecimal. */
  epochs: Map<string, { header: Uint8Array; parcels: SealedParcel[] }>;
  /** Parcels whose epoch did not come: nobody opens them. */
  orphans: number;
}

/**
 * Keeps up to `size` parcels of each epoch, every one as likely as the others, however often a parcel is shown: it keeps
 * those with the lowest keyed hash of their id.
 */
export class EpochSampler implements DrillMaterial {
  readonly epochs: DrillMaterial['epochs'] = new Map();
  orphans = 0;
  readonly #size: number;
  readonly #seed = crypto.getRandomValues(new Uint8Array(16));
  readonly #headers = new Map<string, Uint8Array>();
  readonly #ranks = new Map<string, string[]>();

  constructor(size: number) {
    this.#size = size;
  }

  addEpoch(header: Uint8Array): void {
    this.#headers.set(toHex(parseEpoch(header).epoch), header.slice());
  }

  addParcel(bytes: Uint8Array, row: ParcelRow): void {
    const { epoch, id, enterprise } = parseParcel(bytes);
    const name = toHex(epoch);
    const header = this.#headers.get(name);
    if (header === undefined) {
      this.orphans++;
      return;
    }
    const { parcels } = this.epochs.get(name) ?? { parcels: [] };
    this.epochs.set(name, { header, parcels });
    const ranks = this.#ranks.get(name) ?? [];
    this.#ranks.set(name, ranks);
    const rank = toHex(sha256(concat(this.#seed, enterprise, id)));
    const place = ranks.findIndex((other) => other >= rank);
    if (place >= 0 && ranks[place] === rank) return;
    ranks.splice(place < 0 ? ranks.length : place, 0, rank);
    parcels.splice(place < 0 ? parcels.length : place, 0, { bytes: bytes.slice(), row });
    ranks.splice(this.#size);
    parcels.splice(this.#size);
  }
}

/** A private key as it was found: where, and what became of reading it. */
export interface FoundKey {
  file: string;
  /** Absent when the file is not there or does not hold a whole key. */
  pair?: KeyPair;
  problem?: 'missing' | 'damaged';
}

export type KeyState =
  | 'opens' // everything that was sealed to it
  | 'fails' // something that was sealed to it does not open
  | 'unproven' // nothing was sealed to it yet
  | 'missing' // the list names it, and no file has it
  | 'damaged' // the file does not hold a whole key
  | 'not_listed' // no list that we know names it
  | 'retired'; // an older list named it: it opens older records only

export interface KeyReport {
  /** First 16 hexadecimal digits of the key id; absent when the file does not tell. */
  key?: string;
  file?: string;
  state: KeyState;
  /** Epochs sealed to it, and those of them that it opened with their commitment. */
  epochsDue: number;
  epochs: number;
  parcelsDue: number;
  parcels: number;
  failures: OpenCode[];
}

/**
 * Opens the material with each key on its own.
 * @param list the list now in force
 * @param lists all known lists: an epoch is due to a key if the list that the epoch names had it
 * @param complete every listed key should be among those found; without, others may be kept elsewhere
 */
export function drillKeys(
  material: DrillMaterial,
  found: readonly FoundKey[],
  list: RecipientList,
  lists: TrustedLists,
  complete: boolean,
): KeyReport[] {
  const listed = new Map(readersOf(list).map((key) => [keyId(key), key]));
  const before = new Set(lists.all().flatMap((known) => readersOf(known.list).map(keyId)));
  const reports = found.map(({ file, pair, problem }): KeyReport => {
    if (pair === undefined) return { ...NOTHING, file, state: problem ?? 'damaged' };
    const id = keyId(pair.publicKey);
    const named = { key: id.slice(0, SHORT), file };
    listed.delete(id);
    if (!before.has(id)) return { ...NOTHING, ...named, state: 'not_listed' };
    const isListed = readersOf(list).some((key) => keyId(key) === id);
    if (!isListed) return { ...NOTHING, ...named, state: 'retired' };
    return { ...named, ...openAll(material, pair, lists) };
  });
  if (!complete) return reports;
  const missing = [...listed.keys()].map((id): KeyReport => {
    return { ...NOTHING, key: id.slice(0, SHORT), state: 'missing' };
  });
  return [...reports, ...missing];
}

/** Does a report of this state need somebody to act? */
export function needsAction({ state }: KeyReport): boolean {
  return state !== 'opens' && state !== 'retired';
}

/** Public keys of the national readers of a list. */
export function readersOf(list: RecipientList): Uint8Array[] {
  return list.entries
    .filter(({ kind }) => kind === LIST_KIND.FULL_VIEW)
    .map(({ publicKey }) => publicKey);
}

/** Key id in hexadecimal. */
export function keyId(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey));
}

/** Hexadecimal digits of a key id that are shown. */
export const SHORT = 16;

const NOTHING = { epochsDue: 0, epochs: 0, parcelsDue: 0, parcels: 0, failures: [] as OpenCode[] };

function openAll(
  { epochs }: DrillMaterial,
  pair: KeyPair,
  lists: TrustedLists,
): Omit<KeyReport, 'key' | 'file'> {
  const opener = new Opener(lists, [pair]);
  const report = { ...NOTHING, failures: [] as OpenCode[] };
  for (const { header, parcels } of epochs.values()) {
    if (!isDue(header, pair.publicKey, lists)) continue;
    report.epochsDue++;
    report.parcelsDue += parcels.length;
    if (!attempt(() => opener.addEpoch(header), report.failures)) continue;
    report.epochs++;
    for (const opened of opener.openAll(parcels)) {
      if (opened instanceof OpenError) report.failures.push(opened.code);
      else report.parcels++;
    }
  }
  if (report.failures.length > 0) return { ...report, state: 'fails' };
  return { ...report, state: report.parcels > 0 ? 'opens' : 'unproven' };
}

/** By the list, not by the wraps: an epoch that leaves a listed reader out is what a drill is to find. */
function isDue(header: Uint8Array, publicKey: Uint8Array, lists: TrustedLists): boolean {
  const { listVersion, startMs, wraps } = parseEpoch(header);
  const id = keyId(publicKey);
  const named = lists.get(listVersion)?.list;
  if (named === undefined) return wraps.some(({ recipient }) => toHex(recipient) === id);
  return named.entries.some(
    ({ kind, notBefore, notAfter, publicKey: key }) =>
      kind === LIST_KIND.FULL_VIEW &&
      notBefore <= startMs &&
      startMs < notAfter &&
      keyId(key) === id,
  );
}

function attempt(open: () => unknown, failures: OpenCode[]): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    failures.push(error.code);
    return false;
  }
}
