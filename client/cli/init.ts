import { type Command, InvalidArgumentError, Option } from 'commander';
import { type City, companies } from '../generate/companies.ts';
import {
  createWorkspace,
  MIN_READERS,
  type Workspace,
  type WorkspaceOptions,
} from '../workspace.ts';
import { action, calendarDay, DEFAULT_PORT, dirOption, newCommand } from './command.ts';
import { bilingual, usageFailure } from './failure.ts';
import { count } from './ui.ts';

const DAY_MS = 86_400_000;

interface Options {
  dir: string;
  city: City;
  readers: number;
  trialUntil?: string;
  sandbox?: boolean;
}

/** Division code (GB/T 2260) and node name of each city that there is a roster of. */
const CITIES: Record<City, { code: number; node: string }> = {
  guiyang: { code: 520100, node: 'gy-1' },
};

export function cityOption(): Option {
  return new Option('--city <city>', bilingual(['城市', 'city']))
    .choices(Object.keys(CITIES))
    .default('guiyang');
}

export function initCommand(): Command {
  return newCommand(
    'init',
    ['生成密钥与本地配置', 'make all keys and a local configuration'],
    [
      'sealpost init --dir city',
      'sealpost init --dir city --trial-until 2027-01-31',
      'sealpost init --dir tryout --sandbox',
    ],
  )
    .addOption(dirOption())
    .addOption(cityOption())
    .option(
      '--trial-until <date>',
      bilingual([
        '试行期最后一天（北京时间）；默认不试行',
        'last day of the trial (in Beijing); enforced from the start unless given',
      ]),
      calendarDay,
    )
    .option(
      '--readers <n>',
      bilingual(['国家接收密钥数，至少 2', 'national recipient keys, 2 at least']),
      readerCount,
      MIN_READERS,
    )
    .option('--sandbox', bilingual(['沙箱：仅供试用，密钥独立', 'a sandbox, with keys of its own']))
    .action(
      action<[Options]>(async (ui, { dir, city, readers, trialUntil, sandbox }) => {
        const workspace = await makeWorkspace(dir, city, {
          readers,
          ...(trialUntil && { trialUntil: endOfTrial(trialUntil) }),
          ...(sandbox && { mode: 'sandbox' }),
        });
        const enterprises = workspace.enterprises().length;
        const rootKey = Buffer.from(workspace.rootKey).toString('hex');
        const { mode } = workspace;
        const recipientKeys = workspace.recipientKeyFiles();
        ui.result({ dir, city: workspace.city, mode, enterprises, rootKey, recipientKeys }, [
          bilingual([`配置已生成：${dir}`, `configuration made: ${dir}`]),
          bilingual([`企业 ${count(enterprises)} 家`, `${count(enterprises)} enterprises`]),
          bilingual([`根公钥 ${rootKey}`, 'root public key']),
          ...(sandbox ? [bilingual(['沙箱，不作数', 'a sandbox: nothing in it counts'])] : []),
          ...(trialUntil
            ? [bilingual([`试行至 ${trialUntil}（含）`, `in trial until ${trialUntil}, included`])]
            : []),
          ...keepApart(recipientKeys),
          bilingual(['下一步', `next: sealpost serve --dir ${dir}`]),
        ]);
      }),
    );
}

/** There is no other copy of a record, and no back door: who loses every recipient key has lost every record. */
function keepApart(files: readonly string[]): string[] {
  return [
    bilingual([`国家接收密钥 ${files.length} 把：`, `${files.length} national recipient keys:`]),
    ...files.map((file) => `  ${file}`),
    bilingual([
      '请立即将它们分开保管（不同的人、不同的地点、各有备份），并从本机移走多余的',
      'keep them apart from now on: other people, other places, a backup of each; leave one here at most',
    ]),
    bilingual([
      '任何一把都能解封全部记录；全部丢失则记录永久丢失，没有任何恢复办法',
      'any one of them opens every record; losing all of them loses the records for ever: there is no recovery',
    ]),
    bilingual([
      '请每天演练：sealpost keys drill',
      'prove every day that each still opens: sealpost keys drill',
    ]),
  ];
}

/** @throws InvalidArgumentError */
function readerCount(text: string): number {
  if (/^\d$/.test(text) && Number(text) >= MIN_READERS) return Number(text);
  throw new InvalidArgumentError(
    bilingual([
      '应为 2 到 9：只有一把接收密钥时，丢失即永久丢失记录。',
      '2 to 9 are wanted: with a single recipient key, losing it loses the records for ever.',
    ]),
  );
}

/** The moment after a day in Beijing (UTC+8), ms since 1970. @throws CliFailure `usage` when it is past, or over a year away */
function endOfTrial(day: string): number {
  const end = Date.parse(`${day}T24:00:00+08:00`);
  if (end > Date.now() && end <= Date.now() + 365 * DAY_MS) return end;
  throw usageFailure(
    ['试行期须在今天之后一年之内结束', 'a trial ends within a year from now'],
    ['请检查 --trial-until', 'check --trial-until'],
  );
}

/** A workspace with all companies of a city. @throws WorkspaceError `exists` */
export function makeWorkspace(
  dir: string,
  city: City,
  changes: Partial<WorkspaceOptions> = {},
): Promise<Workspace> {
  const { code, node } = CITIES[city];
  const authority = `127.0.0.1:${DEFAULT_PORT}`;
  const enterprises = companies(city);
  return createWorkspace(dir, { city: code, node, authority, enterprises, ...changes });
}
