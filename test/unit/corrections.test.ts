import { describe, expect, it } from 'vitest';
import { Corrections, withCorrections } from '../../client/corrections.ts';
import type { Opened } from '../../client/open.ts';
import { validRecord } from '../support/records.ts';

const [E, F] = ['e', 'f'];

function opened(id: string, replaces?: string, enterprise = E, second = 0): Opened {
  const record = validRecord(Date.now(), { ...(replaces && { replaces }) });
  const acceptedAt = new Date(second * 1000).toISOString();
  return { id, enterprise, city: 520100, acceptedAt, flags: [], view: 'full', record };
}

/** What is replaced by what, in this order of coming. */
function replaced(...records: Opened[]): Record<string, string> {
  const marked = withCorrections(records, new Corrections());
  return Object.fromEntries(
    marked.flatMap(({ id, replacedBy }) => (replacedBy === undefined ? [] : [[id, replacedBy]])),
  );
}

describe('corrections', () => {
  const chain = [opened('a'), opened('b', 'a'), opened('c', 'b')];

  it('name the next one of a chain, whatever came first', () => {
    const expected = { a: 'b', b: 'c' };
    expect(replaced(...chain)).toEqual(expected);
    expect(replaced(...chain.toReversed())).toEqual(expected);
  });

  it('are those of the same enterprise', () => {
    expect(replaced(opened('a'), opened('b', 'a', F))).toEqual({});
    expect(replaced(opened('a'), opened('a', undefined, F), opened('b', 'a'))).toEqual({ a: 'b' });
  });

  it('of one record: the one taken last counts', () => {
    const [early, late] = [opened('b', 'a', E, 1), opened('c', 'a', E, 2)];
    for (const two of [
      [early, late],
      [late, early],
    ] as const) {
      expect(replaced(opened('a'), ...two)).toEqual({ a: 'c' });
    }
    const [one, other] = [opened('b', 'a'), opened('c', 'a')];
    expect(replaced(one, other, opened('a'))).toEqual(replaced(other, one, opened('a')));
  });

  it('in a circle hide nothing', () => {
    expect(replaced(opened('a', 'b'), opened('b', 'a'))).toEqual({});
    expect(replaced(opened('a', 'a'))).toEqual({});
  });

  it('are known again from what was kept', () => {
    const kept = new Corrections();
    for (const record of chain) kept.note(record);
    const again = new Corrections(JSON.parse(JSON.stringify(kept.all())));
    expect([again.size, again.replacedBy(E, 'a'), again.replacedBy(E, 'c')]).toEqual([
      ...[2, 'b', undefined],
    ]);
  });

  it('leave replaced records out on demand, and never the last of them', () => {
    const current = withCorrections(chain, new Corrections(), true);
    expect(current.map(({ id }) => id)).toEqual(['c']);
    const circle = [opened('a', 'b'), opened('b', 'a')];
    expect(withCorrections(circle, new Corrections(), true)).toHaveLength(2);
  });

  it('are not told by masked views', () => {
    const known = new Corrections();
    known.note({ ...opened('b', 'a'), view: 'masked' } as Opened);
    expect(known.size).toBe(0);
  });
});
