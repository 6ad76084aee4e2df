import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  drillKeys,
  EpochSampler,
  type FoundKey,
  type KeyReport,
  type KeyState,
  keyId,
  needsAction,
  readersOf,
  SHORT,
} from '../drill.ts';
import { toHex } from '../encoding.ts';
import { listEnd } from '../expiry.ts';
import { generateKeyPair } from '../hpke.ts';
import { WorkspaceError, writeNew } from '../keyfile.ts';
import { readTail, type TailReport } from '../tail.ts';
import {
  keyJson,
  MIN_READERS,
  openWorkspace,
  readRecipientKey,
  type Workspace,
} from '../workspace.ts';
import { type Renewal, readReaderKey, renewWorkspace } from '../workspace-renew.ts';
import { action, calendarDay, dirOption, newCommand, urlOption, wholeNumber } from './command.ts';
import { connect } from './connect.ts';
import { type Bilingual, bilingual, EXIT } from './failure.ts';
import { count } from './ui.ts';
import { warnOfEnds } from './warnings.ts';

export function keysCommand(): Command {
  const command = newCommand(
    'keys',
    ['监管密钥：演练、续签、新建', 'recipient keys: drill, renewal, new ones'],
    ['sealpost keys drill --dir city', 'sealpost keys renew --dir city'],
  ).enablePositionalOptions();
  for (const sub of [drillCommand(), renewCommand(), newKeyCommand()]) command.addCommand(sub);
  return command;
}

interface DrillOptions {
  dir: string;
  url?: string;
  day: string;
  sample: number;
  key?: string[];
}

/** Parcels of each epoch that every key has to open. */
const DEFAULT_SAMPLE = 5;
const DAY_MS = 86_400_000;
const BEIJING_MS = 8 * 3_600_000;

