import { type Command, Option } from 'commander';
import { DOC_TYPES, type DocType } from '../../wire/record.ts';
import { type LookupQuery, type LookupReport, lookup } from '../lookup.ts';
import { loadWasm } from '../wasm-file.ts';
import { openWorkspace, type Workspace } from '../workspace.ts';
import { action, calendarDay, dirOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, EXIT, usageFailure } from './failure.ts';
import { count } from './ui.ts';

interface Options {
  dir: string;
  url?: string;
  document?: string;
  type?: DocType;
  nationality?: string;
  phone?: string;
  waybill?: string;
  carrier?: string;
  from: string;
  to: string;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

export function lookupCommand(): Command {
  return newCommand(
    'lookup',
    ['按证件、电话或运单号查询', 'find parcels by document, phone or waybill'],
    [
      'sealpost lookup --dir city --phone 13800138000',
      'sealpost lookup --dir city --waybill SF1234567890123 --json',
      'sealpost lookup --dir city --document - < number.txt',
    ],
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .option(
      '--document <number>',
      bilingual(['证件号码；- 为从标准输入读取', 'document number; - reads it from stdin']),
    )
    .addOption(
      new Option(
        '--type <type>',
        bilingual(['证件类型（默认：所有可能的类型）', 'its type (default: all that fit)']),
      ).choices(Object.keys(DOC_TYPES)),
    )
    .option(
      '--nationality <code>',
      bilingual(['外国护照的国籍，三位字母', "a foreign passport's, three letters"]),
    )
    .option(
      '--phone <number>',
      bilingual(['电话；- 为从标准输入读取', 'phone; - reads it from stdin']),
    )
    .option(
      '--waybill <number>',
      bilingual(['运单号；- 为从标准输入读取', 'waybill; - reads it from stdin']),
    )
    .option(
      '--carrier <code>',
      bilingual(['承运企业代码（默认：所有）', 'its carrier (default: all known ones)']),
    )
    .option(
      '--from <date>',
      bilingual(['入库起始日（UTC）', 'first day in the store (UTC)']),
      calendarDay,
      daysAgo(DEFAULT_DAYS),
    )
    .option(
      '--to <date>',
      bilingual(['入库截止日（UTC）', 'last day in the store (UTC)']),
      calendarDay,
      daysAgo(0),
    )
    .action(
      action<[Options]>(async (ui, options) => {
        const query = await queryOf(options);
        const workspace = openWorkspace(options.dir);
        const edge = connect(workspace, options.url);
        await edge.recipients();
        const desk = workspace.regulator();
        const opener = workspace.opener(desk.recipientKeys, edge.lists);
        const report = await lookup(edge, { ...desk, opener, module: loadWasm() }, query);
        workspace.keepLists(edge.lists);
        ui.result(report, summary(report, workspace));
        if (report.truncated) return EXIT.INCOMPLETE;
        return report.refused.length > 0 ? EXIT.FAILURE : EXIT.OK;
      }),
    );
}

async function queryOf(options: Options): Promise<LookupQuery> {
  const { document, phone, waybill } = options;
  if ([document, phone, waybill].filter((value) => value !== undefined).length !== 1) {
    throw usageFailure(
      ['须给出一项查询条件', 'exactly one thing to look for is needed'],
      ['请使用 --document、--phone、--waybill 之一', 'use one of --document, --phone, --waybill'],
    );
  }
  const days = { from: new Date(options.from), to: new Date(options.to) };
  if (days.from > days.to) {
    throw usageFailure(
      ['起始日晚于截止日', 'the first day is after the last'],
      ['请检查 --from 与 --to', 'check --from and --to'],
    );
  }
  if (phone !== undefined) return { ...days, phone: await argumentOrStdin(phone) };
  if (waybill !== undefined) {
    const { carrier } = options;
    return { ...days, waybill: await argumentOrStdin(waybill), ...(carrier && { carrier }) };
  }
  const { type, nationality } = options;
  return {
    ...days,
    document: await argumentOrStdin(document as string),
    ...(type && { docType: type }),
    ...(nationality && { nationality: nationality.toUpperCase() }),
  };
}

/** Arguments of a running program are for all users of a machine to see, and stay in a shell's history: so `-`. */
async function argumentOrStdin(argument: string): Promise<string> {
  if (argument !== '-') return argument;
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  return text.trim();
}

function summary({ matches, refused, truncated }: LookupReport, workspace: Workspace): string[] {
  const names = workspace.enterpriseNames();
  return [
    bilingual([`找到 ${count(matches.length)} 件`, `${count(matches.length)} found`]),
    ...matches.map(({ acceptedAt, enterprise, record }) => {
      const { carrier, waybill, sender, agreement, recipient } = record;
      const from = sender?.name ?? agreement?.number ?? '';
      const by = names.get(enterprise) ?? enterprise;
      return `${acceptedAt}  ${carrier} ${waybill}  ${from} → ${recipient.name}  ${by}`;
    }),
    ...(refused.length > 0
      ? [
          bilingual([
            `无法解封 ${count(refused.length)} 项：${refused.join(', ')}`,
            `${count(refused.length)} do not open`,
          ]),
        ]
      : []),
    ...(truncated
      ? [bilingual(['结果过多，请缩小日期范围', 'there are more: narrow the days'])]
      : []),
  ];
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}
