/** The shipped WebAssembly module, for tests in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { Primitives } from '../../wasm/host/primitives.ts';

const FILE = new URL('../../wasm/build/sealpost.wasm', import.meta.url);

/** The compiled module. Throws when it has not been built. */
export function loadModule(): WebAssembly.Module {
  if (!existsSync(FILE)) {
    throw new Error('wasm/build/sealpost.wasm is missing: run npm run build:wasm');
  }
  return new WebAssembly.Module(readFileSync(FILE));
}

/** A new instance with its primitives, and what tests need to look behind them. */
export function newInstance() {
  const instance = new WebAssembly.Instance(loadModule(), {});
  const { memory, IN, OUT } = instance.exports;
  const bytes = new Uint8Array((memory as WebAssembly.Memory).buffer);
  const [inAt, outAt] = [IN, OUT].map((at) => Number((at as WebAssembly.Global).value)) as [
    number,
    number,
  ];
  return {
    primitives: new Primitives(instance),
    /** All of its memory. */
    memory: bytes,
    /** Where results come to lie. */
    outAt,
    /** Calls an export itself, with the fields joined in its input buffer. */
    call(name: string, parameters: (number | bigint)[], ...fields: Uint8Array[]): number {
      bytes.set(Buffer.concat(fields), inAt);
      return (instance.exports[name] as (...parameters: (number | bigint)[]) => number)(
        ...parameters,
      );
    },
  };
}

/** The first place where the memory holds `needle`; -1 when it is nowhere. */
export function findInMemory(memory: Uint8Array, needle: Uint8Array): number {
  return Buffer.from(memory.buffer, memory.byteOffset, memory.length).indexOf(needle);
}
