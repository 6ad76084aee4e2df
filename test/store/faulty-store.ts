/** A store whose appends fail as they are told to, and can be held back. */
import type { CommitInput, ParcelStore } from '../../db/parcels.ts';
import type { AppendStore } from '../../worker/src/commit-queue.ts';

/** What becomes of an append: it goes well, fails before anything is stored, or fails although all was stored. */
export type Fate = 'ok' | 'failed, not saved' | 'failed, but saved';

export class FaultyStore implements AppendStore {
  readonly #store: ParcelStore;
  readonly #fates: Fate[];
  #gate: Promise<void> = Promise.resolve();
  /** Every append that was tried. */
  readonly appends: CommitInput[] = [];
  /** Commits of each call of `appendAll`. */
  readonly transactions: number[] = [];
  /** How often a writer was opened. */
  opened = 0;

  /** @param fates of the appends in order; those after the last go well */
  constructor(store: ParcelStore, fates: readonly Fate[] = []) {
    this.#store = store;
    this.#fates = [...fates];
  }

  /** Holds appends back until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  openWriter: ParcelStore['openWriter'] = (key) => {
    this.opened++;
    return this.#store.openWriter(key);
  };

  append: ParcelStore['append'] = async (key, head, commit) => {
    this.appends.push(commit);
    const fate = this.#fates.shift() ?? 'ok';
    await this.#gate;
    if (fate === 'failed, not saved') throw new Error(fate);
    const done = await this.#store.append(key, head, commit);
    if (fate === 'failed, but saved') throw new Error(fate);
    return done;
  };

  appendAll: ParcelStore['appendAll'] = (appends) => {
    this.transactions.push(appends.length);
    return Promise.allSettled(
      appends.map(({ key, head, commit }) => this.append(key, head, commit)),
    );
  };
}
