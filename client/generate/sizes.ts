/**
 * How large encoded records are: what the size buckets of sealed parcels are chosen on. Run as a script it prints the
 * distribution over a generated day: `node client/generate/sizes.ts [parcels] [seed]`.
 */
import { encodeRecord } from '../../wire/record.ts';
import { type GeneratedLine, generateDay } from './day.ts';

export interface SizeDistribution {
  count: number;
  mean: number;
  /** Octets at each of PERCENTILES: so many per cent of the records are at most this long. */
  percentiles: ReadonlyMap<number, number>;
  /** Number of records by the upper bound of their step of HISTOGRAM_STEP octets. */
  histogram: ReadonlyMap<number, number>;
}

export const PERCENTILES = [1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100] as const;
export const HISTOGRAM_STEP = 16;

/** Sizes of the CBOR of the good lines, in octets. */
export function sizeDistribution(lines: Iterable<GeneratedLine>): SizeDistribution {
  const sizes: number[] = [];
  for (const { record, expect } of lines) {
    if (expect === undefined) sizes.push(encodeRecord(record).length);
  }
  sizes.sort((a, b) => a - b);
  const histogram = new Map<number, number>();
  for (const size of sizes) {
    const bound = Math.ceil(size / HISTOGRAM_STEP) * HISTOGRAM_STEP;
    histogram.set(bound, (histogram.get(bound) ?? 0) + 1);
  }
  const at = (percent: number): number =>
    sizes[Math.max(0, Math.ceil((percent / 100) * sizes.length) - 1)] ?? 0;
  return {
    count: sizes.length,
    mean: sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length),
    percentiles: new Map(PERCENTILES.map((percent) => [percent, at(percent)])),
    histogram,
  };
}

/** The distribution as text: percentiles, then one line a step with a bar. */
export function formatSizes({ count, mean, percentiles, histogram }: SizeDistribution): string {
  const lines = [`${count} records, mean ${mean.toFixed(1)} octets`];
  for (const [percent, size] of percentiles)
    lines.push(`p${percent}`.padEnd(6) + String(size).padStart(6));
  const most = Math.max(1, ...histogram.values());
  for (const [bound, number] of histogram) {
    const bar = '#'.repeat(Math.ceil((number / most) * 50));
    lines.push(`<= ${String(bound).padStart(4)} ${String(number).padStart(7)} ${bar}`);
  }
  return lines.join('\n');
}

if (import.meta.main) {
  const [parcels = '20000', seed = '1'] = process.argv.slice(2);
  const day = new Date().toISOString().slice(0, 10);
  const lines = generateDay({ city: 'guiyang', parcels: Number(parcels), seed, bad: 0, day });
  process.stdout.write(`${formatSizes(sizeDistribution(lines))}\n`);
}
