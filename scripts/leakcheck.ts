/**
 * Searches for plaintext where none may be: `npm run leakcheck [-- --records 10000] [--json]`.
 * Runs the real service on marked records, then looks through everything that it wrote, answered or still holds; and once more on
 * fewer records with V8's inspector open, for heap snapshots. Ends with status 1 when anything was found.
 */
import { parseArgs } from 'node:util';
import { type LeakReport, leakcheck } from '../test/support/abuse-leak.ts';
import { MEMORY_SHOWS } from '../test/support/abuse-memory.ts';

/** Names of people repeat beyond that. */
const MOST_RECORDS = 30_000;
/** A heap snapshot holds what is still held, however much went through. */
const HEAP_RECORDS = 1_000;

const { values: options } = parseArgs({
  options: { records: { type: 'string', default: '10000' }, json: { type: 'boolean' } },
});
const records = Number(options.records);
if (!Number.isSafeInteger(records) || records < 20 || records > MOST_RECORDS) {
  console.error(`--records takes a number from 20 to ${MOST_RECORDS}`);
  process.exit(2);
}

const main = await leakcheck({ records });
const heap = await leakcheck({ records: Math.min(records, HEAP_RECORDS), heap: true });
if (options.json) console.log(JSON.stringify({ main, heap }, null, 2));
else for (const report of [main, heap]) print(report);
if (!MEMORY_SHOWS)
  console.error('This system does not show the memory of processes: not searched.');
const clean = [main, heap].every(({ hits, missed }) => hits === 0 && missed.length === 0);
process.exitCode = clean ? 0 : 1;

function print({
  records: count,
  valuesSearched,
  places,
  ways,
  answers,
  missed,
  hits,
  seconds,
}: LeakReport): void {
  console.log(`\n${count} marked records, ${valuesSearched} values, ${seconds} s`);
  console.log(`sent as: ${tally(ways)}`);
  console.log(`came of them: ${tally(answers)}`);
  console.table(
    Object.fromEntries(
      places.map(({ place, octets, hits: found, judged, examples }) => [
        place,
        {
          KiB: Math.ceil(octets / 1024),
          hits: judged ? found : `(${found})`,
          where: judged ? examples.join('; ') : '',
        },
      ]),
    ),
  );
  console.log(`forms of a planted value that the search missed: ${missed.join(', ') || 'none'}`);
  console.log(hits === 0 ? 'nothing found' : `${hits} hits`);
}

function tally(counts: Record<string, number>): string {
  const entries = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, count]) => `${name} ${count}`).join(', ');
}
