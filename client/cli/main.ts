/** The command line `sealpost`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { checkCommand } from './check.ts';
import { helpTail } from './command.ts';
import { demoCommand } from './demo.ts';
import { eraseCommand } from './erase.ts';
import { exportCommand } from './export.ts';
import { type Bilingual, bilingual, EXIT, usageFailure } from './failure.ts';
import { generateCommand } from './generate.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { lookupCommand } from './lookup.ts';
import { pullCommand } from './pull.ts';
import { reconcileCommand } from './reconcile.ts';
import { serveCommand } from './serve.ts';
import { exitOnSignals } from './signals.ts';
import { streamCommand } from './stream.ts';
import { submitCommand } from './submit.ts';
import { Ui } from './ui.ts';

/** Runs the command that the arguments name; sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const program = newProgram();
  // Whatever is written from here on, keys, databases and opened records, is its owner's alone; workerd inherits it.
  process.umask(0o077);
  exitOnSignals();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) tellUsage(error, args);
  }
}

function newProgram(): Command {
  const program = new Command('sealpost')
    .description(
      bilingual([
        '寄递实名信息密封上报：中心只存密文',
        'real-name parcel intake that gives the central store nothing but ciphertext',
      ]),
    )
    // Options of a command are its own, not those of the command above it.
    .enablePositionalOptions()
    .version(version(), '-V, --version', bilingual(['显示版本', 'show the version']))
    .helpCommand('help [command]', bilingual(['显示某命令的帮助', 'show the help of a command']))
    .addHelpText(
      'after',
      helpTail(['sealpost demo', 'sealpost init --dir city', 'sealpost serve --dir city']),
    );
  for (const command of [
    initCommand(),
    serveCommand(),
    generateCommand(),
    checkCommand(),
    streamCommand(),
    submitCommand(),
    pullCommand(),
    reconcileCommand(),
    lookupCommand(),
    exportCommand(),
    eraseCommand(),
    keysCommand(),
    demoCommand(),
  ]) {
    program.addCommand(command);
  }
  for (const command of withSubcommands(program)) {
    command
      .helpOption('-h, --help', bilingual(['显示帮助', 'show this help']))
      .exitOverride()
      .configureOutput({ outputError() {} });
  }
  return program;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** What commander finds wrong, by its codes; its own messages are in English only. */
const WRONG: Readonly<Record<string, string>> = {
  'commander.unknownOption': '没有这个选项',
  'commander.unknownCommand': '没有这个命令',
  'commander.excessArguments': '参数过多',
  'commander.missingArgument': '缺少参数',
  'commander.missingMandatoryOptionValue': '缺少必需的选项',
  'commander.optionMissingArgument': '选项缺少值',
  'commander.invalidArgument': '选项的值不正确',
};

function tellUsage(error: CommanderError, args: readonly string[]): void {
  process.exitCode = EXIT.USAGE;
  // It has shown the help by itself: there was no command.
  if (error.code === 'commander.help') return;
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const name = /'([^']*)'/.exec(message)?.[1] ?? '';
  // What the option's own parser says (in both languages) or the choices there are.
  const [wrong, wanted] = message.split(/(?<= is invalid\.) /) as [string, string?];
  new Ui({ json: args.includes('--json') }).failure(
    usageFailure([`${WRONG[error.code] ?? '用法错误'}：${name}`, wrong], remedyOf(wanted)),
  );
}

function remedyOf(wanted: string | undefined): Bilingual {
  if (!wanted) return ['运行 sealpost --help 查看帮助', 'see sealpost --help'];
  const choices = /^Allowed choices are (.*)\.$/.exec(wanted)?.[1];
  if (choices) return [`可选：${choices}`, `choose one of: ${choices}`];
  const [chinese, english] = wanted.split(' · ') as [string, string?];
  return [chinese, english ?? chinese];
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
