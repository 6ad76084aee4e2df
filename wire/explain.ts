/**
 * What every code means and what to do about it, in Chinese and English: for command lines, pages and docs/errors.md, which
 * `npm run gen` makes from it. A code without an entry does not compile. The edge itself sends codes alone.
 */
import type { Outcome, Refusal, Warning } from './codes.ts';
import { PROBLEMS, type ProblemCode } from './problem.ts';

/** A text for people: Chinese first, then English. */
export type Bilingual = readonly [chinese: string, english: string];

export type Explanation = readonly [meaning: Bilingual, remedy: Bilingual];

const SDK: Bilingual = [
  '请用本项目的 SDK 编码，或对照 docs/record.cddl',
  'encode with the SDK, or compare with docs/record.cddl',
];
const SHORTEN: Bilingual = ['请缩短内容', 'make it shorter'];
const ASK_CUSTOMER: Bilingual = [
  '请与寄件人核对证件原件后更正',
  'check it against the original document and correct it',
];
const SEND_AGAIN: Bilingual = [
  '请稍后用同一编号重发；不会重复入库',
  'send it again later under the same id; nothing is stored twice',
];
const NONE: Bilingual = ['无需处理', 'nothing to do'];

export const REFUSAL_TEXTS: Readonly<Record<Refusal, Explanation>> = {
  MALFORMED: [
    [
      '记录不是合法的 CBOR，或文字不是合法的 UTF-8',
      'not well-formed CBOR, or text that is not valid UTF-8',
    ],
    SDK,
  ],
  NOT_CANONICAL: [
    [
      'CBOR 不是确定性编码（RFC 8949 4.2.1），或含浮点、标签、嵌套过深',
      'not deterministic CBOR (RFC 8949 4.2.1), or with floats, tags or deep nesting',
    ],
    SDK,
  ],
  RECORD_TOO_LARGE: [['记录超过 4,096 字节', 'the record is over 4,096 octets'], SHORTEN],
  MISSING_FIELD: [
    ['缺少必填字段', 'a required field is missing'],
    ['请补填该字段', 'add the field'],
  ],
  UNKNOWN_FIELD: [
    ['含有未定义的字段', 'there is a field that is not defined'],
    ['请去掉该字段', 'leave the field out'],
  ],
  WRONG_TYPE: [['字段类型不符', 'the field is of another type'], SDK],
  NOT_STRING: [
    ['证件号码必须是字符串', 'a document number must be text'],
    [
      '请以字符串发送号码：数字会丢失前导零与末位 X',
      'send the number as text: a number loses leading zeros and a final X',
    ],
  ],
  BAD_LENGTH: [
    ['字段过长或过短', 'the field is too long or too short'],
    ['请按 docs/rules.md 的长度限制更正', 'see docs/rules.md for its length'],
  ],
  TOO_MANY_RECORDS: [
    ['一个数据块超过 256 条记录', 'there are more than 256 records in one chunk'],
    ['请减少每块的记录数', 'put fewer records into a chunk'],
  ],
  BAD_ID: [
    ['记录编号不是 UUIDv7', 'the record id is not a UUIDv7'],
    ['请按 RFC 9562 5.7 节生成编号', 'make ids as RFC 9562 section 5.7 says'],
  ],
  ID_FUTURE: [
    ['记录编号中的时间超前 120 秒以上', 'the time in the record id lies more than 120 s ahead'],
    ['请校准时钟后换新编号', 'set the clock and give the record a new id'],
  ],
  ID_TOO_OLD: [
    ['记录编号中的时间已过 8 天', 'the time in the record id is more than 8 days past'],
    ['确认未曾入库后换新编号', 'make sure that it was not stored before, then give it a new id'],
  ],
  BAD_TAKEN_AT: [
    [
      '收寄时间早于 2017 年，或超前 120 秒以上',
      'the time of acceptance is before 2017 or more than 120 s ahead',
    ],
    ['请核对收寄时间与时钟', 'check the time and the clock'],
  ],
  UNKNOWN_DOC_TYPE: [
    ['证件类型不在列表中', 'the document type is not in the list'],
    ['请使用 docs/rules.md 列出的类型', 'use a type of docs/rules.md'],
  ],
  BAD_FORM: [
    ['证件号码的格式与类型不符', 'the number does not have the form of its document type'],
    ASK_CUSTOMER,
  ],
  BAD_CHECK: [
    ['校验位不符：号码有误', 'the check digit does not fit: the number is mistyped'],
    ['请与证件或面单核对后更正', 'compare it with the document or the label and correct it'],
  ],
  BAD_DATE: [
    [
      '号码中的出生日期不存在或在将来',
      'the date of birth in the number does not exist or lies ahead',
    ],
    ASK_CUSTOMER,
  ],
  BAD_AREA: [
    [
      '号码中的地区代码与证件类型不符',
      'the area code in the number is not one of this document type',
    ],
    ASK_CUSTOMER,
  ],
  FIRST_GEN: [
    ['15 位的一代身份证已于 2013 年停用', 'cards with 15 digits ended on 2013-01-01'],
    ['请出示现行 18 位身份证', 'ask for the current card with 18 digits'],
  ],
  TYPE_MISMATCH: [
    [
      '号码属于另一种证件（如港澳台居民居住证）',
      'the number belongs to another document type (a residence permit, say)',
    ],
    ['请更正证件类型', 'correct the document type'],
  ],
  BAD_NATIONALITY: [
    ['国籍代码不存在', 'there is no such nationality code'],
    ['请使用 ISO 3166-1 三位字母代码', 'use three letters of ISO 3166-1'],
  ],
  DOC_NOT_ACCEPTED: [
    ['此证件不可用于此处', 'this document is not accepted here'],
    [
      '请出示其他有效证件（中国护照仅限定居国外者）',
      'ask for another document (a Chinese passport counts only for who has settled abroad)',
    ],
  ],
  BAD_ORG_CHECK: [
    [
      '统一社会信用代码中的组织机构代码校验位不符',
      'the check character of the organisation code in the credit code does not fit',
    ],
    ['请与营业执照核对后更正', 'compare it with the business licence and correct it'],
  ],
  BAD_NAME: [
    [
      '姓名过长、过短或含不允许的字符',
      'the name is too long, too short, or has characters that it may not have',
    ],
    ['请按证件上的姓名填写', 'write the name as it stands in the document'],
  ],
  PLACEHOLDER: [
    ['姓名是占位文字（如“无”“测试”“先生”）', 'the name is a filler (such as 无, 测试, 先生)'],
    ['请填写真实姓名', 'write the real name'],
  ],
  BAD_PHONE: [
    ['电话号码格式不符', 'the phone number does not have a valid form'],
    ['请核对电话号码', 'check the phone number'],
  ],
  IOT_NOT_CONTACT: [
    ['物联网号码不能作为联系电话', 'numbers of machines are nobody’s phone'],
    ['请填写可接通的电话', 'write a number that somebody answers'],
  ],
  BAD_ADDRESS: [
    [
      '地址过长、过短或含不可见字符',
      'the address is too long, too short, or has invisible characters',
    ],
    ['请填写 4 至 200 字的地址', 'write an address of 4 to 200 characters'],
  ],
  BAD_DIVISION: [
    ['行政区划代码不存在', 'there is no such division code'],
    ['请使用 GB/T 2260 的六位代码', 'use six digits of GB/T 2260'],
  ],
  BAD_CARRIER: [
    ['承运企业代码格式不符', 'the carrier code does not have a valid form'],
    ['请使用 2 至 12 位大写字母与数字', 'use 2 to 12 capital letters and digits'],
  ],
  BAD_WAYBILL: [
    ['运单号格式不符', 'the waybill number does not have a valid form'],
    ['请与面单核对', 'compare it with the label'],
  ],
  BAD_COUNTRY: [
    ['国际邮件号末尾的国家代码不存在', 'the country at the end of the S10 number does not exist'],
    ['请与面单核对', 'compare it with the label'],
  ],
  BAD_OUTLET: [
    ['网点代码格式不符', 'the outlet code does not have a valid form'],
    ['请使用 1 至 32 位大写字母、数字与连字符', 'use 1 to 32 capital letters, digits and hyphens'],
  ],
  BAD_GOODS: [
    ['物品类别不在列表中', 'the goods category is not in the list'],
    ['请使用 docs/wire-format.md 列出的类别', 'use a category of docs/wire-format.md'],
  ],
  BAD_PHOTO: [
    ['照片摘要不是 1 至 4 个 SHA-256', 'the photos are not 1 to 4 SHA-256 digests'],
    ['请发送照片的 SHA-256 摘要，而非照片', 'send digests of the photos, not the photos'],
  ],
  BAD_REPLACES: [
    ['被更正的编号不是另一条记录的 UUIDv7', 'what it replaces is not the UUIDv7 of another record'],
    ['请填写原记录的编号', 'name the id of the first record'],
  ],
  SENDER_REQUIRED: [
    ['缺少寄件人', 'there is no sender'],
    [
      '请填写寄件人、协议客户或寄件码之一',
      'give one of sender, agreement customer and sender token',
    ],
  ],
  SENDER_AMBIGUOUS: [
    [
      '寄件人、协议客户、寄件码只能有一个',
      'sender, agreement customer and token exclude one another',
    ],
    ['请只保留其中之一', 'keep one of them'],
  ],
  GUARDIAN_REQUIRED: [
    [
      '寄件人不满 14 周岁，须有监护人（个人信息保护法第三十一条）',
      'the sender is under 14 and needs a guardian (PIPL art. 31)',
    ],
    ['请补填已成年的监护人', 'add a guardian who is not under 14'],
  ],
  BAD_AGREEMENT: [
    ['协议编号格式不符', 'the agreement number does not have a valid form'],
    ['请使用 4 至 40 位大写字母、数字与连字符', 'use 4 to 40 capital letters, digits and hyphens'],
  ],
  TOKEN_NOT_ACCEPTED: [
    ['本节点不接受寄件码', 'this edge takes no sender tokens'],
    ['请填写寄件人信息', 'send the sender himself'],
  ],
};

