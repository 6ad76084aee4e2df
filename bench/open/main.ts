/** `npm run bench:open`: how fast a regulator opens what was pulled, offline, on one core. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureWasm, PROJECT_DIR } from '../../client/service/bundle.ts';
import { withFolder } from '../shared/folder.ts';
import { BenchError, benchArguments, countOption, progress, runBench } from '../shared/report.ts';
import { timeRounds } from '../shared/rounds.ts';
import { makeParcels, type Pulled } from './parcels.ts';
import { openResult, printOpen } from './result.ts';
import { type OpenWay, openWays } from './ways.ts';

await runBench(() =>
  withFolder(async (dir) => {
    const { json, quick, values } = benchArguments('open', { records: 'records (5000)' });
    const records = countOption(values.records, quick ? 200 : 5_000, 200_000);
    const timing = quick ? { rounds: 2, sampleMs: 5 } : { rounds: 11, sampleMs: 150 };
    await ensureWasm();
    const file = join(PROJECT_DIR, 'wasm/build/sealpost.wasm');
    const module = new WebAssembly.Module(await readFile(file));
    progress(`sealing ${records} records`);
    const pulled = await makeParcels(join(dir, 'city'), module, records);
    const ways = openWays(pulled, module);
    for (const [name, way] of Object.entries(ways)) prove(name, way, pulled);
    progress(`all ways open to the same records; warming up, then ${timing.rounds} rounds`);
    const variants = Object.entries(ways).map(([name, way]) => ({
      ...{ name, items: records },
      run(passes: number) {
        for (let i = 0; i < passes; i++) way();
        return undefined;
      },
    }));
    const result = openResult({ records, ...timing }, await timeRounds(variants, timing));
    if (json) console.log(JSON.stringify(result));
    else printOpen(result);
  }),
);

/** @throws BenchError unless the way gives every record, in order */
function prove(name: string, way: OpenWay, { records }: Pulled): void {
  let index = 0;
  let equal = true;
  way((cbor) => {
    equal &&= Buffer.compare(cbor, records[index++] ?? new Uint8Array(0)) === 0;
  });
  if (!equal || index !== records.length) {
    throw new BenchError(`${name}: opens to something else; nothing is timed`);
  }
}
