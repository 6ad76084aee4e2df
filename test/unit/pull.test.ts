import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { EdgeError, IncompletePull } from '../../client/errors.ts';
import { Opener } from '../../client/open.ts';
import { type PullOptions, type PullState, pull } from '../../client/pull.ts';
import { concat } from '../../wire/bytes.ts';
import { VIEW_MASKED } from '../../wire/parcel.ts';
import {
  type Cursor,
  encodeFrame,
  FRAME,
  PULL_TYPE,
  type PullEnd,
  parseCursor,
} from '../../wire/pull.ts';
import { encodeRecord } from '../../wire/record.ts';
import { FakeEdge, refuse } from '../support/fake-edge.ts';
import {
  commitFrame,
  endFrame,
  FakeWriter,
  makeEpoch,
  makeWorld,
  page,
  random,
  sealParcel,
  signingPair,
} from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);

/** What an edge may do wrong between its store and its answer. */
interface Faults {
  limit?: number;
  frames?: (frames: Uint8Array[]) => Uint8Array[];
  end?: Partial<PullEnd>;
  signer?: ReturnType<typeof signingPair>;
  body?: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** Serves each answer's body in parts of this many octets. */
  parts?: number;
}

let world: ReturnType<typeof makeWorld>;
let edge: FakeEdge;
let epoch: ReturnType<typeof makeEpoch>;
let writers: FakeWriter[];
let faults: Faults;

beforeEach(() => {
  world = makeWorld(NOW);
  edge = new FakeEdge(world);
  epoch = makeEpoch(world);
  writers = [new FakeWriter(7, world.enterprise), new FakeWriter(900, world.enterprise)];
  faults = {};
  edge.handlers.set('GET /v1/pull', (request, signature) => {
    const text = new URL(request.url).searchParams.get('cursor') ?? '';
    return answer(parseCursor(new Uint8Array(Buffer.from(text, 'base64url'))), signature);
  });
});

function answer(cursor: Cursor, signature: Uint8Array): Response {
  const { commits, end } = page(writers, cursor, faults.limit);
  const header = encodeFrame(FRAME.EPOCH, epoch.header);
  const frames = [
    ...(commits.length > 0 ? [header] : []),
    ...commits.map((one) => commitFrame(one)),
  ];
  const served = faults.frames?.(frames) ?? frames;
  const request = sha256(signature);
  const last = endFrame(world, served, { ...end, request, ...faults.end }, faults.signer);
  const body = concat(...served, last);
  const bytes = faults.body?.(body) ?? body;
  return new Response(inParts(bytes, faults.parts ?? bytes.length), {
    headers: { 'content-type': PULL_TYPE },
  });
}

function inParts(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

/** Commits `count` records. */
function store(writer: FakeWriter | undefined, count: number): void {
  const records = Array.from({ length: count }, () => validRecord(NOW));
  writer?.commit(
    records.map((record) => {
      const { id } = record;
      return {
        id,
        parcel: sealParcel(world, epoch, id, encodeRecord(record), {
          enterprise: writer.enterprise,
        }),
      };
    }),
  );
}

function start(options: Partial<PullOptions> = {}) {
  return pull(edge.client(), edge.identity, { onParcel: () => undefined, ...options });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error('complete'),
    (reason) => reason,
  );
  return error instanceof IncompletePull ? error.code : error.message;
}

