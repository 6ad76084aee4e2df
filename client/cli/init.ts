import { type Command, Option } from 'commander';
import { type City, companies } from '../generate/companies.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../workspace.ts';
import { action, calendarDay, DEFAULT_PORT, dirOption, newCommand } from './command.ts';
import { bilingual, usageFailure } from './failure.ts';
import { count } from './ui.ts';

const DAY_MS = 86_400_000;

interface Options {
  dir: string;
  city: City;
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
    .option('--sandbox', bilingual(['沙箱：仅供试用，密钥独立', 'a sandbox, with keys of its own']))
    .action(
      action<[Options]>(async (ui, { dir, city, trialUntil, sandbox }) => {
        const workspace = await makeWorkspace(dir, city, {
          ...(trialUntil && { trialUntil: endOfTrial(trialUntil) }),
          ...(sandbox && { mode: 'sandbox' }),
        });
        const enterprises = workspace.enterprises().length;
        const rootKey = Buffer.from(workspace.rootKey).toString('hex');
        const { mode } = workspace;
        ui.result({ dir, city: workspace.city, mode, enterprises, rootKey }, [
          bilingual([`配置已生成：${dir}`, `configuration made: ${dir}`]),
          bilingual([`企业 ${count(enterprises)} 家`, `${count(enterprises)} enterprises`]),
          bilingual([`根公钥 ${rootKey}`, 'root public key']),
          ...(sandbox ? [bilingual(['沙箱，不作数', 'a sandbox: nothing in it counts'])] : []),
          ...(trialUntil
            ? [bilingual([`试行至 ${trialUntil}（含）`, `in trial until ${trialUntil}, included`])]
            : []),
          bilingual(['下一步', `next: sealpost serve --dir ${dir}`]),
        ]);
      }),
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
