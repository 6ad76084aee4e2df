/** What `bench:growth` says, for machines and for people. */
import { type Machine, machineLine } from '../shared/machine.ts';
import { figure, ratioText, table } from '../shared/report.ts';
import type { Spread } from '../shared/rounds.ts';

export interface Stage {
  /** Records in the store when the windows begin. */
  stored: number;
  /** Microseconds a record: until it is acknowledged, for its index entries, and both. */
  acknowledgedUs: Spread;
  indexedUs: Spread;
  costUs: Spread;
  recordsPerSecond: number;
  /** Of workerd: after the windows, and the greatest during them. MiB. */
  rssMb: number;
  peakRssMb: number;
  storeMb: number;
}

export interface GrowthResult {
  bench: 'growth';
  machine: Machine;
  window: { records: number; windows: number };
  stages: Stage[];
  /** By how much the dearest stage exceeds the cheapest: 0.25 is within 25%. */
  flatWithin: number;
  peakRssMb: number;
}

export function printGrowth({
  machine: on,
  window,
  stages,
  flatWithin,
  peakRssMb,
}: GrowthResult): void {
  console.log(machineLine(on));
  console.log(
    table(
      `Cost of a sealed record by what is stored already: ${window.windows} windows of ${figure(window.records)} records at each size`,
      [
        'stored',
        'acknowledged us',
        'indexed us',
        'both us (range)',
        'records/s',
        'peak MiB',
        'store MiB',
      ],
      stages.map((stage) => [
        figure(stage.stored),
        figure(stage.acknowledgedUs.median),
        figure(stage.indexedUs.median),
        ratioText(stage.costUs),
        figure(stage.recordsPerSecond),
        figure(stage.peakRssMb),
        figure(stage.storeMb),
      ]),
    ),
  );
  console.log(
    `\nflat within ${figure(flatWithin * 100)}%; peak memory of workerd ${figure(peakRssMb)} MiB`,
  );
}
