import type { Command } from 'commander';
import { openWorkspace } from '../workspace.ts';
import { action, dirOption, dryRunOption, newCommand, urlOption, wholeNumber } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, EXIT } from './failure.ts';
import { OutputFile } from './files.ts';
import { type InputOptions, openInput, takesRecords } from './input.ts';
import { RefusalCounts } from './results.ts';
import { type SendReport, sendLines } from './send.ts';
import { count } from './ui.ts';

/** Streams at a time: enough that the service is never idle, few enough that each one's records stay in memory. */
export const DEFAULT_STREAMS = 6;

interface Options extends InputOptions {
  dir: string;
  url?: string;
  results?: string;
  streams: number;
  dryRun?: boolean;
}

export function streamCommand(): Command {
  return takesRecords(
    newCommand(
      'stream',
      ['成批上报文件中的记录', 'send the records of a file in bulk'],
      [
        'sealpost stream day.ndjson --dir city',
        'sealpost stream day.ndjson --dir city --results results.ndjson',
        'sealpost stream records.ndjson --dir city --enterprise sf',
        'sealpost stream records.csv --dir city --enterprise sf --map columns.json',
        'sealpost stream day.ndjson --dir city --dry-run',
      ],
    ),
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .option(
      '--results <file>',
      bilingual(['逐条结果（NDJSON）', 'write the result of each line (NDJSON)']),
    )
    .addOption(dryRunOption())
    .option(
      '--streams <n>',
      bilingual(['同时上报的企业数', 'enterprises at a time']),
      wholeNumber(1, 64),
      DEFAULT_STREAMS,
    )
    .action(
      action<[string, Options]>(async (ui, path, options) => {
        const started = performance.now();
        const workspace = openWorkspace(options.dir);
        const lines = await openInput(path, options, workspace);
        const desks = new Map(
          lines.enterprises.map(({ slug }) => [slug, workspace.enterprise(slug).identity]),
        );
        const edge = connect(workspace, options.url);
        // Asked for before anything else, so that a service that is not there is told at once.
        await edge.keys();
        const results = options.results ? new OutputFile(options.results) : undefined;
        const progress = ui.progress(['上报', 'sending'], lines.total);
        const refusals = new RefusalCounts();
        let report: SendReport;
        try {
          report = await sendLines(lines, {
            edge,
            identity: (slug) => desks.get(slug) as NonNullable<ReturnType<typeof desks.get>>,
            streams: options.streams,
            dryRun: options.dryRun === true,
            faultsOnly: results === undefined,
            onResults: (batch) => {
              for (const each of batch) refusals.add(each);
              // The ledger that `sealpost reconcile` reads needs to know the day.
              const at = new Date().toISOString();
              return results?.write(
                batch.map((each) => `${JSON.stringify({ ...each, at })}\n`).join(''),
              );
            },
            onProgress: (done) => progress.update(done),
          });
        } finally {
          progress.stop();
          // Also of a stream that broke off: what has a result has it for good.
          await results?.finish();
          await lines.close();
        }
        const seconds = (performance.now() - started) / 1000;
        const whole = { records: lines.total, ...report, refusals: refusals.counts, seconds };
        ui.result(whole, [
          bilingual([
            `共 ${count(lines.total)} 条，用时 ${seconds.toFixed(1)} 秒`,
            `${count(lines.total)} records in ${seconds.toFixed(1)} s`,
          ]),
          ...outcomeLines(report),
          ...refusals.lines(),
          ...(options.results || report.refused + report.conflict + report.notSent === 0
            ? []
            : [
                bilingual([
                  '逐条结果请用 --results 保存',
                  'keep the result of each with --results',
                ]),
              ]),
        ]);
        return report.notSent + report.refused + report.conflict > 0 ? EXIT.FAILURE : EXIT.OK;
      }),
    );
}

function outcomeLines(report: SendReport): string[] {
  const { stored, duplicate, conflict, refused, checked, flagged, notSent } = report;
  return [
    ...(checked > 0
      ? [bilingual([`试运行通过 ${count(checked)}`, `dry run: would be taken ${count(checked)}`])]
      : []),
    bilingual([`入库 ${count(stored)}`, `stored ${count(stored)}`]),
    bilingual([`重复 ${count(duplicate)}`, `duplicate ${count(duplicate)}`]),
    bilingual([`冲突 ${count(conflict)}`, `conflict ${count(conflict)}`]),
    bilingual([`拒收 ${count(refused)}`, `refused ${count(refused)}`]),
    ...(flagged > 0
      ? [
          bilingual([
            `其中 ${count(flagged)} 条仅因试行期被接受`,
            `${count(flagged)} taken only because the city is in trial`,
          ]),
        ]
      : []),
    ...(notSent > 0
      ? [bilingual([`无法编码 ${count(notSent)}`, `cannot be encoded ${count(notSent)}`])]
      : []),
  ];
}
