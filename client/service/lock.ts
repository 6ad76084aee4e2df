/** Which service has a folder open: two of them on one store would each believe to be its only writer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunningService {
  pid: number;
  url: string;
}

/** Where a running service writes its process id and address. */
export function serviceFile(dir: string): string {
  return join(dir, 'run/service.json');
}

/** The service that runs on a folder now, if one does. */
export function runningService(dir: string): RunningService | undefined {
  try {
    const service = JSON.parse(readFileSync(serviceFile(dir), 'utf8')) as RunningService;
    return isWorkerd(service.pid) ? service : undefined;
  } catch {
    return undefined;
  }
}

/** A file can outlive its service, and the process id then go to another program. */
function isWorkerd(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workerd');
  } catch {
    return true;
  }
}