export const WARNING_TEXTS: Readonly<Record<Warning, Explanation>> = {
  AREA_UNLISTED: [
    ['证件号码中的县级代码不在任何名录中', 'the county code in the number is in no table'],
    ['请与证件核对；已入库', 'compare it with the document; it is stored'],
  ],
  AREA_RETIRED: [['证件号码中的县级代码已撤销', 'the county code in the number is historic'], NONE],
  PHONE_UNALLOCATED: [
    ['手机号段尚未分配', 'the mobile prefix is not allocated'],
    ['请核对电话号码；已入库', 'check the phone number; it is stored'],
  ],
  WAYBILL_FORM: [
    ['运单号不像该承运企业的号码', 'the waybill number does not look like one of its carrier'],
    ['请核对承运企业与运单号；已入库', 'check carrier and waybill; it is stored'],
  ],
  DIVISION_UNLISTED: [
    ['地址的行政区划代码不在名录中', 'the division code of the address is in no table'],
    ['请核对行政区划代码；已入库', 'check the division code; it is stored'],
  ],
};

export const OUTCOME_TEXTS: Readonly<Record<Outcome, Explanation>> = {
  STORED: [['入库', 'stored: it is durable'], NONE],
  DUPLICATE: [['重复：此前已入库', 'duplicate: the same record was durable before'], NONE],
  CONFLICT: [
    ['冲突：该编号已有另一条记录', 'conflict: another record has this id and is kept'],
    [
      '更正请用新编号，并以 replaces 指明原编号',
      'give it a new id; a correction names the first one in replaces',
    ],
  ],
  REFUSED: [
    ['拒收', 'refused: see code and field'],
    ['请按代码更正后重发', 'correct it as its code says and send it again'],
  ],
  RETRY: [['未入库，请重发', 'not stored now'], SEND_AGAIN],
  CHECKED: [
    ['试运行通过：未入库', 'checked: it would be taken, nothing was stored'],
    ['去掉试运行后正式上报', 'send it without the dry run to have it stored'],
  ],
};

