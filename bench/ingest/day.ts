/** A generated day, company by company, in the order in which parcels were taken in. */
import { yesterday } from '../../client/cli/generate.ts';
import { generateDay } from '../../client/generate/day.ts';
import type { ParcelRecord } from '../../wire/record.ts';

export interface DayLine {
  enterprise: string;
  record: ParcelRecord;
}

/** Yesterday's day: an edge takes records that are at most some days old. All of it is acceptable. */
export function* dayLines(parcels: number, seed: string): Generator<DayLine> {
  const options = { city: 'guiyang' as const, parcels, seed, bad: 0, day: yesterday() };
  for (const { enterprise, record } of generateDay(options)) yield { enterprise, record };
}

/** The values of some lines by enterprise. */
export function byEnterprise<T>(
  lines: Iterable<{ enterprise: string; value: T }>,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const { enterprise, value } of lines) {
    const group = groups.get(enterprise);
    if (group) group.push(value);
    else groups.set(enterprise, [value]);
  }
  return groups;
}
