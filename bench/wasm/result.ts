/** What `bench:wasm` says, for machines and for people. */
import { type Machine, machineLine } from '../shared/machine.ts';
import { figure, ratioText, table } from '../shared/report.ts';
import { rounded, type Samples, type Spread, spread, timesAsFast } from '../shared/rounds.ts';
import { type Contestant, contestantName, type Runtime } from './contest.ts';
import type { Operation } from './operations.ts';
import type { SetName } from './sets.ts';

export interface WasmResult {
  bench: 'wasm';
  machine: Machine;
  /** How it was timed. */
  method: { rounds: number; sampleMs: number; warmUp: string };
  /** Why there is no comparison with OpenSSL. */
  opensslMissing?: string;
  /** Times as fast as the other; above 1, ours (or workerd) is faster. Medians of the ratios of each round. */
  ratios: Record<string, number>;
  /** The same with the least and the greatest ratio of a round. */
  ratioSpreads: Record<string, Spread>;
  variants: {
    name: string;
    runtime: Runtime;
    set: SetName;
    nsPerRecord: Spread;
    recordsPerSecond: number;
  }[];
  operations: { name: string; unit: string; ns: Spread }[];
}

type Side = [way: string, runtime: Runtime, set: SetName];

/** Ours, and what it is compared with. */
const RATIOS: Record<string, [ours: Side, other: Side]> = {
  vsNoble: [
    ['pipeline', 'workerd', 'message'],
    ['noble', 'workerd', 'message'],
  ],
  vsNobleChunk: [
    ['pipeline', 'workerd', 'chunk'],
    ['noble', 'workerd', 'chunk'],
  ],
  vsOpenSSLChaChaMessage: [
    ['pipeline', 'node', 'message'],
    ['openssl chacha', 'native', 'message'],
  ],
  vsOpenSSLChaChaChunk: [
    ['pipeline', 'node', 'chunk'],
    ['openssl chacha', 'native', 'chunk'],
  ],
  vsOpenSSLChaChaChunk420: [
    ['pipeline', 'node', 'chunk420'],
    ['openssl chacha', 'native', 'chunk420'],
  ],
  vsOpenSSLAesGcm: [
    ['pipeline', 'node', 'message'],
    ['openssl aes', 'native', 'message'],
  ],
  vsOpenSSLAesGcmChunk: [
    ['pipeline', 'node', 'chunk'],
    ['openssl aes', 'native', 'chunk'],
  ],
  vsLibsodium: [
    ['pipeline', 'node', 'message'],
    ['libsodium', 'node', 'message'],
  ],
  vsHpkePackage: [
    ['pipeline', 'node', 'message'],
    ['hpke', 'node', 'message'],
  ],
  vsWebCryptoAesGcm: [
    ['pipeline', 'node', 'message'],
    ['webcrypto', 'node', 'message'],
  ],
  workerdVsNode: [
    ['pipeline', 'workerd', 'chunk'],
    ['pipeline', 'node', 'chunk'],
  ],
  workerdVsNodeMessage: [
    ['pipeline', 'workerd', 'message'],
    ['pipeline', 'node', 'message'],
  ],
};

export function wasmResult(
  method: { rounds: number; sampleMs: number; missing?: string },
  machine: Machine,
  contest: { contestants: readonly Contestant[]; samples: Samples },
  single: { loops: readonly Operation[]; samples: Samples },
): WasmResult {
  const { rounds, sampleMs, missing } = method;
  const ratioSpreads: Record<string, Spread> = {};
  for (const [name, [ours, other]] of Object.entries(RATIOS)) {
    const ratio = timesAsFast(contest.samples, contestantName(...ours), contestantName(...other));
    if (ratio) ratioSpreads[name] = rounded(ratio);
  }
  const timeOf = (samples: Samples, name: string) => rounded(spread(samples.get(name) ?? []));
  return {
    bench: 'wasm',
    machine,
    method: { rounds, sampleMs, warmUp: 'passes doubled until a sample lasts half of sampleMs' },
    ...(missing !== undefined && { opensslMissing: missing }),
    ratios: Object.fromEntries(
      Object.entries(ratioSpreads).map(([name, { median }]) => [name, median]),
    ),
    ratioSpreads,
    variants: contest.contestants.map(({ way, runtime, set, name }) => {
      const nsPerRecord = timeOf(contest.samples, name);
      const recordsPerSecond = Math.round(1e9 / nsPerRecord.median);
      return { name: way, runtime, set, nsPerRecord, recordsPerSecond };
    }),
    operations: single.loops.map(({ name, unit }) => ({
      name,
      unit,
      ns: timeOf(single.samples, name),
    })),
  };
}

const SETS: Record<SetName, string> = {
  message: 'Records of 420 octets, each sealed by itself',
  chunk: 'Chunks of 16 KiB, records of their natural size',
  chunk420: 'Chunks of 16 KiB, records of 420 octets',
};

export function printTables(result: WasmResult): void {
  const { method, machine } = result;
  console.log(machineLine(machine));
  console.log(
    `${method.rounds} rounds, every variant in each; samples of ${method.sampleMs} ms; warm-up: ${method.warmUp}.`,
  );
  console.log(
    'The pipeline opens, parses, validates, masks, indexes, seals and wipes. All others do the cryptography only, on the same octets.',
  );
  if (result.opensslMissing) console.log(`No comparison with OpenSSL: ${result.opensslMissing}.`);
  const ratios = Object.keys(RATIOS).map((name) => [name, ratioText(result.ratioSpreads[name])]);
  console.log(
    table('Times as fast (above 1: ours, or workerd)', ['', 'median (range of rounds)'], ratios),
  );
  for (const [set, title] of Object.entries(SETS)) {
    const rows = result.variants
      .filter((variant) => variant.set === set)
      .sort((a, b) => a.nsPerRecord.median - b.nsPerRecord.median)
      .map(({ name, runtime, nsPerRecord: { min, median, max }, recordsPerSecond }) => [
        `${name} (${runtime})`,
        ...[min, median, max, recordsPerSecond].map(figure),
      ]);
    console.log(table(`${title}: ns a record`, ['', 'min', 'median', 'max', 'records/s'], rows));
  }
  const rows = result.operations.map(({ name, unit, ns: { min, median, max } }) => [
    `${name}, a ${unit}`,
    ...[min, median, max].map(figure),
  ]);
  console.log(table('Single operations in Node: ns', ['', 'min', 'median', 'max'], rows));
}
