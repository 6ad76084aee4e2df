/** Single operations of the module, in loops inside one call. */
import type { Variant } from '../shared/rounds.ts';
import { benchInstance, type Setup } from './pipeline.ts';
import type { WorkSet } from './sets.ts';

/** Jobs that the loops of the module make at a time (bench/wasm/assembly/index.ts). */
const JOBS = 64;

export interface Operation extends Variant {
  /** What an item is. */
  unit: string;
}

/** @param chunks records of their natural size, of which one chunk is parsed */
export function operations(module: WebAssembly.Module, setup: Setup, chunks: WorkSet): Operation[] {
  const { exports, write } = benchInstance(module, setup, chunks.key);
  const now = BigInt(setup.now);
  const [chunk] = chunks.units;
  if (!chunk) throw new Error('no chunk');
  const typical = Math.round(chunk.plain.length / chunk.count);
  const loop = (
    name: string,
    unit: string,
    items: number,
    run: (times: number) => void,
  ): Operation => ({
    ...{ name, unit, items },
    run(passes) {
      run(passes);
      exports.endLoops();
      return undefined;
    },
  });
  return [
    loop('open a chunk of 16,384 octets', 'chunk', 1, (times) => {
      proven(exports.loopOpenChunk(16_384, times));
    }),
    loop('open a message of 420 octets', 'message', 1, (times) => {
      proven(exports.loopOpenMessage(times));
    }),
    loop('open a full view (448 + 144)', 'view', JOBS, (times) => {
      proven(exports.loopOpenParcels(144, 448, times));
    }),
    loop('seal a full view (448 + 144)', 'view', JOBS, (times) =>
      exports.loopSeal(144, 448, times),
    ),
    loop('seal a masked view (320 + 80)', 'view', JOBS, (times) =>
      exports.loopSeal(80, 320, times),
    ),
    loop(`content tag (${32 + typical} octets) and four indexes`, 'record', JOBS, (times) =>
      exports.loopIndex(typical, now, times),
    ),
    loop('parse, validate and mask', 'record', chunk.count, (times) => {
      write(exports.IN, chunk.plain);
      exports.loopRead(chunk.plain.length, now, times);
    }),
    loop('X25519', 'operation', 1, (times) => exports.loopX25519(times)),
    loop('X25519, base point', 'operation', 1, (times) => exports.loopX25519Base(times)),
    loop('SHA-256', 'block of 64 octets', JOBS, (times) => exports.loopSha256(times)),
  ];
}

function proven(good: number): void {
  if (!good) throw new Error('a loop of the module did not open what it had sealed');
}
