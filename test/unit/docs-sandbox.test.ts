/** docs/sandbox.md: every input of its tables gets the code that stands beside it. */
import { readFileSync } from 'node:fs';
import { decode, encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { checkRecord } from '../../wasm/host/check.ts';
import { REFUSALS, type Refusal, refusalName, WARNINGS, warningNames } from '../../wire/codes.ts';
import { encodeRecord, FIELDS, type ParcelRecord } from '../../wire/record.ts';
import { recordId } from '../support/records.ts';
import { loadModule } from '../support/wasm.ts';

const text = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8');
const base = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)?.[1] as string) as ParcelRecord;
const instance = new WebAssembly.Instance(loadModule(), {});
/** Before the child of the table turns fourteen. */
const NOW = Math.min(Date.now(), Date.UTC(2038, 0));
/** Told in words: they are not a change of one record that a table can hold. */
const IN_WORDS = ['RECORD_TOO_LARGE', 'TOO_MANY_RECORDS', 'TOKEN_NOT_ACCEPTED'];

const rows = (heading: string): string[][] => {
  const section = text.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'));
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map(cells);
};

type Tree = { [name: string]: Tree | string | number | null };

/** RFC 7396, on the record's JSON; members with numbers for names are left for the CBOR. */
function merged(target: Tree, patch: Tree): Tree {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (/^\d+$/.test(name)) continue;
    if (value === null) delete result[name];
    else if (typeof value === 'object' && !Array.isArray(value))
      result[name] = merged((result[name] ?? {}) as Tree, value);
    else result[name] = value;
  }
  return result;
}

function mergeCbor(map: Map<number, unknown>, patch: Tree): Map<number, unknown> {
  for (const [name, value] of Object.entries(patch)) {
    if (!/^\d+$/.test(name)) continue;
    const inner = map.get(Number(name));
    const nested = typeof value === 'object' && value !== null;
    map.set(Number(name), nested ? mergeCbor(inner as Map<number, unknown>, value) : value);
  }
  return map;
}

function cborOf(change: string): Uint8Array {
  if (!change.startsWith('{')) return new Uint8Array(Buffer.from(change, 'hex'));
  const patch = JSON.parse(change) as Tree;
  const fresh = { ...base, id: recordId(NOW), takenAt: new Date(NOW).toISOString() };
  const cbor = encodeRecord(merged(fresh as never, patch) as never);
  return encode(mergeCbor(decode(cbor, { useMaps: true }) as Map<number, unknown>, patch));
}

describe('docs/sandbox.md', () => {
  it('has every code and every warning', () => {
    expect(new Set(rows('Refusals').map(([code]) => code))).toEqual(new Set(Object.keys(REFUSALS)));
    expect(rows('Warnings').map(([name]) => name)).toEqual(Object.keys(WARNINGS));
  });

  it('begins with a record that is taken without a warning', () => {
    expect(checkRecord(instance, cborOf('{}'), NOW)).toMatchObject({ refusal: 0, warnings: 0 });
  });

  it.each(rows('Refusals').filter(([code]) => !IN_WORDS.includes(code as Refusal)))(
    '%s %s: %s',
    (code, field, change) => {
      const verdict = checkRecord(instance, cborOf(change as string), NOW);
      expect([refusalName(verdict.refusal), FIELDS[verdict.field]]).toEqual([code, field]);
    },
  );

  it.each(rows('Warnings'))('%s: %s', (name, change) => {
    const { refusal, warnings } = checkRecord(instance, cborOf(change as string), NOW);
    expect([refusal, warningNames(warnings)]).toEqual([0, [name]]);
  });
});
