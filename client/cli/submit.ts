import type { Command } from 'commander';
import { fieldText } from '../../wire/explain.ts';
import { type SubmitResult, submitRecord } from '../submit.ts';
import { openWorkspace } from '../workspace.ts';
import { action, dirOption, dryRunOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, EXIT } from './failure.ts';
import { type InputOptions, openInput, takesRecords } from './input.ts';
import { resultLines } from './results.ts';
import { count } from './ui.ts';

interface Options extends InputOptions {
  dir: string;
  url?: string;
  dryRun?: boolean;
}

interface Submitted extends SubmitResult {
  line: number;
  enterprise: string;
}

/** A record that has no CBOR: an id that is no UUID, a time without its zone. */
interface Unsent {
  line: number;
  enterprise: string;
  outcome: 'NOT_SENT';
  field?: string;
}

export function submitCommand(): Command {
  return takesRecords(
    newCommand(
      'submit',
      ['逐条上报，并显示脱敏结果', 'send records one by one and show the masked view of each'],
      [
        'sealpost submit record.json --dir city --enterprise sf',
        'sealpost submit record.json --dir city --enterprise sf --dry-run',
      ],
    ),
  )
    .addOption(dirOption())
    .addOption(urlOption())
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
        const unsent: Unsent[] = [];
        const shown = () => [
          ...results.sort((a, b) => a.line - b.line).flatMap(resultLines),
          ...unsent.map(unsentLine),
        ];
        try {
          for (const [enterprise, { identity }] of desks) {
            for await (const { line, cbor, field } of lines.read(enterprise)) {
              if (!cbor) {
                unsent.push({ line, enterprise, outcome: 'NOT_SENT', ...(field && { field }) });
                continue;
              }
              const dryRun = options.dryRun === true;
              results.push({
                line,
                enterprise,
                ...(await submitRecord(edge, identity, cbor, { dryRun })),
              });
            }
          }
        } catch (error) {
          // What has been acknowledged before is not lost with the rest; for machines, the error is the one object.
          if (!ui.json) ui.result({}, shown());
          throw error;
        } finally {
          await lines.close();
        }
        ui.result({ results: [...results, ...unsent] }, [
          ...shown(),
          bilingual([`共 ${count(lines.total)} 条`, `records: ${count(lines.total)}`]),
        ]);
        if (unsent.length > 0) return EXIT.FAILURE;
        if (results.some(({ outcome }) => outcome === 'RETRY')) return EXIT.INCOMPLETE;
        const kept = (outcome: string) => ['STORED', 'DUPLICATE', 'CHECKED'].includes(outcome);
        return results.every(({ outcome }) => kept(outcome)) ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}

function unsentLine({ line, field }: Unsent): string {
  return bilingual([
    `${line}  无法编码，未发送${field ? `（${fieldText(field)}）` : ''}`,
    `cannot be encoded, not sent${field ? ` (${field})` : ''}`,
  ]);
}
