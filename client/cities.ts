/** Lookups over several cities: every edge is asked, and each one that does not answer is told. */
import type { EdgeClient } from './edge.ts';
import { uncoveredTimes } from './indexes.ts';
import { type LookupDesk, type LookupQuery, type LookupReport, lookup } from './lookup.ts';
import type { Opened } from './open.ts';

export interface CityTarget {
  /** For people; a division code where nobody has given a name. */
  name: string;
  edge: EdgeClient;
  desk: LookupDesk;
  /** When the desk's index keys began to be used (ms since 1970): nothing was stored before. */
  sinceMs: number;
}

export interface CityResult extends Omit<LookupReport, 'matches'> {
  city: number;
  name: string;
  matches: number;
  /** Version of the recipient list in force; 0 when it did not come. */
  listVersion: number;
  /** Times of record ids (ISO 8601) for which the desk has no index key. */
  uncovered: { from: string; until: string }[];
  /** Why the city gave no answer that can be used. */
  error?: unknown;
}

export interface CitiesReport {
  /** Ascending by the time they were accepted. */
  matches: (Opened & { view: 'full'; cityName: string })[];
  cities: CityResult[];
}

/** Cities asked at the same time. */
const AT_ONCE = 4;
const DAY_MS = 86_400_000;

/** Looks something up in every city. Errors of a city stand in its result. */
export async function lookupCities(
  targets: readonly CityTarget[],
  query: LookupQuery,
): Promise<CitiesReport> {
  const waiting = [...targets.entries()];
  const found: { matches: LookupReport['matches']; result: CityResult }[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [place, target] = next;
      found[place] = await lookupCity(target, query);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const named = found.flatMap(({ matches, result }) =>
    matches.map((match) => ({ ...match, cityName: result.name })),
  );
  // Two edges of one city may share a store.
  const unique = new Map(
    named.map((match) => [`${match.city} ${match.enterprise} ${match.id}`, match]),
  );
  const matches = [...unique.values()].sort((a, b) => (a.acceptedAt < b.acceptedAt ? -1 : 1));
  return { matches, cities: found.map(({ result }) => result) };
}

/** Is something of this city's answer missing? */
export function isPartial({ error, truncated, refused, uncovered }: CityResult): boolean {
  return error !== undefined || truncated || refused.length > 0 || uncovered.length > 0;
}

async function lookupCity(
  { name, edge, desk, sinceMs }: CityTarget,
  query: LookupQuery,
): Promise<{ matches: LookupReport['matches']; result: CityResult }> {
  const result: CityResult = {
    ...{ city: edge.city, name, matches: 0, listVersion: 0 },
    ...{ refused: [], truncated: false, indexes: 0, ends: [], uncovered: [] },
  };
  try {
    const { list } = await edge.recipients();
    const { matches, ...report } = await lookup(edge, desk, query);
    const from = Math.max(dayStart(query.from), sinceMs);
    const until = Math.min(dayStart(query.to) + DAY_MS, edge.now());
    const gaps = from < until ? uncoveredTimes(desk.indexKeys, from, until) : [];
    const uncovered = gaps.map(({ fromMs, untilMs }) => ({
      from: new Date(fromMs).toISOString(),
      until: new Date(untilMs).toISOString(),
    }));
    const listVersion = list.version;
    return {
      matches,
      result: { ...result, ...report, matches: matches.length, listVersion, uncovered },
    };
  } catch (error) {
    return { matches: [], result: { ...result, error } };
  }
}

function dayStart(date: Date): number {
  return Math.floor(date.getTime() / DAY_MS) * DAY_MS;
}
