/** `npm run bench`: all parts one after the other, their figures in one file. */
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_DIR } from '../client/service/bundle.ts';
import { goalRows } from './plot/goals.ts';
import { machine } from './shared/machine.ts';
import { BenchError, benchArguments, progress, runBench, table } from './shared/report.ts';
import type { Results } from './shared/results.ts';

const PARTS = ['wasm', 'open', 'ingest', 'growth'] as const;

await runBench(async () => {
  const { json, quick, values } = benchArguments('all', {
    out: 'where the figures go (bench/results/CPU-DATE.json)',
  });
  const parts: Record<string, unknown> = {};
  for (const part of PARTS) {
    progress(`bench:${part}`);
    parts[part] = JSON.parse(await runPart(part, quick));
  }
  const { wasm } = parts as unknown as Results;
  const on = machine(wasm.machine.openssl);
  const moduleBytes = statSync(join(PROJECT_DIR, 'wasm/build/sealpost.wasm')).size;
  const results = { machine: on, moduleBytes, ...parts } as unknown as Results;
  const name = `${on.cpu} ${on.cores} cores ${on.date}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const out = values.out ?? join(PROJECT_DIR, 'bench/results', `${name}.json`);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`);
  progress(`written: ${out}`);
  if (json) console.log(JSON.stringify(results));
  else console.log(table('Figures and goals', ['', 'measured', 'goal', ''], goalRows(results)));
});

/** Runs a part as a process of its own. @returns its one line on stdout */
function runPart(part: string, quick: boolean): Promise<string> {
  const args = [
    join(import.meta.dirname, part, 'main.ts'),
    '--json',
    ...(quick ? ['--quick'] : []),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill());
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new BenchError(`bench:${part} failed`));
    });
  });
}
