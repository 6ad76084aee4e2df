/** Daily reconciliation over the real service: what the store holds against what `sealpost stream --results` wrote. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeClient } from '../../client/edge.ts';
import { toHex } from '../../client/encoding.ts';
import { EdgeError } from '../../client/errors.ts';
import { fetchDay } from '../../client/reconcile.ts';
import { openWorkspace } from '../../client/workspace.ts';
import { dayOfText } from '../../wire/reconcile.ts';
import { ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const PARCELS = 300;
const FAULTY = 15;

interface ResultLine {
  enterprise: string;
  outcome: string;
  id: string;
  at: string;
}

let folder: string;
let dir: string;
let server: ChildProcess;
let url: string;
let results: ResultLine[];
const at = (name: string) => join(folder, name);
const run = async (...args: string[]) => {
  const { code, stdout } = await sealpost([...args, '--dir', dir, '--json']);
  return { code, ...JSON.parse(stdout) };
};
const ledger = (name: string, lines: readonly object[]) => {
  writeFileSync(at(name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return at(name);
};
const reconcile = (path: string, ...more: string[]) => run('reconcile', '--ledger', path, ...more);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-reconcile-'));
  dir = at('city');
  await run('init');
  const size = ['--parcels', String(PARCELS), '--bad', String(FAULTY / PARCELS)];
  await sealpost(['generate', ...size, '--seed', '5', '--out', at('day.ndjson')]);
  server = startSealpost(['serve', '--dir', dir, '--port', '0']);
  url = await readyUrl(server);
  const sent = await run('stream', at('day.ndjson'), '--results', at('results.ndjson'));
  expect(sent).toMatchObject({ code: 1, stored: PARCELS - FAULTY, refused: FAULTY });
  results = readFileSync(at('results.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
});
afterAll(async () => {
  const end = ended(server);
  server.kill('SIGTERM');
  await end;
  rmSync(folder, { recursive: true });
});

const busiest = () => {
  const counts = new Map<string, number>();
  for (const { enterprise, outcome } of results) {
    if (outcome === 'STORED') counts.set(enterprise, (counts.get(enterprise) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0] as [slug: string, records: number];
};

describe('sealpost reconcile', () => {
  it('finds both sides equal, enterprise by enterprise', async () => {
    const report = await reconcile(at('results.ndjson'));
    expect(report).toMatchObject({ code: 0, matches: true });
    const stored = report.days.reduce((sum: number, { edge }: { edge: number }) => sum + edge, 0);
    expect(stored).toBe(PARCELS - FAULTY);
    expect(report.days.every((day: object) => 'onlyHere' in day)).toBe(true);
  });

  it('names the records whose results were lost; streaming again brings them', async () => {
    const [slug] = busiest();
    const own = results.filter(
      ({ enterprise, outcome }) => enterprise === slug && outcome === 'STORED',
    );
    const lost = own.slice(0, 3).map(({ id }) => id);
    const left = ledger(
      'lost.ndjson',
      results.filter(({ id }) => !lost.includes(id)),
    );
    const report = await reconcile(left, '--enterprise', slug);
    expect(report).toMatchObject({ code: 3, matches: false });
    expect(report.days.flatMap((day: { onlyThere: string[] }) => day.onlyThere).sort()).toEqual(
      lost.sort(),
    );
    expect(report.days.every((day: { onlyHere: string[] }) => day.onlyHere.length === 0)).toBe(
      true,
    );

    await run('stream', at('day.ndjson'), '--results', at('again.ndjson'));
    expect(await reconcile(at('again.ndjson'))).toMatchObject({ code: 0, matches: true });
  });

  it('names what only the ledger has', async () => {
    const [slug, records] = busiest();
    const known = results.find(({ enterprise }) => enterprise === slug) as ResultLine;
    const never = { ...known, outcome: 'STORED', id: `${known.id.slice(0, 24)}ffffffffffff` };
    const report = await reconcile(
      ledger('more.ndjson', [...results, never]),
      '--enterprise',
      slug,
    );
    expect(report).toMatchObject({
      ...{ code: 3, matches: false },
      days: [{ onlyHere: [never.id], onlyThere: [], edge: records, ledger: records + 1 }],
    });
  });

  it('does not mind that a result came on the day after its commit', async () => {
    const [slug, records] = busiest();
    const later = results.map((line) => ({
      ...line,
      at: new Date(Date.parse(line.at) + 86_400_000).toISOString(),
    }));
    const path = ledger('later.ndjson', later);
    const report = await reconcile(path, '--enterprise', slug);
    expect(report).toMatchObject({
      ...{ code: 0, matches: true },
      days: [{ edge: 0, ledger: records, otherDays: records }],
    });
    const day = (results[0] as ResultLine).at.slice(0, 10);
    expect(await reconcile(path, '--enterprise', slug, '--day', day)).toMatchObject({
      ...{ code: 0, matches: true },
      days: [{ edge: records, ledger: 0 }],
    });
  });

  it('says in two languages, and without --json, where the sides differ', async () => {
    const [slug] = busiest();
    const lost = results.find(
      ({ enterprise, outcome }) => enterprise === slug && outcome === 'STORED',
    );
    const left = ledger(
      'short.ndjson',
      results.filter((line) => line !== lost),
    );
    const args = ['reconcile', '--ledger', left, '--dir', dir, '--enterprise', slug];
    const { code, stdout } = await sealpost(args);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^\d{4}-\d{2}-\d{2} {2}\S+ {2}中心 .*不一致 · store .*: differ$/m);
    expect(stdout).toMatch(/仅中心有.* · only in the store/);
    expect(stdout).toContain(`    ${lost?.id}`);
  });

  it.each([
    ['is not JSON', '王小明', 'bad_line'],
    ['has no time', JSON.stringify({ enterprise: 'sf', outcome: 'STORED', id: 'x' }), 'bad_line'],
  ])('a line that %s is told by its number, not by its content', async (_, text, error) => {
    writeFileSync(at('bad.ndjson'), `\n${text}\n`);
    const failure = await reconcile(at('bad.ndjson'));
    expect(failure).toMatchObject({ code: 1, error });
    expect(failure.problem[1]).toContain('line 2 ');
    expect(JSON.stringify(failure)).not.toContain('王小明');
  });

  it('of a ledger without stored records asks what to compare', async () => {
    writeFileSync(at('empty.ndjson'), '');
    expect(await reconcile(at('empty.ndjson'))).toMatchObject({ code: 2, error: 'usage' });
    expect(await reconcile(at('nowhere.ndjson'))).toMatchObject({ code: 1, error: 'enoent' });
    expect(await reconcile(folder)).toMatchObject({ code: 1, error: 'eisdir' });
  });
});

describe('GET /v1/reconcile', () => {
  it('uses its signature up', async () => {
    const workspace = openWorkspace(dir);
    const sent: [string, RequestInit][] = [];
    const edge = new EdgeClient({
      ...{ url, authority: new URL(url).host, city: workspace.city, rootKey: workspace.rootKey },
      fetch: (target, init) => {
        sent.push([target, init]);
        return fetch(target, init);
      },
    });
    const [slug] = workspace.enterprises() as [string];
    await fetchDay(edge, workspace.enterprise(slug).identity, dayOfText('2026-11-01'));
    const [target, init] = sent.find(([to]) => to.includes('/v1/reconcile')) as (typeof sent)[0];
    const again = await fetch(target, init);
    expect(again.status).toBe(401);
    expect(await again.json()).toMatchObject({ code: 'replayed' });
  });

  it('tells an enterprise of its own records alone, and a regulator of none', async () => {
    const workspace = openWorkspace(dir);
    const edge = workspace.edge(url);
    const day = dayOfText((results[0] as ResultLine).at.slice(0, 10));
    const stored = results.filter(({ outcome }) => outcome === 'STORED');
    const slugs = [...new Set(stored.map(({ enterprise }) => enterprise))];
    const idle = workspace.enterprises().find((slug) => !slugs.includes(slug)) as string;
    for (const slug of [...slugs.slice(0, 8), idle]) {
      const own = stored.filter(({ enterprise }) => enterprise === slug).map(({ id }) => id);
      const { count, ids } = await fetchDay(edge, workspace.enterprise(slug).identity, day, true);
      expect(count, slug).toBe(own.length);
      expect(toHex(ids as Uint8Array)).toBe(own.sort().join('').replaceAll('-', ''));
    }
    const refused = fetchDay(edge, workspace.regulator().identity, day);
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    '',
    '?day=2026-02-30',
    '?day=2026-11-01&ids=0',
    '?day=2026-11-01&day=2026-11-02',
    '?x=1',
  ])('refuses %j as malformed', async (query) => {
    const workspace = openWorkspace(dir);
    const [slug] = workspace.enterprises() as [string];
    const { identity } = workspace.enterprise(slug);
    const asked = workspace.edge(url).send({
      ...{ method: 'GET', path: '/v1/reconcile', query, identity },
      answerType: 'application/sealpost-pull',
    });
    await expect(asked).rejects.toThrow(EdgeError);
    await expect(asked).rejects.toMatchObject({ code: 'malformed_request' });
  });
});
