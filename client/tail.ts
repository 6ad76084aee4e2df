/**
 * The end of every writer's chain: the commits since a time, without the years before. Each chain is followed from the commit
 * where reading begins up to the head that the edge has signed, so that none between is missing.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../wire/bytes.ts';
import { VIEW_FULL } from '../wire/parcel.ts';
import {
  type ChainHead,
  type Commit,
  type Cursor,
  chainInput,
  encodeCursor,
  FRAME,
  PARCEL_STATE,
  PULL_TYPE,
  type PullEnd,
  parseCommit,
  receiptBytes,
} from '../wire/pull.ts';
import type { EdgeClient } from './edge.ts';
import { toBase64url } from './encoding.ts';
import { incomplete, readFrames } from './frames.ts';
import type { ParcelRow } from './open.ts';
import type { Identity } from './signing.ts';

export interface TailOptions {
  /** How far earlier pulls came: spares reading what lies before. */
  known?: Cursor;
  /** Commits of this time (ms since 1970, the end excluded). */
  fromMs: number;
  untilMs: number;
  onEpoch(header: Uint8Array): void;
  /** May be told of a parcel more than once. */
  onParcel(parcel: Uint8Array, row: ParcelRow): void;
}

export interface TailReport {
  /** `time`: of the time asked for. `last`: there were none, so the last commit of each writer. */
  basis: 'time' | 'last';
  commits: number;
  /** Present ones. */
  parcels: number;
}

/** Commits read of each writer at first; four times as many in each further round, until they reach back far enough. */
const FIRST_DEPTH = 16;

/**
 * Reads a regulator's full view of the commits of a time; of the last commits when there are none.
 * @throws IncompletePull, EdgeError, TrustError
 */
export async function readTail(
  edge: EdgeClient,
  identity: Identity,
  options: TailOptions,
): Promise<TailReport> {
  const probe = await readPage(edge, identity, options.known ?? new Map(), () => {});
  const heads = probe.heads.filter(({ sequence }) => sequence > 0);
  const found = new Map<number, WriterTail>();
  let open = heads;
  for (let depth = FIRST_DEPTH; open.length > 0; depth *= 4) {
    const round = await readRound(edge, identity, heads, open, depth, options);
    for (const [writer, tail] of round) found.set(writer, tail);
    open = open.filter(({ writer }) => found.get(writer)?.reachesBack === false);
  }
  const basis = [...found.values()].some(({ commits }) => commits > 0) ? 'time' : 'last';
  if (basis === 'time') return total(basis, found);
  const always = { ...options, fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
  return total(basis, await readRound(edge, identity, heads, heads, 1, always));
}

interface WriterTail {
  commits: number;
  parcels: number;
  /** The first commit read lies before the time, or is the writer's first. */
  reachesBack: boolean;
}

function total(basis: TailReport['basis'], tails: ReadonlyMap<number, WriterTail>): TailReport {
  const all = [...tails.values()];
  const sum = (name: 'commits' | 'parcels') => all.reduce((so, tail) => so + tail[name], 0);
  return { basis, commits: sum('commits'), parcels: sum('parcels') };
}

/** Reads the last `depth` commits of the open writers, and what was committed since by any. */
async function readRound(
  edge: EdgeClient,
  identity: Identity,
  heads: readonly ChainHead[],
  open: readonly ChainHead[],
  depth: number,
  { fromMs, untilMs, onEpoch, onParcel }: TailOptions,
): Promise<Map<number, WriterTail>> {
  const wanted = new Set(open.map(({ writer }) => writer));
  // Those that are known well enough; a writer that began meanwhile is read from its first commit on.
  const done = new Set(heads.map(({ writer }) => writer).filter((writer) => !wanted.has(writer)));
  const cursor: Map<number, number> = new Map();
  for (const { writer, sequence } of heads) {
    const from = wanted.has(writer) ? Math.max(0, sequence - depth) : sequence;
    if (from > 0) cursor.set(writer, from);
  }
  const tails = new Map<number, WriterTail>();
  const reached = new Map<number, ChainHead>();
  for (let more = true; more; ) {
    const end = await readPage(edge, identity, cursor, (type, body) => {
      if (type === FRAME.EPOCH) return onEpoch(body);
      if (type !== FRAME.COMMIT) incomplete('bad_frame');
      const commit = parseCommit(body);
      follow(commit, cursor, reached, edge.city);
      if (done.has(commit.writer)) return;
      const tail = tails.get(commit.writer) ?? {
        ...{ commits: 0, parcels: 0 },
        reachesBack: commit.committedMs < fromMs || commit.sequence === 1,
      };
      tails.set(commit.writer, tail);
      if (commit.committedMs < fromMs || commit.committedMs >= untilMs) return;
      tail.commits++;
      for (const { id, state, parcel } of commit.receipts) {
        if (state !== PARCEL_STATE.PRESENT) continue;
        tail.parcels++;
        const { enterprise } = commit;
        onParcel(parcel, { id, enterprise, city: edge.city, view: VIEW_FULL });
      }
    });
    more = end.more;
    if (!more) meetHeads(end, reached);
  }
  return tails;
}

/** A commit goes on from the one before; the first of a writer is where its chain is taken up. */
function follow(
  commit: Commit,
  cursor: Map<number, number>,
  reached: Map<number, ChainHead>,
  city: number,
): void {
  const { writer, sequence, previous, receipts } = commit;
  const before = reached.get(writer);
  if (sequence !== (cursor.get(writer) ?? 0) + 1) incomplete('bad_chain');
  if (before !== undefined && !equalBytes(previous, before.head)) incomplete('bad_chain');
  const digest = sha256(receiptBytes(receipts));
  const head = sha256(chainInput(commit, city, receipts.length, digest));
  reached.set(writer, { writer, sequence, head });
  cursor.set(writer, sequence);
}

function meetHeads({ heads }: PullEnd, reached: ReadonlyMap<number, ChainHead>): void {
  const signed = new Map(heads.map((head) => [head.writer, head]));
  for (const { writer, sequence, head } of reached.values()) {
    const promise = signed.get(writer);
    if (promise?.sequence !== sequence || !equalBytes(promise.head, head)) incomplete('bad_chain');
  }
}

async function readPage(
  edge: EdgeClient,
  identity: Identity,
  cursor: Cursor,
  onFrame: (type: number, body: Uint8Array) => void,
): Promise<PullEnd> {
  const answer = await edge.send({
    method: 'GET',
    path: '/v1/pull',
    query: cursor.size === 0 ? '' : `?cursor=${toBase64url(encodeCursor(cursor))}`,
    answerType: PULL_TYPE,
    identity,
  });
  return readFrames(edge, answer, VIEW_FULL, onFrame);
}
