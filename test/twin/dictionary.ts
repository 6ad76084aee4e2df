/** What mutations put into records: texts and numbers at the edges of the rules, all of them made up or public specimens. */
import placeholders from '../../scripts/rules/placeholders.json' with { type: 'json' };
import privateUse from '../../scripts/rules/private-use.json' with { type: 'json' };

/** Code points where a rule turns: letters of all kinds, separators, what is invisible, private or supplementary. */
export const CODE_POINTS: readonly number[] = [
  ...[...'0123456789Xx9ABEGHIOSVZabz -–—−.,/+:*()\'’"\t\n~'].map((c) => c.codePointAt(0) as number),
  ...[0x00, 0x01, 0x1f, 0x7f, 0x80, 0x9f, 0xa0, 0xad, 0xaa, 0xb7, 0xc0, 0xd6, 0xd7, 0xdf, 0xf7],
  ...[0x17f, 0x24f, 0x250, 0x2bc, 0x301, 0x34f, 0x391, 0x41f, 0x5d0, 0x61c, 0x627, 0x6d4, 0xf62],
  ...[
    0x115f, 0x1160, 0x1161, 0x17b4, 0x180b, 0x180e, 0x180f, 0x1dff, 0x1e00, 0x1ec5, 0x1eff, 0x1f00,
  ],
  ...[
    0x2000, 0x2009, 0x200b, 0x200d, 0x200f, 0x2010, 0x2015, 0x2016, 0x2022, 0x2027, 0x2028, 0x202a,
  ],
  ...[
    0x202e, 0x202f, 0x205f, 0x2060, 0x2066, 0x206f, 0x2070, 0x2212, 0x2219, 0x22c5, 0x25cf, 0x2e7f,
  ],
  ...[
    0x2e80, 0x2e81, 0x2eff, 0x2f00, 0x3000, 0x3001, 0x3005, 0x3007, 0x30fb, 0x30fc, 0x3131, 0x3164,
  ],
  ...[0x3165, 0x33ff, 0x3400, 0x4dae, 0x4dbf, 0x4dc0, 0x4e00, 0x9fff, 0xa000, 0xac00, 0xd7ff],
  ...[
    0xe000, 0xe814, 0xe815, 0xe863, 0xe864, 0xe900, 0xf8ff, 0xf900, 0xfaff, 0xfb00, 0xfdd0, 0xfdef,
  ],
  ...[
    0xfe00, 0xfe0f, 0xfe10, 0xfeff, 0xff01, 0xff0b, 0xff0d, 0xff0e, 0xff10, 0xff19, 0xff21, 0xff3a,
  ],
  ...[0xff41, 0xff58, 0xff5e, 0xff5f, 0xffa0, 0xfff0, 0xfff9, 0xfffc, 0xfffd, 0xfffe, 0xffff],
  ...[0x1_0000, 0x1_bca0, 0x1_bca3, 0x1_d173, 0x1_d17a, 0x1_d17b, 0x1_f600, 0x1_fffe, 0x2_0000],
  ...[0x2_0bb7, 0x2_a6e0, 0x2_fffd, 0x2_fffe, 0x3_0000, 0x3_33ae, 0x3_33b0, 0x3_fffd, 0x3_ffff],
  ...[0x4_0000, 0xe_0000, 0xe_0001, 0xe_0100, 0xe_0fff, 0xe_1000, 0xf_0000, 0xf_fffd, 0x10_fffd],
  ...[...'单元室户楼号一十百零〇第字军先生女士小姐略无王李张欧阳𠮷'].map(
    (c) => c.codePointAt(0) as number,
  ),
];

const mapped = privateUse.unicode
  .split(' ')
  .flatMap((_, i) =>
    i % 9 ? [] : [String.fromCodePoint(Number.parseInt(privateUse.first, 16) + i)],
  );

