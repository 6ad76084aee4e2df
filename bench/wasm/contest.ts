/** All variants of the work, each proven to give the same results before it is timed. */
import { BenchError, progress } from '../shared/report.ts';
import type { Variant } from '../shared/rounds.ts';
import type { Edge } from './edge-client.ts';
import { chunkPipeline, messagePipeline, type Pipeline } from './pipeline.ts';
import { type Keys, type SetName, type WorkSet, workOf } from './sets.ts';
import { expectedAes } from './variants/expected.ts';
import { hpkeVariant } from './variants/hpke.ts';
import { nobleVariant } from './variants/noble.ts';
import { type CipherName, Peer } from './variants/openssl.ts';
import { sodiumVariant } from './variants/sodium.ts';
import { webCryptoVariant } from './variants/webcrypto.ts';
import { type Outcome, outcomeBytes, type Sink, type Work } from './work.ts';

export type Runtime = 'node' | 'workerd' | 'native';

export interface Contestant extends Variant {
  /** What does the work. */
  way: string;
  runtime: Runtime;
  set: SetName;
}

/** How a contestant is named: nothing else is called so. */
export function contestantName(way: string, runtime: Runtime, set: SetName): string {
  return `${way}, ${runtime}, ${set}`;
}

export interface Contest {
  contestants: Contestant[];
  /** Version of the library in the C program. */
  openssl?: string;
  stop(): void;
}

export interface Modules {
  /** The shipped module. */
  sealpost: WebAssembly.Module;
  /** The same stages with the entries of bench/wasm/assembly. */
  bench: WebAssembly.Module;
}

/** Records a call, where records are sealed one by one; the first is the one that is compared with others. */
const PER_CALL = [256, 16, 1] as const;

/**
 * Sets every variant up for every set of work, and compares what they make octet by octet.
 * @param peer path of the C program; undefined when it can't be built
 * @throws BenchError when two of them differ
 */
export async function prepareContest(
  modules: Modules,
  keys: Keys,
  sets: Record<SetName, WorkSet>,
  edge: Edge,
  peer: string | undefined,
  dir: string,
): Promise<Contest> {
  const contestants: Contestant[] = [];
  const peers: Peer[] = [];
  for (const set of Object.values(sets)) {
    progress(`comparing what all variants make of the set "${set.name}"`);
    const add = (way: string, runtime: Runtime, run: Contestant['run']) => {
      const name = contestantName(way, runtime, set.name);
      contestants.push({ way, runtime, set: set.name, name, items: set.records.length, run });
    };
    const ours = ownPipelines(modules, keys, set);
    const reference = provenWork(set, keys, ours[0]?.pipeline as Pipeline);
    for (const { way, pipeline } of ours) {
      if (pipeline !== ours[0]?.pipeline) provenWork(set, keys, pipeline);
      add(way, 'node', (passes) => {
        for (let i = 0; i < passes; i++) pipeline.pass();
        return undefined;
      });
    }
    const { work } = reference;
    const chacha = joined(reference.made);
    const aes = joined(expectedAes(work));

    for (const { way, pass, expected } of await scriptVariants(work, chacha, aes)) {
      await proveEqual(`${way} (${set.name})`, expected, collect(set.records.length, pass));
      add(way, 'node', repeat(pass));
    }
    const hpke = await hpkeVariant(work);
    const once = await hpke();
    await proveEqual(
      `hpke (${set.name})`,
      chacha,
      collect(set.records.length, (sink) => once.run(sink)),
    );
    add('hpke', 'node', async (passes) => {
      let ns = 0n;
      for (let i = 0; i < passes; i++) {
        const fresh = await hpke();
        const start = process.hrtime.bigint();
        await fresh.run();
        ns += process.hrtime.bigint() - start;
      }
      return Number(ns);
    });

    await edge.load(set, work, keys.setup, set.name === 'message' ? PER_CALL[0] : undefined);
    // Its epochs are its own, so it is held against the same work under its own keys.
    const { batches, epochs } = await edge.batches(set);
    provenBatches(set, keys, epochs, batches);
    await proveEqual('noble in workerd', chacha, edge.outcomes(`noble ${set.name}`));
    await proveEqual('webcrypto in workerd', aes, edge.outcomes(`webcrypto ${set.name}`));
    for (const way of ['pipeline', 'noble', 'webcrypto']) {
      add(way, 'workerd', (passes) => edge.time(`${way} ${set.name}`, passes));
    }

    if (peer === undefined) continue;
    const program = await Peer.start(peer, dir, set.name, work);
    peers.push(program);
    for (const [cipher, expected] of Object.entries({ chacha, aes }) as [
      CipherName,
      Uint8Array,
    ][]) {
      await proveEqual(`openssl ${cipher} (${set.name})`, expected, program.outcomes(cipher));
      add(`openssl ${cipher}`, 'native', (passes) => program.time(cipher, passes));
    }
  }
  return {
    contestants,
    openssl: peers[0]?.version,
    stop() {
      for (const program of peers) program.stop();
    },
  };
}

