/** The local service: the edge worker on workerd, with its store under one folder. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseSignedList } from '../../wire/recipients.ts';
import { openWorkspace, type Workspace } from '../workspace.ts';
import { bundleWorker, ensureWasm, PROJECT_DIR } from './bundle.ts';
import { parseWrangler, toCapnp } from './capnp.ts';
import { ServiceError } from './errors.ts';
import { claimFolder, noteService, releaseFolder } from './lock.ts';
import { freePort, ServiceProcess } from './process.ts';
import { runSetup } from './setup.ts';

export interface StartOptions {
  /** What `sealpost init` made. */
  dir: string;
  /** Any free one when it is 0 or left out. */
  port?: number;
}

export interface Service {
  url: string;
  pid: number;
  /** Settles when the service has ended, for whatever reason. */
  exited: Promise<void>;
  /** Finishes the requests in hand, for 5 s at most. */
  stop(): Promise<void>;
  /** Highest resident memory so far in MiB; NaN where the system does not tell. */
  peakRssMb(): number;
}

const CONFIGURATION = 'service.capnp';
/** Another program may take a free port before workerd does. */
const PORT_ATTEMPTS = 3;

/**
 * Builds what is missing, brings the store up to date, starts workerd and waits until it answers.
 * @throws ServiceError
 */
export async function startService(options: StartOptions): Promise<Service> {
  const { port = 0 } = options;
  // workerd runs in a folder of its own, so that no path may hang on ours.
  const dir = resolve(options.dir);
  const workspace = openWorkspace(dir);
  const { run: runDir, data: dataDir } = workspace.paths;
  for (const folder of [runDir, dataDir]) await mkdir(folder, { recursive: true, mode: 0o700 });
  claimFolder(dir);
  try {
    return await start(workspace, port);
  } catch (error) {
    releaseFolder(dir);
    throw error;
  }
}

async function start(workspace: Workspace, port: number): Promise<Service> {
  if (port !== 0 && (await freePort(port)) === undefined) throw new ServiceError('port_taken');
  const { run: runDir, data: dataDir, control: controlFile } = workspace.paths;
  const config = parseWrangler(await readFile(join(PROJECT_DIR, 'wrangler.toml'), 'utf8'));
  const modules = await built(async () => {
    await ensureWasm();
    return bundleWorker(config.main, 'index', runDir);
  });
  const vars = workspaceVars(workspace);
  await runSetup({ config, runDir, dataDir, controlFile, vars });

  const secrets = { SEALPOST_SECRETS: await readFile(workspace.paths.secrets, 'utf8') };
  for (let attempt = 1; ; attempt++) {
    const chosen = port || (await freePort()) || 0;
    const address = `127.0.0.1:${chosen}`;
    const configuration = toCapnp(config, {
      ...{ modules, dataDir, address, secrets: Object.keys(secrets) },
      vars: { ...vars, SEALPOST_AUTHORITY: authorityAt(workspace, address) },
    });
    await writeFile(join(runDir, CONFIGURATION), configuration);
    const logFile = join(runDir, 'workerd.log');
    const child = new ServiceProcess({ runDir, configuration: CONFIGURATION, logFile, secrets });
    const url = `http://${address}`;
    if (await child.ready(url)) return opened(workspace.dir, url, child);
    const ended = !child.running;
    await child.stop();
    if (port !== 0 || !ended || attempt === PORT_ATTEMPTS) {
      throw new ServiceError('start_failed', logFile);
    }
  }
}

function opened(dir: string, url: string, child: ServiceProcess): Service {
  noteService(dir, { pid: child.pid, url });
  return {
    ...{ url, pid: child.pid, exited: child.exited },
    peakRssMb: () => child.peakRssMb(),
    async stop() {
      await child.stop();
      releaseFolder(dir);
    },
  };
}

/** The authority that requests to a service at `address` sign: a public name if the workspace has one. */
export function authorityAt({ authority }: { authority: string }, address: string): string {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(authority) ? address : authority;
}

function workspaceVars(workspace: Workspace): Record<string, string> {
  return {
    SEALPOST_CITY: String(workspace.city),
    SEALPOST_NODE: workspace.node,
    SEALPOST_MODE: workspace.mode,
    SEALPOST_ROOT_KEY: Buffer.from(workspace.rootKey).toString('hex'),
    // From outside the store: whoever can write that must not bring an older list back.
    SEALPOST_MIN_LIST_VERSION: String(listVersion(workspace)),
  };
}

function listVersion({ paths }: Workspace): number {
  return parseSignedList(readFileSync(paths.recipientList)).list.version;
}

async function built<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    throw new ServiceError('build_failed', error instanceof Error ? error.message : '', error);
  }
}
