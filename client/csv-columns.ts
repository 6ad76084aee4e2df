/** Which column of a CSV holds which field, by its header: English field paths, usual Chinese headers, or a mapping of one's own. */
import { DOC_TYPES, type DocType, GOODS, type Goods } from '../wire/record.ts';
import { CsvError } from './csv-error.ts';

/** How a file differs from what is recognised by itself. */
export interface CsvMapping {
  /** Field by header as it stands in the file; null leaves a column out. */
  columns?: Readonly<Record<string, string | null>>;
  /** What becomes of columns that nobody knows. Refused unless given, so that none is lost by a slip of the pen. */
  others?: 'refuse' | 'ignore';
  /** By field: what stands in the file, and what it means. */
  values?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By field: what all records have, where the file has no column for it or nothing in it. */
  constants?: Readonly<Record<string, string>>;
}

const PERSON = ['docType', 'docNumber', 'nationality', 'name', 'phone'];
const PLACE = ['address', 'division'];

/** Every field that a column can hold. */
export const CSV_FIELDS: readonly string[] = [
  ...['enterprise', 'id', 'carrier', 'waybill', 'takenAt', 'outlet', 'goods', 'photos', 'replaces'],
  ...[...PERSON, ...PLACE, 'settledAbroad'].map((name) => `sender.${name}`),
  ...['number', 'uscc', 'phone', ...PLACE].map((name) => `agreement.${name}`),
  ...PERSON.map((name) => `guardian.${name}`),
  ...['name', 'phone', ...PLACE].map((name) => `recipient.${name}`),
];

const HEADERS: Readonly<Record<string, string>> = {
  enterprise: '企业 企业代码 上报企业',
  id: '记录编号 编号 记录id uuid',
  carrier: '承运企业 承运商 承运企业代码 快递公司 快递企业 快递品牌 物流公司',
  waybill: '运单号 运单号码 运单编号 快递单号 面单号 邮件号 邮件号码 单号',
  takenAt: '收寄时间 揽收时间 揽件时间 收寄日期 寄件时间',
  outlet: '网点 网点代码 网点编码 网点编号 收寄网点 揽收网点',
  goods: '物品类别 物品类型 物品 内件类别 内件类型 内件 货物类别',
  photos: '照片摘要 照片',
  replaces: '更正编号 被更正的编号 原记录编号',
};

const PARTS: Readonly<Record<string, string>> = {
  sender: '寄件人 寄件 发件人 发件 寄方 寄递人',
  guardian: '监护人',
  recipient: '收件人 收件 收方 收货人',
  agreement: '协议客户 协议用户 协议单位 协议',
};

const PART_HEADERS: Readonly<Record<string, string>> = {
  docType: '证件类型 证件种类 证件类别',
  docNumber: '证件号码 证件号 证件编号 身份证号 身份证号码',
  nationality: '国籍 国籍代码',
  name: '姓名 名称 名字',
  phone: '电话 电话号码 联系电话 联系方式 手机 手机号 手机号码',
  address: '地址 详细地址 联系地址',
  division: '行政区划代码 行政区划 区划代码 区划 地区代码',
  settledAbroad: '定居国外 定居境外 是否定居国外',
  number: '编号 协议编号 协议号',
  uscc: '统一社会信用代码 社会信用代码 信用代码',
};

/** Headers without a person in front mean the sender, who alone shows a document. */
const OF_SENDER = ['docType', 'docNumber', 'nationality', 'settledAbroad'];

const FIELD_BY_HEADER = fieldByHeader();

function fieldByHeader(): ReadonlyMap<string, string> {
  const fields = new Map(CSV_FIELDS.map((field) => [plain(field), field]));
  const add = (header: string, field: string) => {
    if (CSV_FIELDS.includes(field)) fields.set(plain(header), field);
  };
  for (const [field, headers] of Object.entries(HEADERS)) {
    for (const header of headers.split(' ')) add(header, field);
  }
  for (const [name, headers] of Object.entries(PART_HEADERS)) {
    for (const header of headers.split(' ')) {
      for (const [part, words] of Object.entries(PARTS)) {
        for (const word of words.split(' ')) add(word + header, `${part}.${name}`);
      }
      if (OF_SENDER.includes(name)) add(header, `sender.${name}`);
      if (name === 'number' && header !== '编号') add(header, 'agreement.number');
      if (name === 'uscc') add(header, 'agreement.uscc');
    }
  }
  return fields;
}

