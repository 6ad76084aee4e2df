/** Who may import whom: the layers of docs/architecture.md, held by this test. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Rule {
  /** Folder or file. */
  from: string;
  /** What it may import of ours, beside itself. */
  may: string[];
  /** What it may import types of. */
  mayTypes?: string[];
}

const RULES: Rule[] = [
  { from: 'wire', may: [] },
  { from: 'wasm/assembly', may: [] },
  { from: 'wasm/host', may: [] },
  { from: 'db', may: ['wire'] },
  {
    from: 'worker/src/pipeline',
    may: ['wire'],
    mayTypes: ['db/parcels.ts', 'db/control.ts', 'wasm/host'],
  },
  { from: 'client', may: ['wire', 'wasm/host'] },
];

/** Nothing that ships may lean on what does not. */
const NEVER_IMPORTED = ['test', 'bench', 'web'];
const SHIPPED = ['wire', 'wasm', 'db', 'worker', 'client'];

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  return [
    ...text.matchAll(/^(?:import|export)\s(type\s)?(?:[^'"]*?\sfrom\s)?['"](\.[^'"]+)['"]/gm),
  ].map(([, type, path]) => ({
    file,
    target: normalize(join(dirname(file), path as string)),
    typeOnly: type !== undefined,
  }));
}

const within = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

describe('imports', () => {
  it.each(RULES)('$from imports only what it may', ({ from, may, mayTypes = [] }) => {
    const imports = sources(from).flatMap(importsOf);
    expect(sources(from).length).toBeGreaterThan(0);
    const wrong = imports.filter(
      ({ target, typeOnly }) =>
        ![from, ...may, ...(typeOnly ? mayTypes : [])].some((place) => within(target, place)),
    );
    expect(wrong).toEqual([]);
  });

  it('routes reach the stores and the module only through the pipeline', () => {
    const imports = sources('worker/src/routes').flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.filter(({ target }) => /^(db|wasm)\//.test(target))).toEqual([]);
  });

  it('only deps and the Durable Objects construct stores and sessions', () => {
    const imports = sources('worker/src').flatMap(importsOf);
    const constructing = imports.filter(
      ({ target, typeOnly }) =>
        !typeOnly &&
        (within(target, 'db/d1') || within(target, 'db/postgres') || within(target, 'wasm/host')),
    );
    const files = new Set(constructing.map(({ file }) => file));
    expect(
      [...files].filter((file) => !/\/(deps|writer|index-filler|setup)\.ts$/.test(file)),
    ).toEqual([]);
  });

  it('nothing that ships imports tests, benchmarks or pages', () => {
    const imports = SHIPPED.flatMap(sources).flatMap(importsOf);
    expect(
      imports.filter(({ target }) => NEVER_IMPORTED.some((place) => within(target, place))),
    ).toEqual([]);
  });
});
