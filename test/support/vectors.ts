/**
 * Public test vectors. The large suites lie beside the repository, in `../shared/vectors` or where VECTORS_DIR says;
 * a handful from each RFC lie in `test/vectors`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = resolve(ROOT, process.env.VECTORS_DIR ?? '../shared/vectors');

/** One file of the repository's own vectors. */
export function rfcVectors<T>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, 'test/vectors', file), 'utf8')) as T;
}

/**
 * Registers a suite over one file of the public vectors (docs/testing.md says where they come from). When the file is not
 * there the suite says so on stderr and counts as skipped; a VECTORS_DIR that was named but does not hold the file fails.
 */
export function describeVectors<T>(file: string, define: (vectors: T) => void): void {
  const path = join(FOLDER, file);
  if (existsSync(path)) {
    describe(file, () => define(JSON.parse(readFileSync(path, 'utf8')) as T));
    return;
  }
  process.stderr.write(
    `\n*** NOT RUN: ${file} is not in the folder of public test vectors ***\n\n`,
  );
  it(`${file}: NOT RUN, the folder of public test vectors is not there`, ({ skip }) => {
    expect(process.env.VECTORS_DIR, 'VECTORS_DIR does not hold this file').toBeUndefined();
    skip();
  });
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
