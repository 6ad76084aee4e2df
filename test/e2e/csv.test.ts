/** CSV files through `sealpost stream` and `sealpost submit` to a real service. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParcelRecord } from '../../wire/record.ts';
import { gbk } from '../support/gbk.ts';
import { validRecord } from '../support/records.ts';
import { ended, readyUrl, sealpost, startSealpost } from '../support/sealpost.ts';

const ROWS = 300;
const HEADER = [
  ...['运单号', '快递公司', '揽收时间', '网点', '物品类别', '重量'],
  ...['寄件人姓名', '证件类型', '证件号码', '寄件人手机', '寄件人地址', '寄件人区划代码'],
  ...['收件人姓名', '收件人手机', '收件人地址', '收件人区划代码'],
];

let folder: string;
let dir: string;
let server: ChildProcess;
let text: string;
let wanted: ParcelRecord[];
const at = (name: string) => join(folder, name);
const write = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content);
  return at(name);
};
const run = async (...args: string[]) => {
  const { code, stdout } = await sealpost([...args, '--dir', dir, '--json']);
  return { code, ...JSON.parse(stdout) };
};
const ndjson = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** A time as spreadsheets write it, in China's zone. */
const wall = (ms: number) =>
  new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

function row({ waybill, sender, recipient }: ParcelRecord, ms: number): string {
  const cells = [
    ...[waybill, '顺丰', wall(ms), 'GY-0012', '食品', '1.5'],
    ...[sender?.name, '身份证', `="${sender?.docNumber}"`, sender?.phone],
    ...[sender?.address, sender?.division],
    ...[recipient.name, recipient.phone, `${recipient.address}, 2号`, recipient.division],
  ];
  return cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(',');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-csv-'));
  dir = at('city');
  await run('init');
  const now = Date.now();
  wanted = Array.from({ length: ROWS }, (_, i) =>
    validRecord(now, { waybill: `SF1${String(i).padStart(12, '0')}` }),
  );
  const times = wanted.map((_, i) => now - 3_600_000 + i * 1_000);
  text = [HEADER.join(','), ...wanted.map((record, i) => row(record, times[i] as number))].join(
    '\r\n',
  );
  server = startSealpost(['serve', '--dir', dir, '--port', '0']);
  await readyUrl(server);
});
afterAll(async () => {
  const end = ended(server);
  server.kill('SIGTERM');
  await end;
  rmSync(folder, { recursive: true });
});

