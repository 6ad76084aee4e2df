/** The services that are compared, each on workerd with a store of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace } from '../../client/cli/init.ts';
import { type Service, startService } from '../../client/service/start.ts';
import type { Workspace } from '../../client/workspace.ts';
import { BenchError } from '../shared/report.ts';
import { type BenchWorker, startWorker } from '../shared/workerd.ts';

export interface Sealed {
  dir: string;
  dataDir: string;
  workspace: Workspace;
  service: Service;
}

/** The service as `sealpost serve` starts it, with an empty store. */
export async function startSealed(dir: string): Promise<Sealed> {
  const workspace = await makeWorkspace(dir, 'guiyang');
  const service = await startService({ dir });
  return { dir, dataDir: workspace.paths.data, workspace, service };
}

/** The plain service with empty tables. */
export async function startPlain(dir: string): Promise<BenchWorker> {
  await mkdir(join(dir, 'data'), { recursive: true });
  const worker = await startWorker('bench/ingest/plain/worker.ts', 'plain', dir, {
    d1_databases: [{ binding: 'DB', database_name: 'plain' }],
  });
  const response = await fetch(`${worker.url}/setup`, { method: 'POST' });
  if (!response.ok) throw new BenchError('the tables of the plain service could not be made');
  return worker;
}
