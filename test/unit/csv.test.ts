import { describe, expect, it } from 'vitest';
import {
  CSV_FIELDS,
  type CsvEncoding,
  CsvError,
  type CsvMapping,
  csvEncoding,
  csvRecordId,
  parseMapping,
  readCsv,
} from '../../client/csv.ts';
import { ndjsonLine } from '../../client/output.ts';
import { DOC_TYPES, encodeRecord, GOODS, type ParcelRecord } from '../../wire/record.ts';
import { gbk } from '../support/gbk.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 1, 30);
const CANARY = '王小明';

/** A source that gives `octets` at a time. */
const source = (bytes: Uint8Array, octets = bytes.length || 1) =>
  async function* () {
    for (let at = 0; at < bytes.length; at += octets) yield bytes.subarray(at, at + octets);
  };

async function read(text: string | Uint8Array, mapping?: CsvMapping, octets?: number) {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const open = source(bytes, octets);
  const rows = [];
  for await (const row of readCsv(open, await csvEncoding(open), mapping)) rows.push(row);
  return rows;
}

async function failure(text: string | Uint8Array, mapping?: CsvMapping): Promise<CsvError> {
  const error = await read(text, mapping).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CsvError);
  expect(JSON.stringify(error) + (error as Error).stack).not.toContain(CANARY);
  return error as CsvError;
}

const HEADER =
  '运单号,快递公司,收寄时间,网点,物品类别,寄件人姓名,证件类型,证件号码,寄件人电话,寄件人地址,寄件人行政区划代码,收件人姓名,收件人电话,收件人地址,收件人行政区划代码';
const CELLS = [
  ...['SF1234567890123', '顺丰', '2026-11-20 09:30:00', 'GY-0012', '食品'],
  ...['买买提·阿卜杜拉', '居民身份证', '11010519491231002X', '13800138000'],
  ...['贵州省贵阳市南明区中山东路12号', '520102'],
  ...['欧阳若兰', '13912345678', '广东省深圳市福田区福华一路88号', '440304'],
];
const ROW = CELLS.join(',');
const RECORD: ParcelRecord = {
  id: '',
  carrier: 'SF',
  waybill: 'SF1234567890123',
  takenAt: '2026-11-20T01:30:00.000Z',
  outlet: 'GY-0012',
  goods: 'food',
  sender: {
    docType: 'RESIDENT',
    docNumber: '11010519491231002X',
    name: '买买提·阿卜杜拉',
    phone: '13800138000',
    address: '贵州省贵阳市南明区中山东路12号',
    division: '520102',
  },
  recipient: {
    name: '欧阳若兰',
    phone: '13912345678',
    address: '广东省深圳市福田区福华一路88号',
    division: '440304',
  },
};
/** One row with another cell in a column, named by its header. */
const changed = (header: string, cell: string) => {
  const at = HEADER.split(',').indexOf(header);
  return `${HEADER}\n${CELLS.map((text, i) => (i === at ? cell : text)).join(',')}\n`;
};

function utf16(text: string): Uint8Array {
  return Uint8Array.from(
    `\uFEFF${text}`.split('').flatMap((unit) => {
      const code = unit.charCodeAt(0);
      return [code & 0xff, code >> 8];
    }),
  );
}

