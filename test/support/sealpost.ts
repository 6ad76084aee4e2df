/** The command line as its users have it: the real program, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../client/bin/sealpost.mjs', import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the program. Options from the environment of the tests do not reach it. */
export function startSealpost(args: readonly string[], cwd?: string): ChildProcess {
  const { SEALPOST_DIR, SEALPOST_URL, SEALPOST_DEBUG, ...env } = process.env;
  return spawn(process.execPath, [PROGRAM, ...args], { env, ...(cwd && { cwd }) });
}

/** Runs the program to its end. @param input what it finds on stdin */
export function sealpost(args: readonly string[], input = ''): Promise<Ended> {
  return ended(startSealpost(args), input);
}

export function ended(child: ChildProcess, input = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
    child.stdin?.end(input);
  });
}

/** Waits for `sealpost serve` to say that it is ready. @returns its address */
export function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const url = /^ready (http:\/\/127\.0\.0\.1:\d+)$/m.exec(output)?.[1];
      if (url) resolve(url);
    });
    child.on('close', (code) => reject(new Error(`ended with code ${code}: ${output}`)));
  });
}
