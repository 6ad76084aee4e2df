/** The parts of the benchmarks that can be wrong without anybody seeing it: statistics, verdicts, the octets that are handed over. */
import { describe, expect, it } from 'vitest';
import { goalRows } from '../../bench/plot/goals.ts';
import { percentile } from '../../bench/shared/percentile.ts';
import { FIXED_NOW, paddedRecord, records } from '../../bench/shared/records.ts';
import type { Results } from '../../bench/shared/results.ts';
import { spread, timeRounds, timesAsFast } from '../../bench/shared/rounds.ts';
import { decodeWork, encodeWork, parcelNonce, unitNonce } from '../../bench/wasm/work.ts';
import { checkRecord } from '../../wasm/host/check.ts';
import { loadModule } from '../support/wasm.ts';

describe('statistics', () => {
  it.each([
    { values: [3], expected: { min: 3, median: 3, max: 3 } },
    { values: [5, 1, 3], expected: { min: 1, median: 3, max: 5 } },
    { values: [4, 1, 3, 2], expected: { min: 1, median: 2.5, max: 4 } },
  ])('spread of $values', ({ values, expected }) => {
    expect(spread(values)).toEqual(expected);
  });

  it.each([
    { fraction: 0.5, expected: 50 },
    { fraction: 0.99, expected: 99 },
    { fraction: 0.999, expected: 100 },
    { fraction: 1, expected: 100 },
  ])('percentile $fraction of 1 to 100', ({ fraction, expected }) => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(sorted, fraction)).toBe(expected);
  });

  it('compares within each round, not medians with each other', () => {
    const samples = new Map([
      ['ours', [1, 10, 2]],
      ['other', [2, 30, 8]],
    ]);
    expect(timesAsFast(samples, 'ours', 'other')).toEqual({ min: 2, median: 3, max: 4 });
    expect(timesAsFast(samples, 'ours', 'nobody')).toBeUndefined();
  });

  it('times every variant in every round, each round beginning with another', async () => {
    const order: string[] = [];
    let counting = false;
    const variants = ['a', 'b', 'c'].map((name) => ({
      ...{ name, items: 2 },
      run: (passes: number) => {
        if (counting) order.push(name);
        return passes * 1e6;
      },
    }));
    const samples = await timeRounds(variants, {
      ...{ rounds: 3, sampleMs: 4 },
      onRound: () => {
        counting = true;
      },
    });
    expect(order.join('')).toBe('abcbcacab');
    expect([...samples.values()]).toEqual([0, 1, 2].map(() => [500_000, 500_000, 500_000]));
  });
});

describe('work', () => {
  it('comes back from its octets as it was', () => {
    const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
    const work = {
      ...{ key: bytes(32, 1), baseNonce: bytes(12, 2), fullKey: bytes(32, 3) },
      ...{ maskedKey: bytes(32, 4), indexKeys: [5, 6, 7, 8, 9].map((i) => bytes(32, i)) },
      units: [{ first: 0, count: 1, sealed: bytes(20, 10), plain: bytes(4, 11) }],
      items: [
        {
          ...{ content: bytes(7, 12), values: [3, 0, 2, 1].map((length) => bytes(length, 13)) },
          ...{ fullAad: bytes(144, 14), full: bytes(448, 15) },
          ...{ maskedAad: bytes(80, 16), masked: bytes(320, 17) },
        },
      ],
    };
    expect(decodeWork(encodeWork(work))).toEqual(work);
  });

  it.each([
    { index: 0, last: [0, 0, 0, 7] },
    { index: 1, last: [0, 0, 0, 6] },
    { index: 0x1234, last: [0, 0, 0x12, 0x33] },
  ])('nonce of unit $index', ({ index, last }) => {
    const base = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 7);
    expect([...unitNonce(base, index)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, ...last]);
  });

  it('nonce of a parcel is its position', () => {
    const aad = Uint8Array.from({ length: 80 }, (_, i) => i);
    expect([...parcelNonce(aad)]).toEqual([0, 0, 0, 0, 26, 27, 28, 29, 30, 31, 32, 33]);
  });

  it('padded records have 420 octets and are acceptable', () => {
    const module = new WebAssembly.Instance(loadModule());
    const padded = [...records(400)].flatMap((record) => paddedRecord(record, 420) ?? []);
    expect(padded.length).toBeGreaterThan(300);
    for (const cbor of padded) {
      expect(cbor.length).toBe(420);
      expect(checkRecord(module, cbor, FIXED_NOW).refusal).toBe(0);
    }
  });
});

describe('goals', () => {
  const results = (changes: { ratio?: number; records?: number; p99Ms?: number }) =>
    ({
      moduleBytes: 131_072,
      wasm: { ratios: { vsNoble: 25, workerdVsNode: 0.8 } },
      ingest: { ratio: 1.5, ratioBestPlain: 0.7, records: 160_000, daySeconds: 7, ...changes },
      open: { recordsPerSecond: 300_000, vsNoble: 10 },
      growth: { flatWithin: 0.3, peakRssMb: 200 },
    }) as unknown as Results;
  const verdictOf = (name: string, of: Results) =>
    goalRows(of).find(([each]) => each?.startsWith(name))?.[3];

  it.each([
    { name: 'pipeline against noble', given: {}, verdict: 'reached' },
    { name: 'pipeline in workerd against', given: {}, verdict: 'missed' },
    { name: 'pipeline against OpenSSL ChaCha20', given: {}, verdict: 'not measured' },
    { name: 'sealed stream against the plain', given: {}, verdict: 'reached' },
    { name: 'sealed stream against the plain', given: { ratio: 1.49 }, verdict: 'missed' },
    { name: 'a sealed day', given: {}, verdict: 'reached' },
    { name: 'a sealed day', given: { records: 1_000 }, verdict: 'not measured' },
    { name: 'cost of a record', given: {}, verdict: 'missed' },
    { name: 'sealpost.wasm', given: {}, verdict: 'reached' },
    { name: 'offline opening against noble', given: {}, verdict: '' },
  ])('$name with $given: $verdict', ({ name, given, verdict }) => {
    expect(verdictOf(name, results(given))).toBe(verdict);
  });
});
