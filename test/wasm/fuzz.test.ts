/** The fuzzer in short (docs/testing.md tells of the long run), and that it finds what it is for. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModule } from '../support/wasm.ts';
import { Fuzzer, FuzzFailure } from '../twin/fuzzer.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The module with some octets changed. */
function spoiled(octets: number[], change: (found: Uint8Array) => void): WebAssembly.Module {
  const bytes = readFileSync(new URL('../../wasm/build/sealpost.wasm', import.meta.url));
  const at = bytes.indexOf(Uint8Array.from(octets));
  expect(at).toBeGreaterThan(0);
  change(bytes.subarray(at, at + octets.length));
  return new WebAssembly.Module(bytes);
}

function failureOf(module: WebAssembly.Module): FuzzFailure | undefined {
  try {
    new Fuzzer(module, '1').run({ seed: '1', executions: 50_000, seconds: 20 });
    return undefined;
  } catch (error) {
    if (error instanceof FuzzFailure) return error;
    throw error;
  }
}

describe('fuzzing the record path', () => {
  it.each(['1', '2'])('finds nothing in a short run from seed %s', (seed) => {
    const report = new Fuzzer(loadModule(), seed).run({ seed, executions: 60_000, seconds: 10 });
    expect(report.executions).toBeGreaterThan(10_000);
    const { checks, chunks, singles, forgeries, valid } = report;
    for (const count of [checks, chunks, singles, forgeries]) expect(count).toBeGreaterThan(0);
    expect(valid).toBeGreaterThan(report.executions * 0.99);
    expect(report.outcomes).toBeGreaterThan(200);
    expect(report.accepted).toBeGreaterThan(1_000);
  });

  it('does the same again from the same seed', () => {
    const run = () => {
      const { seconds: _, ...report } = new Fuzzer(loadModule(), 'again').run({
        ...{ seed: 'again', executions: 4_000, seconds: 60 },
      });
      return report;
    };
    expect(run()).toEqual(run());
  });

  it('finds a wrong weight of GB 32100 by the twin, and gives the input', () => {
    const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    const failure = failureOf(spoiled(weights, (found) => found.fill(5, 3, 4)));
    expect(failure?.message).toContain('the twin says');
    expect(failure?.input.length).toBeGreaterThan(0);
    expect(failure?.execution).toBeGreaterThan(0);
  });

  it('is a command that prints what it did, on stdout alone', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/fuzz.ts', '--seed', '7', '--executions', '3000'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('seed 7\nexecutions      3,000 in ');
    expect(stdout).toContain('no trap, no failure');
    const wrong = spawnSync(process.execPath, ['scripts/fuzz.ts', '--executions', 'many'], {
      ...{ cwd: ROOT, encoding: 'utf8' },
    });
    expect(wrong.status).toBe(2);
  });
});
