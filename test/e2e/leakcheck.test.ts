/** A hundredth of `npm run leakcheck`. */
import { expect, it } from 'vitest';
import { leakcheck } from '../support/abuse-leak.ts';
import { MEMORY_SHOWS } from '../support/abuse-memory.ts';

it('abuse case 26: of 100 marked records, nothing is found in anything that the service writes, answers or holds', async () => {
  const { missed, places, ways, valuesSearched } = await leakcheck({ records: 100 });
  expect(missed).toEqual([]);
  expect(places.filter(({ hits, judged }) => judged && hits > 0)).toEqual([]);
  expect(valuesSearched).toBeGreaterThan(1_400);
  expect(Object.keys(ways)).toHaveLength(11);
  const searched = places.filter(({ octets }) => octets > 0).map(({ place }) => place);
  expect(searched).toEqual(
    expect.arrayContaining([
      ...['while it runs: database', 'while it runs: write-ahead logs', 'after it ended: database'],
      ...['answers: status, headers, body', 'URLs that were asked for'],
    ]),
  );
  if (!MEMORY_SHOWS) return;
  // What a client sent unsealed passed through as it was: the search of the memory does find it.
  const unsealed = places.find(({ judged }) => !judged);
  expect(unsealed?.hits).toBeGreaterThan(0);
});
