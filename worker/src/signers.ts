/** Signers found lately, so that not every request asks the store. Whoever is not found is looked for anew each time. */
import type { ControlStore } from '../../db/control.ts';
import { hex } from './pipeline/digest.ts';
import { MAX_KNOWN_SIGNERS, SIGNER_REREAD_MS, SIGNER_STALE_MS } from './pipeline/limits.ts';
import { isRecent } from './pipeline/recent.ts';

type Found = Awaited<ReturnType<ControlStore['findSigner']>>;

interface Known {
  found: Found;
  /** When the store was asked for it. */
  askedMs: number;
  rereadMs: number;
}

export class KnownSigners implements Pick<ControlStore, 'findSigner'> {
  readonly #control: Pick<ControlStore, 'findSigner'>;
  readonly #clock: () => number;
  /** By hexadecimal key id, the longest known first. */
  readonly #known = new Map<string, Known>();

  /** @param clock milliseconds since 1970 */
  constructor(control: Pick<ControlStore, 'findSigner'>, clock: () => number) {
    this.#control = control;
    this.#clock = clock;
  }

  /** ControlStore.findSigner, at most SIGNER_STALE_MS old: that long, who is shut out may still be let in. */
  async findSigner(keyid: Uint8Array): Promise<Found> {
    const [name, now] = [hex(keyid), this.#clock()];
    const known = this.#known.get(name);
    const recent = known && isRecent(known.askedMs, now, SIGNER_STALE_MS);
    if (recent && now < known.rereadMs) return known.found;
    // Others go on with what is known meanwhile: a promise of one request must not be awaited by another.
    if (known) known.rereadMs = now + SIGNER_REREAD_MS;
    const found = await this.#control.findSigner(keyid);
    this.#remember(name, { found, askedMs: now, rereadMs: now + SIGNER_REREAD_MS });
    return found;
  }

  #remember(name: string, answer: Known): void {
    const known = this.#known.get(name);
    // Another request may have asked later and been answered before; but who is gone once is looked for anew.
    if (answer.found !== undefined && known && known.askedMs > answer.askedMs) return;
    this.#known.delete(name);
    if (answer.found === undefined) return;
    this.#known.set(name, answer);
    const [longest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN_SIGNERS) this.#known.delete(longest as string);
  }
}
