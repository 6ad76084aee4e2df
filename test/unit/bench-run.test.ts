/** Every part of the benchmarks runs and gives one object with the figures that it promises. Its figures mean nothing here. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

async function bench(part: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [
    `bench/${part}/main.ts`,
    ...['--quick', '--json'],
    ...args,
  ]);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Builds, services and clients on the cores that other tests use as well. */
const PATIENCE_MS = 240_000;

const FIGURES = [
  ...['recordsPerSecond', 'plainRecordsPerSecond', 'bestPlainRecordsPerSecond', 'ratio'],
  ...['ratioBestPlain', 'daySeconds', 'indexedSeconds', 'singlesPerSecond'],
  ...['singlesOneCompanyPerSecond', 'p50Ms', 'p99Ms', 'p999Ms', 'peakRssMb'],
];

describe('benchmarks', () => {
  it('wasm: every variant agrees with every other', { timeout: PATIENCE_MS }, async () => {
    const result = await bench('wasm');
    const ratios = result.ratios as Record<string, number>;
    const native = ['vsOpenSSLChaChaMessage', 'vsOpenSSLChaChaChunk', 'vsOpenSSLAesGcm'];
    const wanted = ['vsNoble', 'workerdVsNode', ...(result.opensslMissing ? [] : native)];
    for (const name of wanted) expect(ratios[name], name).toBeGreaterThan(0);
    const variants = result.variants as { name: string; runtime: string; nsPerRecord: object }[];
    const names = new Set(variants.map(({ name, runtime }) => `${name}, ${runtime}`));
    for (const way of ['pipeline', 'noble', 'webcrypto']) {
      for (const runtime of ['node', 'workerd']) expect(names).toContain(`${way}, ${runtime}`);
    }
    for (const way of ['libsodium', 'hpke']) expect(names).toContain(`${way}, node`);
    for (const { nsPerRecord } of variants) {
      expect(Object.keys(nsPerRecord)).toEqual(['min', 'median', 'max']);
      for (const ns of Object.values(nsPerRecord)) expect(ns).toBeGreaterThan(0);
    }
  });

  it('ingest: everything that is sent is stored', { timeout: PATIENCE_MS }, async () => {
    const result = await bench('ingest', '--store', 'd1');
    expect(result.store).toBe('d1');
    for (const name of FIGURES) expect(result[name], name).toBeGreaterThan(0);
    expect(result.ways).toHaveLength(3);
  });

  it('open: every way opens to the same', { timeout: PATIENCE_MS }, async () => {
    const result = await bench('open');
    for (const name of ['recordsPerSecond', 'ndjsonRecordsPerSecond', 'vsNoble']) {
      expect(result[name], name).toBeGreaterThan(0);
    }
  });

  it('growth: the cost at each size', { timeout: PATIENCE_MS }, async () => {
    const result = await bench('growth');
    const stages = result.stages as { stored: number }[];
    expect(stages.map(({ stored }) => stored)).toEqual([500, 2_000]);
    expect(result.flatWithin).toBeGreaterThanOrEqual(0);
  });

  it.each([
    { part: 'ingest', args: ['--store', 'none'], code: 1 },
    { part: 'ingest', args: ['--records', '0'], code: 1 },
    { part: 'open', args: ['--no-such-option'], code: 2 },
  ])('$part refuses $args', async ({ part, args, code }) => {
    const failure = await bench(part, ...args).catch((error: { code: number }) => error);
    expect(failure).toMatchObject({ code, stdout: '' });
  });
});
