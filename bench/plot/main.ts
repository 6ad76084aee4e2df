/**
 * `npm run bench:plot [-- FILE]`: makes the plot and the tables of docs/performance.md and README.md from a results file; without a
 * file from the one that docs/performance.md names. `--check`: exit 1 when they are not what that file gives.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { machineLine } from '../shared/machine.ts';
import { BenchError, figure, runBench } from '../shared/report.ts';
import { type Results, readResults } from '../shared/results.ts';
import { plotSvg } from './chart.ts';
import { goalRows } from './goals.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = 'docs/performance.md';
const README = 'README.md';
const PLOT = 'docs/performance.svg';
const SOURCE = /<!-- results: (\S+) -->/;

/** Titles of the sets of work. */
const SETS = {
  message: 'records of 420 octets, each sealed by itself',
  chunk: 'chunks of 16 KiB, records of their natural size',
  chunk420: 'chunks of 16 KiB, records of 420 octets',
};

await runBench(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { check: { type: 'boolean' } },
  });
  const page = read(PAGE);
  const named = SOURCE.exec(page)?.[1];
  const given = positionals[0];
  const file =
    given === undefined
      ? named
      : relative(ROOT, isAbsolute(given) ? given : join(process.cwd(), given));
  if (file === undefined) throw new BenchError(`${PAGE} names no results file`);
  const results = readResults(join(ROOT, file));
  const made = {
    [PLOT]: await plotSvg(results),
    [PAGE]: between(page, 'figures', `<!-- results: ${file} -->\n\n${pageTables(results)}`),
    [README]: between(read(README), 'figures', readmeTable(results)),
  };
  for (const [path, text] of Object.entries(made)) {
    if (!values.check) writeFileSync(join(ROOT, path), text);
    else if (read(path) !== text)
      throw new BenchError(`${path} is not current: npm run bench:plot`);
  }
});

function read(path: string): string {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return '';
  }
}

/** @throws BenchError when the page has no place for it */
function between(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new BenchError(`a page has no ${begin}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function goals(results: Results): string {
  const rows = goalRows(results).map(([name = '', ...rest]) => [
    name,
    ...rest.map((cell) => (cell === 'missed' ? '**missed**' : cell)),
  ]);
  return markdown(['', 'measured', 'goal', ''], rows);
}

function readmeTable(results: Results): string {
  const rows = goalRows(results).filter(([, , goal]) => goal !== '');
  return `${markdown(
    ['', 'measured', 'goal'],
    rows.map(([name = '', value = '', goal = '', verdict]) => [
      name,
      value,
      verdict === 'missed' ? `${goal} (missed)` : goal,
    ]),
  )}\n\n${machineLine(results.machine)}.`;
}

function pageTables(results: Results): string {
  const { machine, wasm, ingest, open, growth } = results;
  const parts = [
    `${machineLine(machine)}, ${machine.memoryGb} GB, ${machine.date}.`,
    goals(results),
  ];
  for (const [set, title] of Object.entries(SETS)) {
    const rows = wasm.variants
      .filter((variant) => variant.set === set)
      .sort((a, b) => a.nsPerRecord.median - b.nsPerRecord.median)
      .map(({ name, runtime, nsPerRecord: { min, median, max }, recordsPerSecond }) => [
        `${name} (${runtime})`,
        ...[min, median, max, recordsPerSecond].map(figure),
      ]);
    parts.push(`### Nanoseconds a record: ${title}`);
    parts.push(markdown(['', 'min', 'median', 'max', 'records/s'], rows));
  }
  parts.push(
    '### Single operations of the module, in Node, nanoseconds',
    markdown(
      ['', 'min', 'median', 'max'],
      wasm.operations.map(({ name, unit, ns: { min, median, max } }) => [
        `${name}, a ${unit}`,
        ...[min, median, max].map(figure),
      ]),
    ),
    `### Streams into the store, records a second (${ingest.compared.rounds} rounds of ${figure(ingest.compared.records)})`,
    markdown(
      ['', 'min', 'median', 'max'],
      (['recordsPerSecond', 'plainRecordsPerSecond', 'bestPlainRecordsPerSecond'] as const).map(
        (name, i) => {
          const { min, median, max } = ingest.spreads[name];
          return [ingest.ways[i]?.name ?? name, ...[min, median, max].map(figure)];
        },
      ),
    ),
    '### Offline opening, records a second on one core',
    markdown(
      ['', 'min', 'median', 'max'],
      open.ways.map(({ name, recordsPerSecond: { min, median, max } }) => [
        name,
        ...[min, median, max].map(figure),
      ]),
    ),
    `### Cost of a record as the store grows (${growth.window.windows} windows of ${figure(growth.window.records)})`,
    markdown(
      [
        'stored',
        'acknowledged, us',
        'indexed, us',
        'both, us',
        'peak memory of workerd, MiB',
        'store, MiB',
      ],
      growth.stages.map((stage) => [
        figure(stage.stored),
        ...[stage.acknowledgedUs.median, stage.indexedUs.median, stage.costUs.median].map(figure),
        ...[stage.peakRssMb, stage.storeMb].map(figure),
      ]),
    ),
  );
  return parts.join('\n\n');
}
