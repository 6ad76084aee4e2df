/** The compiled WebAssembly module, for all that seals and opens: found by itself, made once. */
import { moduleFile } from '../wasm/host/module-file.ts';
import { ParcelOpener } from '../wasm/host/opener.ts';
import { Sender } from '../wasm/host/sender.ts';
import { MAX_CLOCK_SKEW_S } from '../wire/limits.ts';

/** What Node and browsers have of WebAssembly: the types of Workers, where nothing is compiled at run time, lack it. */
const engine = WebAssembly as unknown as {
  Module: new (bytes: Uint8Array) => WebAssembly.Module;
  compileStreaming(source: Promise<Response>): Promise<WebAssembly.Module>;
};

let compiled: WebAssembly.Module | undefined;
let sender: Sender | undefined;
let opener: ParcelOpener | undefined;

/**
 * The module at once. In Node it is read from its file.
 * @throws Error elsewhere, unless `loadModule` or `setModule` came before
 */
export function clientModule(): WebAssembly.Module {
  // By name and not by import, so that bundles for browsers hold nothing of Node.
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  compiled ??= fs && new engine.Module(fs.readFileSync(moduleUrl()));
  if (compiled === undefined) throw new Error('await loadModule() before');
  return compiled;
}

/**
 * The module, fetched from beside this file where there is no Node.
 * @param url where a bundle has put wasm/build/sealpost.wasm, or its twin for engines without relaxed SIMD
 */
export async function loadModule(url?: string | URL): Promise<WebAssembly.Module> {
  if (compiled !== undefined) return compiled;
  if (url === undefined && globalThis.process?.getBuiltinModule !== undefined)
    return clientModule();
  compiled = await engine.compileStreaming(fetch(url ?? moduleUrl()));
  return compiled;
}

/** Sets a module that was compiled elsewhere. */
export function setModule(module: WebAssembly.Module): void {
  compiled = module;
}

/** What seals all submissions and streams of this process. */
export async function loadSender(): Promise<Sender> {
  sender ??= new Sender(await loadModule());
  return sender;
}

/**
 * What opens all parcels of this process. Isolates of one edge see time pass at different moments, so a parcel's time may lie
 * outside its epoch by as much as clocks may differ.
 * @throws Error as `clientModule` does
 */
export function parcelOpener(): ParcelOpener {
  opener ??= new ParcelOpener(clientModule(), MAX_CLOCK_SKEW_S * 1000);
  return opener;
}

function moduleUrl(): URL {
  return new URL(`../wasm/build/${moduleFile()}`, (import.meta as { url: string }).url);
}