describe('a CSV file', () => {
  it('with Chinese headers is read without a mapping', async () => {
    expect(await read(`${HEADER}\n${ROW}\n`)).toEqual([
      { line: 2, enterprise: '', record: RECORD },
    ]);
  });

  it.each<[string, (text: string) => Uint8Array, CsvEncoding]>([
    ['UTF-8', (text) => new TextEncoder().encode(text), 'utf-8'],
    ['UTF-8 with a byte order mark', (text) => new TextEncoder().encode(`\uFEFF${text}`), 'utf-8'],
    ['GBK', gbk, 'gb18030'],
    ['UTF-16 as spreadsheets write it', utf16, 'utf-16le'],
  ])('in %s is the same, wherever the octets are cut', async (_, encode, encoding) => {
    const bytes = encode(`${HEADER}\r\n${ROW}\r\n`);
    expect(await csvEncoding(source(bytes))).toBe(encoding);
    for (const octets of [1, 7, bytes.length]) {
      const rows = await read(bytes, {}, octets);
      expect(rows.map(({ record }) => record)).toEqual([RECORD]);
    }
  });

  it('in GB 18030 keeps characters that GBK does not have', async () => {
    // U+20000, four octets in GB 18030.
    const bytes = Uint8Array.from([...gbk('寄件人姓名'), 0x0a, 0x95, 0x32, 0x82, 0x36]);
    const text = new TextDecoder('gb18030', { fatal: true }).decode(bytes);
    expect(text.endsWith('𠀀')).toBe(true);
    expect(await csvEncoding(source(bytes))).toBe('gb18030');
  });

  it.each(['\t', ';'])('may have %j between its columns', async (delimiter) => {
    const text = `${HEADER}\n${ROW}`.replaceAll(',', delimiter);
    expect((await read(text))[0]?.record).toEqual(RECORD);
  });

  it('may quote: commas, quotes and line ends stay in the cell', async () => {
    const text = changed('收件人地址', '"福华一路88号, ""中心""大厦\n21层"');
    expect((await read(text))[0]?.record?.recipient.address).toBe('福华一路88号, "中心"大厦\n21层');
  });

  it('tells each row by the line on which it begins', async () => {
    const quoted = changed('收件人地址', '"福华一路\n88号\n21层"').split('\n').slice(1).join('\n');
    const lines = async (text: string) => (await read(text)).map(({ line }) => line);
    expect(await lines(`${HEADER}\n${ROW}\n\n\n${quoted}${ROW}\n${ROW}`)).toEqual([2, 5, 8, 9]);
    expect(await lines(`\n${HEADER}\r\n\r\n${ROW}\r\n`)).toEqual([4]);
  });

  it('may end without a line feed, and with rows of nothing but commas', async () => {
    const empty = ','.repeat(CELLS.length - 1);
    expect(await read(`${HEADER}\n${empty}\n${ROW}\n${empty}`)).toHaveLength(1);
  });

  it('loses what a spreadsheet puts around texts to keep them', async () => {
    const [row] = await read(changed('证件号码', '"=""11010519491231002X"""'));
    expect(row?.record?.sender?.docNumber).toBe('11010519491231002X');
    const [other] = await read(changed('寄件人电话', "'+8613800138000"));
    expect(other?.record?.sender?.phone).toBe('+8613800138000');
    const [named] = await read(changed('寄件人姓名', "'s"));
    expect(named?.record?.sender?.name).toBe("'s");
  });

  it('is a record in all of its fields', async () => {
    const whole = {
      ...validRecord(NOW, {
        goods: 'other',
        photos: ['ab'.repeat(32), 'cd'.repeat(32)],
        replaces: '01936000-0000-7000-8000-000000000000',
        guardian: {
          ...{ docType: 'PASSPORT_FOREIGN', docNumber: 'AB12345', nationality: 'GBR' },
          ...{ name: 'Ann', phone: '13800138000' },
        },
      }),
      agreement: {
        ...{ number: 'XY-1', uscc: '91350100M000100Y43', phone: '0851-5812345' },
        ...{ address: '中华北路1号', division: '520102' },
      },
    } as ParcelRecord;
    (whole.sender as object as Record<string, unknown>).settledAbroad = true;
    const flat = new Map<string, string>();
    for (const field of CSV_FIELDS) {
      const value = field
        .split('.')
        .reduce((at: unknown, name) => (at as Record<string, unknown>)?.[name], whole);
      if (value !== undefined)
        flat.set(field, Array.isArray(value) ? value.join(' ') : String(value));
    }
    const text = `${[...flat.keys()].join(',')}\n${[...flat.values()].map((cell) => `"${cell}"`).join(',')}\n`;
    const [row] = await read(text);
    expect(row?.record).toEqual(whole);
    expect(ndjsonLine({ record: row?.record, flags: [] } as never)).toContain('"PASSPORT_FOREIGN"');
  });
});

