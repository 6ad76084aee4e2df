import type { ProblemCode } from '../../../wire/problem.ts';

/** The one error that becomes an answer: a code of wire/problem.ts and nothing of the input. */
export class Failure extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode) {
    super(code);
    this.name = 'Failure';
    this.code = code;
  }
}
