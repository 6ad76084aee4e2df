/** Which service has a folder open: two of them on one store would each believe to be its only writer. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from './errors.ts';

export interface RunningService {
  /** Of workerd; of whoever starts it until it answers. */
  pid: number;
  /** Empty until it answers. */
  url: string;
}

/** Where a service writes its process id and address. */
function serviceFile(dir: string): string {
  return join(dir, 'run/service.json');
}

/** The service that runs on a folder now, or is being started. */
export function runningService(dir: string): RunningService | undefined {
  try {
    const service = JSON.parse(readFileSync(serviceFile(dir), 'utf8')) as RunningService;
    return isAlive(service) ? service : undefined;
  } catch {
    return undefined;
  }
}

/** Takes a folder for this process, before anything in it is touched. @throws ServiceError already_running */
export function claimFolder(dir: string): void {
  try {
    note(dir, { pid: process.pid, url: '' }, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const running = runningService(dir);
    if (running) throw new ServiceError('already_running', `${running.pid} ${running.url}`.trim());
    // Left behind by one that was killed.
    releaseFolder(dir);
    claimFolder(dir);
  }
}

/** Writes down what runs on a folder that this process has claimed. */
export function noteService(dir: string, service: RunningService): void {
  note(dir, service, 'w');
}

export function releaseFolder(dir: string): void {
  rmSync(serviceFile(dir), { force: true });
}

function note(dir: string, service: RunningService, flag: 'w' | 'wx'): void {
  writeFileSync(serviceFile(dir), `${JSON.stringify(service)}\n`, { flag, mode: 0o600 });
}

/** A file can outlive its service, and the process id then go to another program. */
function isAlive({ pid, url }: RunningService): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return url === '' || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workerd');
  } catch {
    return true;
  }
}
