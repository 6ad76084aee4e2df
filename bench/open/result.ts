/** What `bench:open` says, for machines and for people. */
import { type Machine, machine, machineLine } from '../shared/machine.ts';
import { BenchError, figure, ratioText, table } from '../shared/report.ts';
import { rounded, type Samples, type Spread, spread, timesAsFast } from '../shared/rounds.ts';

export interface OpenResult {
  bench: 'open';
  machine: Machine;
  method: { records: number; rounds: number; sampleMs: number };
  /** Of the module, to plaintext CBOR; and of the SDK, to NDJSON. One core. */
  recordsPerSecond: number;
  ndjsonRecordsPerSecond: number;
  /** Times as fast as noble, both to CBOR. */
  vsNoble: number;
  vsNobleSpread: Spread;
  ways: { name: string; recordsPerSecond: Spread }[];
}

export function openResult(method: OpenResult['method'], samples: Samples): OpenResult {
  const names = [...samples.keys()];
  const [ours = '', noble = '', ndjson = ''] = names;
  const rates = (name: string) => rounded(spread((samples.get(name) ?? []).map((ns) => 1e9 / ns)));
  const ratio = timesAsFast(samples, ours, noble);
  if (!ratio) throw new BenchError('nothing was timed');
  return {
    ...{ bench: 'open', machine: machine(), method },
    recordsPerSecond: rates(ours).median,
    ndjsonRecordsPerSecond: rates(ndjson).median,
    ...{ vsNoble: rounded(ratio).median, vsNobleSpread: rounded(ratio) },
    ways: names.map((name) => ({ name, recordsPerSecond: rates(name) })),
  };
}

export function printOpen({ machine: on, method, ways, vsNobleSpread }: OpenResult): void {
  console.log(machineLine(on));
  console.log(`Module against noble, times as fast: ${ratioText(vsNobleSpread)}`);
  console.log(
    table(
      `Opening ${figure(method.records)} records on one core: records a second, ${method.rounds} rounds of ${method.sampleMs} ms a way`,
      ['', 'min', 'median', 'max'],
      ways.map(({ name, recordsPerSecond: { min, median, max } }) => [
        name,
        ...[min, median, max].map(figure),
      ]),
    ),
  );
}
