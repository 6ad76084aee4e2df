/**
 * Case 4: the module traps in the middle of a batch, when plaintext lies in its memory and positions are burned. The trap is a real
 * one: the bound on queued seals, which traps when it is reached, is lowered in a copy of the shipped module.
 */
import { readFileSync } from 'node:fs';
import { x25519 } from '@noble/curves/ed25519.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModuleTrap, type OpenedStream, Session } from '../../wasm/host/session.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE, STREAM } from '../../wire/envelope.ts';
import { NATIONAL } from '../../wire/epoch.ts';
import { parseParcel, VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';
import { encodeRecord } from '../../wire/record.ts';
import { encapsulate } from '../support/encapsulation.ts';
import { validRecord } from '../support/records.ts';

const MODULE = readFileSync(new URL('../../wasm/build/sealpost.wasm', import.meta.url));
const NOW = Date.now();
const CITY = 520100;
const PLAINTEXT = ['11010519491231002X', '买买提', '13800138000', '鸿基大厦', '欧阳若兰'].map(utf8);

/** i32.const 512, i32.eq, if, unreachable, end: two seals for each of the 256 records of a chunk, and no more. */
const BOUND = Buffer.from('418004460440000b', 'hex');

/** The shipped module with another bound, below 128: the constant in a longer form of the same number of octets. */
function moduleThatTrapsAt(seals: number): WebAssembly.Module {
  const bytes = Buffer.from(MODULE);
  let found = 0;
  for (let at = bytes.indexOf(BOUND); at >= 0; at = bytes.indexOf(BOUND, at + 1), found++) {
    bytes[at + 1] = 0x80 | seals;
    bytes[at + 2] = 0;
  }
  expect(found, 'where the bound is checked').toBeGreaterThan(0);
  return new WebAssembly.Module(bytes);
}

/** Memories of all instances. */
let memories: Uint8Array[];

beforeEach(() => {
  memories = [];
  const recording = new Proxy(WebAssembly.Instance, {
    construct(target, [module]: [WebAssembly.Module]) {
      const instance = new target(module);
      memories.push(new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer));
      return instance;
    },
  });
  const { Module, RuntimeError } = WebAssembly;
  vi.stubGlobal('WebAssembly', { Module, RuntimeError, Instance: recording });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const edgeKey = x25519.keygen();
const reader = x25519.keygen();
const parties = [1, 2].map(() => ({
  ...{ enterprise: crypto.getRandomValues(new Uint8Array(16)), device: new Uint8Array(16) },
  masked: true,
}));
type Party = (typeof parties)[number];

/** An edge's use of the module: it keeps epochs open, and every row that came out, by commitment and position. */
class Edge {
  readonly session: Session;
  readonly rows: string[] = [];
  readonly #commits = new Map<string, string>();

  constructor(module: WebAssembly.Module) {
    this.session = new Session(module, CITY, (fresh) => {
      fresh.setEdgeKey(1, edgeKey.secretKey, 0, NOW + 1_000_000);
      fresh.setIndexKey({ version: 1, fromMs: 0, untilMs: NOW + 1_000_000 }, new Uint8Array(32));
    });
  }

  ensure(party: Party): void {
    this.#start(VIEW_FULL, NATIONAL);
    this.#start(VIEW_MASKED, party.enterprise);
  }

  #start(view: number, audience: Uint8Array): void {
    if (!this.session.needsEpoch(view, audience, NOW)) return;
    const started = this.session.startEpoch(
      {
        ...{ view, audience, startMs: NOW, endMs: NOW + 900_000, listVersion: 1 },
        listHash: new Uint8Array(32),
      },
      [reader.publicKey],
    );
    const commit = Buffer.from(started.commit).toString('hex');
    expect([...this.#commits.values()]).not.toContain(commit);
    this.#commits.set(String(started.id), commit);
  }

  keep(batch: Uint8Array): void {
    const views = parseBatch(batch).records.flatMap(({ full, masked }) => [full, masked]);
    for (const parcel of views.map(parseParcel)) {
      this.rows.push(`${this.#commits.get(String(parcel.epoch))} ${parcel.sequence}`);
    }
  }

  /** Opens one chunk of `count` records as a stream of its own. */
  chunk(party: Party, count: number): OpenedStream {
    this.ensure(party);
    const { head, context } = encapsulate(STREAM, KEY, { id: party.enterprise } as never);
    const stream = this.session.openStream(head, party, NOW) as OpenedStream;
    expect(stream.status).toBe('ok');
    const records = Array.from({ length: count }, () => encodeRecord(validRecord(NOW)));
    const sealed = context.seal(concat(...records));
    const opened = this.session.openChunk(stream.request, sealed, false, NOW);
    expect(opened.status).toBe('ok');
    if (opened.status === 'ok') this.keep(opened.batch);
    return stream;
  }

  single(party: Party): Uint8Array {
    this.ensure(party);
    const { head, context } = encapsulate(SINGLE, KEY, { id: party.enterprise } as never);
    const body = concat(head, context.seal(encodeRecord(validRecord(NOW))));
    const opened = this.session.openSingle(body, party, NOW);
    if (opened.status !== 'ok') throw new Error(opened.status);
    this.keep(opened.batch);
    return opened.context;
  }
}

const KEY = { keyId: 1, publicKey: edgeKey.publicKey };
const zero = (memory: Uint8Array | undefined) => memory?.every((byte) => byte === 0);

/** Counts how often a whole memory is overwritten while plaintext lies in it. */
function watchForPlaintext(): () => number {
  let times = 0;
  const { fill } = Uint8Array.prototype;
  vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
    this: Uint8Array,
    ...given: Parameters<typeof fill>
  ) {
    const whole = memories.some(
      ({ buffer, length }) => buffer === this.buffer && length === this.length,
    );
    if (whole && Buffer.from(this.buffer).includes('买买提')) times++;
    return fill.apply(this, given);
  } as never);
  return () => times;
}

describe('a trap in the middle of a batch', () => {
  it.each([1, 2, 5, 6, 9])(
    'case 4: at the seal behind the %i.: memory is zero, a new instance goes on, no commitment and position come twice',
    (seals) => {
      const edge = new Edge(moduleThatTrapsAt(seals));
      const lay = watchForPlaintext();
      const [one, other] = parties as [Party, Party];
      // Two seals a record: one for each view.
      const fits = Math.floor(seals / 2);
      const traps = fits + 1;
      let rows = 0;
      for (const round of [1, 2, 3]) {
        for (const party of [one, other, one]) {
          if (fits > 0) edge.chunk(party, fits);
          rows += 2 * fits;
        }
        expect(edge.rows).toHaveLength(rows);
        expect(() => edge.chunk(other, traps)).toThrow(ModuleTrap);
        // Had the memory not been zeroed, it would hold what was being sealed.
        expect(lay()).toBe(round);
        expect(memories).toHaveLength(round + 1);
        for (const memory of memories.slice(0, -1)) expect(zero(memory)).toBe(true);
        for (const marker of PLAINTEXT) {
          expect(
            memories.some((memory) => Buffer.from(memory.buffer).includes(Buffer.from(marker))),
          ).toBe(false);
        }
      }
      expect(new Set(edge.rows).size).toBe(rows);
    },
  );

  it('case 4: by a random source that stands still between opening and answering: the same', () => {
    const edge = new Edge(new WebAssembly.Module(MODULE));
    const [one] = parties as [Party, Party];
    let rows = 0;
    for (const round of [1, 2, 3]) {
      const waiting = [edge.single(one), edge.single(one)];
      const stream = edge.chunk(one, 20);
      rows += 2 * 22;
      const stuck = ((view: Uint8Array) => view.fill(7)) as never;
      const random = vi.spyOn(crypto, 'getRandomValues');
      random.mockImplementationOnce(stuck).mockImplementationOnce(stuck);
      edge.session.answerSingle(waiting[0] as Uint8Array, OUTCOMES.STORED);
      const answer = () => edge.session.answerSingle(waiting[1] as Uint8Array, OUTCOMES.STORED);
      // The second draw is the first again. What the new instance draws is real.
      expect(answer).toThrow(ModuleTrap);
      random.mockRestore();
      expect(zero(memories[round - 1])).toBe(true);
      // Whatever was under way died with the instance.
      const late = edge.session.openChunk(stream.request, new Uint8Array(100), false, NOW);
      expect(late.status).toBe('decrypt_failed');
      expect(answer).toThrow();
    }
    edge.chunk(one, 20);
    expect(edge.rows).toHaveLength(rows + 40);
    expect(new Set(edge.rows).size).toBe(rows + 40);
  });
});
