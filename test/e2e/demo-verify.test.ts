/** The judge of the demo: that it would notice. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fileDigests } from '../../client/demo/folder.ts';
import { type VerifyJob, verifyInProcess } from '../../client/demo/verify-process.ts';
import { companies } from '../../client/generate/companies.ts';
import { type GeneratedLine, generateDay } from '../../client/generate/day.ts';

type Row = Record<string, unknown>;

const lines = [
  ...generateDay({ city: 'guiyang', parcels: 60, seed: 1, bad: 0.1, day: '2026-11-01' }),
];
const first = lines.findIndex(({ expect: refusal }) => !refusal);
const faulty = lines.findIndex(({ expect: refusal }) => refusal);
const stored = lines[first] as GeneratedLine;
const ids = new Map(companies('guiyang').map(({ slug, id }) => [slug, id]));

let folder: string;
let job: VerifyJob;
let results: Row[];
let opened: Row[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-verify-'));
  const dir = join(folder, 'city');
  mkdirSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'program.js'), stored.record.recipient.address);
  writeFileSync(join(dir, 'data', 'store'), '');
  const [input, resultsFile, openedFile] = ['a', 'b', 'c'].map((name) => join(folder, name));
  job = {
    dir,
    before: await fileDigests(dir),
    input,
    results: resultsFile,
    opened: openedFile,
  } as VerifyJob;
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  writeFileSync(join(job.dir, 'data', 'store'), 'sealed');
  results = lines.map(({ expect: refusal, enterprise }, i) => {
    return { line: i + 1, enterprise, ...(refusal ?? { outcome: 'STORED' }) };
  });
  opened = lines
    .filter(({ expect: refusal }) => !refusal)
    .map(({ enterprise, record }) => ({ id: record.id, enterprise: ids.get(enterprise), record }));
});

function verify() {
  const ndjson = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(job.input, ndjson(lines));
  writeFileSync(job.results, ndjson(results));
  writeFileSync(job.opened, ndjson(opened));
  return verifyInProcess(job);
}

describe('verification', () => {
  it('passes what is as it must be, and leaves alone what was there before', async () => {
    const verdict = await verify();
    expect(verdict).toMatchObject({ mismatches: 0, plaintextHits: 0, opened: 54 });
    expect(verdict.refusedAsExpected).toBe(6);
    expect(verdict.filesSearched).toBe(1);
  });

  it.each<[string, string, () => void]>([
    ['a line without a result', 'results', () => results.splice(faulty, 1)],
    ['a line with two results', 'results', () => results.push(results[first] as Row)],
    ['a result of no line', 'results', () => results.push({ line: 999, outcome: 'STORED' })],
    [
      'a good record refused',
      'outcomes',
      () => {
        results[first] = { line: first + 1, outcome: 'REFUSED', code: 'BAD_NAME' };
        opened.shift();
      },
    ],
    [
      'a refusal with another code',
      'outcomes',
      () => {
        results[faulty] = { ...results[faulty], code: 'TOO_MANY_RECORDS' };
      },
    ],
    [
      'a refusal with another field',
      'outcomes',
      () => {
        results[faulty] = { ...results[faulty], field: 'outlet' };
      },
    ],
    ['a stored record not opened', 'missing', () => opened.shift()],
    ['a record opened twice', 'missing', () => opened.push(opened[0] as Row)],
    ['a record that nobody sent', 'unexpected', () => opened.push({ id: 'other', record: {} })],
    [
      'a refused record opened',
      'unexpected',
      () => opened.push({ id: lines[faulty]?.record.id, record: lines[faulty]?.record }),
    ],
    [
      'one field of one record changed',
      'unequal',
      () => {
        const recipient = { ...stored.record.recipient, name: '王小明明' };
        opened[0] = { ...opened[0], record: { ...stored.record, recipient } };
      },
    ],
    [
      'a record of another company',
      'unequal',
      () => {
        opened[0] = { ...opened[0], enterprise: 'another' };
      },
    ],
  ])('notices %s', async (_, kind, spoil) => {
    spoil();
    const { mismatches, differences } = await verify();
    expect(mismatches).toBe(1);
    expect(differences).toMatchObject({ [kind]: 1 });
  });

  it('notices a value in the store, and tells where but not what', async () => {
    const { address } = stored.record.recipient;
    writeFileSync(join(job.dir, 'data', 'store'), `xx${Buffer.from(address).toString('hex')}`);
    const verdict = await verify();
    expect(verdict.plaintextHits).toBe(1);
    expect(verdict.hits).toEqual([{ file: 'data/store', offset: 2, encoding: 'hex' }]);
    expect(JSON.stringify(verdict)).not.toContain(address);
  });

  it('searches a file of the program too once it has changed', async () => {
    const program = join(job.dir, 'program.js');
    writeFileSync(program, `${readFileSync(program, 'utf8')} changed`);
    expect((await verify()).hits.map(({ file }) => file)).toEqual(['program.js']);
  });
});
