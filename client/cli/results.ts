/** Results of records for people: what became of each, and what its code means. */
import type { Refusal } from '../../wire/codes.ts';
import { fieldText, OUTCOME_TEXTS, REFUSAL_TEXTS, WARNING_TEXTS } from '../../wire/explain.ts';
import type { SubmitResult } from '../submit.ts';
import { bilingual } from './failure.ts';
import { count } from './ui.ts';

/** Codes listed under a summary; a results file has them all. */
const LISTED = 10;

/** One record: outcome and id, then its code with meaning and remedy, its warnings, its masked view. */
export function resultLines({ line, ...result }: SubmitResult & { line: number }): string[] {
  const { id, outcome, code, field, warnings, masked } = result;
  const [meaning] = OUTCOME_TEXTS[outcome];
  const trial = ['试行期接受，此后将拒收', 'taken in trial, refused after it'] as const;
  return [
    `${line}  ${bilingual(meaning)}  ${id}`,
    ...(code && outcome !== 'REFUSED' ? [`   ! ${bilingual(trial)}`] : []),
    ...(code ? refusalLines(code, field) : []),
    ...warnings.map((warning) => `   ! ${warning}  ${bilingual(WARNING_TEXTS[warning][0])}`),
    ...(masked ? [`   ${JSON.stringify(masked)}`] : []),
  ];
}

function refusalLines(code: Refusal | 'UNKNOWN', field: string | undefined): string[] {
  const where = field ? ` (${field} ${fieldText(field)})` : '';
  if (code === 'UNKNOWN') return [`   ${code}${where}`];
  const [meaning, remedy] = REFUSAL_TEXTS[code];
  return [`   ${code}${where}  ${bilingual(meaning)}`, `   → ${bilingual(remedy)}`];
}

/** Counts the codes of refused records. */
export class RefusalCounts {
  readonly #counts = new Map<string, number>();

  add({ outcome, code }: { outcome: string; code?: string }): void {
    if (outcome !== 'REFUSED' || code === undefined) return;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  /** Codes and how often each came, the most frequent first. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort((a, b) => b[1] - a[1]));
  }

  /** For people: the most frequent ones with their meaning. */
  lines(): string[] {
    return Object.entries(this.counts)
      .slice(0, LISTED)
      .map(([code, records]) => {
        const texts = REFUSAL_TEXTS[code as Refusal];
        return `  ${count(records)}  ${code}${texts ? `  ${bilingual(texts[0])}` : ''}`;
      });
  }
}
