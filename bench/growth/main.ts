/** `npm run bench:growth`: what a record costs when there are ten thousand, a hundred thousand, a million before it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sender } from '../ingest/sender-process.ts';
import { withFolder } from '../shared/folder.ts';
import { machine } from '../shared/machine.ts';
import {
  BenchError,
  benchArguments,
  countOption,
  figure,
  progress,
  runBench,
} from '../shared/report.ts';
import { rounded, significant, spread } from '../shared/rounds.ts';
import { type BenchService, startBenchService } from '../shared/service.ts';
import { type GrowthResult, printGrowth, type Stage } from './result.ts';

const SIZES = [10_000, 100_000, 1_000_000];
/** Records appended by one request that fills the store. */
const FILL_PART = 20_000;
/** Records of one day in Guiyang. */
const DAY_RECORDS = 160_000;
const DAY_MS = 86_400_000;
/** Companies that send the windows, a stream each: a record's cost is asked for, not a stream's. */
const COMPANIES = 6;

/** Random records so far. */
let filled = 0;

await runBench(() =>
  withFolder(async (dir) => {
    const { json, quick, values } = benchArguments('growth', {
      most: 'records of the last stage (1000000)',
    });
    const most = countOption(values.most, quick ? 2_000 : 1_000_000, 10_000_000);
    const sizes = quick ? [500, most] : [...SIZES.filter((size) => size < most), most];
    const window = quick ? { records: 200, windows: 1 } : { records: 10_000, windows: 5 };
    let service: BenchService | undefined;
    let sender: Sender | undefined;
    try {
      service = await startBenchService(join(dir, 'city'), 'bench/growth/worker.ts');
      const { url, workspace } = service;
      const warmUp = window.records;
      const parcels = warmUp + window.records * window.windows * sizes.length;
      const prepare = {
        way: 'sealed' as const,
        url,
        parcels,
        seed: 'growth',
        dir: workspace.dir,
        companies: COMPANIES,
      };
      sender = await Sender.start(prepare);
      progress(`warming up with ${warmUp} sealed records`);
      await sender.send(0, warmUp);
      await fillIndexes(url);
      let [sent, stored] = [warmUp, warmUp];
      const stages: Stage[] = [];
      for (const size of sizes) {
        await grow(service, size - stored, most);
        stored = Math.max(stored, size);
        forgetPeak(service.process.pid);
        const times = { acknowledged: [] as number[], indexed: [] as number[] };
        for (let i = 0; i < window.windows; i++) {
          const { seconds } = await sender.send(sent, sent + window.records);
          sent += window.records;
          times.acknowledged.push((seconds * 1e6) / window.records);
          times.indexed.push(((await fillIndexes(url)) * 1e6) / window.records);
        }
        stages.push(stageOf(service, stored, times));
        stored += window.windows * window.records;
        progress(`at ${size}: ${figure(stages.at(-1)?.costUs.median ?? NaN)} us a record`);
      }
      const costs = stages.map(({ costUs }) => costUs.median);
      const result: GrowthResult = {
        bench: 'growth',
        ...{ machine: machine(), window, stages },
        flatWithin: significant(Math.max(...costs) / Math.min(...costs) - 1, 3),
        peakRssMb: Math.max(...stages.map(({ peakRssMb }) => peakRssMb)),
      };
      if (json) console.log(JSON.stringify(result));
      else printGrowth(result);
    } finally {
      sender?.stop();
      await service?.process.stop();
    }
  }),
);

/**
 * Fills the store by `records` random ones, and its index table behind them. A store that is so large holds many days, so they are
 * spread over days before this one, oldest first.
 */
async function grow({ url }: BenchService, records: number, most: number): Promise<void> {
  const started = performance.now();
  const oldest = Date.now() - Math.ceil(most / DAY_RECORDS) * DAY_MS;
  for (let left = records; left > 0; left -= FILL_PART) {
    const count = Math.min(FILL_PART, left);
    const ms = oldest + Math.floor(filled / DAY_RECORDS) * DAY_MS;
    const query = `records=${count}&ms=${ms}`;
    const response = await fetch(`${url}/bench/fill?${query}`, { method: 'POST' });
    const { stored } = (await response.json()) as { stored: number };
    if (stored !== count) throw new BenchError(`${stored} of ${count} records were stored`);
    filled += count;
    await fillIndexes(url);
  }
  const seconds = (performance.now() - started) / 1000;
  if (records > 0) progress(`filled by ${records} records in ${figure(seconds)} s`);
}

/** Fills the index table. @returns seconds */
async function fillIndexes(url: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${url}/bench/index`, { method: 'POST' });
  if (!response.ok) throw new BenchError('the indexes could not be filled');
  await response.json();
  return (performance.now() - started) / 1000;
}

function stageOf(
  service: BenchService,
  stored: number,
  times: { acknowledged: number[]; indexed: number[] },
): Stage {
  const cost = times.acknowledged.map((us, i) => us + (times.indexed[i] as number));
  const costUs = rounded(spread(cost));
  return {
    stored,
    acknowledgedUs: rounded(spread(times.acknowledged)),
    indexedUs: rounded(spread(times.indexed)),
    costUs,
    recordsPerSecond: Math.round(1e6 / costUs.median),
    rssMb: rssMb(service.process.pid),
    peakRssMb: service.process.peakRssMb(),
    storeMb: storeMb(service.workspace.paths.data),
  };
}

/** Resident memory now, MiB; NaN where the system does not tell. */
function rssMb(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kib) / 1024);
  } catch {
    return Number.NaN;
  }
}

/** The peak counts anew from now on, where the system can do that (proc(5), clear_refs): filling is not what is measured. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak then holds the filling too.
  }
}

/** Octets of all files of the store, MiB. */
function storeMb(folder: string): number {
  const octets = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  return Math.round(octets / 2 ** 20);
}
