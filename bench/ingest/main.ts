/** `npm run bench:ingest`: a sealed day into the real service, and the same records in clear into a service without protection. */
import { join } from 'node:path';
import { withFolder } from '../shared/folder.ts';
import { machine } from '../shared/machine.ts';
import { BenchError, benchArguments, countOption, progress, runBench } from '../shared/report.ts';
import { ingestResult, printIngest } from './result.ts';
import { compareWays } from './rounds.ts';
import { runDay } from './whole-day.ts';

/** Parcels of a day in Guiyang, 2017. */
const DAY = 160_000;
const STORES = ['d1'];

await runBench(async () => {
  const { json, quick, values } = benchArguments('ingest', {
    records: 'records of the day (160000)',
    store: `where they are stored: ${STORES.join(', ')}`,
  });
  const { store = 'd1' } = values;
  if (!STORES.includes(store)) throw new BenchError(`there is no store ${store}`);
  const records = countOption(values.records, quick ? 600 : DAY, 2_000_000);
  // Enough for a second or more of the fastest way, and little enough for the slowest.
  const compared = quick
    ? { records: 300, rounds: 1, settle: false }
    : { records: Math.min(30_000, records), rounds: 3, settle: true };
  const singles = quick
    ? { closed: 40, one: 40, open: 30, perSecond: 100 }
    : { closed: 8_000, one: 8_000, open: 4_500, perSecond: 750 };
  await withFolder(async (dir) => {
    progress(`a day of ${records} records, sealed`);
    const day = await runDay(join(dir, 'day'), records, singles);
    progress(`${compared.rounds} rounds of ${compared.records} records: sealed, plain, best plain`);
    const rounds = await compareWays(dir, compared);
    const result = ingestResult({ store, records, compared, singles }, machine(), day, rounds);
    if (json) console.log(JSON.stringify(result));
    else printIngest(result);
  });
});