function ownPipelines(
  { sealpost, bench }: Modules,
  { setup }: Keys,
  set: WorkSet,
): { way: string; pipeline: Pipeline }[] {
  if (set.name !== 'message') {
    return [{ way: 'pipeline', pipeline: chunkPipeline(sealpost, setup, set.head, set.units) }];
  }
  return PER_CALL.map((perCall) => ({
    way: perCall === PER_CALL[0] ? 'pipeline' : `pipeline, ${perCall} a call`,
    pipeline: messagePipeline(bench, setup, set.key, set.units, perCall),
  }));
}

/** Runs one pass and compares what came of it with what noble makes of the same work. */
function provenWork(set: WorkSet, keys: Keys, pipeline: Pipeline) {
  const batches: Uint8Array[] = [];
  pipeline.pass((batch) => batches.push(batch));
  return provenBatches(set, keys, pipeline.epochs(), batches);
}

function provenBatches(
  set: WorkSet,
  keys: Keys,
  epochs: Parameters<typeof workOf>[2],
  batches: readonly Uint8Array[],
) {
  const { work, made } = workOf(set, keys, epochs, batches);
  const byNoble: Outcome[] = [];
  nobleVariant(work)((index, outcome) => {
    byNoble[index] = outcome;
  });
  if (!same(joined(made), joined(byNoble))) {
    throw new BenchError(`the module and noble differ (${set.name}): nothing is timed`);
  }
  return { work, made };
}

type Pass = (sink?: Sink) => void | Promise<void>;

async function scriptVariants(work: Work, chacha: Uint8Array, aes: Uint8Array) {
  const variants: { way: string; pass: Pass; expected: Uint8Array }[] = [
    { way: 'noble', pass: nobleVariant(work), expected: chacha },
    { way: 'libsodium', pass: await sodiumVariant(work), expected: chacha },
    { way: 'webcrypto', pass: await webCryptoVariant(work), expected: aes },
  ];
  return variants;
}

function repeat(pass: Pass): Contestant['run'] {
  return async (passes) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < passes; i++) await pass();
    return Number(process.hrtime.bigint() - start);
  };
}

async function collect(count: number, pass: Pass): Promise<Uint8Array> {
  const outcomes: Outcome[] = new Array(count);
  await pass((index, outcome) => {
    outcomes[index] = outcome;
  });
  return joined(outcomes);
}

async function proveEqual(
  who: string,
  expected: Uint8Array,
  made: Promise<Uint8Array>,
): Promise<void> {
  if (!same(expected, await made))
    throw new BenchError(`${who} makes something else: nothing is timed`);
}

function joined(outcomes: readonly Outcome[]): Uint8Array {
  return Buffer.concat(outcomes.map(outcomeBytes));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length > 0 && Buffer.compare(a, b) === 0;
}
