import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { MAX_COMMIT_RECORDS, type StoredCommit } from '../../db/parcels.ts';
import { encodeEpoch, encodeParams } from '../../wire/epoch.ts';
import { MAX_PULL_FRAME_BYTES } from '../../wire/limits.ts';
import { VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';
import { endSigningInput, FRAME, parseCommit, parseEnd, parseFrameHead } from '../../wire/pull.ts';
import { ed25519Signer } from '../../worker/src/pipeline/ed25519.ts';
import { Gate } from '../../worker/src/pipeline/gate.ts';
import { MAX_PULL_ROWS, PULL_LIMITS } from '../../worker/src/pipeline/limits.ts';
import { bodyOf, type PullParts, pull } from '../../worker/src/pipeline/pull.ts';

const key = ed25519.keygen();
const CITY = 520100;
const signature = Uint8Array.of(1, 2, 3);
const id = (value: number) => new Uint8Array(16).fill(value);

/** A commit of `count` records, whose parcels have `octets` each. */
function commit(sequence: number, count: number, octets: number, epoch = 1): StoredCommit {
  const parcel = new Uint8Array(octets).fill(sequence);
  return {
    ...{ writer: 3, sequence, committedMs: 1000 + sequence, enterprise: id(9) },
    previous: new Uint8Array(32),
    epochs: [id(8), id(epoch)],
    receipts: Array.from({ length: count }, (_, i) => ({
      ...{ id: id(i), contentTag: id(i), erased: octets === 0, parcel },
    })),
  };
}

function header(epoch: Uint8Array, view: number): Uint8Array {
  const zeros = new Uint8Array(64);
  const params = encodeParams({
    ...{ view, epoch, audience: id(9), city: CITY, startMs: 0, endMs: 1, listVersion: 1 },
    listHash: zeros.subarray(32),
  });
  return encodeEpoch(params, zeros.subarray(32), new Uint8Array(0), zeros.subarray(32), zeros);
}

/** Pulls from a store that holds these commits, or fails behind them. */
async function pulled(commits: StoredCommit[], failure?: Error) {
  const head = { writer: 3, sequence: commits.length, head: new Uint8Array(32).fill(5) };
  const asked: unknown[] = [];
  const store: PullParts['store'] = {
    heads: async (scope) => {
      asked.push(scope);
      return [head];
    },
    page: async function* (_scope, view) {
      asked.push(view);
      yield* commits;
      if (failure) throw failure;
    },
    // A commit names the epochs of both views.
    epochs: async (ids) => ids.map((each) => header(each, each[0] === 8 ? VIEW_FULL : VIEW_MASKED)),
    find: async () => [],
    ids: async function* () {},
  };
  const gate = new Gate(PULL_LIMITS, () => 0);
  const parts = { store, signer: await ed25519Signer(key.secretKey), city: CITY, gate };
  const request = { enterprise: id(9), cursor: new Map([[3, 0]]), signature };
  const errors: unknown[] = [];
  const body = bodyOf(await pull(parts, request), gate.enter('a'), (error) => errors.push(error));
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  return { bytes, frames: [...framesOf(bytes)], errors, asked };
}

function* framesOf(bytes: Uint8Array): Generator<{ type: number; at: number; body: Uint8Array }> {
  for (let at = 0; at < bytes.length; ) {
    const { type, length } = parseFrameHead(bytes.subarray(at, at + 5));
    yield { type, at, body: bytes.subarray(at + 5, at + 5 + length) };
    at += 5 + length;
  }
}

describe('a pull', () => {
  it('sends an epoch once, before the first commit that needs it, and a signed end', async () => {
    const { bytes, frames, asked } = await pulled([
      commit(1, 2, 100),
      commit(2, 1, 100),
      commit(3, 1, 100, 2),
    ]);
    expect(frames.map(({ type }) => type)).toEqual([
      ...[FRAME.EPOCH, FRAME.COMMIT, FRAME.COMMIT, FRAME.EPOCH, FRAME.COMMIT, FRAME.END],
    ]);
    const last = frames.at(-1) as (typeof frames)[number];
    const { end, body, signer, signature: signed } = parseEnd(last.body);
    expect(ed25519.verify(signed, endSigningInput(body), key.publicKey)).toBe(true);
    expect(signer).toEqual(sha256(key.publicKey));
    expect(end).toEqual({
      ...{ request: sha256(signature), city: CITY, view: 2, more: false, rows: 4 },
      digest: sha256(bytes.subarray(0, last.at)),
      start: new Map([[3, 0]]),
      end: new Map([[3, 3]]),
      heads: [{ writer: 3, sequence: 3, head: new Uint8Array(32).fill(5) }],
    });
    expect(asked).toEqual([{ city: CITY, enterprise: id(9) }, 'masked']);
  });

  it('fits the largest commit into one frame, and counts the parcels that are there', async () => {
    const { frames } = await pulled([commit(1, MAX_COMMIT_RECORDS, 4_448), commit(2, 3, 0)]);
    const commits = frames.filter(({ type }) => type === FRAME.COMMIT);
    expect(commits.map(({ body }) => parseCommit(body).receipts.length)).toEqual([
      ...[MAX_COMMIT_RECORDS, 3],
    ]);
    expect(commits[0]?.body.length).toBeLessThanOrEqual(MAX_PULL_FRAME_BYTES);
    const { end } = parseEnd((frames.at(-1) as (typeof frames)[number]).body);
    expect(end.rows).toBe(MAX_COMMIT_RECORDS);
  });

  it('ends with `more` when it has come far enough', async () => {
    const half = MAX_PULL_ROWS / 2;
    const { frames } = await pulled([commit(1, half, 0), commit(2, half, 0), commit(3, 1, 0)]);
    const { end } = parseEnd((frames.at(-1) as (typeof frames)[number]).body);
    expect(end).toMatchObject({ rows: 0, more: true, end: new Map([[3, 2]]) });
  });

  it('has no end when the store fails on the way', async () => {
    const failure = new Error('away');
    const { frames, errors } = await pulled([commit(1, 1, 100)], failure);
    expect(frames.map(({ type }) => type)).toEqual([FRAME.EPOCH, FRAME.COMMIT]);
    expect(errors).toEqual([failure]);
  });
});
