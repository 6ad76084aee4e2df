/** Daily reconciliation: what the edge holds of an enterprise and day against the enterprise's own ledger of results. */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../wire/bytes.ts';
import { MAX_ID_AGE_MS, MAX_ID_AHEAD_MS } from '../wire/limits.ts';
import { VIEW_MASKED } from '../wire/parcel.ts';
import { FRAME, PULL_TYPE } from '../wire/pull.ts';
import { type DayStatement, dayText, ID_BYTES, parseDay, sortIds } from '../wire/reconcile.ts';
import { uuidText } from '../wire/record.ts';
import type { EdgeClient } from './edge.ts';
import { incomplete, readFrames } from './frames.ts';
import type { Identity } from './signing.ts';

const DAY_MS = 86_400_000;

export interface EdgeDay extends DayStatement {
  /** 16 octets each, ascending; when they were asked for. */
  ids?: Uint8Array;
}

/**
 * Asks the edge what it holds of a day, and verifies what it says.
 * @param day days since 1970-01-01 UTC, by the time of commit
 * @param withIds also fetch the ids: 16 octets a record
 * @throws IncompletePull, EdgeError, TrustError
 */
export async function fetchDay(
  edge: EdgeClient,
  identity: Identity,
  day: number,
  withIds = false,
): Promise<EdgeDay> {
  const answer = await edge.send({
    method: 'GET',
    path: '/v1/reconcile',
    query: `?day=${dayText(day)}${withIds ? '&ids=1' : ''}`,
    answerType: PULL_TYPE,
    identity,
  });
  const ids = new IdList();
  let said: DayStatement | undefined;
  const end = await readFrames(edge, answer, VIEW_MASKED, (type, body) => {
    if (said !== undefined) incomplete('bad_frame');
    if (type === FRAME.DAY) said = parseDay(body);
    else if (type === FRAME.IDS && withIds && body.length % ID_BYTES === 0) ids.addAll(body);
    else incomplete('bad_frame');
  });
  if (said === undefined) incomplete('bad_frame');
  const asked = equalBytes(said.enterprise, identity.id) && said.day === day && end.rows === 0;
  if (!asked) incomplete('end_mismatch');
  if (!withIds) return said;
  if (!fits(said, ids.bytes)) incomplete('end_mismatch');
  return { ...said, ids: ids.bytes };
}

/** Ids of 16 octets in one growing block: a ledger may hold a million. */
class IdList {
  #held = new Uint8Array(64 * ID_BYTES);
  #length = 0;