describe('a pull', () => {
  it('hands over every parcel with its row, and opens them', async () => {
    for (const writer of writers) for (const count of [3, 1, 5]) store(writer, count);
    const opener = new Opener(edge.client().lists, world.readers);
    const client = edge.client();
    const lists = (await client.recipients()) && client.lists;
    const reader = new Opener(lists, world.readers);
    const opened: string[] = [];
    const report = await pull(client, edge.identity, {
      onEpoch: (header) => void reader.addEpoch(header),
      onParcel: (parcel, row) => void opened.push(reader.open(parcel, row).id),
    });
    expect(new Set(opened).size).toBe(18);
    expect(report).toMatchObject({ rows: 18, parcels: 18, erased: 0, pages: 1, epochs: 1 });
    // Without the list nothing of it is believed.
    expect(() => opener.addEpoch(epoch.header)).toThrow('epoch_list_expired');
  });

  it.each([1, 2, 3, 7, 64, 1000])(
    'reads frames that arrive in parts of %i octets',
    async (parts) => {
      store(writers[0], 2);
      faults = { parts };
      expect(await start()).toMatchObject({ parcels: 2 });
    },
  );

  it('goes on page by page, and from where it ended', async () => {
    for (let i = 0; i < 5; i++) for (const writer of writers) store(writer, 2);
    faults = { limit: 3 };
    const states: PullState[] = [];
    const first = await start({ onPage: (state) => void states.push(state) });
    expect(first).toMatchObject({ rows: 20, pages: 4 });
    expect(states).toHaveLength(4);
    expect(await start({ state: first.state })).toMatchObject({ rows: 0, pages: 1 });
    store(writers[1], 4);
    expect(await start({ state: first.state })).toMatchObject({ rows: 4, pages: 1 });
    // As JSON and back, and from the middle.
    const state = JSON.parse(JSON.stringify(states[1]));
    expect(await start({ state })).toMatchObject({ rows: 12 });
  });

  it('counts what was erased, and keeps its place in the chain', async () => {
    store(writers[0], 1);
    writers[0]?.commit([{ id: validRecord(NOW).id, parcel: new Uint8Array(0) }]);
    store(writers[0], 1);
    expect(await start()).toMatchObject({ rows: 3, parcels: 2, erased: 1 });
  });

  it('goes on past a page on which everything was erased', async () => {
    for (let i = 0; i < 3; i++)
      writers[0]?.commit([{ id: validRecord(NOW).id, parcel: new Uint8Array(0) }]);
    store(writers[0], 1);
    faults = { limit: 2 };
    expect(await start()).toMatchObject({ pages: 2, rows: 4, parcels: 1, erased: 3 });
  });

  it('is content with an empty store and with a writer that has not begun', async () => {
    expect(await start()).toMatchObject({ rows: 0, pages: 1 });
    writers = [];
    expect(await start()).toMatchObject({ rows: 0, pages: 1 });
  });

  it('passes on the refusal of the edge', async () => {
    edge.handlers.set('GET /v1/pull', () => refuse('forbidden'));
    await expect(start()).rejects.toMatchObject({
      code: 'forbidden',
      status: 403,
      requestId: 'request-1',
    });
    await expect(start()).rejects.toBeInstanceOf(EdgeError);
  });

  it('asks for another view or city only with another state', async () => {
    const { state } = await start();
    await expect(start({ state, view: 'masked' })).rejects.toThrow(TypeError);
    await expect(start({ state: { ...state, city: 440300 } })).rejects.toThrow(TypeError);
  });
});

