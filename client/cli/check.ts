import type { Command } from 'commander';
import { fieldText } from '../../wire/explain.ts';
import { Checker } from '../check.ts';
import { loadWasm } from '../wasm-file.ts';
import { openWorkspace } from '../workspace.ts';
import { action, dirOption, newCommand } from './command.ts';
import { bilingual, EXIT } from './failure.ts';
import { type InputOptions, openInput, takesRecords } from './input.ts';
import { RefusalCounts } from './results.ts';
import { count } from './ui.ts';

interface Options extends InputOptions {
  dir: string;
}

/** Refused lines shown to people; with --json all of them. */
const SHOWN = 20;

export function checkCommand(): Command {
  return takesRecords(
    newCommand(
      'check',
      ['在本机核对记录，不发送', 'judge records on this machine, send nothing'],
      ['sealpost check day.ndjson --dir city', 'sealpost check day.csv --dir city --enterprise sf'],
    ),
  )
    .addOption(dirOption())
    .action(
      action<[string, Options]>(async (ui, path, options) => {
        const lines = await openInput(path, options, openWorkspace(options.dir));
        const checker = new Checker(loadWasm());
        const now = Date.now();
        const refused: { line: number; code: string; field?: string }[] = [];
        const refusals = new RefusalCounts();
        try {
          for (const { slug } of lines.enterprises) {
            for await (const { line, cbor, field: at } of lines.read(slug)) {
              const verdict = cbor && checker.check(cbor, now);
              if (verdict && verdict.code === undefined) continue;
              const code = verdict?.code ?? 'NOT_ENCODED';
              const field = verdict ? verdict.field : at;
              refusals.add({ outcome: 'REFUSED', code });
              refused.push({ line, code, ...(field && { field }) });
            }
          }
        } finally {
          await lines.close();
        }
        refused.sort((a, b) => a.line - b.line);
        const accepted = lines.total - refused.length;
        ui.result({ records: lines.total, accepted, refused, refusals: refusals.counts }, [
          ...refused.slice(0, SHOWN).map(({ line, code, field }) => {
            return `${line}  ${code}${field ? ` (${field} ${fieldText(field)})` : ''}`;
          }),
          ...(refused.length > SHOWN ? [`… ${count(refused.length - SHOWN)}`] : []),
          bilingual([
            `共 ${count(lines.total)} 条，可上报 ${count(accepted)}`,
            `records: ${count(lines.total)}, would be taken: ${count(accepted)}`,
          ]),
          ...refusals.lines(),
        ]);
        return refused.length === 0 ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}
