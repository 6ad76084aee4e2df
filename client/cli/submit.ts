import type { Command } from 'commander';
import { fieldText } from '../../wire/explain.ts';
import { type SubmitResult, submitRecord } from '../submit.ts';
import { openWorkspace } from '../workspace.ts';
import { action, dirOption, dryRunOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, CliFailure, EXIT } from './failure.ts';
import {
  encodingOption,
  FILE,
  formatOption,
  type InputOptions,
  mapOption,
  openInput,
} from './input.ts';
import { resultLines } from './results.ts';

interface Options extends InputOptions {
  dir: string;
  url?: string;
  dryRun?: boolean;
}

interface Submitted extends SubmitResult {
  line: number;
  enterprise: string;
}

export function submitCommand(): Command {
  return newCommand(
    'submit',
    ['逐条上报，并显示脱敏结果', 'send records one by one and show the masked view of each'],
    [
      'sealpost submit record.json --dir city --enterprise sf',
      'sealpost submit record.json --dir city --enterprise sf --dry-run',
    ],
  )
    .argument('<file>', bilingual(FILE))
    .addOption(dirOption())
    .addOption(urlOption())
    .option('--enterprise <slug>', bilingual(['记录所属企业', 'whose records they are']))
    .addOption(formatOption())
    .addOption(mapOption())
    .addOption(encodingOption())
    .addOption(dryRunOption())
    .action(
      action<[string, Options]>(async (ui, path, options) => {
        const workspace = openWorkspace(options.dir);
        const lines = await openInput(path, options, workspace);
        const desks = new Map(
          lines.enterprises.map(({ slug }) => [slug, workspace.enterprise(slug)]),
        );
        const edge = connect(workspace, options.url);
        // Asked for before anything else, so that a service that is not there is told at once.
        await edge.keys();
        const results: Submitted[] = [];
        try {
          for (const [slug, { identity }] of desks) {
            for await (const { line, cbor, field } of lines.read(slug)) {
              if (!cbor) throw cannotEncode(line, field);
              const result = await submitRecord(edge, identity, cbor, {
                dryRun: options.dryRun === true,
              });
              results.push({ line, enterprise: slug, ...result });
            }
          }
        } finally {
          await lines.close();
        }
        ui.result({ results }, results.flatMap(resultLines));
        if (results.some(({ outcome }) => outcome === 'RETRY')) return EXIT.INCOMPLETE;
        const kept = (outcome: string) => ['STORED', 'DUPLICATE', 'CHECKED'].includes(outcome);
        return results.every(({ outcome }) => kept(outcome)) ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}

function cannotEncode(line: number, field?: string): CliFailure {
  return new CliFailure(
    'cannot_encode',
    [
      `第 ${line} 行的记录无法编码${field ? `（${fieldText(field)}）` : ''}`,
      `the record in line ${line} cannot be encoded${field ? ` (${field})` : ''}`,
    ],
    ['请改正其编号、时间，或缩短内容', 'mend its id or times, or make it shorter'],
  );
}