describe('a pull is incomplete', () => {
  beforeEach(() => {
    for (const writer of writers) for (const count of [2, 1, 3]) store(writer, count);
  });

  it.each<[string, string, Faults]>([
    ['a commit is missing', 'bad_chain', { frames: (all) => all.filter((_, i) => i !== 2) }],
    [
      'the first commit is missing',
      'bad_chain',
      { frames: (all) => all.filter((_, i) => i !== 1) },
    ],
    // The end names what was sent, so only the heads tell.
    ['the last commit is missing', 'end_mismatch', { frames: (all) => all.slice(0, -1) }],
    ['a commit comes twice', 'bad_chain', { frames: (all) => [...all, all[4] as Uint8Array] }],
    [
      'commits are out of order',
      'bad_chain',
      { frames: ([e, a, b, ...r]) => [e, b, a, ...r] as Uint8Array[] },
    ],
    [
      'an unknown frame stands in it',
      'bad_frame',
      { frames: (all) => [...all, encodeFrame(9, random(3))] },
    ],
    [
      'a lookup frame stands in it',
      'bad_frame',
      { frames: (all) => [...all, encodeFrame(FRAME.PARCELS, random(0))] },
    ],
    [
      'a frame is no commit',
      'bad_frame',
      { frames: (all) => [...all, encodeFrame(FRAME.COMMIT, random(50))] },
    ],
    ['its end is of another request', 'end_other_request', { end: { request: random(32) } }],
    ['its end is of another city', 'end_other_request', { end: { city: 1 } }],
    ['its end is of another view', 'end_other_request', { end: { view: VIEW_MASKED } }],
    ['its end counts other rows', 'end_mismatch', { end: { rows: 11 } }],
    ['its end has another digest', 'end_mismatch', { end: { digest: random(32) } }],
    ['its end starts elsewhere', 'end_mismatch', { end: { start: new Map([[7, 1]]) } }],
    ['its end ends elsewhere', 'end_mismatch', { end: { end: new Map([[7, 3]]) } }],
    [
      'a head is another one',
      'stepped_back',
      { end: { heads: [{ writer: 7, sequence: 3, head: random(32) }] } },
    ],
    ['a writer has no head', 'stepped_back', { end: { heads: [] } }],
    ['its end is signed by another key', 'end_signer', { signer: signingPair() }],
    ['its end is cut off', 'no_end', { body: (body) => body.slice(0, -endLength()) }],
    ['something follows its end', 'after_end', { body: (body) => concat(body, new Uint8Array(1)) }],
    ['it breaks off in its end', 'broken', { body: (body) => body.slice(0, -1) }],
    ['it breaks off at once', 'broken', { body: (body) => body.slice(0, 3) }],
    ['there is nothing', 'no_end', { body: () => new Uint8Array(0) }],
    [
      'a frame is too long',
      'bad_frame',
      { body: (body) => concat(Uint8Array.of(2, 0xff, 0, 0, 0), body) },
    ],
  ])('case 10: when %s', async (_, code, fault) => {
    faults = fault;
    expect(await codeOf(start())).toBe(code);
  });

  /** Octets of the end frame that the edge makes for these writers. */
  function endLength(): number {
    const { end } = page(writers, new Map());
    return endFrame(world, [], { ...end, request: random(32) }).length;
  }

  it('case 10: wherever it breaks off, and whichever octet is another one', async () => {
    writers = [new FakeWriter(7, world.enterprise)];
    store(writers[0], 1);
    let length = 0;
    faults = {
      body: (body) => {
        length = body.length;
        return body;
      },
    };
    await start();
    for (let at = 0; at < length; at += 17) {
      faults = { body: (body) => body.slice(0, at) };
      expect(await codeOf(start())).toMatch(/^(no_end|broken)$/);
      faults = { body: (body) => body.map((byte, i) => (i === at ? byte ^ 1 : byte)) };
      expect(await codeOf(start())).not.toBe('complete');
    }
  });

  it('case 10: when an old answer is played back', async () => {
    let old: Uint8Array<ArrayBuffer> | undefined;
    faults = { body: (body) => (old ??= body) };
    await start();
    expect(await codeOf(start())).toBe('end_other_request');
  });

  it('when the end of an unlisted but real edge key signs it', async () => {
    const other = signingPair();
    faults = { signer: { privateKey: world.edge.privateKey, publicKey: other.publicKey } };
    expect(await codeOf(start())).toBe('end_signer');
    faults = { signer: { privateKey: other.privateKey, publicKey: world.edge.publicKey } };
    expect(await codeOf(start())).toBe('end_signature');
  });

  it('case 10: when a head steps back, or becomes another', async () => {
    const { state } = await start();
    const whole = writers;
    const shorter = new FakeWriter(7, world.enterprise);
    shorter.commits.push(...(whole[0]?.commits.slice(0, 2) ?? []));
    writers = [shorter, whole[1] as FakeWriter];
    expect(await codeOf(start({ state }))).toBe('stepped_back');
    // The same length, other content: a history written anew.
    store(shorter, 3);
    expect(await codeOf(start({ state }))).toBe('stepped_back');
    // And longer: the next commit does not follow what we know.
    store(shorter, 1);
    expect(await codeOf(start({ state }))).toBe('bad_chain');
    // A writer that vanishes.
    writers = [whole[0] as FakeWriter];
    expect(await codeOf(start({ state }))).toBe('stepped_back');
  });

  it('case 10: when a promise of an earlier page is not kept', async () => {
    const states: PullState[] = [];
    faults = { limit: 2 };
    await start({ onPage: (state) => void states.push(state) });
    const [first] = states;
    expect(first?.writers.find(({ writer }) => writer === 7)?.promised).toHaveLength(1);
    const rewritten = new FakeWriter(7, world.enterprise);
    rewritten.commits.push(...(writers[0]?.commits.slice(0, 2) ?? []));
    store(rewritten, 3);
    writers[0] = rewritten;
    faults = {};
    expect(await codeOf(start({ state: first as PullState }))).toBe('stepped_back');
  });

  it('when there is more without any progress', async () => {
    faults = { limit: 0 };
    expect(await codeOf(start())).toBe('no_progress');
  });

  it('when more is said to be there than comes', async () => {
    faults = { end: { more: false }, limit: 5 };
    expect(await codeOf(start())).toBe('bad_chain');
  });
});
