/** What a benchmark says: progress on stderr, tables for people on stdout, or one object for machines. */
import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** One object on stdout, and nothing else. */
  json: boolean;
  /** A run that only shows that everything works: its figures mean nothing. */
  quick: boolean;
  /** Values of further options. */
  values: Record<string, string | undefined>;
}

/**
 * Reads the command line of a benchmark.
 * @param options names of further options, which take a value, with the line that explains each
 */
export function benchArguments(
  name: string,
  options: Readonly<Record<string, string>> = {},
): BenchArguments {
  const further = Object.keys(options);
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean' },
        ...Object.fromEntries(further.map((option) => [option, { type: 'string' as const }])),
      },
    });
    if (!values.help) {
      const given = values as Record<string, string | boolean | undefined>;
      return {
        json: given.json === true,
        quick: given.quick === true,
        values: Object.fromEntries(further.map((option) => [option, given[option]?.toString()])),
      };
    }
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
  const lines = [
    ['--json', 'one JSON object on stdout'],
    ['--quick', 'shows that everything works; the figures mean nothing'],
    ...Object.entries(options).map(([option, text]) => [`--${option} VALUE`, text]),
  ];
  console.error(`npm run bench:${name} -- [options]`);
  for (const [option = '', text] of lines) console.error(`  ${option.padEnd(20)} ${text}`);
  process.exit();
}

/** A count given on the command line. @throws BenchError when it is not one */
export function countOption(text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > most) {
    throw new BenchError(`a count is from 1 to ${most}: ${text}`);
  }
  return count;
}

/** A line on what goes on. */
export function progress(text: string): void {
  console.error(`  ${text}`);
}

/** A table for people: the first column to the left, figures to the right. */
export function table(title: string, head: readonly string[], rows: readonly string[][]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    '',
    title,
    line(head),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
  ].join('\n');
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A figure for people: whole numbers in groups of three, small ones with some digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return grouped.format(value);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** `1.42 (1.38 to 1.49)`. */
export function ratioText(ratio: { min: number; median: number; max: number } | undefined): string {
  if (ratio === undefined) return 'not measured';
  return `${figure(ratio.median)} (${figure(ratio.min)} to ${figure(ratio.max)})`;
}

/** Runs a benchmark's main function; a failure is one clear line and exit code 1. */
export async function runBench(main: () => Promise<void>): Promise<void> {
  // Ended by a signal, it still runs what is done at its exit: no service may live on.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    await main();
  } catch (error) {
    console.error(error instanceof BenchError ? `bench: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Something is missing or not equal: nothing is timed then. */
export class BenchError extends Error {}
