import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain } from '../../client/cli/explain.ts';
import { RefusalCounts, resultLines } from '../../client/cli/results.ts';
import { EdgeError } from '../../client/errors.ts';
import { OUTCOMES, REFUSALS, WARNINGS } from '../../wire/codes.ts';
import {
  type Explanation,
  fieldText,
  OUTCOME_TEXTS,
  PROBLEM_TEXTS,
  REFUSAL_TEXTS,
  WARNING_TEXTS,
} from '../../wire/explain.ts';
import { PROBLEMS, type ProblemCode } from '../../wire/problem.ts';
import { FIELDS } from '../../wire/record.ts';

const LISTS: [string, object, Readonly<Record<string, Explanation>>][] = [
  ['refusals', REFUSALS, REFUSAL_TEXTS],
  ['warnings', WARNINGS, WARNING_TEXTS],
  ['outcomes', OUTCOMES, OUTCOME_TEXTS],
  ['problems', PROBLEMS, PROBLEM_TEXTS],
];

describe('texts of codes', () => {
  it.each(LISTS)('of %s are there for each, in Chinese and English', (_, codes, texts) => {
    expect(Object.keys(texts).sort()).toEqual(Object.keys(codes).sort());
    const meanings = Object.values(texts).map(([[chinese]]) => chinese);
    expect(new Set(meanings).size).toBe(meanings.length);
    for (const [name, text] of Object.entries(texts)) {
      for (const [chinese, english] of text) {
        expect(chinese, name).toMatch(/\p{Script=Han}/u);
        expect(english, name).toMatch(/^[^.]*[a-z].*[^.]$/);
      }
    }
  });

  it('are all in docs/errors.md', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    for (const [, codes, texts] of LISTS) {
      for (const name of Object.keys(codes)) {
        expect(page).toContain(`\`${name}\``);
        expect(page).toContain((texts[name] as Explanation)[0][0]);
      }
    }
  });

  it('of fields are there for each', () => {
    for (const path of Object.values(FIELDS).filter(Boolean)) {
      expect(fieldText(path), path).toMatch(/^\p{Script=Han}+$/u);
    }
    expect(fieldText('sender.docNumber')).toBe('寄件人证件号码');
    expect(fieldText('agreement.number')).toBe('协议编号');
    for (const unknown of ['shoes', 'sender.shoes', 'shoes.name']) {
      expect(fieldText(unknown)).toBe(unknown);
    }
  });
});

describe('the command line', () => {
  it.each(Object.keys(PROBLEMS) as ProblemCode[])('explains %s of the edge', (code) => {
    const failure = explain(new EdgeError(code, { requestId: 'r-1' }));
    expect(failure.code).toBe(code);
    expect(failure.problem[0]).toBe(PROBLEM_TEXTS[code][0][0]);
    expect(failure.problem[1]).toMatch(/ \[r-1\]$/);
    expect(failure.remedy).toHaveLength(2);
  });

  it('explains a refusal with its field, a warning, and what a trial lets pass', () => {
    const base = { line: 7, id: 'x', warnings: [], ruleset: 20261101 };
    expect(
      resultLines({ ...base, outcome: 'REFUSED', code: 'BAD_PHONE', field: 'sender.phone' }),
    ).toEqual([
      '7  拒收 · refused: see code and field  x',
      '   BAD_PHONE (sender.phone 寄件人电话)  电话号码格式不符 · the phone number does not have a valid form',
      '   → 请核对电话号码 · check the phone number',
    ]);
    const flagged = resultLines({ ...base, outcome: 'STORED', warnings: ['AREA_RETIRED'] });
    expect(flagged.at(-1)).toMatch(/^ {3}! AREA_RETIRED {2}证件号码中的县级代码已撤销 · /);
    const trial = resultLines({ ...base, outcome: 'STORED', code: 'PLACEHOLDER' });
    expect(trial.join('\n')).toMatch(/试行期.*\n.*PLACEHOLDER/);
    expect(resultLines({ ...base, outcome: 'REFUSED', code: 'UNKNOWN' })).toHaveLength(2);
  });

  it('counts refusals, the most frequent first', () => {
    const counts = new RefusalCounts();
    for (const code of ['BAD_NAME', 'BAD_CHECK', 'BAD_CHECK', 'UNKNOWN']) {
      counts.add({ outcome: 'REFUSED', code });
    }
    counts.add({ outcome: 'STORED', code: 'BAD_DATE' });
    expect(counts.counts).toEqual({ BAD_CHECK: 2, BAD_NAME: 1, UNKNOWN: 1 });
    expect(counts.lines()[0]).toMatch(/^ {2}2 {2}BAD_CHECK {2}校验位不符/);
    expect(counts.lines()[2]).toBe('  1  UNKNOWN');
  });
});
