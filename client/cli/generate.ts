import type { Command } from 'commander';
import type { City } from '../generate/companies.ts';
import { type GeneratedLine, generateDay } from '../generate/day.ts';
import { action, calendarDay, fraction, newCommand, wholeNumber } from './command.ts';
import { bilingual } from './failure.ts';
import { OutputFile } from './files.ts';
import { cityOption } from './init.ts';
import { count } from './ui.ts';

/** Parcels of a day in Guiyang, 2017. */
export const GUIYANG_DAY = 160_000;
export const DEFAULT_SEED = '1';

interface Options {
  city: City;
  parcels: number;
  seed: string;
  bad: number;
  day: string;
  out: string;
}

export function generateCommand(): Command {
  return newCommand(
    'generate',
    ['生成一天的仿真寄递数据', 'write a realistic synthetic day'],
    [
      'sealpost generate --parcels 1000 --out day.ndjson',
      'sealpost generate --parcels 160000 --seed 7 --bad 0.02 --out day.ndjson',
    ],
  )
    .addOption(cityOption())
    .option(
      '--parcels <n>',
      bilingual(['件数', 'how many']),
      wholeNumber(1, 100_000_000),
      GUIYANG_DAY,
    )
    .option('--seed <s>', bilingual(['种子：相同则结果相同', 'same seed, same day']), DEFAULT_SEED)
    .option(
      '--bad <fraction>',
      bilingual(['错误记录的比例', 'fraction of faulty records']),
      fraction,
      0,
    )
    .option(
      '--day <date>',
      bilingual(['日期（北京时间，默认昨天）', 'date in Beijing, yesterday unless given']),
      calendarDay,
      yesterday(),
    )
    .requiredOption('--out <file>', bilingual(['输出文件（NDJSON）', 'file to write (NDJSON)']))
    .action(
      action<[Options]>(async (ui, options) => {
        const progress = ui.progress(['生成', 'generating'], options.parcels);
        const faulty = await writeDay(options, (done) => progress.update(done)).finally(() =>
          progress.stop(),
        );
        const { out, parcels, day } = options;
        ui.result({ out, parcels, faulty, day }, [
          bilingual([
            `${day}：${count(parcels)} 件，其中错误 ${count(faulty)} 件 → ${out}`,
            `${count(parcels)} parcels, ${count(faulty)} of them faulty`,
          ]),
        ]);
      }),
    );
}

/** Writes a day to a file. @returns how many of its lines are faulty */
export async function writeDay(
  options: Options,
  onProgress: (done: number) => void,
): Promise<number> {
  const file = new OutputFile(options.out);
  let faulty = 0;
  let done = 0;
  try {
    for (const line of generateDay(options)) {
      if (line.expect) faulty++;
      const written = file.write(`${JSON.stringify(line satisfies GeneratedLine)}\n`);
      if (written) await written;
      if (++done % 1_000 === 0) onProgress(done);
    }
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  onProgress(done);
  return faulty;
}

/** Yesterday in Beijing: all of that day is over, and an edge takes its ids for a week. */
export function yesterday(now = Date.now()): string {
  const beijing = new Date(now + (8 - 24) * 3_600_000);
  return beijing.toISOString().slice(0, 10);
}
