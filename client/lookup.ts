/** Lookups: the canonical value and its keyed indexes are made here, so that the edge learns neither number nor name. */
import * as check from '../wasm/host/check.ts';
import { MAX_LOOKUP_INDEXES } from '../wire/limits.ts';
import { parseParcel, VIEW_FULL } from '../wire/parcel.ts';
import { encodeLookup, FRAME, LOOKUP_TYPE, PULL_TYPE, parseParcels } from '../wire/pull.ts';
import { DOC_TYPES, type DocType } from '../wire/record.ts';
import type { EdgeClient } from './edge.ts';
import { toHex } from './encoding.ts';
import { type OpenCode, OpenError } from './errors.ts';
import { type AnswerEnd, incomplete, readFrames } from './frames.ts';
import { type IndexedValue, type IndexKey, keyedIndexes, keysForCommits } from './indexes.ts';
import type { Opened, Opener } from './open.ts';
import type { Identity } from './signing.ts';

/** What a regulator looks things up with. */
export interface LookupDesk {
  identity: Identity;
  indexKeys: readonly IndexKey[];
  opener: Opener;
  /** The WebAssembly module, which knows the canonical forms. */
  module: WebAssembly.Instance;
}

/** What is looked for, and the days (UTC) on which the store took it, both included. */
export type LookupQuery = { from: Date; to: Date } & (
  | {
      document: string;
      /** All types for which the number is valid, unless given. */
      docType?: DocType;
      /** ISO 3166-1 alpha-3; a foreign passport is not found without it. */
      nationality?: string;
    }
  | { phone: string }
  | {
      waybill: string;
      /** All of CARRIERS unless given. */
      carrier?: string;
    }
);

export interface LookupReport {
  matches: (Opened & { view: 'full' })[];
  /** What came and was not accepted, by reason. */
  refused: OpenCode[];
  /** There are more than one answer may hold: narrow the days. */
  truncated: boolean;
  /** Indexes asked for. */
  indexes: number;
  /** Signed ends of the answers, one a request: what an export names as its source. */
  ends: AnswerEnd[];
}

/** Why a lookup can't be asked. */
export class LookupError extends Error {
  readonly code: 'invalid_value' | 'no_index_key';

  constructor(code: LookupError['code']) {
    super(code === 'invalid_value' ? 'not a valid value' : 'no index key covers these days');
    this.name = 'LookupError';
    this.code = code;
  }
}

/** Carriers whose code is tried when a waybill comes without one. */
export const CARRIERS = [
  ...['SF', 'YTO', 'ZTO', 'STO', 'YUNDA', 'JD', 'JT', 'EMS'],
  ...['POST', 'DEPPON', 'BEST', 'TTK', 'GTO'],
] as const;

const DAY_MS = 86_400_000;

/**
 * Looks a document, a phone or a waybill up and opens what is found.
 * @throws LookupError when the value is valid in no form, or no index key covers the days
 * @throws IncompletePull when the answer does not prove to be complete
 * @throws EdgeError, TrustError
 */
export async function lookup(
  edge: EdgeClient,
  desk: LookupDesk,
  query: LookupQuery,
): Promise<LookupReport> {
  const values = indexedValues(desk.module, query);
  if (values.length === 0) throw new LookupError('invalid_value');
  const days = { fromDay: dayOf(query.from), toDay: dayOf(query.to) };
  const keys = keysForCommits(desk.indexKeys, days.fromDay * DAY_MS, (days.toDay + 1) * DAY_MS);
  if (keys.length === 0) throw new LookupError('no_index_key');
  const indexes = keyedIndexes(keys, edge.city, values);
  const report: LookupReport = {
    ...{ matches: [], refused: [], truncated: false, ends: [] },
    indexes: indexes.length,
  };
  for (let at = 0; at < indexes.length; at += MAX_LOOKUP_INDEXES) {
    await ask(edge, desk, { ...days, indexes: indexes.slice(at, at + MAX_LOOKUP_INDEXES) }, report);
  }
  report.matches = unique(report.matches);
  return report;
}

/** The canonical values that a query can mean, with the purposes under which they are indexed. */
export function indexedValues(module: WebAssembly.Instance, query: LookupQuery): IndexedValue[] {
  if ('phone' in query) {
    const value = check.canonicalPhone(module, query.phone);
    if (value === undefined) return [];
    return [
      { purpose: 'sender phone', value },
      { purpose: 'recipient phone', value },
    ];
  }
  if ('waybill' in query) {
    const carriers = query.carrier === undefined ? CARRIERS : [query.carrier];
    const forms = carriers.map((carrier) => check.canonicalWaybill(module, carrier, query.waybill));
    return distinct(forms).map((value) => ({ purpose: 'waybill', value }));
  }
  const types =
    query.docType === undefined ? (Object.keys(DOC_TYPES) as DocType[]) : [query.docType];
  const forms = types.map((type) => {
    const nationality = type === 'PASSPORT_FOREIGN' ? query.nationality : '';
    return check.canonicalDocument(module, DOC_TYPES[type], query.document, nationality);
  });
  return distinct(forms).map((value) => ({ purpose: 'document', value }));
}

async function ask(
  edge: EdgeClient,
  { identity, opener }: LookupDesk,
  asked: { fromDay: number; toDay: number; indexes: Uint8Array[] },
  report: LookupReport,
): Promise<void> {
  const answer = await edge.send({
    method: 'POST',
    path: '/v1/lookup',
    headers: { 'content-type': LOOKUP_TYPE },
    body: encodeLookup(asked),
    answerType: PULL_TYPE,
    identity,
  });
  const wanted = new Set(asked.indexes.map(toHex));
  const found: Uint8Array[] = [];
  const end = await readFrames(edge, answer, VIEW_FULL, (type, body) => {
    if (type === FRAME.EPOCH) attempt(report, () => opener.addEpoch(body));
    else if (type === FRAME.PARCELS) found.push(...parseParcels(body));
    else incomplete('bad_frame');
  });
  if (end.rows !== found.length) incomplete('end_mismatch');
  report.truncated ||= end.more;
  report.ends.push({ digest: toHex(end.digest), rows: end.rows, more: end.more });
  const row = { city: edge.city, view: VIEW_FULL };
  const opened = opener.openAll(found.map((bytes) => ({ bytes, row })));
  for (const [i, match] of opened.entries()) {
    attempt(report, () => takeMatch(match, found[i] as Uint8Array, wanted, report));
  }
}

function takeMatch(
  opened: Opened | OpenError,
  parcel: Uint8Array,
  wanted: ReadonlySet<string>,
  report: LookupReport,
): void {
  if (opened instanceof OpenError) throw opened;
  // The indexes are bound to the ciphertext, so an answer can't pass one person's parcel off as another's.
  const asked = parseParcel(parcel).indexes.some((index) => wanted.has(toHex(index)));
  if (!asked || opened.view !== 'full') throw new OpenError('record_not_asked');
  report.matches.push(opened);
}

function attempt(report: LookupReport, open: () => void): void {
  try {
    open();
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    report.refused.push(error.code);
  }
}

function unique<T extends Opened>(matches: readonly T[]): T[] {
  return [...new Map(matches.map((match) => [`${match.enterprise} ${match.id}`, match])).values()];
}

function distinct(values: readonly (Uint8Array | undefined)[]): Uint8Array[] {
  const valid = values.filter((value) => value !== undefined);
  return [...new Map(valid.map((value) => [toHex(value), value])).values()];
}

function dayOf(date: Date): number {
  return Math.floor(date.getTime() / DAY_MS);
}
