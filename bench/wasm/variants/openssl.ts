/** The C program on OpenSSL EVP: built on the spot, one process a set of work, told what to do line by line. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { BenchError } from '../../shared/report.ts';
import { encodeWork, type Work } from '../work.ts';

const SOURCE = join(import.meta.dirname, '../../openssl/peer.c');
const run = promisify(execFile);

export type CipherName = 'chacha' | 'aes';

/**
 * Compiles the program into `dir`.
 * @returns its path, or why there is none: a C compiler or OpenSSL's headers are missing
 */
export async function buildPeer(dir: string): Promise<{ path: string } | { missing: string }> {
  const path = join(dir, 'peer');
  const compiler = process.env.CC ?? 'cc';
  try {
    await run(compiler, ['-O3', '-o', path, SOURCE, '-lcrypto']);
    return { path };
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') return { missing: `there is no C compiler (${compiler})` };
    if (stderr.includes('openssl/')) return { missing: "OpenSSL's headers are not installed" };
    if (stderr.includes('-lcrypto')) return { missing: "OpenSSL's library is not installed" };
    throw new BenchError(`bench/openssl/peer.c does not compile:\n${stderr}`);
  }
}

export class Peer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #dir: string;
  /** As the library names itself. */
  version = '';

  private constructor(path: string, dir: string, file: string) {
    this.#dir = dir;
    this.#child = spawn(path, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @param name of the set of work, for its files in `dir` */
  static async start(path: string, dir: string, name: string, work: Work): Promise<Peer> {
    const file = join(dir, `${name}.work`);
    await writeFile(file, encodeWork(work));
    const peer = new Peer(path, dir, file);
    peer.version = (await peer.#answer()).replace(/^ready /, '');
    return peer;
  }

  /** Nanoseconds that `passes` passes take. */
  async time(cipher: CipherName, passes: number): Promise<number> {
    this.#child.stdin.write(`time ${cipher} ${passes}\n`);
    return Number(await this.#answer());
  }

  /** What one pass makes: the outcomes of all records, one behind the other. */
  async outcomes(cipher: CipherName): Promise<Uint8Array> {
    const file = join(this.#dir, `${cipher}.outcomes`);
    this.#child.stdin.write(`save ${cipher} ${file}\n`);
    await this.#answer();
    return readFile(file);
  }

  stop(): void {
    this.#reader.close();
    this.#child.stdin.end();
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new BenchError('the C program has ended');
    return value;
  }
}
