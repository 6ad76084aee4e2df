/** The WebAssembly module from its file, for programs on Node. */
import { readFileSync } from 'node:fs';
import { moduleFile } from '../wasm/host/module-file.ts';

const BUILD = new URL('../wasm/build/', import.meta.url);

/** An instance of its own, for canonical values and verdicts (wasm/host/check.ts). @throws Error when it is not built */
export function loadWasm(): WebAssembly.Instance {
  return new WebAssembly.Instance(
    new WebAssembly.Module(readFileSync(new URL(moduleFile(), BUILD))),
  );
}
