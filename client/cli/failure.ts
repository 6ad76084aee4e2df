/** What ends a command early: one line for what is wrong, one for what to do about it, and an exit code. */
import type { Bilingual } from '../../wire/explain.ts';

/** Exit codes of `sealpost`, as the help tells them. */
export const EXIT = {
  OK: 0,
  /** It did not work. */
  FAILURE: 1,
  /** Options or arguments are wrong; nothing was begun. */
  USAGE: 2,
  /** Some of it is done, and doing it again will go on from there; or what came is not provably all. */
  INCOMPLETE: 3,
} as const;

export type { Bilingual };

export function bilingual([chinese, english]: Bilingual): string {
  return `${chinese} · ${english}`;
}

/** Never holds personal data: neither of its texts quotes a record, a number or a name out of one. */
export class CliFailure extends Error {
  /** For machines. */
  readonly code: string;
  readonly problem: Bilingual;
  readonly remedy: Bilingual;
  readonly exit: number;

  constructor(
    code: string,
    problem: Bilingual,
    remedy: Bilingual,
    options: { exit?: number; cause?: unknown } = {},
  ) {
    super(problem[1], { cause: options.cause });
    this.name = 'CliFailure';
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
    this.exit = options.exit ?? EXIT.FAILURE;
  }
}

/** Wrong options or arguments. */
export function usageFailure(problem: Bilingual, remedy: Bilingual): CliFailure {
  return new CliFailure('usage', problem, remedy, { exit: EXIT.USAGE });
}