  addAll(ids: Uint8Array): void {
    if (this.#length + ids.length > this.#held.length) {
      const larger = new Uint8Array(2 * Math.max(this.#held.length, this.#length + ids.length));
      larger.set(this.bytes);
      this.#held = larger;
    }
    this.#held.set(ids, this.#length);
    this.#length += ids.length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#held.subarray(0, this.#length);
  }
}

/** What an enterprise's own results say is durable. */
export class Ledger {
  readonly #days = new Map<number, IdList>();
  #all: Uint8Array | undefined;

  /**
   * @param id of a record whose result is STORED or DUPLICATE, 16 octets
   * @param atMs when the result came: the store's day of it is this one, or a neighbour of it
   */
  add(id: Uint8Array, atMs: number): void {
    const day = Math.floor(atMs / DAY_MS);
    const list = this.#days.get(day) ?? new IdList();
    list.addAll(id);
    this.#days.set(day, list);
    this.#all = undefined;
  }

  /** Days (since 1970-01-01 UTC) on which results came, ascending. */
  get days(): number[] {
    return [...this.#days.keys()].sort((a, b) => a - b);
  }

  /** Ids whose result came on a day, ascending, each once. */
  on(day: number): Uint8Array {
    return unique(sortIds(this.#days.get(day)?.bytes ?? new Uint8Array(0)));
  }

  /** All ids, ascending, each once. */
  get all(): Uint8Array {
    if (this.#all === undefined) {
      const list = new IdList();
      for (const ids of this.#days.values()) list.addAll(ids.bytes);
      this.#all = unique(sortIds(list.bytes));
    }
    return this.#all;
  }
}

export interface DayReport {
  /** YYYY-MM-DD, UTC. */
  day: string;
  /** Nothing is only on one side. */
  matches: boolean;
  /** Records that the edge holds of the day. */
  edge: number;
  /** Records whose result came on the day. */
  ledger: number;
  /** Of them, those that the edge holds under a day before or after. */
  otherDays: number;
  /** The ledger says that they are durable, and the edge does not hold them. */
  onlyHere: string[];
  /** The edge holds them, and the ledger knows nothing of it: their results were lost, or somebody else has the key. */
  onlyThere: string[];
  /** When the edge looked. */
  asOf: string;
}

/**
 * Compares days. Asks for count and digest alone where they fit; for the ids where not.
 * @throws IncompletePull, EdgeError, TrustError
 */
export class Reconciler {
  readonly #edge: EdgeClient;
  readonly #identity: Identity;
  readonly #ledger: Ledger;
  readonly #fetched = new Map<number, Uint8Array>();

  constructor(edge: EdgeClient, identity: Identity, ledger: Ledger) {
    this.#edge = edge;
    this.#identity = identity;
    this.#ledger = ledger;
  }

  /** @param day days since 1970-01-01 UTC */
  async compare(day: number): Promise<DayReport> {
    const ours = this.#ledger.on(day);
    const said = await fetchDay(this.#edge, this.#identity, day);
    const report: DayReport = {
      ...{ day: dayText(day), matches: true, edge: said.count, ledger: ours.length / ID_BYTES },
      ...{ otherDays: 0, onlyHere: [], onlyThere: [], asOf: new Date(said.asOfMs).toISOString() },
    };
    if (fits(said, ours)) return report;
    const theirs = await this.#idsOf(day);
    const missing = difference(ours, theirs);
    const nowhere = await this.#notBeside(day, missing);
    const unknown = difference(theirs, this.#ledger.all);
    return {
      ...report,
      matches: nowhere.length === 0 && unknown.length === 0,
      edge: theirs.length / ID_BYTES,
      otherDays: (missing.length - nowhere.length) / ID_BYTES,
      onlyHere: texts(nowhere),
      onlyThere: texts(unknown),
    };
  }

  /** A duplicate was committed on an earlier day, and clocks differ around midnight: ids that are on no such day either. */
  async #notBeside(day: number, missing: Uint8Array): Promise<Uint8Array> {
    let left = missing;
    for (const beside of [day - 1, day + 1, ...earlier(day)]) {
      if (left.length === 0) break;
      if (beside <= day && beside < dayOfId(left) - 1) continue;
      left = difference(left, await this.#idsOf(beside));
    }
    return left;
  }

  async #idsOf(day: number): Promise<Uint8Array> {
    const known = this.#fetched.get(day);
    if (known) return known;
    const { ids } = await fetchDay(this.#edge, this.#identity, day, true);
    this.#fetched.set(day, ids as Uint8Array);
    return ids as Uint8Array;
  }
}

/** Days before yesterday on which a record whose result came on `day` may have been committed: ids are taken for eight days. */
function earlier(day: number): number[] {
  const most = Math.ceil((MAX_ID_AGE_MS + MAX_ID_AHEAD_MS) / DAY_MS);
  return Array.from({ length: most - 1 }, (_, i) => day - 2 - i);
}

/** The day in the first id (UUIDv7: milliseconds in its first six octets), hence the earliest of ascending ones. */
function dayOfId(ids: Uint8Array): number {
  const ms = [0, 1, 2, 3, 4, 5].reduce((sum, octet) => sum * 256 + (ids[octet] as number), 0);
  return Math.floor(ms / DAY_MS);
}

function fits({ count, digest }: DayStatement, ids: Uint8Array): boolean {
  return count * ID_BYTES === ids.length && equalBytes(digest, sha256(ids));
}

/** Ascending ids without those that stand twice. */
function unique(ids: Uint8Array): Uint8Array {
  let end = 0;
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    if (end > 0 && compareIds(ids, at, ids, end - ID_BYTES) === 0) continue;
    ids.copyWithin(end, at, at + ID_BYTES);
    end += ID_BYTES;
  }
  return ids.subarray(0, end);
}

/** Ids of `a` that are not in `b`; both ascending. */
function difference(a: Uint8Array, b: Uint8Array): Uint8Array {
  const left = new IdList();
  let beside = 0;
  for (let at = 0; at < a.length; at += ID_BYTES) {
    while (beside < b.length && compareIds(b, beside, a, at) < 0) beside += ID_BYTES;
    const same = beside < b.length && compareIds(b, beside, a, at) === 0;
    if (!same) left.addAll(a.subarray(at, at + ID_BYTES));
  }
  return left.bytes;
}

function compareIds(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  for (let i = 0; i < ID_BYTES; i++) {
    const octets = (a[atA + i] as number) - (b[atB + i] as number);
    if (octets !== 0) return octets;
  }
  return 0;
}

function texts(ids: Uint8Array): string[] {
  return Array.from({ length: ids.length / ID_BYTES }, (_, i) =>
    uuidText(ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
  );
}
