/** The demo as a user starts it: the whole path, judged by a process of its own. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ended, sealpost, startSealpost } from '../support/sealpost.ts';

describe('demo', () => {
  it('takes 500 parcels from the companies to the regulator', async () => {
    const { code, stdout, stderr } = await sealpost(['demo', '--parcels', '500', '--json']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ parcels: 500, mismatches: 0, plaintextHits: 0, hits: [] });
    expect(report.refused).toBeGreaterThan(0);
    expect(report.refusedAsExpected).toBe(report.refused);
    expect(report.stored + report.refused).toBe(500);
    expect(report.opened).toBe(report.stored);
    expect(report.valuesSearched).toBeGreaterThan(2_000);
    expect(report.bytesSearched).toBeGreaterThan(500_000);
    expect(report.seconds).toBeGreaterThan(0);
    expect(report.recordsPerSecond).toBeGreaterThan(0);
    if (process.platform === 'linux') expect(report.peakRssMb).toBeGreaterThan(10);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('leaves nothing behind, not even when it is interrupted', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('sealpost-demo-'));
    const child = startSealpost(['demo', '--parcels', '100000']);
    const end = ended(child);
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (text: string) => {
        if (text.includes('[4/6]')) resolve();
      });
    });
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('sealpost-demo-'));
    expect(after).toEqual(before);
  });
});
