/** A workspace with one company and its service, for tests through the SDK. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Service, startService } from '../../client/service/start.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../../client/workspace.ts';

export const COMPANY = 'sf';

export interface WorkspaceService {
  workspace: Workspace;
  service: Service;
  /** Stops the service and takes the folder away. */
  end(): Promise<void>;
}

/** Makes the workspace and starts its service. */
export async function startWorkspace(
  options: Partial<WorkspaceOptions> = {},
): Promise<WorkspaceService> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-workspace-'));
  const workspace = await createWorkspace(join(folder, 'city'), {
    ...{ city: 520100, node: 'gy-1', authority: '127.0.0.1:8787' },
    enterprises: [{ slug: COMPANY, name: '顺丰', id: crypto.randomUUID() }],
    ...options,
  });
  let service = await startService({ dir: workspace.dir });
  return {
    workspace,
    get service() {
      return service;
    },
    set service(started) {
      service = started;
    },
    async end() {
      await service.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Rows of a query on the store of a service that has stopped. */
export function queryStore(workspace: Workspace, sql: string): Record<string, unknown>[] {
  const files = readdirSync(workspace.paths.data, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.sqlite'))) {
    const database = new DatabaseSync(join(workspace.paths.data, file), { readOnly: true });
    try {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'receipts'");
      if (tables.all().length > 0) return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }
  throw new Error('there is no store');
}
