/** What there is to read for a pull, cut so that memory stays bounded. */
import type { ChainHead, Cursor } from '../wire/pull.ts';

/** Sequences from..to of one writer. */
export interface Span {
  writer: number;
  from: number;
  to: number;
}

/**
 * Everything after `cursor` up to `until`, in lists of up to `commits` commits, so that many small ones cost few queries.
 * Sequences have no gaps, so nothing needs to be looked up for it.
 */
export function* spans(
  cursor: Cursor,
  until: readonly ChainHead[],
  commits: number,
): Generator<Span[]> {
  let some: Span[] = [];
  let left = commits;
  for (const { writer, sequence } of [...until].sort((a, b) => a.writer - b.writer)) {
    let from = (cursor.get(writer) ?? 0) + 1;
    while (from <= sequence) {
      const to = Math.min(sequence, from + left - 1);
      some.push({ writer, from, to });
      left -= to - from + 1;
      from = to + 1;
      if (left > 0) continue;
      yield some;
      [some, left] = [[], commits];
    }
  }
  if (some.length > 0) yield some;
}

/** Runs of commits of up to `records` records, at least one commit each. */
export function* slices<T extends { rows: number }>(
  commits: readonly T[],
  records: number,
): Generator<T[]> {
  let slice: T[] = [];
  let rows = 0;
  for (const commit of commits) {
    if (slice.length > 0 && rows + commit.rows > records) {
      yield slice;
      [slice, rows] = [[], 0];
    }
    slice.push(commit);
    rows += commit.rows;
  }
  if (slice.length > 0) yield slice;
}
