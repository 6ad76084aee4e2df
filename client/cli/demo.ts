import type { Command } from 'commander';
import { passed, runDemo } from '../demo/demo.ts';
import { demoSummary } from '../demo/summary.ts';
import { action, newCommand, wholeNumber } from './command.ts';
import { bilingual, EXIT } from './failure.ts';
import { DEFAULT_SEED, GUIYANG_DAY } from './generate.ts';

interface Options {
  parcels: number;
  seed: string;
  keep?: boolean;
}

export function demoCommand(): Command {
  return newCommand(
    'demo',
    [
      '演示全程：一天的寄递，从上报到监管解封',
      'the whole path of a day, from the companies to the regulator',
    ],
    ['sealpost demo', 'sealpost demo --parcels 5000 --seed 7', 'sealpost demo --json'],
  )
    .option(
      '--parcels <n>',
      bilingual(['件数', 'how many parcels']),
      wholeNumber(1, 1_000_000),
      GUIYANG_DAY,
    )
    .option('--seed <s>', bilingual(['种子', 'seed of the synthetic day']), DEFAULT_SEED)
    .option('--keep', bilingual(['保留临时目录', 'keep the temporary folders']))
    .action(
      action<[Options]>(async (ui, options) => {
        const report = await runDemo({ ...options, ui });
        ui.result(report, demoSummary(report));
        return passed(report) ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}
