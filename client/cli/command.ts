/** What all commands have in common. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { explain } from './explain.ts';
import { type Bilingual, bilingual, EXIT } from './failure.ts';
import { Ui, type UiOptions } from './ui.ts';

export const DEFAULT_DIR = '.sealpost';
export const DEFAULT_PORT = 8787;

/** A command with the options that every one has. `examples` are shown at the end of its help. */
export function newCommand(
  name: string,
  description: Bilingual,
  examples: readonly string[],
): Command {
  return new Command(name)
    .description(bilingual(description))
    .option(
      '--json',
      bilingual(['标准输出一个 JSON 对象', 'one JSON object on stdout, for machines']),
    )
    .option('-q, --quiet', bilingual(['不显示进度', 'no progress and notes on stderr']))
    .addHelpText('after', helpTail(examples));
}

export function helpTail(examples: readonly string[]): string {
  return [
    '',
    '示例 · Examples:',
    ...examples.map((example) => `  $ ${example}`),
    '',
    '退出码 · Exit codes:',
    '  0  成功 · done',
    '  1  失败 · failed',
    '  2  用法错误 · wrong usage',
    '  3  未完成：重新运行即可继续 · not finished: running it again goes on from there',
  ].join('\n');
}

export function dirOption(): Option {
  const text = bilingual(['密钥与数据目录', 'folder with keys and data']);
  return new Option('--dir <dir>', text).env('SEALPOST_DIR').default(DEFAULT_DIR);
}

export function urlOption(): Option {
  const text = bilingual([
    `服务地址（默认：在该目录上运行的服务，或端口 ${DEFAULT_PORT}）`,
    `address of the service (default: the one that runs on the folder, or port ${DEFAULT_PORT})`,
  ]);
  return new Option('--url <url>', text).env('SEALPOST_URL').argParser(httpUrl);
}

export function currentOption(): Option {
  const text = ['不含已被更正的记录', 'leave out records that a correction replaces'] as const;
  return new Option('--current', bilingual(text));
}

export function dryRunOption(): Option {
  const text = [
    '试运行：只校验与脱敏，不入库',
    'judge and mask the records, store nothing',
  ] as const;
  return new Option('--dry-run', bilingual(text));
}

/**
 * Runs a command's work. An error ends it with one line on what is wrong, one on what to do, and its exit code; with
 * SEALPOST_DEBUG=1 the error itself follows.
 * @param work may return an exit code
 */
export function action<Args extends unknown[]>(
  work: (ui: Ui, ...args: Args) => Promise<unknown>,
): (...args: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const ui = new Ui(command.opts<UiOptions>());
    try {
      const code = await work(ui, ...(all.slice(0, -1) as Args));
      process.exitCode = typeof code === 'number' ? code : EXIT.OK;
    } catch (error) {
      const failure = explain(error);
      ui.failure(failure);
      if (process.env.SEALPOST_DEBUG === '1') console.error(failure.cause ?? failure);
      process.exitCode = failure.exit;
    }
  };
}

/** @throws InvalidArgumentError */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(
        most === Number.MAX_SAFE_INTEGER
          ? bilingual([
              `应为不小于 ${least} 的整数。`,
              `a whole number from ${least} on is wanted.`,
            ])
          : bilingual([
              `应为 ${least} 到 ${most} 的整数。`,
              `a whole number from ${least} to ${most} is wanted.`,
            ]),
      );
    }
    return value;
  };
}

/** @throws InvalidArgumentError */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError(
      bilingual(['应为 0 到 1 的小数。', 'a number from 0 to 1 is wanted.']),
    );
  }
  return value;
}

/** A day of the calendar as YYYY-MM-DD. @throws InvalidArgumentError */
export function calendarDay(text: string): string {
  const date = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError(
      bilingual(['应为 YYYY-MM-DD 的日期。', 'a date as YYYY-MM-DD is wanted.']),
    );
  }
  return text;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError(
      bilingual(['应为 http:// 或 https:// 地址。', 'an http:// or https:// address is wanted.']),
    );
  }
  return url.origin;
}
