import { type Command, Option } from 'commander';
import { type City, companies } from '../generate/companies.ts';
import { createWorkspace, type Workspace } from '../workspace.ts';
import { action, DEFAULT_PORT, dirOption, newCommand } from './command.ts';
import { bilingual } from './failure.ts';
import { count } from './ui.ts';

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
    ['sealpost init --dir city'],
  )
    .addOption(dirOption())
    .addOption(cityOption())
    .action(
      action<[{ dir: string; city: City }]>(async (ui, { dir, city }) => {
        const workspace = await makeWorkspace(dir, city);
        const enterprises = workspace.enterprises().length;
        const rootKey = Buffer.from(workspace.rootKey).toString('hex');
        ui.result({ dir, city: workspace.city, enterprises, rootKey }, [
          bilingual([`配置已生成：${dir}`, `configuration made: ${dir}`]),
          bilingual([`企业 ${count(enterprises)} 家`, `${count(enterprises)} enterprises`]),
          bilingual([`根公钥 ${rootKey}`, 'root public key']),
          bilingual(['下一步', `next: sealpost serve --dir ${dir}`]),
        ]);
      }),
    );
}

/** A workspace with all companies of a city. @throws WorkspaceError `exists` */
export function makeWorkspace(dir: string, city: City): Promise<Workspace> {
  const { code, node } = CITIES[city];
  const authority = `127.0.0.1:${DEFAULT_PORT}`;
  return createWorkspace(dir, { city: code, node, authority, enterprises: companies(city) });
}