describe('headers', () => {
  it.each([
    ['*寄件人 姓名（必填）', 'sender.name'],
    ['发件人手机', 'sender.phone'],
    ['收方电话', 'recipient.phone'],
    ['监护人证件号', 'guardian.docNumber'],
    ['身份证号', 'sender.docNumber'],
    ['协议编号', 'agreement.number'],
    ['统一社会信用代码', 'agreement.uscc'],
    ['Sender.DocNumber', 'sender.docNumber'],
    ['recipient.division', 'recipient.division'],
    ['快递单号', 'waybill'],
  ])('%s is %s', async (header, field) => {
    // Recognised, it is the second column of its field or the first; not recognised, it is an unknown one.
    const mapping = { columns: { 自有列: field } };
    const { code, place } = await failure(`自有列,${header}\n`, mapping);
    expect([code, place.columns]).toEqual(['doubled_columns', [2]]);
  });

  it('that nobody knows are refused by their numbers, or left out when that is asked for', async () => {
    const text = `${HEADER},${CANARY},运费\n${ROW},x,12.00\n`;
    const unknown = await failure(text);
    expect([unknown.code, unknown.place.columns]).toEqual(['unknown_columns', [16, 17]]);
    for (const mapping of [
      { others: 'ignore' },
      { columns: { [CANARY]: null, 运费: null } },
    ] as CsvMapping[]) {
      expect((await read(text, mapping))[0]?.record).toEqual(RECORD);
    }
  });

  it('that lack a required field are refused with its name', async () => {
    const { code, place } = await failure('运单号,收件人姓名\n');
    expect(code).toBe('missing_fields');
    expect(place.fields).toContain('takenAt');
    expect(place.fields).toContain('recipient.division');
    expect(place.fields).toContain('sender.docNumber');
    expect((await failure('')).code).toBe('no_header');
  });
});

describe('a mapping', () => {
  it('names columns, values and constants', async () => {
    const mapping = parseMapping({
      columns: { 'My No.': 'waybill', Weight: null },
      values: { goods: { T1: 'clothing' }, carrier: { 自营: 'SF' } },
      constants: { outlet: 'GY-9', enterprise: 'sf' },
    });
    const text = `${HEADER.replace('运单号', 'My No.').replace(',网点', ',Weight')}\n${ROW.replace('食品', 'T1').replace('顺丰', '自营').replace('GY-0012', '1.5')}\n`;
    expect(await read(text, mapping)).toEqual([
      { line: 2, enterprise: 'sf', record: { ...RECORD, goods: 'clothing', outlet: 'GY-9' } },
    ]);
  });

  it.each([
    [[], 'map'],
    [{ colums: {} }, 'map'],
    [{ columns: { a: 'sender.shoes' } }, 'columns'],
    [{ others: 'keep' }, 'others'],
    [{ values: { shoes: {} } }, 'values'],
    [{ values: { goods: { a: 1 } } }, 'values.goods'],
    [{ constants: { outlet: 1 } }, 'constants'],
    [{ constants: { shoes: '1' } }, 'constants'],
  ])('%j is refused', (value, place) => {
    expect(() => parseMapping(value)).toThrow(
      expect.objectContaining({ place: { fields: [place] } }),
    );
  });
});

