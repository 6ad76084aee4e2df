/** The module and its twin without relaxed SIMD: equal in all that comes out, different in one instruction. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { generateDay } from '../../client/generate/day.ts';
import { moduleFile, PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { encodeRecord } from '../../wire/record.ts';
import { loadModule, moduleBytes } from '../support/wasm.ts';
import { vectorOpcodes } from '../support/wasm-opcodes.ts';
import { NOW, opened, randomKeys, randomParty, TestEdge } from '../twin/edge.ts';

/** The first of the relaxed instructions, i8x16.relaxed_swizzle. */
const RELAXED_SWIZZLE = 0x100;
/** f32x4 and f64x2.relaxed_madd and relaxed_nmadd, whose results depend on the processor. */
const RELAXED_MADD = [0x105, 0x106, 0x107, 0x108];

const opcodes = {
  relaxed: vectorOpcodes(moduleBytes(RELAXED_FILE)),
  plain: vectorOpcodes(moduleBytes(PLAIN_FILE)),
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('the code', () => {
  it('moves octets by relaxed_swizzle in the one alone', () => {
    expect(opcodes.relaxed).toContain(RELAXED_SWIZZLE);
    expect([...opcodes.plain].filter((code) => code >= RELAXED_SWIZZLE)).toEqual([]);
  });

  it('has no relaxed multiplication in either', () => {
    for (const found of Object.values(opcodes)) {
      expect(found.size).toBeGreaterThan(10);
      expect(RELAXED_MADD.filter((code) => found.has(code))).toEqual([]);
    }
  });

  it('has the same exports and imports nothing', () => {
    const [relaxed, plain] = [loadModule(RELAXED_FILE), loadModule(PLAIN_FILE)];
    expect(WebAssembly.Module.exports(plain)).toEqual(WebAssembly.Module.exports(relaxed));
    expect(WebAssembly.Module.imports(plain)).toEqual([]);
    expect(WebAssembly.Module.imports(relaxed)).toEqual([]);
  });
});

describe('the choice', () => {
  it('falls on the module with relaxed SIMD where the engine has it', () => {
    expect(moduleFile()).toBe(RELAXED_FILE);
  });

  it('falls on the twin elsewhere, by a probe that is well-formed', () => {
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(moduleFile()).toBe(PLAIN_FILE);
    const probe = validate.mock.calls[0]?.[0] as Uint8Array;
    expect([...vectorOpcodes(probe)]).toEqual([0x0f, RELAXED_SWIZZLE]);
  });
});

it('a day in chunks, singles and results: the same octets from both, given the same randomness', () => {
  const [keys, party] = [randomKeys(), randomParty()];
  const seed = crypto.getRandomValues(new Uint8Array(64));
  const day = { city: 'guiyang', parcels: 300, seed: 5, bad: 0.1, day: '2026-11-20' } as const;
  // The later half of the day would be refused, for it is not there yet.
  const records = [...generateDay(day)]
    .flatMap(({ record, raw }) => (raw === undefined ? [encodeRecord(record)] : []))
    .slice(0, 150);
  const run = (file: string) => {
    let draws = 0;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation(((view: Uint8Array) => {
      draws++;
      for (let i = 0; i < view.length; i++)
        view[i] = ((seed[i % 64] as number) + draws * 7 + i) & 255;
      return view;
    }) as never);
    const edge = new TestEdge(loadModule(file), keys);
    const { session } = edge;
    const out: unknown[] = [edge.startEpochs(party)];
    const made = edge.stream(party);
    const stream = opened(session.openStream(made.head, party, NOW));
    let { request, answer } = stream;
    out.push(stream.head, request, answer);
    for (let at = 0, chunk = 0; at < records.length; at += 50, chunk++) {
      const plaintext = concat(...records.slice(at, at + 50));
      const taken = opened(session.openChunk(request, made.seal(chunk, plaintext), false, NOW));
      request = taken.request;
      const stored = parseBatch(taken.batch).count;
      expect(stored).toBeGreaterThan(10);
      const outcomes = new Uint8Array(stored).fill(OUTCOMES.STORED);
      const results = session.sealResults(answer, taken.drafts, outcomes);
      answer = results.answer;
      out.push(taken, results);
    }
    out.push(session.sealSummary(answer, false));
    const single = edge.single(party, records[0] as Uint8Array);
    const submitted = opened(session.openSingle(single.body, party, NOW));
    out.push(submitted, session.answerSingle(submitted.context, OUTCOMES.STORED));
    vi.restoreAllMocks();
    return out;
  };
  expect(run(PLAIN_FILE)).toEqual(run(RELAXED_FILE));
});
