/** Signers found lately, so that not every request asks the store. Whoever is not found is looked for anew each time. */
import type { ControlStore } from '../../db/control.ts';
import { hex } from './pipeline/digest.ts';
import { MAX_KNOWN_SIGNERS, SIGNER_REREAD_MS } from './pipeline/limits.ts';

type Found = ReturnType<ControlStore['findSigner']>;

export class KnownSigners implements Pick<ControlStore, 'findSigner'> {
  readonly #control: Pick<ControlStore, 'findSigner'>;
  readonly #clock: () => number;
  /** By hexadecimal key id, the longest known first. */
  readonly #known = new Map<string, { found: Found; rereadMs: number }>();

  /** @param clock milliseconds since 1970 */
  constructor(control: Pick<ControlStore, 'findSigner'>, clock: () => number) {
    this.#control = control;
    this.#clock = clock;
  }

  /** ControlStore.findSigner, at most SIGNER_REREAD_MS old: that long, who is shut out may still be let in. */
  findSigner(keyid: Uint8Array): Found {
    const name = hex(keyid);
    const known = this.#known.get(name);
    if (known !== undefined && this.#clock() < known.rereadMs) return known.found;
    const found = this.#control.findSigner(keyid);
    this.#known.delete(name);
    this.#known.set(name, { found, rereadMs: this.#clock() + SIGNER_REREAD_MS });
    const forget = () => {
      if (this.#known.get(name)?.found === found) this.#known.delete(name);
    };
    found.then((signer) => signer === undefined && forget(), forget);
    if (this.#known.size > MAX_KNOWN_SIGNERS) {
      this.#known.delete(this.#known.keys().next().value as string);
    }
    return found;
  }
}