describe('cells', () => {
  it.each([
    ['2026-11-20T09:30:00.250+08:00', '2026-11-20T01:30:00.250Z'],
    ['2026-11-20T01:30:00Z', '2026-11-20T01:30:00.000Z'],
    ['2026/11/2 9:05', '2026-11-02T01:05:00.000Z'],
    ['2026-11-20 00:10:05', '2026-11-19T16:10:05.000Z'],
    ['2026年11月20日 09:30', '2026-11-20T01:30:00.000Z'],
    ['2026-11-20 09:30+0000', '2026-11-20T09:30:00.000Z'],
  ])('%s is the time %s', async (cell, time) => {
    expect((await read(changed('收寄时间', cell)))[0]?.record?.takenAt).toBe(time);
  });

  it.each([
    ['收寄时间', '2026-02-30 10:00', 'takenAt'],
    ['收寄时间', '昨天', 'takenAt'],
    ['收寄时间', '2026-11-20', 'takenAt'],
    ['收寄时间', '', 'takenAt'],
    ['证件类型', '图书证', 'sender.docType'],
    ['物品类别', '大象', 'goods'],
    ['寄件人行政区划代码', '5201', 'sender.division'],
    ['收件人行政区划代码', '', 'recipient.division'],
    ['运单号', '', 'waybill'],
  ])('%s %j cannot stand in a record', async (header, cell, fault) => {
    expect(await read(changed(header, cell))).toEqual([{ line: 2, enterprise: '', fault }]);
  });

  it('that are empty or wrong for the edge go as they are', async () => {
    for (const [header, cell] of [
      ['寄件人姓名', ''],
      ['证件号码', '123'],
      ['快递公司', '!'],
    ] as const) {
      const [row] = await read(changed(header, cell));
      expect(
        encodeRecord({ ...(row?.record as ParcelRecord), id: validRecord(NOW).id }),
      ).toBeDefined();
    }
  });

  it('know every document type and category by name, number and Chinese word', async () => {
    for (const [name, number] of Object.entries(DOC_TYPES)) {
      for (const cell of [name, name.toLowerCase(), String(number)]) {
        expect((await read(changed('证件类型', cell)))[0]?.record?.sender?.docType).toBe(name);
      }
    }
    for (const [name, number] of Object.entries(GOODS)) {
      for (const cell of [name, String(number)]) {
        expect((await read(changed('物品类别', cell)))[0]?.record?.goods).toBe(name);
      }
    }
    expect((await read(changed('证件类型', '台胞证')))[0]?.record?.sender?.docType).toBe(
      'TAIWAN_PERMIT',
    );
  });
});

describe('what cannot be read', () => {
  it.each([
    ['has a column too many', `${HEADER}\n${ROW}\n${ROW},${CANARY}\n`, 3],
    ['has a column too few', `${HEADER}\n${CANARY}\n${ROW}\n`, 2],
    ['does not close a quote', `${HEADER}\n${ROW}\n"${CANARY},${ROW}\n${ROW}\n`, 3],
    ['has a quote within a cell', `${HEADER}\n${ROW.replace('顺丰', `顺"${CANARY}"丰`)}\n`, 2],
    ['has an endless row', `${HEADER}\n${'x'.repeat(300_000)}`, 2],
  ])('is told by its line when a row %s, not by its content', async (_, text, line) => {
    const { code, place } = await failure(text);
    expect([code, place.line]).toEqual(['bad_row', line]);
  });

  it('is of no encoding at all', async () => {
    expect((await failure(Uint8Array.of(0x31, 0xff, 0x80, 0x0a))).code).toBe('bad_encoding');
    const open = source(gbk(`${HEADER}\n${ROW}`));
    await expect(readCsv(open, 'utf-8').next()).rejects.toMatchObject({ code: 'bad_encoding' });
  });

  it('ends with the error of its source', async () => {
    const broken = async function* () {
      yield new TextEncoder().encode(`${HEADER}\n`);
      throw Object.assign(new Error('gone'), { code: 'EIO' });
    };
    const rows = readCsv(broken, 'utf-8');
    await expect(rows.next()).rejects.toMatchObject({ code: 'EIO' });
  });
});

describe('ids of records without one', () => {
  const key = new Uint8Array(32).fill(7);

  it('are UUIDv7 of the time of acceptance, the same every time', () => {
    const id = csvRecordId(key, RECORD);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(
      Date.parse(RECORD.takenAt),
    );
    expect(csvRecordId(key, { ...RECORD, outlet: 'other' })).toBe(id);
  });

  it('differ by key, carrier, waybill and time, and by where one ends and the next begins', () => {
    const ids = [
      csvRecordId(key, RECORD),
      csvRecordId(new Uint8Array(32), RECORD),
      csvRecordId(key, { ...RECORD, waybill: '1' }),
      csvRecordId(key, { ...RECORD, carrier: 'S', waybill: `F${RECORD.waybill}` }),
      csvRecordId(key, { ...RECORD, takenAt: '2026-11-20T01:30:00.001Z' }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
