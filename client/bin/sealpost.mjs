#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on any Node from 20 on. The rest of the program is TypeScript that Node 24
// runs as it stands, so an older Node hands over to the one that npm installed with the project.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  // Compiled code is kept for the next start, which is three times as fast then; beside the program, where it is ours.
  nodeModule.enableCompileCache(
    fileURLToPath(new URL('../../node_modules/.cache/sealpost', import.meta.url)),
  );
  const { main } = await import('../cli/main.ts');
  await main(process.argv.slice(2));
} else {
  const binary = newerNode();
  if (binary) handOver(binary);
  else complain();
}

/** The Node of the npm package `node`, wherever npm has put that package. */
function newerNode() {
  try {
    const root = dirname(nodeModule.createRequire(import.meta.url).resolve('node/package.json'));
    const binary = join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Runs this file again; signals go on to the child, its exit code or signal becomes ours. */
function handOver(binary) {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(binary, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', complain);
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function complain() {
  console.error(`需要 Node ${NEEDED_MAJOR} · Node ${NEEDED_MAJOR} or later is needed`);
  console.error('请先运行 npm install · run first: npm install');
  process.exit(1);
}
