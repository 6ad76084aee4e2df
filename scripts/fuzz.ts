/**
 * Fuzzes the record path: `npm run fuzz -- [--seed S] [--executions N] [--seconds T]`.
 * The same seed makes the same inputs. A failure is told on stdout, with the seed and the input, and exits 1; nothing is
 * written anywhere else.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Fuzzer, FuzzFailure, type FuzzReport } from '../test/twin/fuzzer.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now()) },
    executions: { type: 'string' },
    seconds: { type: 'string' },
  },
});

/** Ten seconds when nothing is said. */
const executions = count(values.executions, Number.POSITIVE_INFINITY);
const seconds = count(values.seconds, values.executions ? Number.POSITIVE_INFINITY : 10);
const { seed } = values;

function count(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0)) {
    console.error('--executions and --seconds are positive numbers');
    process.exit(2);
  }
  return value;
}

const number = (value: number) => Math.round(value).toLocaleString('en');

function rate({ executions: done, seconds: took }: FuzzReport): string {
  return number(done / took);
}

const file = new URL('../wasm/build/sealpost.wasm', import.meta.url);
const module = new WebAssembly.Module(readFileSync(file));
console.log(`seed ${seed}`);
// The twin refuses by throwing; nobody reads where.
Error.stackTraceLimit = 0;
try {
  const report = new Fuzzer(module, seed).run({
    ...{ seed, executions, seconds },
    progress: process.stdout.isTTY
      ? (now) => process.stdout.write(`\r${number(now.executions)} executions, ${rate(now)}/s `)
      : undefined,
  });
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  console.log(
    [
      `executions      ${number(report.executions)} in ${report.seconds.toFixed(1)} s, ${rate(report)}/s`,
      `  checkRecord   ${number(report.checks)}`,
      `  openChunk     ${number(report.chunks)}`,
      `  openSingle    ${number(report.singles)}`,
      `  forged        ${number(report.forgeries)}`,
      `records sealed  ${number(report.records)} in chunks and singles; accepted in all ${number(report.accepted)}`,
      `valid between   ${number(report.valid)}, all accepted`,
      `twin agreed     ${number(report.compared)} times`,
      `memory scanned  ${number(report.scans)} times, nothing left`,
      `outcomes        ${number(report.outcomes)} different, corpus ${number(report.corpus)}`,
      'no trap, no failure',
    ].join('\n'),
  );
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.log(`\nFAILED: ${error.message}`);
  console.log(`seed ${seed}, execution ${error.execution}, ${error.call}`);
  console.log(`input ${Buffer.from(error.input).toString('hex')}`);
  process.exitCode = 1;
}
