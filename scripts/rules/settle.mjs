/** The last step of the generators: write the files, or with `--check` only compare them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** @param {Record<string, string>} files text by path from the project's root; exits 1 under `--check` when one differs */
export function settle(files) {
  const check = process.argv.includes('--check');
  for (const [path, text] of Object.entries(files)) {
    const file = fileURLToPath(new URL(path, root));
    if ((existsSync(file) ? readFileSync(file, 'utf8') : undefined) === text) continue;
    if (check) {
      console.error(`${path} is not current: run npm run gen`);
      process.exitCode = 1;
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}
