/**
 * Bounds how many long answers are under way at once, in all and for each party: each holds rows that wait to be read.
 * A client that resets its connection is not announced to us, so whoever has taken nothing for a while counts as gone.
 */
import { Failure } from './failure.ts';

export interface GateLimits {
  /** Answers under way at once. */
  all: number;
  /** Of them, for one party. */
  each: number;
  /** Milliseconds after which one that takes nothing is given up. */
  idleMs: number;
}

/** A place in the gate, held while its answer goes on. */
export interface Pass {
  /** The reader has taken something. @throws Failure unavailable when it had been given up */
  used(): void;
  leave(): void;
}

interface Holder {
  party: string;
  lastMs: number;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #clock: () => number;
  readonly #holders = new Set<Holder>();

  constructor(limits: GateLimits, clock: () => number) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @throws Failure unavailable when there is no place now */
  enter(party: string): Pass {
    const now = this.#clock();
    for (const holder of this.#holders) {
      if (now - holder.lastMs > this.#limits.idleMs) this.#holders.delete(holder);
    }
    const own = [...this.#holders].filter((holder) => holder.party === party).length;
    if (this.#holders.size >= this.#limits.all || own >= this.#limits.each) {
      throw new Failure('unavailable');
    }
    const holder = { party, lastMs: now };
    this.#holders.add(holder);
    return {
      used: () => {
        if (!this.#holders.has(holder)) throw new Failure('unavailable');
        holder.lastMs = this.#clock();
      },
      leave: () => {
        this.#holders.delete(holder);
      },
    };
  }
}
