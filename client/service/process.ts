/** A running workerd: started, watched, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { workerdEnv, workerdPath } from './workerd.ts';

/** Milliseconds that a service may take until it answers; a cold start takes under one second. */
const START_DEADLINE_MS = 20_000;
/** Milliseconds that it may take to finish the requests in hand when it is told to stop. */
const STOP_DEADLINE_MS = 5_000;

export interface ProcessOptions {
  /** Folder of the configuration; the log goes there too. */
  runDir: string;
  /** File name in runDir. */
  configuration: string;
  /** Path of the log. */
  logFile: string;
  secrets: Readonly<Record<string, string>>;
  /** Further arguments of `workerd serve`. */
  args?: readonly string[];
}

export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #running = true;
  #peakRssMb = Number.NaN;

  constructor({ runDir, configuration, logFile, secrets, args = [] }: ProcessOptions) {
    const log = openSync(logFile, 'a', 0o600);
    this.#child = spawn(workerdPath(), ['serve', '--experimental', ...args, configuration], {
      cwd: runDir,
      env: workerdEnv(secrets),
      stdio: ['ignore', log, log],
      // A group of its own: Ctrl-C is for us, who stop the service in good order.
      detached: process.platform !== 'win32',
    });
    closeSync(log);
    // Should this program end without having stopped it, it must not live on with the store open. Before other hooks: they may
    // want to remove the store.
    const kill = () => this.#child.kill('SIGKILL');
    process.prependOnceListener('exit', kill);
    this.#exited = new Promise((resolve) => {
      const ended = () => {
        this.#running = false;
        process.off('exit', kill);
        resolve();
      };
      this.#child.once('exit', ended);
      this.#child.once('error', ended);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Settles when the process has ended, for whatever reason. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Waits until GET /healthz answers. @returns false when the process ended, or did not answer in time */
  async ready(url: string): Promise<boolean> {
    const deadline = Date.now() + START_DEADLINE_MS;
    while (this.#running && Date.now() < deadline) {
      const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      );
      await response?.body?.cancel();
      if (response?.ok) return true;
      await delay(30);
    }
    return false;
  }

  /** Highest resident memory so far in MiB, as the kernel counted it; NaN where it does not tell. */
  peakRssMb(): number {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      if (kib !== undefined) this.#peakRssMb = Math.round(Number(kib) / 102.4) / 10;
    } catch {
      // No /proc on this system, or the process has ended: the last figure stands.
    }
    return this.#peakRssMb;
  }

  /** Ends the process: asks it to finish what it has in hand, and kills it at the deadline. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.peakRssMb();
    this.#child.kill('SIGTERM');
    const deadline = new AbortController();
    await Promise.race([
      this.#exited,
      delay(STOP_DEADLINE_MS, undefined, { signal: deadline.signal }).catch(() => undefined),
    ]);
    deadline.abort();
    if (this.#running) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** A port of 127.0.0.1 that is free now: the one asked for, or any. @returns undefined when it is taken */
export function freePort(port = 0): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const chosen = typeof address === 'object' && address ? address.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}
