/** The workerd binary that npm installed for this platform, and one-off runs of it. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

/** Path of the workerd binary. @throws Error when npm has installed none for this platform */
export function workerdPath(): string {
  // The package names its binary itself: the path differs by platform, and with the package's install script left out.
  const workerd = createRequire(import.meta.url)('workerd') as { default: string };
  return workerd.default;
}

/**
 * What workerd gets to see of our environment: nothing but what it is given. Its workers can read variables by name,
 * and a shell's environment often holds credentials of other things.
 */
export function workerdEnv(secrets: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { SystemRoot, TMPDIR, TEMP } = process.env;
  return {
    ...(SystemRoot && { SystemRoot }),
    ...(TMPDIR && { TMPDIR }),
    ...(TEMP && { TEMP }),
    ...secrets,
  };
}

/** Runs workerd to its end. Output is both streams together, cut to the last 4,000 characters. */
export function runWorkerd(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(workerdPath(), args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