/** Chinese and remedy; in English it means what its title says. */
const PROBLEM_REMEDIES: Readonly<Record<ProblemCode, readonly [chinese: string, Bilingual]>> = {
  malformed_request: [
    '请求格式不符',
    ['请对照 docs/edge-api.md 更正请求', 'correct the request as docs/edge-api.md says'],
  ],
  signature_invalid: [
    '请求未由已登记的密钥签名，或签名不符',
    [
      '请核对密钥编号、authority 与签名基串；确认代理未改写请求（docs/proxies.md）',
      'check key id, authority and signature base, and that no proxy rewrites the request (docs/proxies.md)',
    ],
  ],
  clock_skew: [
    '签名时间与节点时钟相差过大',
    ['请按 serverTime 校准时钟后重新签名', 'set the clock by serverTime and sign again'],
  ],
  replayed: ['该签名的随机数已用过', ['请重新签名', 'sign again']],
  forbidden: ['此身份无权执行该操作', ['请使用有权限的身份', 'use a party that may']],
  not_found: ['没有这个地址', ['请核对路径', 'check the path']],
  method_not_allowed: [
    '此地址不支持该方法',
    ['请使用 allow 头给出的方法', 'use the method that the header allow names'],
  ],
  too_large: ['正文超过上限', ['请减少一次发送的内容', 'send less at once']],
  unsupported_media_type: [
    '内容类型不符，或正文被压缩',
    [
      '请使用 docs/edge-api.md 的内容类型，不要压缩',
      'use the content type of docs/edge-api.md and do not compress',
    ],
  ],
  unsupported_suite: [
    '不是本节点提供的密码套件',
    ['请使用 /v1/keys 给出的套件', 'use the suite that /v1/keys names'],
  ],
  unknown_key: [
    '密钥编号未知或已过期',
    ['请重新获取 /v1/keys 并重新封装', 'get /v1/keys and seal anew'],
  ],
  decrypt_failed: [
    '正文无法解封',
    [
      '请用当前密钥重新封装；封装与签名须为同一身份',
      'seal anew to the current key; who seals and who signs must be one party',
    ],
  ],
  internal: ['节点内部出错，未确认任何记录', SEND_AGAIN],
  no_recipient: [
    '没有有效的接收方名单，暂时无法封装',
    ['请稍后重试，或联系运维方', 'try later, or tell whoever runs the edge'],
  ],
  unavailable: ['存储暂时不可用', SEND_AGAIN],
  store_full: ['存储已满', ['请联系运维方', 'tell whoever runs the edge']],
};

