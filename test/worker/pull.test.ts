import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import type { StoredCommit } from '../../db/parcels.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { MAX_PULL_FRAME_BYTES } from '../../wire/limits.ts';
import { endSigningInput, FRAME, parseCommit, parseEnd, parseFrameHead } from '../../wire/pull.ts';
import { ed25519Signer } from '../../worker/src/pipeline/ed25519.ts';
import { MAX_PULL_ROWS } from '../../worker/src/pipeline/limits.ts';
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
    epochs: [id(epoch)],
    receipts: Array.from({ length: count }, (_, i) => ({
      ...{ id: id(i), contentTag: id(i), erased: octets === 0, parcel },
    })),
  };
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
    epochs: async (ids) => ids.map((each) => Uint8Array.of(...each)),
    find: async () => [],
  };
  const parts = { store, signer: await ed25519Signer(key.secretKey), city: CITY };
  const request = { enterprise: id(9), cursor: new Map([[3, 0]]), signature };
  const errors: unknown[] = [];
  const body = bodyOf(await pull(parts, request), (error) => errors.push(error));
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

  it('splits a commit that no frame could hold', async () => {
    const large = commit(1, 2_000, 4_448);
    const { frames } = await pulled([large]);
    const parts = frames.filter(({ type }) => type === FRAME.COMMIT).map(({ body }) => body);
    expect(parts).toHaveLength(2);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(MAX_PULL_FRAME_BYTES);
    const commits = parts.map(parseCommit);
    expect(new Set(commits.map(({ sequence }) => sequence))).toEqual(new Set([1]));
    const receipts = commits.flatMap((each) => each.receipts);
    expect(receipts).toHaveLength(2_000);
    expect(receipts.every((receipt, i) => equalBytes(receipt.id, id(i)))).toBe(true);
  });

  it('ends with `more` when it has come far enough', async () => {
    const half = MAX_PULL_ROWS / 2;
    const { frames } = await pulled([commit(1, half, 0), commit(2, half, 0), commit(3, 1, 0)]);
    const { end } = parseEnd((frames.at(-1) as (typeof frames)[number]).body);
    expect(end).toMatchObject({ rows: MAX_PULL_ROWS, more: true, end: new Map([[3, 2]]) });
  });

  it('has no end when the store fails on the way', async () => {
    const failure = new Error('away');
    const { frames, errors } = await pulled([commit(1, 1, 100)], failure);
    expect(frames.map(({ type }) => type)).toEqual([FRAME.EPOCH, FRAME.COMMIT]);
    expect(errors).toEqual([failure]);
  });
});
