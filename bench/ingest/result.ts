/** What `bench:ingest` says, for machines and for people. */
import { type Machine, machineLine } from '../shared/machine.ts';
import { figure, ratioText, table } from '../shared/report.ts';
import { rounded, type Spread, significant, spread } from '../shared/rounds.ts';
import { BATCH_ROWS, BEST_INSERT, BEST_ROWS, STATEMENT_ROWS } from './plain/table.ts';
import type { RoundsPlan, RoundsResult } from './rounds.ts';
import { CONNECTIONS, type DayResult, type SinglesPlan } from './whole-day.ts';

export interface IngestResult {
  bench: 'ingest';
  machine: Machine;
  store: string;
  records: number;
  /** Medians over the rounds, until the last record is acknowledged durable. */
  recordsPerSecond: number;
  plainRecordsPerSecond: number;
  bestPlainRecordsPerSecond: number;
  /** Times as fast as the plain service, and as the best plain way: medians of the ratios of each round. */
  ratio: number;
  ratioBestPlain: number;
  spreads: Record<
    | 'recordsPerSecond'
    | 'plainRecordsPerSecond'
    | 'bestPlainRecordsPerSecond'
    | 'ratio'
    | 'ratioBestPlain',
    Spread
  >;
  compared: { records: number; rounds: number };
  /** The whole day: to the last acknowledgement, and to the last index entry. */
  daySeconds: number;
  dayRecordsPerSecond: number;
  indexedSeconds: number;
  /** Encoding the day's records as CBOR, which is not in the time above. */
  encodeSeconds: number;
  /** Single submissions, sustained: of the companies as they come, each with a writer of its own; and all of one company. */
  singlesPerSecond: number;
  singlesOneCompanyPerSecond: number;
  /** Their latencies at half of the goal's rate, of the companies as they come. */
  singlesAtPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  /** Of workerd: the greatest of all phases, and each. */
  peakRssMb: number;
  peakRssByPhase: Record<'day' | 'singles' | 'compared' | 'plain', number>;
  /** Statements and index work of each way. */
  ways: { name: string; statements: string; indexes: string }[];
}

const WAYS = [
  {
    name: 'sealed (Sealpost)',
    statements:
      'a commit of up to 1,024 records is one transaction: INSERT INTO commits; INSERT INTO batches for each packed batch, as one value; one INSERT INTO receipts ... SELECT out of the batches stored; UPDATE writers (db/d1/append.ts)',
    indexes:
      'primary keys inline, one of them over (city, enterprise, record id); four keyed indexes a record in a sorted table, filled behind (indexedSeconds)',
  },
  {
    name: 'plain service',
    statements: `Drizzle: db.batch of INSERT ... VALUES with ${STATEMENT_ROWS} rows each (100 parameters), ${BATCH_ROWS} rows a transaction; every record checked with zod`,
    indexes: 'primary key and four secondary indexes, inline',
  },
  {
    name: 'best plain way',
    statements: `${BEST_INSERT.replace(/\s+/g, ' ')}; ${BEST_ROWS} rows each; nothing checked, no answer a record`,
    indexes: 'primary key only: the same index table filled behind would not be in its time either',
  },
];

export function ingestResult(
  options: {
    store: string;
    records: number;
    compared: RoundsPlan;
    singles: SinglesPlan;
  },
  machine: Machine,
  day: DayResult,
  rounds: RoundsResult,
): IngestResult {
  const { sealed, plain, best } = rounds.recordsPerSecond;
  const over = (other: readonly number[]) => sealed.map((rate, i) => rate / (other[i] as number));
  const spreads = {
    recordsPerSecond: rounded(spread(sealed)),
    plainRecordsPerSecond: rounded(spread(plain)),
    bestPlainRecordsPerSecond: rounded(spread(best)),
    ratio: rounded(spread(over(plain))),
    ratioBestPlain: rounded(spread(over(best))),
  };
  const { closed, one, open } = day.singles;
  const phases = {
    ...day.peakRssMb,
    compared: rounds.peakRssMb.sealed,
    plain: rounds.peakRssMb.plain,
  };
  return {
    bench: 'ingest',
    machine,
    ...{ store: options.store, records: options.records },
    recordsPerSecond: spreads.recordsPerSecond.median,
    plainRecordsPerSecond: spreads.plainRecordsPerSecond.median,
    bestPlainRecordsPerSecond: spreads.bestPlainRecordsPerSecond.median,
    ratio: spreads.ratio.median,
    ratioBestPlain: spreads.ratioBestPlain.median,
    spreads,
    compared: { records: options.compared.records, rounds: options.compared.rounds },
    daySeconds: significant(day.seconds),
    dayRecordsPerSecond: significant(day.recordsPerSecond),
    indexedSeconds: significant(day.indexedSeconds),
    encodeSeconds: significant(day.encodeSeconds, 3),
    singlesPerSecond: significant(closed.perSecond),
    singlesOneCompanyPerSecond: significant(one.perSecond),
    singlesAtPerSecond: options.singles.perSecond,
    p50Ms: significant(open.p50Ms, 3),
    p99Ms: significant(open.p99Ms, 3),
    p999Ms: significant(open.p999Ms, 3),
    peakRssMb: Math.max(phases.day, phases.singles, phases.compared),
    peakRssByPhase: phases,
    ways: WAYS,
  };
}

export function printIngest(result: IngestResult): void {
  const { spreads, compared } = result;
  console.log(machineLine(result.machine));
  console.log(
    table(
      `Streams into ${result.store}: ${compared.rounds} rounds of ${figure(compared.records)} records, after a warm-up of a quarter of that`,
      ['records/s', 'min', 'median', 'max'],
      (['recordsPerSecond', 'plainRecordsPerSecond', 'bestPlainRecordsPerSecond'] as const).map(
        (name, i) => [
          WAYS[i]?.name ?? name,
          ...[spreads[name].min, spreads[name].median, spreads[name].max].map(figure),
        ],
      ),
    ),
  );
  const lines: [string, string][] = [
    ['sealed against the plain service', ratioText(spreads.ratio)],
    ['sealed against the best plain way', ratioText(spreads.ratioBestPlain)],
    [`a day of ${figure(result.records)}: last acknowledgement`, `${figure(result.daySeconds)} s`],
    ['  last index entry', `${figure(result.indexedSeconds)} s`],
    ['  encoding its records beforehand', `${figure(result.encodeSeconds)} s`],
    [`single submissions, ${CONNECTIONS} connections`, `${figure(result.singlesPerSecond)}/s`],
    ['  all of one company', `${figure(result.singlesOneCompanyPerSecond)}/s`],
    [`  at ${result.singlesAtPerSecond}/s: p50`, `${figure(result.p50Ms)} ms`],
    ['  p99', `${figure(result.p99Ms)} ms`],
    ['  p99.9', `${figure(result.p999Ms)} ms`],
    ['peak memory of workerd (sealed)', `${figure(result.peakRssMb)} MiB`],
    ['  of the plain service', `${figure(result.peakRssByPhase.plain)} MiB`],
  ];
  console.log(table('Figures', ['', ''], lines));
  for (const { name, statements, indexes } of result.ways) {
    console.log(`\n${name}\n  statements: ${statements}\n  indexes: ${indexes}`);
  }
}