describe('a CSV file', () => {
  const map = () => write('map.json', JSON.stringify({ columns: { 重量: null } }));

  it('in GBK is stored row by row, under ids of its own', async () => {
    const path = write('day.csv', gbk(text));
    const results = at('results.ndjson');
    const options = ['--enterprise', 'sf', '--map', map()];
    const dry = await run('stream', path, ...options, '--dry-run');
    expect(dry).toMatchObject({ code: 0, records: ROWS, stored: 0, checked: ROWS });
    const report = await run('stream', path, ...options, '--results', results);
    expect(report).toMatchObject({ code: 0, stored: ROWS, refused: 0, notSent: 0 });
    const lines = ndjson(results).map(({ line }) => line);
    expect(lines.sort((a, b) => a - b)).toEqual(wanted.map((_, i) => i + 2));
    expect(await run('reconcile', '--ledger', results)).toMatchObject({ code: 0, matches: true });
  });

  it('sent again, in UTF-8 too, stores nothing twice', async () => {
    const path = write('utf8.csv', `\uFEFF${text}\r\n`);
    const report = await run('stream', path, '--enterprise', 'sf', '--map', map());
    expect(report).toMatchObject({ code: 0, stored: 0, duplicate: ROWS, conflict: 0 });
  });

  it('comes out as what was meant', async () => {
    await run('pull', '--out', at('pulled.ndjson'));
    const pulled = new Map(
      ndjson(at('pulled.ndjson')).map(({ record }) => [record.waybill, record]),
    );
    expect(pulled.size).toBe(ROWS);
    for (const { waybill, carrier, goods, sender, recipient } of wanted) {
      expect(pulled.get(waybill)).toMatchObject({
        ...{ waybill, carrier, goods, sender },
        recipient: { ...recipient, address: `${recipient.address}, 2号` },
      });
    }
  });

  it('with a changed row meets the first one as a conflict', async () => {
    const lines = text.split('\r\n');
    const changed = [lines[0], (lines[1] as string).replace('欧阳若兰', '欧阳若梅')].join('\n');
    const path = write('changed.csv', changed);
    const options = ['--enterprise', 'sf', '--map', map()];
    expect(await run('stream', path, ...options)).toMatchObject({
      code: 1,
      conflict: 1,
      stored: 0,
    });
    const { code, results } = await run('submit', path, ...options);
    expect([code, results[0].outcome, results[0].line]).toEqual([1, 'CONFLICT', 2]);
  });

  it('tells the refusals in two languages, and rows that can not be sent with their field', async () => {
    const now = Date.now();
    const bad = validRecord(now, { waybill: 'SF1999999999991' });
    (bad.sender as { docNumber: string }).docNumber = '110105194912310021';
    const lines = [HEADER.join(','), row(bad, now), row(bad, now).replace('食品', '大象')];
    const path = write('bad.csv', lines.join('\n'));
    const options = ['--enterprise', 'sf', '--map', map(), '--results', at('bad.ndjson')];
    const { code, stdout } = await sealpost(['stream', path, ...options, '--dir', dir]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}1 {2}BAD_CHECK {2}校验位不符.* · the check digit does not fit/m);
    const rows = ndjson(at('bad.ndjson')).sort((a, b) => a.line - b.line);
    expect(rows).toMatchObject([
      { line: 2, outcome: 'REFUSED', code: 'BAD_CHECK', field: 'sender.docNumber' },
      { line: 3, outcome: 'NOT_SENT', field: 'goods' },
    ]);
    const one = write('one.csv', lines.slice(0, 2).join('\n'));
    const shown = await sealpost([
      'submit',
      one,
      '--enterprise',
      'sf',
      '--map',
      map(),
      '--dir',
      dir,
    ]);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(
      /^2 {2}拒收 · refused.*\n {3}BAD_CHECK \(sender.docNumber 寄件人证件号码\) {2}校验位不符/m,
    );
    expect(shown.stdout).toMatch(/^ {3}→ 请.* · compare it/m);
    expect(stdout + shown.stdout).not.toContain('110105194912310021');
  });

  it.each([
    ['an unknown column', (csv: string) => csv, [] as string[], 'unknown_columns', 'column 6'],
    [
      'a lost column',
      (csv: string) => csv.replace('揽收时间', '重 量'),
      ['map'],
      'doubled_columns',
      '',
    ],
    ['a broken row', (csv: string) => `${csv}\r\n王小明,2`, ['map'], 'bad_row', `line ${ROWS + 2}`],
    [
      'a broken quote',
      (csv: string) => `${csv}\r\n"王小明`,
      ['map'],
      'bad_row',
      `line ${ROWS + 2}`,
    ],
  ])('with %s is not sent at all', async (_, change, more, error, where) => {
    const path = write('wrong.csv', change(text));
    // Two spellings of a header are two headers in a mapping.
    const columns = { 重量: error === 'doubled_columns' ? 'outlet' : null, '重 量': 'outlet' };
    const mapping = write('wrong.json', JSON.stringify({ columns }));
    const options = more.includes('map') ? ['--map', mapping] : [];
    const failure = await run('stream', path, '--enterprise', 'sf', ...options);
    expect(failure).toMatchObject({ code: 1, error });
    expect(failure.problem[1]).toContain(where);
    expect(JSON.stringify(failure)).not.toContain('王小明');
  });

  it('needs an enterprise, an encoding that fits, and a mapping of its form', async () => {
    const path = write('day.csv', gbk(text));
    expect(await run('stream', path, '--map', map())).toMatchObject({ code: 2, error: 'usage' });
    const wrong = ['--enterprise', 'sf', '--map', map(), '--encoding', 'utf-8'];
    expect(await run('stream', path, ...wrong)).toMatchObject({ code: 1, error: 'bad_encoding' });
    for (const [name, content] of [
      ['broken.json', '{'],
      ['other.json', '{"columns":{"a":"shoes"}}'],
    ] as const) {
      const given = ['--enterprise', 'sf', '--map', write(name, content)];
      expect(await run('stream', path, ...given)).toMatchObject({ code: 1, error: 'bad_mapping' });
    }
    const ndjsonFile = write('empty.ndjson', '');
    const misused = await run('stream', ndjsonFile, '--map', map());
    expect(misused).toMatchObject({ code: 2, error: 'usage' });
  });
});
