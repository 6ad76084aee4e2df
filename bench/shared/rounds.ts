/**
 * Timing of variants side by side. A machine's speed changes from one second to the next, so every round runs all variants one
 * after the other, and what is compared are the figures of the same round.
 */

export interface Variant {
  name: string;
  /** Items (records, operations) that one pass handles. */
  items: number;
  /** Runs `passes` passes. Returns nanoseconds; without a result the call itself is timed. */
  run(passes: number): Promise<number | undefined> | number | undefined;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

export interface RoundOptions {
  rounds: number;
  /** Milliseconds that one sample is made to last; a single pass may last longer. */
  sampleMs: number;
  /** Called before each round, for a line on what goes on. */
  onRound?: (round: number) => void;
}

/** Samples of every variant in nanoseconds an item: `samples.get(name)[round]`. */
export type Samples = Map<string, number[]>;

/**
 * Warms every variant up and then times all of them in each round. The warm-up doubles the passes of a variant until a sample is
 * as long as it is to be, and so lasts at least twice as long as a sample. Each round begins with another variant.
 */
export async function timeRounds(
  variants: readonly Variant[],
  options: RoundOptions,
): Promise<Samples> {
  const passes = new Map<string, number>();
  for (const variant of variants) passes.set(variant.name, await warmUp(variant, options.sampleMs));
  const samples: Samples = new Map(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    options.onRound?.(round);
    for (let i = 0; i < variants.length; i++) {
      const variant = variants[(round + i) % variants.length] as Variant;
      const count = passes.get(variant.name) as number;
      const ns = await timed(variant, count);
      samples.get(variant.name)?.push(ns / (count * variant.items));
    }
  }
  return samples;
}

async function warmUp(variant: Variant, sampleMs: number): Promise<number> {
  let count = 1;
  for (;;) {
    await timed(variant, count);
    const ms = (await timed(variant, count)) / 1e6;
    if (ms >= sampleMs / 2) return Math.max(1, Math.round((count * sampleMs) / ms));
    count = Math.max(
      count * 2,
      Math.min(count * 64, Math.floor((count * sampleMs) / (2 * ms + 0.001))),
    );
  }
}

async function timed(variant: Variant, passes: number): Promise<number> {
  const start = process.hrtime.bigint();
  const own = await variant.run(passes);
  return own ?? Number(process.hrtime.bigint() - start);
}

/** Least, middle and greatest of some figures. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0] ?? NaN, median: median(sorted), max: sorted.at(-1) ?? NaN };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** How many times as fast `ours` is as `other`: the ratio of each round by itself, from samples of time an item. */
export function timesAsFast(samples: Samples, ours: string, other: string): Spread | undefined {
  const [a, b] = [samples.get(ours), samples.get(other)];
  if (!a?.length || !b?.length) return undefined;
  return spread(a.map((time, round) => (b[round] as number) / time));
}

/** To `digits` significant digits: more would be noise. */
export function significant(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}

/** A spread with every figure cut to four significant digits. */
export function rounded({ min, median: middle, max }: Spread): Spread {
  return { min: significant(min), median: significant(middle), max: significant(max) };
}
