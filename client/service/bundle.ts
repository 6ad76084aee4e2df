/** Builds what workerd runs: the worker and its set-up as one file each, the WebAssembly module beside them. */
import { spawn } from 'node:child_process';
import { copyFile, readdir, rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { WorkerModule } from './capnp.ts';

/** The folder of the project, with wrangler.toml. */
export const PROJECT_DIR = join(import.meta.dirname, '../..');

const WASM_FILE = join(PROJECT_DIR, 'wasm/build/sealpost.wasm');
const WASM_ENTRY = 'wasm/assembly/index.ts';
const WASM_SOURCES = join(PROJECT_DIR, 'wasm/assembly');

/**
 * Bundles a worker into `outDir`.
 * @param name file name without its ending
 * @returns its modules, the entry first, with paths relative to outDir
 * @throws Error when a source does not build
 */
export async function bundleWorker(
  entry: string,
  name: string,
  outDir: string,
): Promise<WorkerModule[]> {
  const wasmFiles = new Set<string>();
  await build({
    entryPoints: [join(PROJECT_DIR, entry)],
    outfile: join(outDir, `${name}.js`),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    external: ['cloudflare:*', 'node:*'],
    loader: { '.sql': 'text' },
    plugins: [keepWasm(wasmFiles)],
    legalComments: 'none',
    logLevel: 'silent',
  });
  for (const file of wasmFiles) await copyFile(file, join(outDir, basename(file)));
  return [
    { name: `${name}.js`, path: `${name}.js`, kind: 'esModule' },
    ...[...wasmFiles].map((file): WorkerModule => {
      return { name: basename(file), path: basename(file), kind: 'wasm' };
    }),
  ];
}

/** Leaves `import module from '….wasm'` in place: workerd compiles such modules itself, and forbids it at run time. */
function keepWasm(files: Set<string>): Plugin {
  return {
    name: 'keep-wasm',
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        const file = join(resolveDir, path);
        files.add(file);
        return { path: `./${basename(file)}`, external: true };
      });
    },
  };
}

/** Builds the WebAssembly module when it is missing or older than a source of it. @throws Error when it does not build */
export async function ensureWasm(): Promise<void> {
  const built = await stat(WASM_FILE).catch(() => undefined);
  const sources = await readdir(WASM_SOURCES, { recursive: true });
  const times = await Promise.all(
    sources.map(async (file) => (await stat(join(WASM_SOURCES, file))).mtimeMs),
  );
  if (built && Math.max(...times) <= built.mtimeMs) return;
  // Under another name first: another program may be reading it, or building it as well.
  const part = `${WASM_FILE}.${process.pid}.part`;
  const { code, output } = await runScript('scripts/build-wasm.mjs', [WASM_ENTRY, part]);
  if (code !== 0) throw new Error(`the WebAssembly module does not build:\n${output}`);
  await rename(part, WASM_FILE);
}

function runScript(
  path: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { cwd: PROJECT_DIR });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      output += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
