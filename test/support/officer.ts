/** What tests of the officer's commands share: a folder, services that the real program runs, days of records. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { ended, readyUrl, sealpost, startSealpost } from './sealpost.ts';

export const DAY_MS = 86_400_000;

/** Runs a command with --json. @returns its exit code and what it said */
// biome-ignore lint/suspicious/noExplicitAny: each command says something else
export async function run(...args: string[]): Promise<any> {
  const { code, stdout } = await sealpost([...args, '--json']);
  return { code, ...JSON.parse(stdout) };
}

// biome-ignore lint/suspicious/noExplicitAny: lines of any kind
export function ndjson(path: string): any[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** A record as it was generated. */
export function recordAt(lines: readonly GeneratedLine[], place: number) {
  const { enterprise, record } = lines[place] as GeneratedLine;
  return { enterprise, record, id: record.id, phone: record.recipient.phone };
}

/** A day of UTC as YYYY-MM-DD. */
export function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealpost-officer-'));
  readonly #services = new Map<string, ChildProcess>();

  at(name: string): string {
    return join(this.folder, name);
  }

  /** @param onStderr is told what the service's command says */
  async serve(dir: string, onStderr: (text: string) => void = () => {}): Promise<string> {
    const server = startSealpost(['serve', '--dir', dir, '--port', '0']);
    this.#services.set(dir, server);
    server.stderr?.setEncoding('utf8').on('data', onStderr);
    return readyUrl(server);
  }

  async stop(dir: string): Promise<void> {
    const server = this.#services.get(dir);
    this.#services.delete(dir);
    if (server === undefined || server.exitCode !== null) return;
    const end = ended(server);
    server.kill('SIGTERM');
    await end;
  }

  /** Writes records of a day that lies so many days back in Beijing. */
  async generate(name: string, parcels: number, daysAgo: number, seed: string) {
    const day = ['--day', date(Date.now() + 8 * 3_600_000 - daysAgo * DAY_MS)];
    const size = ['--parcels', String(parcels), '--seed', seed];
    await run('generate', ...size, ...day, '--out', this.at(name));
    return ndjson(this.at(name)) as GeneratedLine[];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#services.keys()].map((dir) => this.stop(dir)));
    rmSync(this.folder, { recursive: true });
  }
}