/** Headers are written in many ways: `* 寄件人 姓名（必填）` is 寄件人姓名. */
function plain(header: string): string {
  return header
    .normalize('NFKC')
    .replace(/\(.*?\)/g, '')
    .replace(/[\s*_:"'-]/g, '')
    .toLowerCase();
}

const DOC_TYPE_WORDS: Readonly<Record<DocType, string>> = {
  RESIDENT: '居民身份证 身份证 二代身份证 第二代身份证 大陆身份证',
  RESIDENT_TEMP: '临时居民身份证 临时身份证',
  HMT_RESIDENCE: '港澳台居民居住证 港澳居民居住证 台湾居民居住证',
  FPR: '外国人永久居留身份证 外国人永久居留证 永久居留身份证',
  HK_MACAO_PERMIT: '港澳居民来往内地通行证 港澳通行证 港澳居民通行证 回乡证',
  TAIWAN_PERMIT: '台湾居民来往大陆通行证 台湾居民通行证 台胞证',
  PASSPORT_FOREIGN: '外国护照 外籍护照 外国人护照 外国公民护照',
  PASSPORT_CN: '中国护照 中国公民护照 中华人民共和国护照',
  MILITARY: '军人证件 军官证 士兵证 军人证 文职干部证',
  ARMED_POLICE: '武警证件 武警警官证 武警士兵证 武警证',
  USCC: '统一社会信用代码 营业执照 社会信用代码',
};

const GOODS_WORDS: Readonly<Record<Goods, string>> = {
  document: '文件 单证 文件单证 信件 证件',
  clothing: '服装 衣物 服饰 衣服 鞋服',
  food: '食品 食物',
  electronics: '电子产品 数码产品 电子 数码',
  household: '日用品 家居用品 生活用品 家居 日用百货',
  cosmetics: '化妆品 美妆 护肤品',
  books: '图书 书籍 书 书刊',
  medicine: '药品 医药 药',
  machinery: '机械 机械配件 五金 配件',
  farm_produce: '农产品 农副产品 生鲜',
  other: '其他 其它',
};

const CARRIER_WORDS: Readonly<Record<string, string>> = {
  SF: '顺丰 顺丰速运 顺丰快递',
  YTO: '圆通 圆通速递 圆通快递',
  ZTO: '中通 中通快递',
  STO: '申通 申通快递',
  YUNDA: '韵达 韵达快递 韵达速递',
  JD: '京东 京东物流 京东快递',
  JT: '极兔 极兔速递 极兔快递',
  EMS: '邮政EMS 中国邮政速递 邮政速递物流',
  POST: '中国邮政 邮政 邮政快递',
  DEPPON: '德邦 德邦快递 德邦物流',
  BEST: '百世 百世快递',
  TTK: '天天 天天快递',
  GTO: '国通 国通快递',
};

const DOC_TYPE_BY_WORD = byWord(DOC_TYPE_WORDS, DOC_TYPES);
const GOODS_BY_WORD = byWord(GOODS_WORDS, GOODS);
const CARRIER_BY_WORD = byWord(CARRIER_WORDS, {});

/** Names by the words for them, by themselves, and by their numbers. */
function byWord(
  words: Readonly<Record<string, string>>,
  numbers: Readonly<Record<string, number>>,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, text] of Object.entries(words)) {
    for (const word of [...text.split(' '), name]) names.set(plain(word), name);
  }
  for (const [name, number] of Object.entries(numbers)) names.set(String(number), name);
  return names;
}

/** Most cells hold a word as it stands in the list. */
function named(names: ReadonlyMap<string, string>, text: string): string | undefined {
  return names.get(text) ?? names.get(plain(text));
}

