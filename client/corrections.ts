/**
 * Corrections: a record whose `replaces` names another one of the same enterprise stands in its place. Told from opened
 * records alone, offline, over any number of pulls and in whatever order they came.
 */
import type { Opened } from './open.ts';

/** All ids are UUID texts. */
export interface Correction {
  enterprise: string;
  /** The record that is replaced. */
  replaces: string;
  /** The record that stands in its place. */
  by: string;
  /** When the edge took the latter: ISO 8601, UTC. */
  acceptedAt: string;
}

export class Corrections {
  /** By enterprise and the id of what is replaced. */
  readonly #corrections = new Map<string, Correction>();

  /** @param known of earlier pulls */
  constructor(known: readonly Correction[] = []) {
    for (const correction of known) this.#add(correction);
  }

  get size(): number {
    return this.#corrections.size;
  }

  /** Takes note of a record. Masked views do not tell what they replace. */
  note(opened: Opened): void {
    if (opened.view !== 'full' || opened.record.replaces === undefined) return;
    const { id: by, enterprise, acceptedAt } = opened;
    this.#add({ enterprise, replaces: opened.record.replaces, by, acceptedAt });
  }

  /**
   * The record that stands in the place of another one; undefined when that one is current. Records that replace one another
   * in a circle are all current: whoever leaves replaced ones out must still see one for each.
   */
  replacedBy(enterprise: string, id: string): string | undefined {
    const first = this.#of(enterprise, id)?.by;
    const seen = new Set([id]);
    for (let next = first; next !== undefined; next = this.#of(enterprise, next)?.by) {
      if (seen.has(next)) return undefined;
      seen.add(next);
    }
    return first;
  }

  all(): Correction[] {
    return [...this.#corrections.values()];
  }

  #of(enterprise: string, id: string): Correction | undefined {
    return this.#corrections.get(`${enterprise} ${id}`);
  }

  /** Of several corrections of one record the one that was taken last counts. */
  #add(correction: Correction): void {
    const { enterprise, replaces, by, acceptedAt } = correction;
    const known = this.#of(enterprise, replaces);
    const later = (other: Correction) =>
      acceptedAt === other.acceptedAt ? by > other.by : acceptedAt > other.acceptedAt;
    if (known === undefined || later(known)) {
      this.#corrections.set(`${enterprise} ${replaces}`, correction);
    }
  }
}

/**
 * Opened records with `replacedBy` where another one stands in their place; their own corrections are noted first.
 * @param current leave replaced records out instead
 */
export function withCorrections<T extends Opened>(
  records: readonly T[],
  corrections: Corrections,
  current = false,
): T[] {
  for (const record of records) corrections.note(record);
  return records.flatMap((record) => {
    const replacedBy = corrections.replacedBy(record.enterprise, record.id);
    if (replacedBy === undefined) return [record];
    return current ? [] : [{ ...record, replacedBy }];
  });
}
