/** A worker of a benchmark on plain workerd. Clocks stand still inside it while it computes: it is timed from outside. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorker } from '../../client/service/bundle.ts';
import { toCapnp, type WranglerConfig } from '../../client/service/capnp.ts';
import { freePort, ServiceProcess } from '../../client/service/process.ts';
import { BenchError } from './report.ts';

/** As in wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-11-01';

export interface BenchWorker {
  url: string;
  process: ServiceProcess;
}

/**
 * Bundles and starts a worker; it must answer `/healthz`.
 * @param entry from the project's folder @param dir folder for all that it needs; its store is in `data`
 */
export async function startWorker(
  entry: string,
  name: string,
  dir: string,
  bindings: Partial<WranglerConfig> = {},
): Promise<BenchWorker> {
  const modules = await bundleWorker(entry, name, dir);
  const address = `127.0.0.1:${await freePort()}`;
  const config: WranglerConfig = {
    ...{ name, main: entry, compatibility_date: COMPATIBILITY_DATE },
    ...bindings,
  };
  const configuration = `${name}.capnp`;
  const dataDir = join(dir, 'data');
  await writeFile(join(dir, configuration), toCapnp(config, { modules, dataDir, address }));
  const logFile = join(dir, `${name}.log`);
  const started = new ServiceProcess({ runDir: dir, configuration, logFile, secrets: {} });
  const url = `http://${address}`;
  if (!(await started.ready(url))) {
    await started.stop();
    throw new BenchError(`workerd did not start the worker ${name}: see ${logFile}`);
  }
  return { url, process: started };
}
