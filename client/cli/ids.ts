/** Record ids given on the command line, in a file or on stdin. */
import { readFileSync } from 'node:fs';
import { uuidBytes } from '../../wire/record.ts';
import { CliFailure } from './failure.ts';

/**
 * The ids of `--id` and `--ids`, each once, in lower case. A file has one a line; `-` reads stdin.
 * @throws CliFailure `bad_id` that names the line; the errors of node:fs
 */
export function readIds(options: { id?: readonly string[]; ids?: string }): string[] {
  const given = (options.id ?? []).map((text, i) => checked(text, i + 1));
  if (options.ids === undefined) return [...new Set(given)];
  const text = readFileSync(options.ids === '-' ? 0 : options.ids, 'utf8');
  const lines = text.split('\n').map((line, i) => [line.trim(), i + 1] as const);
  const listed = lines.filter(([line]) => line !== '').map(([line, at]) => checked(line, at));
  return [...new Set([...given, ...listed])];
}

function checked(text: string, at: number): string {
  try {
    uuidBytes(text);
    return text.toLowerCase();
  } catch {
    throw new CliFailure(
      'bad_id',
      [`第 ${at} 个编号不是记录编号`, `id number ${at} is not the id of a record`],
      ['请每行写一个 UUID 编号；什么都没有执行', 'write one UUID a line; nothing was done'],
    );
  }
}
