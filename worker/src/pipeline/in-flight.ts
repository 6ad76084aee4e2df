/** Bounds what an isolate holds of batches that are not committed yet, whoever sent them. */
import { IN_FLIGHT_BYTES } from './limits.ts';

/** A batch is at most so many times as long as what it was sealed in: the smallest records take the smallest buckets. */
const GROWTH = 10;

/** Milliseconds between two looks: what another request waits for can't be awaited here. */
const LOOK_MS = 10;

export class InFlight {
  #bytes = 0;

  /** No more is to be taken in now. */
  get full(): boolean {
    return this.#bytes >= IN_FLIGHT_BYTES;
  }

  /**
   * Counts what is about to be opened.
   * @param length octets, sealed
   * @returns call it once when its batch is committed, or is not to be
   */
  take(length: number): () => void {
    this.#bytes += length * GROWTH;
    return () => {
      this.#bytes -= length * GROWTH;
    };
  }

  /** Waits until there is room. @param own what the caller itself waits for, if anything: it is awaited first */
  async room(own: () => Promise<void> | undefined): Promise<void> {
    while (this.full) await (own() ?? new Promise((resolve) => setTimeout(resolve, LOOK_MS)));
  }
}
