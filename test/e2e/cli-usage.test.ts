/** The command line without a service: help, wrong use, files that cannot be read. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealpost } from '../support/sealpost.ts';

const COMMANDS = [
  'init',
  'serve',
  'generate',
  'stream',
  'submit',
  'pull',
  'reconcile',
  'lookup',
  'export',
  'erase',
  'keys',
  'demo',
];

let folder: string;
let dir: string;
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-cli-'));
  dir = join(folder, 'city');
  expect((await sealpost(['init', '--dir', dir])).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('help', () => {
  it('names every command, in Chinese first, with examples and exit codes', async () => {
    const { code, stdout } = await sealpost(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^  ${command} .*\\p{Script=Han}.* · \\w`, 'mu'));
    }
    expect(stdout).toContain('$ sealpost demo');
    expect(stdout).toContain('3  未完成');
  });

  it('of each command has an example and --json', async () => {
    const helps = await Promise.all(COMMANDS.map((command) => sealpost([command, '--help'])));
    helps.forEach(({ code, stdout }, i) => {
      expect(code).toBe(0);
      expect(stdout).toContain(`$ sealpost ${COMMANDS[i]}`);
      expect(stdout).toContain('--json');
    });
  });
});

describe('wrong use', () => {
  it.each([
    [[]],
    [['no-such-command']],
    [['stream']],
    [['stream', 'a', 'b']],
    [['serve', '--port', '65536']],
    [['serve', '--no-such-option']],
    [['generate', '--parcels', '0', '--out', 'x']],
    [['generate', '--bad', '1.5', '--out', 'x']],
    [['generate', '--day', '2026-02-30', '--out', 'x']],
    [['generate', '--city', 'atlantis', '--out', 'x']],
    [['generate']],
    [['pull']],
    [['pull', '--out', 'x', '--format', 'xml']],
    [['pull', '--out', 'x', '--url', 'ftp://x']],
    [['lookup']],
    [['keys', 'drill', '--day', 'tomorrow']],
    [['keys', 'renew', '--remove', 'abc']],
    [['export', '--phone', '13800138000', '--out', 'x']],
    [['export', '--phone', '13800138000', '--out', 'x', '--case', '1']],
    [['export', 'verify']],
    [['erase', '--enterprise', 'sf', '--case', '1']],
    [['erase', '--enterprise', 'sf', '--id', '01936000-0000-7000-8000-000000000000']],
    [
      [
        'lookup',
        '--dir',
        'a',
        '--dir',
        'b',
        '--url',
        'http://127.0.0.1:1',
        '--phone',
        '13800138000',
      ],
    ],
    [['lookup', '--phone', '13800138000', '--waybill', 'SF1234567890123']],
    [['lookup', '--phone', '13800138000', '--from', '2026-11-02', '--to', '2026-11-01']],
  ])('%j ends with code 2 and says so in two lines', async (args) => {
    const { code, stdout, stderr } = await sealpost(args);
    expect(code).toBe(2);
    if (args.length === 0) return;
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^错误 · error: .+\n {2}→ .+ · .+\n$/);
  });

  it('is one JSON object with --json', async () => {
    const { code, stdout, stderr } = await sealpost(['pull', '--json']);
    expect(code).toBe(2);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ error: 'usage' });
  });
});

describe('files', () => {
  const record = { id: '01936000-0000-7000-8000-000000000000' };
  const line = JSON.stringify({ enterprise: 'sf', record });

  it.each([
    ['there is none', () => join(folder, 'none.ndjson'), 'enoent', ''],
    ['it is a folder', () => folder, 'eisdir', ''],
    [
      'a line is not JSON',
      () => file('json', `${line}\n\n${line}\n{"name":"王小明"\n`),
      'bad_line',
      'line 4 ',
    ],
    ['a line is a list', () => file('list', `[1]\n${line}\n`), 'bad_line', 'line 1 '],
    ['a line is no record', () => file('other', `${line}\n{"a":1}`), 'bad_line', 'line 2 '],
    [
      'a line is endless',
      () => file('long', `${line}\n${'x'.repeat(400_000)}`),
      'bad_line',
      'line 2 ',
    ],
    [
      'nothing says whose records they are',
      () => file('whose', JSON.stringify(record)),
      'usage',
      '',
    ],
    [
      'an enterprise has no keys here',
      () => file('unknown', JSON.stringify({ enterprise: 'nobody', record })),
      'workspace_unknown_enterprise',
      '',
    ],
  ])('say what is wrong when %s', async (_, path, error, english) => {
    for (const command of ['stream', 'submit']) {
      const { code, stdout } = await sealpost([command, path(), '--dir', dir, '--json']);
      expect(code).toBe(error === 'usage' ? 2 : 1);
      const failure = JSON.parse(stdout);
      expect(failure.error).toBe(error);
      expect(failure.problem[1]).toContain(english);
      expect(stdout).not.toContain('王小明');
    }
  });

  it.each(['stream', 'submit'])('%s: no service is told at once', async (command) => {
    const path = file('good', line);
    const args = [command, path, '--dir', dir, '--url', 'http://127.0.0.1:1'];
    const { code, stderr } = await sealpost(args);
    expect(code).toBe(1);
    expect(stderr).toContain('服务没有应答 · the service does not answer');
    expect(stderr).toContain('sealpost serve');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('pull and lookup need a service too, and leave nothing behind', async () => {
    const out = join(folder, 'pulled.ndjson');
    const pulled = await sealpost([
      'pull',
      '--dir',
      dir,
      '--out',
      out,
      '--url',
      'http://127.0.0.1:1',
    ]);
    expect(pulled.code).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('pulled'))).toEqual([]);
    const args = ['lookup', '--dir', dir, '--phone', '13800138000', '--url', 'http://127.0.0.1:1'];
    const found = await sealpost(args);
    expect(found.code).toBe(1);
    expect(found.stderr).not.toContain('13800138000');
  });

  it.each([
    ['serve', '--dir', '/nowhere'],
    ['pull', '--dir', '/nowhere', '--out', 'x'],
    ['lookup', '--dir', '/nowhere', '--phone', '13800138000'],
    ['stream', '/dev/null', '--dir', '/nowhere'],
  ])('%s: a folder without a configuration is told', async (...args) => {
    const { code, stderr } = await sealpost(args);
    expect(code).toBe(1);
    expect(stderr).toContain('该目录没有 sealpost 配置');
  });
});

describe('init', () => {
  it('keeps private keys from all but their owner', () => {
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const secret = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /privateKey|signingKey|"key"/.test(readFileSync(path, 'utf8')));
    expect(secret.length).toBeGreaterThan(200);
    for (const path of secret) expect(statSync(path).mode & 0o777, path).toBe(0o600);
  });

  it('never overwrites keys', async () => {
    const root = join(dir, 'offline', 'root.json');
    const before = readFileSync(root, 'utf8');
    const { code, stderr } = await sealpost(['init', '--dir', dir]);
    expect(code).toBe(1);
    expect(stderr).toContain('密钥不会被覆盖');
    expect(readFileSync(root, 'utf8')).toBe(before);
  });
});

describe('generate', () => {
  it('writes the same day for the same seed, with the faults that are asked for', async () => {
    const day = (name: string, seed: string) => {
      const out = join(folder, name);
      const size = ['--parcels', '400', '--bad', '0.05'];
      return sealpost([
        'generate',
        ...size,
        '--seed',
        seed,
        '--day',
        '2026-11-01',
        '--out',
        out,
        '--json',
      ]);
    };
    const [first] = await Promise.all([day('a', '7'), day('b', '7'), day('c', '8')]);
    expect(JSON.parse(first.stdout)).toMatchObject({ parcels: 400, faulty: 20, day: '2026-11-01' });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(a).toBe(b);
    expect(a).not.toBe(c);
    const lines = (a as string)
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(lines).toHaveLength(400);
    expect(lines.filter(({ expect: wanted }) => wanted)).toHaveLength(20);
  });
});
