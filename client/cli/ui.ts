/** What a command shows: a result on stdout, progress and notes on stderr; one JSON object on stdout for machines. */
import { Presets, SingleBar } from 'cli-progress';
import { type Bilingual, bilingual, type CliFailure } from './failure.ts';

export interface UiOptions {
  json?: boolean;
  quiet?: boolean;
}

export interface Progress {
  update(done: number): void;
  stop(): void;
}

export class Ui {
  readonly json: boolean;
  readonly #chatty: boolean;

  constructor({ json = false, quiet = false }: UiOptions = {}) {
    this.json = json;
    this.#chatty = !json && !quiet;
  }

  /** The outcome of a command. @param lines for people; @param object for machines */
  result(object: object, lines: readonly string[]): void {
    if (this.json) console.log(JSON.stringify(object));
    else for (const line of lines) console.log(line);
  }

  /** A line on what goes on; nothing depends on it. */
  note(text: Bilingual): void {
    if (this.#chatty) console.error(bilingual(text));
  }

  /** A line on what somebody should do soon: on stderr, quiet or not. With --json it belongs into the result. */
  warn(text: Bilingual): void {
    if (!this.json) console.error(`注意 · warning: ${bilingual(text)}`);
  }

  /** A bar on a terminal; elsewhere nothing, since a log is no place for one. @param total left out when it is not known */
  progress(label: Bilingual, total?: number): Progress {
    if (!this.#chatty || !process.stderr.isTTY) return { update() {}, stop() {} };
    const scale = total === undefined ? '{value}' : '{bar} {percentage}% {value}/{total}';
    const bar = new SingleBar(
      {
        format: `${bilingual(label)} ${scale} {duration_formatted}`,
        stream: process.stderr,
        hideCursor: true,
        fps: 8,
      },
      Presets.shades_classic,
    );
    bar.start(total ?? 0, 0);
    return { update: (done) => bar.update(done), stop: () => bar.stop() };
  }

  failure(failure: CliFailure): void {
    const { code, problem, remedy } = failure;
    if (this.json) console.log(JSON.stringify({ error: code, problem, remedy }));
    else {
      console.error(`错误 · error: ${bilingual(problem)}`);
      console.error(`  → ${bilingual(remedy)}`);
    }
  }
}

/** A whole number with separators: 160,000. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