/** What a word means in a field with a list of values. @returns undefined when it is not in the list */
export function meaningOf(field: string, text: string): string | undefined {
  if (field.endsWith('.docType')) return named(DOC_TYPE_BY_WORD, text);
  if (field === 'goods') return named(GOODS_BY_WORD, text);
  // Carriers are not a closed list: what is not known goes as it is.
  if (field === 'carrier') return named(CARRIER_BY_WORD, text) ?? text;
  return text;
}

/**
 * The field of each column; undefined for those left out.
 * @throws CsvError unknown_columns, doubled_columns (both with column numbers from 1), missing_fields
 */
export function fieldsOf(
  headers: readonly string[],
  mapping: CsvMapping,
): readonly (string | undefined)[] {
  const given = new Map(
    Object.entries(mapping.columns ?? {}).map(([header, field]) => [header.trim(), field]),
  );
  const unknown: number[] = [];
  const fields = headers.map((header, i) => {
    const own = given.get(header.trim());
    if (own !== undefined) return own ?? undefined;
    const field = FIELD_BY_HEADER.get(plain(header));
    // A column without header and content is what spreadsheets leave at the right edge.
    if (field === undefined && header.trim() !== '') unknown.push(i + 1);
    return field;
  });
  if (unknown.length > 0 && mapping.others !== 'ignore') {
    throw new CsvError('unknown_columns', { columns: unknown });
  }
  const doubled = fields.flatMap((field, i) =>
    field !== undefined && fields.indexOf(field) !== i ? [i + 1] : [],
  );
  if (doubled.length > 0) throw new CsvError('doubled_columns', { columns: doubled });
  checkComplete(new Set([...fields, ...Object.keys(mapping.constants ?? {})]));
  return fields;
}

const REQUIRED = ['carrier', 'waybill', 'takenAt', 'outlet', 'goods'];
const PLACED = ['name', 'phone', 'address', 'division'].map((name) => `recipient.${name}`);

/** A file without the column of a required field is refused at once, not record by record. */
function checkComplete(given: ReadonlySet<string | undefined>): void {
  const missing = [...REQUIRED, ...PLACED].filter((field) => !given.has(field));
  const sender = given.has('sender.docNumber') || given.has('agreement.number');
  if (!sender) missing.push('sender.docNumber');
  if (missing.length > 0) throw new CsvError('missing_fields', { fields: missing });
}

/** Checks a mapping that was read from a file. @throws CsvError bad_mapping, with the place in it */
export function parseMapping(value: unknown): CsvMapping {
  const mapping = objectOf(value, 'map');
  for (const name of Object.keys(mapping)) {
    if (!['columns', 'others', 'values', 'constants'].includes(name)) throw badMapping('map');
  }
  for (const field of Object.values(objectOf(mapping.columns ?? {}, 'columns'))) {
    if (field !== null && !CSV_FIELDS.includes(String(field))) throw badMapping('columns');
  }
  if (mapping.others !== undefined && !['refuse', 'ignore'].includes(String(mapping.others))) {
    throw badMapping('others');
  }
  for (const [field, words] of Object.entries(objectOf(mapping.values ?? {}, 'values'))) {
    if (!CSV_FIELDS.includes(field)) throw badMapping('values');
    checkTexts(objectOf(words, `values.${field}`), `values.${field}`);
  }
  const constants = objectOf(mapping.constants ?? {}, 'constants');
  checkTexts(constants, 'constants');
  if (Object.keys(constants).some((field) => !CSV_FIELDS.includes(field))) {
    throw badMapping('constants');
  }
  return mapping as CsvMapping;
}

function checkTexts(object: Record<string, unknown>, place: string): void {
  if (Object.values(object).some((text) => typeof text !== 'string')) throw badMapping(place);
}

function objectOf(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badMapping(place);
  return value as Record<string, unknown>;
}

function badMapping(place: string): CsvError {
  return new CsvError('bad_mapping', { fields: [place] });
}
