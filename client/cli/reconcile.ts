import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { dayOfText } from '../../wire/reconcile.ts';
import { uuidBytes } from '../../wire/record.ts';
import { type DayReport, Ledger, Reconciler } from '../reconcile.ts';
import { openWorkspace } from '../workspace.ts';
import { action, calendarDay, dirOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, CliFailure, EXIT, usageFailure } from './failure.ts';
import { count } from './ui.ts';

interface Options {
  dir: string;
  url?: string;
  ledger: string;
  enterprise?: string;
  day?: string;
}

interface Compared extends DayReport {
  enterprise: string;
}

/** Ids listed for people; --json has them all. */
const LISTED = 10;

export function reconcileCommand(): Command {
  return newCommand(
    'reconcile',
    ['按日核对本地结果与中心所存', 'compare your own results with what the store holds, by day'],
    [
      'sealpost reconcile --ledger results.ndjson --dir city',
      'sealpost reconcile --ledger results.ndjson --dir city --enterprise sf --day 2026-11-01',
    ],
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .requiredOption(
      '--ledger <file>',
      bilingual(['sealpost stream --results 写出的文件', 'what sealpost stream --results wrote']),
    )
    .option(
      '--enterprise <slug>',
      bilingual(['核对哪家企业（默认：文件中的所有企业）', 'whose (default: all in the file)']),
    )
    .option(
      '--day <date>',
      bilingual([
        '入库日（UTC；默认：文件中的所有日期）',
        'day of commit (UTC; default: all in the file)',
      ]),
      calendarDay,
    )
    .action(
      action<[Options]>(async (ui, options) => {
        const workspace = openWorkspace(options.dir);
        const ledgers = await readLedger(options.ledger, options.enterprise);
        const desks = [...ledgers].map(
          ([slug, ledger]) => [slug, workspace.enterprise(slug).identity, ledger] as const,
        );
        const edge = connect(workspace, options.url);
        await edge.recipients();
        const days: Compared[] = [];
        for (const [enterprise, identity, ledger] of desks) {
          const reconciler = new Reconciler(edge, identity, ledger);
          for (const day of options.day ? [dayOfText(options.day)] : ledger.days) {
            days.push({ enterprise, ...(await reconciler.compare(day)) });
          }
        }
        if (days.length === 0) throw nothingToCompare();
        const matches = days.every((day) => day.matches);
        ui.result({ matches, days }, summary(days));
        return matches ? EXIT.OK : EXIT.INCOMPLETE;
      }),
    );
}

/** What the store should hold, by enterprise. @param only keep this enterprise's lines; it then has a ledger even without any */
async function readLedger(path: string, only?: string): Promise<Map<string, Ledger>> {
  const ledgers = new Map<string, Ledger>(only === undefined ? [] : [[only, new Ledger()]]);
  const file = await open(path);
  let line = 0;
  for await (const text of file.readLines()) {
    line++;
    if (text.trim() === '') continue;
    const { enterprise, id, atMs } = parseLine(text, line);
    if (only !== undefined && enterprise !== only) continue;
    const ledger = ledgers.get(enterprise) ?? new Ledger();
    ledgers.set(enterprise, ledger);
    if (id) ledger.add(id, atMs);
  }
  return ledgers;
}

/** @returns without an id when the record is not durable by this result */
function parseLine(text: string, line: number) {
  try {
    const { enterprise, outcome, id, at } = JSON.parse(text) as Record<string, unknown>;
    if (typeof enterprise !== 'string' || typeof outcome !== 'string') throw new TypeError();
    if (outcome !== 'STORED' && outcome !== 'DUPLICATE') return { enterprise, atMs: 0 };
    const atMs = Date.parse(String(at));
    if (Number.isNaN(atMs)) throw new TypeError();
    return { enterprise, id: uuidBytes(String(id)), atMs };
  } catch {
    throw new CliFailure(
      'bad_line',
      [`第 ${line} 行不是上报结果`, `line ${line} is not a result`],
      [
        '请给出 sealpost stream --results 写出的文件',
        'give a file that sealpost stream --results wrote',
      ],
    );
  }
}

function nothingToCompare(): CliFailure {
  return usageFailure(
    ['文件中没有已入库的结果', 'the file holds no result of a stored record'],
    ['请用 --enterprise 与 --day 指明核对范围', 'say what to compare with --enterprise and --day'],
  );
}

function summary(days: readonly Compared[]): string[] {
  return days.flatMap((report) => [
    `${report.day}  ${report.enterprise}  ${bilingual([
      `中心 ${count(report.edge)}，本地 ${count(report.ledger)}${report.matches ? '，一致' : '，不一致'}`,
      `store ${count(report.edge)}, here ${count(report.ledger)}: ${report.matches ? 'match' : 'differ'}`,
    ])}`,
    ...(report.otherDays > 0
      ? [
          `  ${bilingual([
            `${count(report.otherDays)} 条入库于相邻日期`,
            `${count(report.otherDays)} are stored under another day`,
          ])}`,
        ]
      : []),
    ...difference(report.onlyThere, [
      '仅中心有：结果已丢失，重新运行 stream 即可补齐',
      'only in the store: their results were lost, stream again to have them',
    ]),
    ...difference(report.onlyHere, [
      '仅本地有：中心缺失，请联系运维方',
      'only here: the store lacks them, tell whoever runs it',
    ]),
  ]);
}

function difference(ids: readonly string[], text: readonly [string, string]): string[] {
  if (ids.length === 0) return [];
  return [
    `  ${count(ids.length)}  ${bilingual(text)}`,
    ...ids.slice(0, LISTED).map((id) => `    ${id}`),
    ...(ids.length > LISTED ? ['    ...'] : []),
  ];
}
