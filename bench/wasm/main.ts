/** `npm run bench:wasm`: the pipeline of the module against other ways of doing its cryptography. */
import { execFile } from 'node:child_process';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureWasm, PROJECT_DIR } from '../../client/service/bundle.ts';
import { withFolder } from '../shared/folder.ts';
import { machine } from '../shared/machine.ts';
import { benchArguments, countOption, progress, runBench } from '../shared/report.ts';
import { timeRounds } from '../shared/rounds.ts';
import { type Modules, prepareContest } from './contest.ts';
import { Edge } from './edge-client.ts';
import { operations } from './operations.ts';
import { printTables, wasmResult } from './result.ts';
import { makeKeys, makeSets } from './sets.ts';
import { buildPeer } from './variants/openssl.ts';

const BENCH_ENTRY = 'bench/wasm/assembly/index.ts';
/** Folders whose files the benchmark's module is made of. */
const SOURCES = ['wasm/assembly', 'bench/wasm/assembly'];
const BUILD = join(PROJECT_DIR, 'wasm/build');

await runBench(() =>
  withFolder(async (dir) => {
    const { json, quick, values } = benchArguments('wasm', { rounds: 'rounds of every variant' });
    const rounds = countOption(values.rounds, quick ? 2 : 15, 1_000);
    const timing = { rounds, sampleMs: quick ? 4 : 60 };
    let edge: Edge | undefined;
    try {
      const modules = await loadModules();
      const keys = makeKeys();
      const counts = quick ? { messages: 78, chunks: 2 } : { messages: 256, chunks: 5 };
      const sets = makeSets(new WebAssembly.Instance(modules.sealpost), keys, counts);
      const peer = await buildPeer(dir);
      if ('missing' in peer) progress(`no comparison with OpenSSL: ${peer.missing}`);
      edge = await Edge.start(dir);
      const path = 'path' in peer ? peer.path : undefined;
      const contest = await prepareContest(modules, keys, sets, edge, path, dir);
      try {
        await edge.measureEmpty();
        progress(`all variants agree; warming up, then ${rounds} rounds`);
        const samples = await timeRounds(contest.contestants, timing);
        const loops = operations(modules.bench, keys.setup, sets.chunk);
        const loopSamples = await timeRounds(loops, { ...timing, sampleMs: timing.sampleMs / 4 });
        const result = wasmResult(
          { ...timing, missing: 'missing' in peer ? peer.missing : undefined },
          machine(contest.openssl),
          { contestants: contest.contestants, samples },
          { loops, samples: loopSamples },
        );
        if (json) console.log(JSON.stringify(result));
        else printTables(result);
      } finally {
        contest.stop();
      }
    } finally {
      await edge?.stop();
    }
  }),
);

/** The shipped module, and the same stages with the benchmark's entries; each is built when a source of it is newer. */
async function loadModules(): Promise<Modules> {
  await ensureWasm();
  const file = join(BUILD, 'bench.wasm');
  const sources = await Promise.all(SOURCES.map((folder) => newest(join(PROJECT_DIR, folder))));
  const built = await stat(file).catch(() => undefined);
  if (built === undefined || built.mtimeMs < Math.max(...sources)) {
    // Under another name first: another program may be reading it, or building it as well.
    const part = `${file}.${process.pid}.part`;
    await promisify(execFile)(process.execPath, ['scripts/build-wasm.mjs', BENCH_ENTRY, part], {
      cwd: PROJECT_DIR,
    });
    await rename(part, file);
  }
  const load = async (path: string) => new WebAssembly.Module(await readFile(path));
  return { sealpost: await load(join(BUILD, 'sealpost.wasm')), bench: await load(file) };
}

async function newest(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const times = names.map(async (name) => (await stat(join(folder, name))).mtimeMs);
  return Math.max(...(await Promise.all(times)));
}
