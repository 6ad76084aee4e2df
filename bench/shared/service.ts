/** The real service with a worker of a benchmark in the place of its entry, which adds routes to it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace } from '../../client/cli/init.ts';
import { bundleWorker, ensureWasm, PROJECT_DIR } from '../../client/service/bundle.ts';
import { parseWrangler, toCapnp } from '../../client/service/capnp.ts';
import { freePort, ServiceProcess } from '../../client/service/process.ts';
import { runSetup } from '../../client/service/setup.ts';
import type { Workspace } from '../../client/workspace.ts';
import { BenchError } from './report.ts';

export interface BenchService {
  workspace: Workspace;
  url: string;
  process: ServiceProcess;
}

/** Starts it with an empty store, configured as `sealpost serve` does. @param entry from the project's folder */
export async function startBenchService(dir: string, entry: string): Promise<BenchService> {
  await ensureWasm();
  const workspace = await makeWorkspace(dir, 'guiyang');
  const { run: runDir, data: dataDir, control: controlFile } = workspace.paths;
  for (const folder of [runDir, dataDir]) await mkdir(folder, { recursive: true });
  const config = parseWrangler(await readFile(join(PROJECT_DIR, 'wrangler.toml'), 'utf8'));
  const modules = await bundleWorker(entry, 'index', runDir);
  const address = `127.0.0.1:${await freePort()}`;
  const vars = {
    SEALPOST_CITY: String(workspace.city),
    SEALPOST_NODE: workspace.node,
    SEALPOST_MODE: workspace.mode,
    SEALPOST_AUTHORITY: address,
    SEALPOST_ROOT_KEY: Buffer.from(workspace.rootKey).toString('hex'),
  };
  await runSetup({ config, runDir, dataDir, controlFile, vars });
  const secrets = { SEALPOST_SECRETS: await readFile(workspace.paths.secrets, 'utf8') };
  const configuration = 'service.capnp';
  const logFile = join(runDir, 'workerd.log');
  await writeFile(
    join(runDir, configuration),
    toCapnp(config, { modules, dataDir, address, vars, secrets: Object.keys(secrets) }),
  );
  const started = new ServiceProcess({ runDir, configuration, logFile, secrets });
  const url = `http://${address}`;
  if (await started.ready(url)) return { workspace, url, process: started };
  await started.stop();
  throw new BenchError(`the service did not start: see ${logFile}`);
}
