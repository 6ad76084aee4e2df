/** A service that dies while a company streams to it. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Ended, ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const PARCELS = 3_000;

let folder: string;
let dir: string;
let day: string;
let server: ChildProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-broken-'));
  [dir, day] = [join(folder, 'city'), join(folder, 'day.ndjson')];
  await sealpost(['init', '--dir', dir]);
  await sealpost(['generate', '--parcels', String(PARCELS), '--out', day]);
});
afterEach(async () => {
  if (server.exitCode === null) {
    const end = ended(server);
    server.kill('SIGTERM');
    await end;
  }
  rmSync(folder, { recursive: true });
});

async function serve(port: string): Promise<string> {
  server = startSealpost(['serve', '--dir', dir, '--port', port]);
  return new URL(await readyUrl(server)).port;
}

/** Streams the day, and kills the service as soon as it has stored something. */
async function streamAndKill(port: string): Promise<{ streamed: Promise<Ended>; results: string }> {
  const results = join(folder, 'results.ndjson');
  const args = ['stream', day, '--dir', dir, '--url', `http://127.0.0.1:${port}`, '--streams', '2'];
  const streamed = sealpost([...args, '--results', results, '--json']);
  while (!hasWritten()) await delay(10);
  const { pid } = JSON.parse(readFileSync(join(dir, 'run', 'service.json'), 'utf8'));
  const end = ended(server);
  process.kill(pid, 'SIGKILL');
  expect(await end).toMatchObject({ code: 1 });
  return { streamed, results };
}

/** A writer keeps a file of its own from its first batch on. */
function hasWritten(): boolean {
  const folder = join(dir, 'data', 'sealpost-Writer');
  return existsSync(folder) && readdirSync(folder).some((name) => /^[0-9a-f]+\.sqlite$/.test(name));
}

async function pulledAll(): Promise<void> {
  const out = join(folder, 'pulled.ndjson');
  const { stdout } = await sealpost(['pull', '--dir', dir, '--out', out, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ opened: PARCELS, failures: [] });
}

it('a stream goes on by itself when the service comes back', async () => {
  const port = await serve('0');
  const { streamed } = await streamAndKill(port);
  await serve(port);
  const { code, stdout } = await streamed;
  const { stored, duplicate, attempts } = JSON.parse(stdout);
  expect(stored + duplicate).toBe(PARCELS);
  expect(attempts).toBeGreaterThan(1);
  expect(code).toBe(0);
  await pulledAll();
});

it('a stream that was given up is finished by running it again', async () => {
  const port = await serve('0');
  const { streamed, results } = await streamAndKill(port);
  const { code, stdout } = await streamed;
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ error: 'incomplete_stream' });
  const settled = readFileSync(results, 'utf8').split('\n').length - 1;
  expect(settled).toBeLessThan(PARCELS);

  await serve(port);
  const again = await sealpost(['stream', day, '--dir', dir, '--json']);
  const { stored, duplicate } = JSON.parse(again.stdout);
  expect(stored + duplicate).toBe(PARCELS);
  expect(duplicate).toBeGreaterThanOrEqual(settled);
  expect(again.code).toBe(0);
  await pulledAll();
});