/** Whole values of texts. */
export const TEXTS: readonly string[] = [
  '',
  ' ',
  '\u3000',
  // Numbers of documents
  ...['11010519491231002X', '11010519491231002x', '110105194912310021', '110101190102290019'],
  ...['520102190402290013', '990101190101010031', '520102040229001', '830000199201300022'],
  ...['810000199201300020', '710101199001010017', 'KAZ110090123105', 'KAZ110090123106'],
  ...['911398199001010016', 'H1234567801', 'm12345678', 'H123456780', '01234567', 'AB123456'],
  ...['E12345678', 'EA1234567', 'SE1234567', 'G12345678', '军字第0012345号', '军1.2'],
  ...['91520102MA00000078', '92520102MA0000000F', '91520102MA00000077', 'AQ-2026-0001'],
  // Names
  ...['买买提•阿卜杜拉', '买买提．阿卜杜拉', '·王五', '王··五', '𠮷某', '欧阳修', 'Jane Smith'],
  ...['Nguyễn Văn A', 'O’Neill', '张女士', '欧阳先生', '先生', '王', `王${'·五'.repeat(24)}`],
  ...[
    '王'.repeat(50),
    '王'.repeat(51),
    '𠮷'.repeat(50),
    '贵州（集团）3号店',
    ...placeholders.names,
  ],
  ...mapped.map((character) => `${character}某`),
  // Phones
  ...[
    '13800138000',
    '+86 138-0013-8000',
    '008613800138000',
    '0086-13800138000',
    '+8613800138000-12',
  ],
  ...['1440012345678', '144-0012-345678', '14800123456-78', '14500123456789', '1740-1234567'],
  ...['0851-8123456', '08518123456', '0851-8123456-123456', '010-12345678', '0011234567', '95311'],
  ...[
    '955111-1',
    '95-311',
    '400-123-4567',
    '4-001234567',
    '8001234567-1',
    '13800138000-',
    '１３８',
  ],
  // Addresses
  ...['中山东路12号鸿基大厦3单元1502室', '阳光小区8-2-301', '阳光小区8－2－301室', '合朋村四组'],
  ...[
    '鸿基大厦 B1502室',
    '幸福里十二单元',
    '室内装饰城三楼',
    '1-1-101',
    '陕西省户县',
    '-1室',
    '8--1室',
  ],
  ...['路'.repeat(200), '𠮷'.repeat(200), '路'.repeat(201), 'A'.repeat(161), '1'.repeat(160)],
  // Waybills, carriers, outlets, nationalities
  ...[
    'RB123456785GB',
    'RB123456786US',
    'RB123456785XX',
    'SF1234567890123',
    '123456789012',
    'YT1234567890123',
  ],
  ...[
    '73123456789012',
    '771234567890123',
    '43123456789012345',
    'JDVA12345678901',
    'DPK123456789012',
  ],
  ...[
    'SF',
    'sf',
    'ＳＦ',
    'YTO',
    'ZTO',
    'STO',
    'YUNDA',
    'JD',
    'JT',
    'EMS',
    'POST',
    'DEPPON',
    'BEST',
    'TTK',
  ],
  ...[
    'GTO',
    'NEWCO',
    'GY-NM-001',
    'GBR',
    'USA',
    'XQX',
    'gbr',
    'CHN',
    '中',
    'constructor',
    '__proto__',
  ],
];

export const INTEGERS: readonly bigint[] = [
  ...[-1, -24, -25, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 23, 24, 63, 64, 99, 127, 128],
  ...[255, 256, 65_535, 65_536, 99_999, 100_000, 110_105, 520_102, 520_103, 520_199, 520_100],
  ...[
    710_000, 810_000, 820_000, 830_000, 990_101, 999_999, 1_000_000, 4_294_967_295, 4_294_967_296,
  ],
  ...[1_483_228_799_999, 1_483_228_800_000, 2 ** 53 - 1, 2 ** 53],
]
  .map(BigInt)
  .concat([2n ** 63n, 2n ** 64n - 1n, -(2n ** 64n)]);

const raw = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

/** Items in the wrong place, and octets that are no item. */
export const ITEMS: readonly Uint8Array[] = [
  ...['00', '01', '17', '1817', '1818', '190001', '1a00000001', '1b0000000000000001', '1c', '1f'],
  ...['20', '3bffffffffffffffff', '40', '4101', '5800', '5f4101ff', '5f6101ff', '5f', '60', '6161'],
  ...[
    '61c0',
    '62c0ae',
    '63eda080',
    '64f4908080',
    '6100',
    '7800',
    '7f6161ff',
    '7f60ff',
    '7f7f60ffff',
  ],
  ...[
    '80',
    '8101',
    '818181818100',
    `${'81'.repeat(31)}80`,
    `${'81'.repeat(32)}80`,
    '9f01ff',
    '9f',
    '98',
  ],
  ...['a0', 'a10101', 'a1800f', 'a1f401', 'a201010101', 'a202010101', 'bf0101ff', 'bf01ff', 'bf'],
  ...[
    '9bffffffffffffffff',
    'bb8000000000000000',
    '5bfffffffffffffff7',
    '7b00000000ffffffff',
    '5a7fffffff',
  ],
  ...['c001', 'c1', 'c249010000000000000000', 'f4', 'f5', 'f6', 'f7', 'e0', 'f81f', 'f820', 'f818'],
  ...['f90000', 'fa00000000', 'fb3ff0000000000000', 'f97e00', 'fc', 'ff', `${'c1'.repeat(32)}01`],
  '5020'.padEnd(36, '0'),
  `5820${'ab'.repeat(32)}`,
  `8158${'20'}${'cd'.repeat(32)}`,
].map(raw);
