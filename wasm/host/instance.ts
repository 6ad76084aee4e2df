/** An instance of the module for clients: fields in, a result out, nothing left in between. */
import { IN_BYTES, OUT_BYTES, RANDOM_BYTES } from './abi.gen.ts';

export interface ClientExports {
  memory: WebAssembly.Memory;
  IN: WebAssembly.Global;
  OUT: WebAssembly.Global;
  RANDOM: WebAssembly.Global;
  drawInstanceKey(): void;
}

/** The module trapped; a new instance has taken its place, to which contexts of the old one mean nothing. */
export class InstanceTrap extends Error {
  constructor() {
    super('the module trapped');
    this.name = 'InstanceTrap';
  }
}

export class ClientInstance<Exports extends ClientExports> {
  readonly #module: WebAssembly.Module;
  #exports!: Exports;
  #memory!: Uint8Array<ArrayBuffer>;
  #in = 0;
  #out = 0;

  /** @param module wasm/build/sealpost.wasm or its twin */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#start();
  }

  get exports(): Exports {
    return this.#exports;
  }

  /** Runs a call of the module. A trap zeroes the instance and replaces it. @throws InstanceTrap */
  call<T>(run: (exports: Exports) => T): T {
    try {
      return run(this.#exports);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#memory.fill(0);
      this.#start();
      throw new InstanceTrap();
    }
  }

  /** The same, with fresh randomness for the call. */
  callRandom<T>(run: (exports: Exports) => T): T {
    this.#draw();
    return this.call(run);
  }

  /**
   * Writes the parts one behind the other to the input buffer.
   * @returns their length @throws RangeError when they do not fit; nothing is then written
   */
  write(...parts: readonly Uint8Array[]): number {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > IN_BYTES) throw new RangeError('input exceeds the input buffer');
    let at = this.#in;
    for (const part of parts) {
      this.#memory.set(part, at);
      at += part.length;
    }
    return length;
  }

  /** The output buffer itself, for calls that work on it in place: whoever writes there wipes it. */
  get output(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(this.#out, this.#out + OUT_BYTES);
  }

  /** A copy of [from, to) of the output buffer. */
  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#memory.slice(this.#out + from, this.#out + to);
  }

  /** A copy of [from, to) of the output buffer, which is wiped there: for plaintext. */
  take(from: number, to: number): Uint8Array<ArrayBuffer> {
    const bytes = this.read(from, to);
    this.#memory.fill(0, this.#out + from, this.#out + to);
    return bytes;
  }

  #start(): void {
    const instance = new WebAssembly.Instance(this.#module);
    this.#exports = instance.exports as unknown as Exports;
    // Valid for good: the module's memory never grows.
    this.#memory = new Uint8Array(this.#exports.memory.buffer as ArrayBuffer);
    this.#in = this.#exports.IN.value as number;
    this.#out = this.#exports.OUT.value as number;
    this.#draw();
    this.#exports.drawInstanceKey();
  }

  /** Straight from the platform's generator into the module's memory; the module takes and zeroes it. */
  #draw(): void {
    const at = this.#exports.RANDOM.value as number;
    crypto.getRandomValues(this.#memory.subarray(at, at + RANDOM_BYTES));
  }
}
