/** The way from a folder with keys to the service. */
import { EdgeClient } from '../edge.ts';
import { runningService } from '../service/lock.ts';
import { authorityAt } from '../service/start.ts';
import type { Workspace } from '../workspace.ts';
import { DEFAULT_PORT } from './command.ts';

/** A client of the workspace's edge at `url`; without it, of the service that runs on the folder. */
export function connect(workspace: Workspace, url?: string): EdgeClient {
  const target = url || runningService(workspace.dir)?.url || `http://127.0.0.1:${DEFAULT_PORT}`;
  return new EdgeClient({
    url: target,
    authority: authorityAt(workspace, new URL(target).host),
    city: workspace.city,
    rootKey: workspace.rootKey,
    lists: workspace.lists(),
    mode: workspace.mode,
  });
}
