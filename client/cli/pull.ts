import { type Command, Option } from 'commander';
import { openWorkspace } from '../workspace.ts';
import { action, currentOption, dirOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { type DownloadReport, download, type Format } from './download.ts';
import { bilingual, EXIT } from './failure.ts';
import { count } from './ui.ts';
import { warnOfEnds } from './warnings.ts';

interface Options {
  dir: string;
  url?: string;
  out: string;
  format: Format;
  all?: boolean;
  current?: boolean;
}

/** Failures listed for people; --json has them all. */
const LISTED = 10;

export function pullCommand(): Command {
  return newCommand(
    'pull',
    ['下载上次以来的密文，验证完整后解封', 'download what is new, prove it complete, open it'],
    [
      'sealpost pull --dir city --out parcels.ndjson',
      'sealpost pull --dir city --out parcels.csv --format csv',
    ],
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .requiredOption('--out <file>', bilingual(['输出文件', 'file to write']))
    .addOption(
      new Option('--format <format>', bilingual(['格式', 'format']))
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option('--all', bilingual(['从头下载', 'from the first parcel on']))
    .addOption(currentOption())
    .action(
      action<[Options]>(async (ui, options) => {
        const workspace = openWorkspace(options.dir);
        const progress = ui.progress(['下载', 'pulling']);
        const report = await download({
          ...options,
          ...{ workspace, edge: connect(workspace, options.url) },
          onProgress: (parcels) => progress.update(parcels),
        }).finally(() => progress.stop());
        const { listEndsMs, ...told } = report;
        const warnings = warnOfEnds(ui, [{ what: 'recipient_list', endMs: listEndsMs }]);
        ui.result({ out: options.out, ...told, warnings }, summary(options.out, report));
        return report.failures.length > 0 ? EXIT.FAILURE : EXIT.OK;
      }),
    );
}

function summary(out: string, report: DownloadReport): string[] {
  const { parcels, opened, replaced, erased, failures } = report;
  return [
    bilingual([`完整下载 ${count(parcels)} 件`, `${count(parcels)} parcels, provably all`]),
    bilingual([`解封 ${count(opened)} 件 → ${out}`, `${count(opened)} opened`]),
    ...(replaced > 0
      ? [bilingual([`其中已被更正 ${count(replaced)} 件`, `${count(replaced)} replaced`])]
      : []),
    ...(erased > 0
      ? [bilingual([`已依法删除 ${count(erased)} 件`, `${count(erased)} erased`])]
      : []),
    ...(failures.length > 0
      ? [
          bilingual([
            `无法解封 ${count(failures.length)} 项，请调查`,
            `${count(failures.length)} do not open: look into it`,
          ]),
          ...failures.slice(0, LISTED).map(({ id, code }) => `  ${code} ${id ?? ''}`),
        ]
      : []),
  ];
}
