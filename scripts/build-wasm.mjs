/** Builds the WebAssembly module: `node scripts/build-wasm.mjs [entry] [outfile]`. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import asc from 'assemblyscript/asc';

const entry = process.argv[2] ?? 'wasm/assembly/index.ts';
const outFile = process.argv[3] ?? 'wasm/build/sealpost.wasm';
mkdirSync(dirname(outFile), { recursive: true });

const { error, stderr } = await asc.main([
  entry,
  ...['--outFile', outFile],
  ...['--runtime', 'stub', '--enable', 'simd', '-O3', '--converge', '--noAssert'],
  // No imports at all: what would call `abort` traps instead, and the host drops the instance.
  ...['--use', 'abort='],
  // Fixed memory: growing it would detach the host's views, and input must never decide how much there is.
  ...['--initialMemory', '16', '--maximumMemory', '16'],
]);
if (error) {
  console.error(stderr.toString());
  console.error(error.message);
  process.exit(1);
}