export const PROBLEM_TEXTS = Object.fromEntries(
  (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => {
    const [chinese, remedy] = PROBLEM_REMEDIES[code];
    return [code, [[chinese, clause(PROBLEMS[code].title)], remedy]];
  }),
) as unknown as Readonly<Record<ProblemCode, Explanation>>;

/** A title that is a sentence, within another one. */
function clause(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1).replace(/\.$/, '');
}

const PARTS: Readonly<Record<string, string>> = {
  sender: '寄件人',
  agreement: '协议客户',
  token: '寄件码',
  guardian: '监护人',
  recipient: '收件人',
};

const FIELD_WORDS: Readonly<Record<string, string>> = {
  id: '记录编号',
  carrier: '承运企业',
  waybill: '运单号',
  takenAt: '收寄时间',
  outlet: '网点',
  goods: '物品类别',
  photos: '照片摘要',
  replaces: '被更正的编号',
  docType: '证件类型',
  docNumber: '证件号码',
  nationality: '国籍',
  name: '姓名',
  phone: '电话',
  address: '地址',
  division: '行政区划代码',
  settledAbroad: '定居国外',
  number: '协议编号',
  uscc: '统一社会信用代码',
};

/** A field of a record (FIELDS of wire/record.ts) in Chinese: `sender.docNumber` is 寄件人证件号码. @returns the path itself when it is unknown */
export function fieldText(path: string): string {
  const [first, second] = path.split('.') as [string, string?];
  if (second === undefined) return PARTS[first] ?? FIELD_WORDS[first] ?? path;
  const [part, word] = [PARTS[first], FIELD_WORDS[second]];
  if (part === undefined || word === undefined) return path;
  // 协议客户 is who has the agreement: 协议编号, not 协议客户协议编号.
  return second === 'number' ? word : part + word;
}
