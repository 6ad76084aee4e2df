/** Output files. What they hold is personal data more often than not, so nobody but their owner may read them. */

import { once } from 'node:events';
import { createWriteStream, existsSync, rmSync, type WriteStream } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { CliFailure } from './failure.ts';

/** Octets gathered before they are written: many small writes cost more than the work between them. */
const GATHER = 64 * 1024;

function exists(): CliFailure {
  return new CliFailure(
    'exists',
    ['输出文件已存在', 'the output file is there already'],
    ['请另选文件名', 'choose another name'],
  );
}

/** A file that stands under another name until it is whole. */
export class OutputFile {
  readonly #path: string;
  readonly #part: string;
  /** What is there so far, while it is written anew. */
  readonly #draft: string;
  #stream: WriteStream;
  #gathered = '';
  #failure: unknown;
  /** A program that ends early leaves no half file. */
  readonly #tidy = () => {
    for (const path of [this.#part, this.#draft]) rmSync(path, { force: true });
  };

  /** @throws CliFailure `exists` when there is a file of that name: it may be the only copy of what it holds */
  constructor(path: string) {
    if (existsSync(path)) throw exists();
    this.#path = path;
    this.#part = `${path}.${process.pid}.part`;
    this.#draft = `${this.#part}.draft`;
    process.once('exit', this.#tidy);
    this.#stream = this.#open();
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#part, { mode: 0o600, flags: 'wx' });
    return stream.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** @throws the errors of node:fs */
  write(text: string): void | Promise<void> {
    this.#gathered += text;
    if (this.#gathered.length >= GATHER) return this.#flush();
  }

  /** Writes the file anew from what it holds so far. @param pass reads that, and gives the new text @throws the errors of node:fs */
  async revise(pass: (path: string) => AsyncIterable<string>): Promise<void> {
    await this.#close();
    await rename(this.#part, this.#draft);
    this.#stream = this.#open();
    for await (const text of pass(this.#draft)) {
      const written = this.write(text);
      if (written) await written;
    }
    await rm(this.#draft);
  }

  /** The file is whole: it is on disk and has its name when this settles. @throws the errors of node:fs */
  async finish(): Promise<void> {
    await this.#close();
    const file = await open(this.#part, 'r+');
    await file.sync();
    await file.close();
    // A link, unlike a renaming, never replaces a file that has come meanwhile.
    await link(this.#part, this.#path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? exists() : error;
    });
    await rm(this.#part);
    process.off('exit', this.#tidy);
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    this.#stream.destroy();
    if (!this.#stream.closed) await once(this.#stream, 'close').catch(() => undefined);
    for (const path of [this.#part, this.#draft]) await rm(path, { force: true });
    process.off('exit', this.#tidy);
  }

  async #close(): Promise<void> {
    await this.#flush();
    this.#stream.end();
    await once(this.#stream, 'close');
    if (this.#failure) throw this.#failure;
  }

  async #flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const text = this.#gathered;
    this.#gathered = '';
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
    if (this.#failure) throw this.#failure;
  }
}
