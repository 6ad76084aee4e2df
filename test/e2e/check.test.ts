import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { sealpost } from '../support/sealpost.ts';

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-check-'));
  expect((await sealpost(['init', '--dir', join(folder, 'city')])).code).toBe(0);
  const day = ['--parcels', '400', '--seed', '7', '--bad', '0.2'];
  const out = ['--out', join(folder, 'day.ndjson')];
  expect((await sealpost(['generate', '--city', 'guiyang', ...day, ...out])).code).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('check judges a file on this machine as the edge would, line by line', async () => {
  const path = join(folder, 'day.ndjson');
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GeneratedLine);
  const expected = lines.flatMap(({ expect: wanted }, i) =>
    wanted ? [{ line: i + 1, code: wanted.code }] : [],
  );
  const { code, stdout } = await sealpost(['check', path, '--dir', join(folder, 'city'), '--json']);
  const report = JSON.parse(stdout) as {
    accepted: number;
    refused: { line: number; code: string }[];
  };
  expect(code).toBe(1);
  expect(report.accepted).toBe(400 - expected.length);
  expect(report.refused.map(({ line, code: refusal }) => ({ line, code: refusal }))).toEqual(
    expected,
  );
});
