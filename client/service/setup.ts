/** Brings the store to the present schema and loads the control data, before the service opens. */
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { bundleWorker } from './bundle.ts';
import { toCapnp, type WranglerConfig } from './capnp.ts';
import { ServiceError } from './errors.ts';
import { runWorkerd, workerdEnv } from './workerd.ts';

const SETUP_ENTRY = 'worker/src/setup.ts';
const CONFIGURATION = 'setup.capnp';

export interface SetupOptions {
  config: WranglerConfig;
  runDir: string;
  dataDir: string;
  /** Parties, keys, certificates, recipient list: public data. It goes by file, since a variable holds 128 KiB at most. */
  controlFile: string;
  vars: Readonly<Record<string, string>>;
}

/**
 * Runs the set-up worker once, inside workerd, on the store of a service that is not running. Doing it again changes nothing.
 * @throws ServiceError `setup_failed`
 */
export async function runSetup(options: SetupOptions): Promise<void> {
  const { config, runDir, dataDir, controlFile, vars } = options;
  const modules = await bundleWorker(SETUP_ENTRY, 'setup', runDir);
  const configuration = toCapnp(config, {
    ...{ modules, dataDir, vars, durableObjects: false },
    files: { CONTROL: relative(runDir, controlFile) },
  });
  await writeFile(join(runDir, CONFIGURATION), configuration);
  const { code, output } = await runWorkerd(['test', '--experimental', CONFIGURATION], {
    cwd: runDir,
    env: workerdEnv({}),
  });
  if (code !== 0) throw new ServiceError('setup_failed', output);
}