function drillCommand(): Command {
  return newCommand(
    'drill',
    [
      '演练：每把接收密钥单独解封今天的记录',
      "prove that each recipient key on its own opens today's records",
    ],
    [
      'sealpost keys drill --dir city --day today',
      'sealpost keys drill --dir city --key /media/usb/recipient-2.json',
    ],
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .option(
      '--day <day>',
      bilingual([
        '北京时间的日期，或 today；当天没有记录时取最近的',
        'date in Beijing, or today; the last records when it has none',
      ]),
      (text) => (text === 'today' ? text : calendarDay(text)),
      'today',
    )
    .option(
      '--sample <n>',
      bilingual(['每个时段抽取的记录数', 'parcels of each epoch']),
      wholeNumber(1, 1_000),
      DEFAULT_SAMPLE,
    )
    .addOption(
      new Option(
        '--key <file>',
        bilingual([
          '只演练这些密钥文件（分开保管时）；可重复',
          'only the keys of these files, for keys that are kept apart; again for more',
        ]),
      ).argParser((file: string, before: string[] = []) => [...before, file]),
    )
    .action(
      action<[DrillOptions]>(async (ui, options) => {
        const workspace = openWorkspace(options.dir);
        const edge = connect(workspace, options.url);
        const { list } = await edge.recipients();
        const sampler = new EpochSampler(options.sample);
        const tail = await readTail(edge, workspace.regulatorIdentity(), {
          ...{ known: knownCursor(workspace), ...timeOf(options.day, edge.now()) },
          onEpoch: (header) => sampler.addEpoch(header),
          onParcel: (parcel, row) => sampler.addParcel(parcel, row),
        });
        workspace.keepLists(edge.lists);
        const found = (options.key ?? workspace.recipientKeyFiles()).map(foundKey);
        const keys = drillKeys(sampler, found, list, edge.lists, options.key === undefined);
        const readers = readersOf(list).length;
        const passed =
          tail.parcels > 0 &&
          sampler.orphans === 0 &&
          readers >= MIN_READERS &&
          keys.length > 0 &&
          !keys.some(needsAction);
        const warnings = warnOfEnds(ui, [listEnd(list)]);
        const report = {
          ...{ passed, listVersion: list.version, listReaders: readers, ...tail },
          ...{ epochs: sampler.epochs.size, orphans: sampler.orphans, keys, warnings },
        };
        ui.result(report, drillSummary(report));
        return passed ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}

/** The day's first and last moment in Beijing. */
function timeOf(day: string, now: number): { fromMs: number; untilMs: number } {
  const start =
    day === 'today'
      ? Math.floor((now + BEIJING_MS) / DAY_MS) * DAY_MS - BEIJING_MS
      : Date.parse(`${day}T00:00:00Z`) - BEIJING_MS;
  return { fromMs: start, untilMs: start + DAY_MS };
}

function knownCursor(workspace: Workspace): Map<number, number> {
  const writers = workspace.pullState()?.writers ?? [];
  return new Map(writers.map(({ writer, sequence }) => [writer, sequence]));
}

/** Names the file, never what is in it. */
function foundKey(path: string): FoundKey {
  const file = basename(path);
  if (!existsSync(path)) return { file, problem: 'missing' };
  try {
    return { file, pair: readRecipientKey(path) };
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    return { file, problem: 'damaged' };
  }
}

const STATES: Record<KeyState, Bilingual> = {
  opens: ['能解封', 'opens'],
  fails: ['有记录无法解封', 'does not open everything'],
  unproven: ['尚无封给它的记录', 'nothing was sealed to it yet: drill again later'],
  missing: ['名单中有，但没有密钥文件', 'the list names it, and its file is not here'],
  damaged: ['密钥文件已损坏', 'its file is damaged'],
  not_listed: ['不在名单中', 'no list names it'],
  retired: ['已移出名单，只能解封旧记录', 'removed from the list: opens older records only'],
};

function drillSummary(report: {
  passed: boolean;
  listReaders: number;
  basis: TailReport['basis'];
  commits: number;
  parcels: number;
  epochs: number;
  orphans: number;
  keys: KeyReport[];
}): string[] {
  const { passed, listReaders, basis, parcels, epochs, orphans, keys } = report;
  return [
    ...(parcels === 0
      ? [bilingual(['没有可供演练的记录', 'there are no records to drill with'])]
      : [
          basis === 'time'
            ? bilingual([`当天 ${count(parcels)} 件`, `${count(parcels)} parcels of the day`])
            : bilingual([
                `当天没有记录，取最近 ${count(parcels)} 件`,
                `none of the day: the last ${count(parcels)} parcels`,
              ]),
          bilingual([`时段 ${count(epochs)} 个`, `${count(epochs)} epochs`]),
        ]),
    ...keys.map((key) => {
      const { file = '', epochs: opened, epochsDue, parcels: read, parcelsDue, state } = key;
      const figures = bilingual([
        `时段 ${opened}/${epochsDue}，记录 ${read}/${parcelsDue}`,
        `epochs ${opened}/${epochsDue}, parcels ${read}/${parcelsDue}`,
      ]);
      const failures = key.failures.length > 0 ? `  ${[...new Set(key.failures)].join(', ')}` : '';
      return `${key.key ?? '?'.repeat(SHORT)}  ${file}  ${bilingual(STATES[state])}  ${figures}${failures}`;
    }),
    ...(orphans > 0
      ? [
          bilingual([
            `${count(orphans)} 件记录缺少时段头，无人能解封`,
            `${count(orphans)} parcels without their epoch: nobody opens them`,
          ]),
        ]
      : []),
    ...(listReaders < MIN_READERS
      ? [
          bilingual([
            `名单中只有 ${listReaders} 把接收密钥：丢失即永久丢失记录`,
            `the list has ${listReaders} recipient key: losing it loses the records for ever`,
          ]),
        ]
      : []),
    passed
      ? bilingual(['演练通过', 'the drill is passed'])
      : bilingual(['演练未通过', 'the drill has FAILED']),
  ];
}

interface RenewOptions {
  dir: string;
  addRecipient?: string[];
  remove?: string[];
}

function renewCommand(): Command {
  return newCommand(
    'renew',
    [
      '用离线根密钥签发新名单（每月一次），并续签企业证书',
      'sign the next recipient list with the offline root key (monthly), renew certificates',
    ],
    [
      'sealpost keys renew --dir city',
      'sealpost keys renew --dir city --add-recipient recipient-3.public.json --remove 3fa9c0d1',
    ],
  )
    .addOption(dirOption())
    .addOption(
      new Option(
        '--add-recipient <file>',
        bilingual(['加入接收公钥；可重复', 'add the public key of this file; again for more']),
      ).argParser((file: string, before: string[] = []) => [...before, file]),
    )
    .addOption(
      new Option(
        '--remove <keyid>',
        bilingual([
          '移出接收密钥（编号前 8 位以上）；可重复',
          'remove a recipient key, by 8 digits of its id or more; again for more',
        ]),
      ).argParser((id: string, before: string[] = []) => [...before, keyIdBeginning(id)]),
    )
    .action(
      action<[RenewOptions]>(async (ui, { dir, addRecipient = [], remove = [] }) => {
        const workspace = openWorkspace(dir);
        const add = addRecipient.map(readReaderKey);
        const renewal = renewWorkspace(workspace, { add, remove });
        const notAfter = new Date(renewal.notAfter).toISOString();
        ui.result({ ...renewal, notAfter }, renewalSummary(renewal));
      }),
    );
}

function renewalSummary(renewal: Renewal): string[] {
  const { version, notAfter, readers, certificates, edgeKey, indexKeys } = renewal;
  const day = new Date(notAfter).toISOString().slice(0, 10);
  const changes = { kept: '  ', added: '+ ', removed: '- ' };
  return [
    bilingual([`名单第 ${version} 版，有效至 ${day}`, `recipient list ${version}, until ${day}`]),
    ...readers.map(({ key, change }) => changes[change] + key.slice(0, SHORT)),
    bilingual([
      `企业证书 ${count(certificates)} 份已续签`,
      `${count(certificates)} certificates renewed`,
    ]),
    ...(edgeKey ? [bilingual(['新上报密钥 1 把', 'a new key to submit to'])] : []),
    ...(indexKeys > 0
      ? [bilingual([`新索引密钥 ${indexKeys} 把`, `${indexKeys} new index keys`])]
      : []),
    ...(readers.some(({ change }) => change === 'removed')
      ? [
          bilingual([
            '移出的密钥仍是旧记录的钥匙：保留期满前不得销毁',
            'a removed key still opens older records: keep it until their term has ended',
          ]),
        ]
      : []),
    bilingual(['服务下次启动时生效', 'the service takes it at its next start']),
  ];
}

function newKeyCommand(): Command {
  return newCommand(
    'new',
    [
      '新建接收密钥（在其保管人的机器上）',
      'make a recipient key, on the machine of whoever will keep it',
    ],
    ['sealpost keys new --out recipient-3.json'],
  )
    .requiredOption('--out <file>', bilingual(['密钥文件', 'file for the key']))
    .action(
      action<[{ out: string }]>(async (ui, { out }) => {
        const pair = generateKeyPair();
        const shared = `${out.replace(/\.json$/, '')}.public.json`;
        writeNew(out, keyJson(pair), true);
        writeNew(shared, { publicKey: toHex(pair.publicKey) }, false);
        const key = keyId(pair.publicKey).slice(0, SHORT);
        ui.result({ key, file: out, public: shared }, [
          bilingual([`接收密钥 ${key} → ${out}`, 'recipient key: keep it, it is the only copy']),
          bilingual([`公钥 → ${shared}`, 'public key: for sealpost keys renew --add-recipient']),
        ]);
      }),
    );
}

/** @throws InvalidArgumentError */
function keyIdBeginning(text: string): string {
  if (/^[0-9a-f]{8,64}$/i.test(text)) return text;
  throw new InvalidArgumentError(
    bilingual([
      '应为密钥编号的前 8 位以上（十六进制）。',
      '8 digits of a key id or more are wanted, in hexadecimal.',
    ]),
  );
}
