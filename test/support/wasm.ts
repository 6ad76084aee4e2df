/** The shipped WebAssembly module and its twin, for tests in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { Primitives } from '../../wasm/host/primitives.ts';

const BUILD = new URL('../../wasm/build/', import.meta.url);

/** The octets of a module. Throws when it has not been built. */
export function moduleBytes(file = RELAXED_FILE): Uint8Array<ArrayBuffer> {
  const url = new URL(file, BUILD);
  if (!existsSync(url)) throw new Error(`wasm/build/${file} is missing: run npm run build:wasm`);
  return new Uint8Array(readFileSync(url));
}

/** The compiled module, the one of the edge unless another is named. Throws when it has not been built. */
export function loadModule(file = RELAXED_FILE): WebAssembly.Module {
  return new WebAssembly.Module(moduleBytes(file));
}

/** A new instance with its primitives, and what tests need to look behind them. */
export function newInstance(file = RELAXED_FILE) {
  const instance = new WebAssembly.Instance(loadModule(file), {});
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
