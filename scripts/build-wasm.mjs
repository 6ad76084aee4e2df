/**
 * Builds the WebAssembly module and its twin without relaxed SIMD: `node scripts/build-wasm.mjs`.
 * One of them, from another entry or to another file: `node scripts/build-wasm.mjs ENTRY OUTFILE [--plain]`.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';

const ENTRY = 'wasm/assembly/index.ts';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { plain: { type: 'boolean', default: false } },
});
const [entry = ENTRY, outFile] = positionals;

if (outFile) {
  await build(entry, outFile, values.plain);
} else {
  await build(entry, 'wasm/build/sealpost.wasm', false);
  await build(entry, 'wasm/build/sealpost-simd.wasm', true);
}

/** @param plain for engines that have SIMD but not relaxed SIMD */
async function build(entry, outFile, plain) {
  mkdirSync(dirname(outFile), { recursive: true });
  const { error, stderr } = await asc.main([
    entry,
    ...['--outFile', outFile],
    ...['--runtime', 'stub', '--enable', 'simd', '-O3', '--converge', '--noAssert'],
    ...(plain ? [] : ['--enable', 'relaxed-simd']),
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
}
