import type { ProblemCode } from '../../../wire/problem.ts';

/** The one error that becomes an answer: a code of wire/problem.ts and nothing of the input. */
export class Failure extends Error {
  readonly code: ProblemCode;

  /** @param cause what the operator should look into, if there is something */
  constructor(code: ProblemCode, cause?: unknown) {
    super(code, { cause });
    this.name = 'Failure';
    this.code = code;
  }
}

/** Waits for an answer of the store. @throws Failure unavailable, when there is none */
export async function fromStore<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new Failure('unavailable', error);
  }
}
