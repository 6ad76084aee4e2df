/**
 * Fills the index table behind the commits of all writers: one Durable Object, so that the work is done once and in large
 * pieces, and so that only one alarm is kept on disk.
 */
import { DurableObject } from 'cloudflare:workers';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { ParcelStore } from '../../db/parcels.ts';
import { isRecent } from './pipeline/recent.ts';

/** Parcels whose keyed indexes are moved into the index table at once. */
export const FILL_RECORDS = 40_000;

/** Milliseconds after which they are moved, however few they are. A lookup scans them until then. */
export const FILL_AFTER_MS = 10_000;

/** Name of the one filler of a store. */
const NAME = 'index';

export class IndexFiller extends DurableObject<{ DB: D1Database }> {
  readonly #store: ParcelStore = new D1ParcelStore(this.env.DB);

  /** Something was committed: it will be in the index table within about FILL_AFTER_MS. */
  async plan(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.#planAfter(FILL_AFTER_MS);
  }

  /** When it throws, it is run again. */
  override async alarm(): Promise<void> {
    const behind = await this.#store.fillIndexes(FILL_RECORDS, Date.now() - FILL_AFTER_MS);
    if (behind > 0) await this.#planAfter(behind < FILL_RECORDS ? FILL_AFTER_MS : 0);
  }

  async #planAfter(ms: number): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + ms);
  }
}

/** What a writer tells about its commits, at most once in FILL_AFTER_MS: the filler looks for itself what there is. */
export class FillingPlan {
  readonly #filler: DurableObjectStub<IndexFiller>;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(fillers: DurableObjectNamespace<IndexFiller>) {
    this.#filler = fillers.get(fillers.idFromName(NAME));
  }

  /** After a commit. Not awaited: lookups find what is not in the index table yet. */
  committed(): void {
    const now = Date.now();
    if (isRecent(this.#toldMs, now, FILL_AFTER_MS)) return;
    this.#toldMs = now;
    this.#filler.plan().catch(() => {
      this.#toldMs = Number.NEGATIVE_INFINITY;
    });
  }
}
