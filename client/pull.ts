/** Pulling: everything in a scope since the last time, with proof that it is everything. */
import { VIEW_FULL, VIEW_MASKED } from '../wire/parcel.ts';
import {
  encodeCursor,
  FRAME,
  PARCEL_STATE,
  PULL_TYPE,
  type PullEnd,
  parseCommit,
} from '../wire/pull.ts';
import { Chains, type PullState } from './chains.ts';
import type { EdgeClient } from './edge.ts';
import { toBase64url, toHex } from './encoding.ts';
import { type AnswerEnd, incomplete, readFrames } from './frames.ts';
import type { ParcelRow } from './open.ts';
import type { Identity } from './signing.ts';

export type { PullState } from './chains.ts';

export interface PulledRow extends Required<ParcelRow> {
  writer: number;
  /** Of the commit that the parcel came with. */
  sequence: number;
  committedMs: number;
}

export interface PullProgress {
  pages: number;
  rows: number;
  parcels: number;
}

export interface PullOptions {
  /** What the last pull returned; left out the first time. */
  state?: PullState;
  /** `full` for a regulator, `masked` for an enterprise: what the edge gives to whom is not a choice. */
  view?: PullState['view'];
  /** An epoch header, before the first parcel that needs it: for Opener.addEpoch. */
  onEpoch?: (header: Uint8Array) => void | Promise<void>;
  /**
   * A parcel and its row: for Opener.open. Not proven before its page is: keep it apart until `pull` or `onPage` says so.
   * What it throws ends the pull.
   */
  onParcel: (parcel: Uint8Array, row: PulledRow) => void | Promise<void>;
  /** A page is proven: what came so far may be kept, together with this state. */
  onPage?: (state: PullState) => void | Promise<void>;
  onProgress?: (progress: PullProgress) => void;
  signal?: AbortSignal;
}

export interface PullReport extends PullProgress {
  /** To be kept and given to the next pull. */
  state: PullState;
  epochs: number;
  /** Rows whose parcel was deleted by law or is past retention. */
  erased: number;
  /** Rows that were not stored in this view. */
  withoutView: number;
  /** Signed ends, one a page: what an export names as its source. */
  ends: AnswerEnd[];
}

/** The state before the first pull. */
export function newPullState(city: number, view: PullState['view']): PullState {
  return { city, view, writers: [] };
}

/**
 * Pulls page by page until there is no more.
 * @throws IncompletePull when a page does not prove to be complete; nothing since the last `onPage` may be kept
 * @throws EdgeError, TrustError
 */
export async function pull(
  edge: EdgeClient,
  identity: Identity,
  options: PullOptions,
): Promise<PullReport> {
  const view = options.view ?? options.state?.view ?? 'full';
  let state = options.state ?? newPullState(edge.city, view);
  if (state.city !== edge.city || state.view !== view) {
    throw new TypeError('the state is of another city or view');
  }
  const counts = { pages: 0, rows: 0, parcels: 0, epochs: 0, erased: 0, withoutView: 0 };
  const report = { ...counts, ends: [] as AnswerEnd[] };
  while (true) {
    const before = report.rows;
    const { chains, end } = await pullPage(edge, identity, state, options, report);
    state = chains.state();
    report.pages++;
    report.ends.push({ digest: toHex(end.digest), rows: end.rows, more: end.more });
    await options.onPage?.(state);
    options.onProgress?.(report);
    if (!end.more) return { ...report, state };
    if (report.rows === before) incomplete('no_progress');
  }
}

async function pullPage(
  edge: EdgeClient,
  identity: Identity,
  state: PullState,
  options: PullOptions,
  report: Omit<PullReport, 'state'>,
): Promise<{ chains: Chains; end: PullEnd }> {
  const chains = new Chains(state);
  const cursor = chains.cursor();
  const answer = await edge.send({
    method: 'GET',
    path: '/v1/pull',
    query: cursor.size === 0 ? '' : `?cursor=${toBase64url(encodeCursor(cursor))}`,
    answerType: PULL_TYPE,
    identity,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const view = state.view === 'full' ? VIEW_FULL : VIEW_MASKED;
  const before = report.parcels;
  const end = await readFrames(edge, answer, view, (type, body) => {
    if (type === FRAME.EPOCH) {
      report.epochs++;
      return options.onEpoch?.(body);
    }
    if (type !== FRAME.COMMIT) incomplete('bad_frame');
    const commit = parseCommit(body);
    chains.add(commit);
    return handOver(commit, { city: edge.city, view }, options, report);
  });
  if (end.rows !== report.parcels - before) incomplete('end_mismatch');
  chains.finish(end);
  return { chains, end };
}

async function handOver(
  { receipts, writer, sequence, committedMs, enterprise }: ReturnType<typeof parseCommit>,
  scope: { city: number; view: number },
  options: PullOptions,
  report: Omit<PullReport, 'state'>,
): Promise<void> {
  for (const { id, state, parcel } of receipts) {
    report.rows++;
    if (state === PARCEL_STATE.ERASED) report.erased++;
    if (state === PARCEL_STATE.NO_VIEW) report.withoutView++;
    if (state !== PARCEL_STATE.PRESENT) continue;
    report.parcels++;
    const row = { ...scope, id, enterprise, writer, sequence, committedMs };
    const handled = options.onParcel(parcel, row);
    if (handled) await handled;
  }
  options.onProgress?.(report);
}
