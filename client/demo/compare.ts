/** Compares what was sent with its results and with what was opened, record by record. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { LineResult } from '../cli/send.ts';
import { companies } from '../generate/companies.ts';
import type { GeneratedLine } from '../generate/day.ts';
import type { Verdict, VerifyJob } from './verify-process.ts';

type Comparison = Pick<
  Verdict,
  'refusedAsExpected' | 'opened' | 'mismatches' | 'differences' | 'examples'
>;

/** Wrong results told one by one. */
const EXAMPLES = 10;

/** What is known of one line sent. */
interface Sent {
  line: GeneratedLine;
  results: number;
  stored: boolean;
  timesOpened: number;
}

/**
 * @param onValue gets every personal value of every line sent
 * @throws the errors of node:fs; SyntaxError when a file is not NDJSON
 */
export function compare(
  files: Pick<VerifyJob, 'input' | 'results' | 'opened'>,
  onValue: (value: string) => void,
): Comparison {
  const sent: Sent[] = [];
  const byId = new Map<string, Sent>();
  for (const line of ndjson<GeneratedLine>(files.input)) {
    const entry = { line, results: 0, stored: false, timesOpened: 0 };
    sent.push(entry);
    // Several faulty lines may have no id, or the same; none of them is to be opened.
    if (!line.expect) byId.set(line.record.id, entry);
    for (const value of personalValues(line.record)) onValue(value);
  }
  const differences = { results: 0, outcomes: 0, missing: 0, unexpected: 0, unequal: 0 };
  const examples: Comparison['examples'] = [];
  let refusedAsExpected = 0;
  for (const result of ndjson<LineResult>(files.results)) {
    const entry = sent[result.line - 1];
    if (!entry) {
      differences.results++;
      continue;
    }
    entry.results++;
    if (result.outcome === 'STORED') entry.stored = true;
    const [expected, got] = [expectation(entry.line), verdict(result)];
    if (expected !== got) {
      differences.outcomes++;
      if (examples.length < EXAMPLES) examples.push({ line: result.line, expected, got });
    } else if (entry.line.expect) refusedAsExpected++;
  }
  const ids = new Map(companies('guiyang').map(({ slug, id }) => [slug, id]));
  let opened = 0;
  for (const { id, enterprise, record } of ndjson<OpenedLine>(files.opened)) {
    opened++;
    const entry = byId.get(id);
    if (!entry) {
      differences.unexpected++;
      continue;
    }
    entry.timesOpened++;
    const sameSender = ids.get(entry.line.enterprise) === enterprise;
    if (!sameSender || !isDeepStrictEqual(record, entry.line.record)) differences.unequal++;
  }
  for (const { results, stored, timesOpened } of sent) {
    if (results !== 1) differences.results++;
    if (timesOpened !== (stored ? 1 : 0)) differences.missing++;
  }
  const mismatches = Object.values(differences).reduce((sum, each) => sum + each, 0);
  return { refusedAsExpected, opened, mismatches, differences, examples };
}

interface OpenedLine {
  id: string;
  enterprise: string;
  record: unknown;
}

function expectation({ expect }: GeneratedLine): string {
  return expect ? verdict(expect) : 'STORED';
}

function verdict({ outcome, code, field }: Pick<LineResult, 'outcome' | 'code' | 'field'>): string {
  return outcome === 'REFUSED' ? `${code} ${field ?? ''}`.trim() : outcome;
}

/** Names, numbers, phones and addresses of everyone in a record; a faulty one may have other types in their places. */
function* personalValues(record: GeneratedLine['record']): Generator<string> {
  const { sender, agreement, guardian, recipient } = record;
  for (const person of [sender, agreement, guardian, recipient]) {
    if (typeof person !== 'object' || person === null) continue;
    const fields = person as unknown as Record<string, unknown>;
    for (const name of ['docNumber', 'name', 'phone', 'address']) {
      const value = fields[name];
      if (typeof value === 'string' || typeof value === 'number') yield String(value);
    }
  }
}

function* ndjson<T>(path: string): Generator<T> {
  const bytes = readFileSync(path);
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) yield JSON.parse(bytes.toString('utf8', start, end)) as T;
    start = end + 1;
  }
}
