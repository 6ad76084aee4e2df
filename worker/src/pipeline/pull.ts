/** Pulls: commits of the asker's scope as ciphertext, epochs before the first parcel that needs them, a signed end. */
import type { ParcelStore, Scope, StoredCommit } from '../../../db/parcels.ts';
import { concat } from '../../../wire/bytes.ts';
import { parseEpoch } from '../../../wire/epoch.ts';
import { VIEW_FULL, VIEW_MASKED } from '../../../wire/parcel.ts';
import {
  type ChainHead,
  type Cursor,
  encodeCommit,
  encodeEndBody,
  encodeFrame,
  endSigningInput,
  FRAME,
  PARCEL_STATE,
  type PullEnd,
} from '../../../wire/pull.ts';
import { hex, sha256 } from './digest.ts';
import type { Signer } from './ed25519.ts';
import { fromStore } from './failure.ts';
import type { Gate, Pass } from './gate.ts';
import { MAX_PULL_ROWS } from './limits.ts';

export interface PullParts {
  store: Pick<ParcelStore, 'heads' | 'page' | 'epochs' | 'find' | 'ids'>;
  signer: Signer;
  city: number;
  /** Through which pulls and lookups go. */
  gate: Gate;
}

export interface PullRequest {
  /** From the credential alone: undefined for a regulator, who gets the full view; an enterprise gets its own, masked. */
  enterprise: Uint8Array | undefined;
  cursor: Cursor;
  /** Octets of the request's signature, which the signed end names. */
  signature: Uint8Array;
}

/**
 * Starts a pull.
 * @returns the frames; when reading fails on the way they end without an END frame
 * @throws Failure unavailable
 */
export async function pull(
  parts: PullParts,
  { enterprise, cursor, signature }: PullRequest,
): Promise<AsyncGenerator<Uint8Array>> {
  const { store, city } = parts;
  const scope: Scope = enterprise === undefined ? { city } : { city, enterprise };
  const heads = await fromStore(store.heads(scope));
  const view = enterprise === undefined ? VIEW_FULL : VIEW_MASKED;
  return ended(parts, await sha256(signature), view, (tally) =>
    commits(store, scope, view, cursor, heads, tally),
  );
}

/** What the end says about the frames before it, kept while they are made. */
export interface Tally {
  rows: number;
  more: boolean;
  start: Cursor;
  end: Cursor;
  heads: ChainHead[];
}

/** Passes frames on and adds the signed end. @param request SHA-256 of the request's signature */
export async function* ended(
  { signer, city }: Pick<PullParts, 'signer' | 'city'>,
  request: Uint8Array,
  view: number,
  frames: (tally: Tally) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const tally: Tally = { rows: 0, more: false, start: new Map(), end: new Map(), heads: [] };
  const digest = new crypto.DigestStream('SHA-256');
  const digesting = digest.getWriter();
  for await (const frame of frames(tally)) {
    await digesting.write(frame);
    yield frame;
  }
  await digesting.close();
  const end: PullEnd = {
    ...{ request, city, view, ...tally },
    digest: new Uint8Array(await digest.digest),
  };
  const body = encodeEndBody(end);
  const signature = await signer.sign(endSigningInput(body));
  yield encodeFrame(FRAME.END, concat(body, signer.keyid, signature));
}

async function* commits(
  store: Pick<ParcelStore, 'page' | 'epochs'>,
  scope: Scope,
  view: number,
  cursor: Cursor,
  heads: ChainHead[],
  tally: Tally,
): AsyncGenerator<Uint8Array> {
  tally.start = cursor;
  tally.end = new Map(cursor);
  tally.heads = heads;
  const announced = new Set<string>();
  let read = 0;
  const name = view === VIEW_FULL ? 'full' : 'masked';
  for await (const commit of store.page(scope, name, cursor, heads)) {
    if (read >= MAX_PULL_ROWS) {
      tally.more = true;
      return;
    }
    yield* epochFrames(store, commit.epochs, view, announced);
    yield commitFrame(commit);
    read += commit.receipts.length;
    tally.rows += commit.receipts.filter(({ parcel }) => parcel.length > 0).length;
    tally.end.set(commit.writer, commit.sequence);
  }
}

/** The headers of a view's epochs that were not announced yet; a commit names those of both views. */
export async function* epochFrames(
  store: Pick<ParcelStore, 'epochs'>,
  ids: readonly Uint8Array[],
  view: number,
  announced: Set<string>,
): AsyncGenerator<Uint8Array> {
  const fresh = ids.filter((id) => !announced.has(hex(id)));
  if (fresh.length === 0) return;
  for (const header of await store.epochs(fresh)) {
    if (parseEpoch(header).view === view) yield encodeFrame(FRAME.EPOCH, header);
  }
  for (const id of fresh) announced.add(hex(id));
}

/** A commit has at most MAX_COMMIT_RECORDS records, whose largest parcels fit a frame. */
function commitFrame(commit: StoredCommit): Uint8Array {
  const receipts = commit.receipts.map(({ id, contentTag, erased, parcel }) => ({
    ...{ id, contentTag, state: state(erased, parcel), parcel },
  }));
  return encodeFrame(FRAME.COMMIT, encodeCommit({ ...commit, receipts }));
}

function state(erased: boolean, parcel: Uint8Array): number {
  if (parcel.length > 0) return PARCEL_STATE.PRESENT;
  return erased ? PARCEL_STATE.ERASED : PARCEL_STATE.NO_VIEW;
}

/**
 * Frames as a body. One at a time: a reader that is slow holds the store back, not our memory.
 * @param pass held while the body goes on
 */
export function bodyOf(
  frames: AsyncGenerator<Uint8Array>,
  pass: Pass,
  report: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(out) {
      try {
        pass.used();
        const { value, done } = await frames.next();
        if (!done) return out.enqueue(value);
      } catch (error) {
        report(error);
      }
      pass.leave();
      out.close();
    },
    async cancel() {
      pass.leave();
      await frames.return(undefined);
    },
  });
}
