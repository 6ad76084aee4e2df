import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseWrangler, toCapnp, type WranglerConfig } from '../../client/service/capnp.ts';
import { runWorkerd, workerdEnv } from '../../client/service/workerd.ts';

const MINIMAL: WranglerConfig = {
  name: 'sealpost',
  main: 'index.ts',
  compatibility_date: '2026-11-01',
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sealpost-capnp-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs a worker's `test` on real workerd. */
function run(script: string, config: WranglerConfig, options: object = {}, secrets = {}) {
  writeFileSync(join(dir, 'index.js'), script);
  const modules = [{ name: 'index.js', path: 'index.js', kind: 'esModule' as const }];
  const text = toCapnp(config, { modules, dataDir: dir, ...options });
  writeFileSync(join(dir, 'test.capnp'), text);
  const env = workerdEnv(secrets);
  return runWorkerd(['test', '--experimental', 'test.capnp'], { cwd: dir, env });
}

describe('workerd configuration from wrangler.toml', () => {
  it('carries over everything that the real file declares', () => {
    const config = parseWrangler(readFileSync('wrangler.toml', 'utf8'));
    const text = toCapnp(config, {
      modules: [
        { name: 'index.js', path: 'index.js', kind: 'esModule' },
        { name: 'sealpost.wasm', path: 'sealpost.wasm', kind: 'wasm' },
      ],
      dataDir: '/data',
      address: '127.0.0.1:1234',
      secrets: ['SEALPOST_SECRETS'],
    });
    for (const name of Object.keys(config.vars ?? {})) {
      expect(text).toContain(`(name = "${name}", text = `);
    }
    expect(text).toContain(`compatibilityDate = "${config.compatibility_date}"`);
    expect(text).toContain('(name = "sealpost.wasm", wasm = embed "sealpost.wasm")');
    expect(text).toContain('(name = "WRITER", durableObjectNamespace = "Writer")');
    expect(text).toContain('className = "Writer", uniqueKey = "sealpost-Writer", enableSql = true');
    expect(text).toContain('(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api"');
    expect(text).toContain('fromEnvironment = "SEALPOST_SECRETS"');
    expect(text).toContain('address = "127.0.0.1:1234"');
  });

  it('gives a worker its variables octet for octet, whatever they hold', async () => {
    const awkward = 'quote " backslash \\ lines \n\r\t 贵阳 𠮷 \u0001\u007f \\x41 end';
    const { code, output } = await run(
      `const wanted = ${JSON.stringify(awkward)};
       export default { test(_, env) {
         for (const name of ['PLAIN', 'FILE', 'SECRET']) {
           if (env[name] !== wanted) throw new Error(name);
         }
         if (env.REPLACED !== 'new') throw new Error('REPLACED');
       } };`,
      { ...MINIMAL, vars: { PLAIN: awkward, REPLACED: 'old' } },
      {
        vars: { REPLACED: 'new' },
        secrets: ['SECRET'],
        files: (() => {
          writeFileSync(join(dir, 'value.txt'), awkward);
          return { FILE: 'value.txt' };
        })(),
      },
      { SECRET: awkward },
    );
    expect(output).not.toContain('Error');
    expect(code).toBe(0);
  });

  it('gives a worker a D1 database that lasts', async () => {
    const config = { ...MINIMAL, d1_databases: [{ binding: 'DB', database_name: 'x' }] };
    const worker = (statement: string) => `export default { async test(_, env) { ${statement} } };`;
    const first = await run(
      worker(`await env.DB.exec('CREATE TABLE t (a); INSERT INTO t VALUES (7)');`),
      config,
    );
    expect(first.code, first.output).toBe(0);
    const second = await run(
      worker(`if (await env.DB.prepare('SELECT a FROM t').first('a') !== 7) throw new Error();`),
      config,
    );
    expect(second.code, second.output).toBe(0);
  });

  it('gives a worker no way out', async () => {
    const { code } = await run(
      `export default { async test() { await fetch('http://127.0.0.1:1/'); } };`,
      MINIMAL,
    );
    expect(code).not.toBe(0);
    const { output } = await run(
      `export default { async test() {
         await fetch('http://127.0.0.1:1/').then(() => console.log('out'), () => console.log('kept in'));
       } };`,
      MINIMAL,
    );
    expect(output).toContain('kept in');
  });

  it('hands workerd nothing of our environment but what it is given', () => {
    process.env.SEALPOST_TEST_CREDENTIAL = 'x';
    const env = workerdEnv({ A: '1' });
    delete process.env.SEALPOST_TEST_CREDENTIAL;
    expect(env).toMatchObject({ A: '1' });
    expect(env).not.toHaveProperty('SEALPOST_TEST_CREDENTIAL');
    expect(env).not.toHaveProperty('HOME');
  });

  it.each([
    [
      'a section that it cannot offer',
      'name="x"\nmain="m"\ncompatibility_date="d"\n[[kv_namespaces]]\nbinding="K"',
    ],
    ['a missing main', 'name="x"\ncompatibility_date="d"'],
    ['text that is not TOML', 'name = ['],
  ])('refuses %s', (_, toml) => {
    expect(() => parseWrangler(toml)).toThrow();
  });

  it('refuses a Durable Object that no migration makes', () => {
    const config = { ...MINIMAL, durable_objects: { bindings: [{ name: 'A', class_name: 'B' }] } };
    expect(() => toCapnp(config, { modules: [], dataDir: '/data' })).toThrow('no migration');
  });
});
