import { describe, expect, it } from 'vitest';
import placeholders from '../../scripts/rules/placeholders.json' with { type: 'json' };
import {
  agreement,
  guardian,
  judge,
  maskedField,
  NOW,
  recipient,
  record,
  sender,
  uuid7,
} from '../support/rules.ts';

const DOC = {
  RESIDENT: 1,
  RESIDENT_TEMP: 2,
  HMT_RESIDENCE: 3,
  FPR: 4,
  HK_MACAO_PERMIT: 5,
  TAIWAN_PERMIT: 6,
} as const;
const PASSPORT_FOREIGN = 7;
const PASSPORT_CN = 8;
const MILITARY = 9;
const USCC = 11;

const document = (type: number, number: unknown, more: [number, unknown][] = []) =>
  judge(record([[7, sender([[1, type], [2, number], ...more])]]));
const senderName = (name: string, type: number = DOC.FPR) =>
  judge(
    record([
      [
        7,
        sender([
          [1, type],
          ...(type === DOC.FPR ? ([[2, 'KAZ110090123105']] as [number, unknown][]) : []),
          [4, name],
        ]),
      ],
    ]),
  );
const recipientName = (name: string) => judge(record([[11, recipient([[4, name]])]]));
const phone = (number: string) => judge(record([[7, sender([[5, number]])]]));
const address = (text: string) => judge(record([[11, recipient([[6, text]])]]));
const waybill = (carrier: string, number: string) =>
  judge(
    record([
      [2, carrier],
      [3, number],
    ]),
  );

describe('documents', () => {
  it.each([
    // Worked cases: official specimens, public tests, made-up numbers
    ['RESIDENT', DOC.RESIDENT, '11010519491231002x', '', `1${'*'.repeat(16)}X`],
    ['RESIDENT, wrong check', DOC.RESIDENT, '110105194912310021', 'BAD_CHECK', undefined],
    ['RESIDENT, 1901-02-29', DOC.RESIDENT, '110101190102290019', 'BAD_DATE', undefined],
    ['RESIDENT, 1904-02-29', DOC.RESIDENT, '520102190402290013', '', `5${'*'.repeat(16)}3`],
    ['RESIDENT, province 99', DOC.RESIDENT, '990101190101010031', 'BAD_AREA', undefined],
    ['first generation', DOC.RESIDENT, '520102040229001', 'FIRST_GEN', undefined],
    ['830000 as RESIDENT', DOC.RESIDENT, '830000199201300022', 'TYPE_MISMATCH', undefined],
    ['830000 as HMT_RESIDENCE', DOC.HMT_RESIDENCE, '830000199201300022', '', '8****************2'],
    ['FPR of 2017', DOC.FPR, 'KAZ110090123105', '', 'K*************5'],
    ['FPR of 2017, wrong check', DOC.FPR, 'KAZ110090123106', 'BAD_CHECK', undefined],
    ['HK_MACAO_PERMIT with issue count', DOC.HK_MACAO_PERMIT, 'H1234567801', '', 'H*******8'],
    ['TAIWAN_PERMIT', DOC.TAIWAN_PERMIT, '01234567', '', '0******7'],
    ['TAIWAN_PERMIT as a number', DOC.TAIWAN_PERMIT, 1234567, 'NOT_STRING', undefined],
    ['PASSPORT_CN without the flag', PASSPORT_CN, 'E12345678', 'DOC_NOT_ACCEPTED', undefined],
    ['USCC', USCC, '91520102MA00000078', '', `9${'*'.repeat(16)}8`],
    ['USCC with a wrong organisation code', USCC, '92520102MA0000000F', 'BAD_ORG_CHECK', undefined],
    // Forms
    ['RESIDENT_TEMP', DOC.RESIDENT_TEMP, '11010519491231002X', '', `1${'*'.repeat(16)}X`],
    [
      'blanks and full-width',
      DOC.RESIDENT,
      '　１１０１０５１９４９１２３１００２ｘ ',
      '',
      `1${'*'.repeat(16)}X`,
    ],
    ['leading zero', DOC.RESIDENT, '010105194912310020', 'BAD_FORM', undefined],
    ['17 digits', DOC.RESIDENT, '11010519491231002', 'BAD_FORM', undefined],
    ['19 digits', DOC.RESIDENT, '11010519491231002X1', 'BAD_FORM', undefined],
    ['empty', DOC.RESIDENT, '', 'BAD_FORM', undefined],
    ['15 digits as HMT_RESIDENCE', DOC.HMT_RESIDENCE, '520102040229001', 'BAD_FORM', undefined],
    ['Beijing as HMT_RESIDENCE', DOC.HMT_RESIDENCE, '11010519491231002X', 'BAD_AREA', undefined],
    ['HK_MACAO_PERMIT of 9', DOC.HK_MACAO_PERMIT, 'm12345678', '', 'M*******8'],
    ['HK_MACAO_PERMIT of 10', DOC.HK_MACAO_PERMIT, 'H123456780', 'BAD_FORM', undefined],
    ['HK_MACAO_PERMIT with T', DOC.HK_MACAO_PERMIT, 'T12345678', 'BAD_FORM', undefined],
    ['TAIWAN_PERMIT of 10', DOC.TAIWAN_PERMIT, '0123456789', 'BAD_FORM', undefined],
    ['FPR of 16', DOC.FPR, 'KAZ1100901231051', 'BAD_FORM', undefined],
    ['MILITARY', MILITARY, '军字第0012345号', '', '军*********号'],
    ['MILITARY, 3 code points', MILITARY, '军12', 'BAD_FORM', undefined],
    ['MILITARY, 21 code points', MILITARY, `军${'1'.repeat(20)}`, 'BAD_FORM', undefined],
    ['MILITARY, bracket', MILITARY, '军(1234)', 'BAD_FORM', undefined],
    ['USCC of 17', USCC, '91520102MA0000007', 'BAD_FORM', undefined],
    ['USCC with I', USCC, '9152010IMA00000078', 'BAD_FORM', undefined],
    ['USCC, wrong check', USCC, '91520102MA00000077', 'BAD_CHECK', undefined],
    ['unknown type', 12, '11010519491231002X', 'UNKNOWN_DOC_TYPE', undefined],
    ['type 0', 0, '11010519491231002X', 'UNKNOWN_DOC_TYPE', undefined],
  ])('%s', (_, type, number, refusal, masked) => {
    const verdict = document(type, number);
    expect(verdict.refusal).toBe(refusal);
    expect(verdict.field).toBe(
      refusal === '' ? '' : refusal === 'UNKNOWN_DOC_TYPE' ? 'sender.docType' : 'sender.docNumber',
    );
    expect(maskedField(verdict, 7, 2)).toBe(masked);
  });

  it.each([
    ['E12345678', ''],
    ['EA1234567', ''],
    ['SE1234567', ''],
    ['G12345678', ''],
    ['GA1234567', 'BAD_FORM'],
    ['AE1234567', 'BAD_FORM'],
  ])('PASSPORT_CN %s of a holder who lives abroad', (number, refusal) => {
    expect(document(PASSPORT_CN, number, [[8, true]]).refusal).toBe(refusal);
    expect(document(PASSPORT_CN, number, [[8, false]]).refusal).toBe(refusal || 'DOC_NOT_ACCEPTED');
  });

  it.each([
    ['AB123456', 'GBR', '', ''],
    ['AB123456', 'XQX', 'BAD_NATIONALITY', 'sender.nationality'],
    ['AB123456', 'gbr', 'BAD_NATIONALITY', 'sender.nationality'],
    ['AB123456', 'GB', 'BAD_LENGTH', 'sender.nationality'],
    ['AB123456', undefined, 'MISSING_FIELD', 'sender.nationality'],
    ['AB12', 'GBR', 'BAD_FORM', 'sender.docNumber'],
    ['AB12345678', 'GBR', 'BAD_FORM', 'sender.docNumber'],
  ])('PASSPORT_FOREIGN %s of %s', (number, nationality, refusal, field) => {
    expect(document(PASSPORT_FOREIGN, number, [[3, nationality]])).toMatchObject({
      refusal,
      field,
    });
  });

  it('has a nationality beside a foreign passport only', () => {
    expect(document(DOC.RESIDENT, '11010519491231002X', [[3, 'CHN']])).toMatchObject({
      refusal: 'BAD_NATIONALITY',
      field: 'sender.nationality',
    });
  });

  it.each([
    ['9', '11', '398', '19900101', '001', ''],
    ['9', '11', '999', '19900101', '001', 'BAD_NATIONALITY'],
    ['9', '11', '398', '19900230', '001', 'BAD_DATE'],
    ['9', '11', '398', '20270101', '001', 'BAD_DATE'],
    ['8', '11', '398', '19900101', '001', 'BAD_FORM'],
  ])('FPR of 2023: %s %s %s %s %s', (nine, province, country, birth, sequence, refusal) => {
    expect(document(DOC.FPR, withCheck(nine + province + country + birth + sequence)).refusal).toBe(
      refusal,
    );
  });

  it('compares birth dates with the date in China', () => {
    const born = withCheck('52010220261121001');
    const child = record([
      [7, sender([[2, born]])],
      [10, guardian()],
    ]);
    const at = (instant: string) => {
      const now = Date.parse(instant);
      return judge(
        new Map(
          [...child, [1, uuid7(now)], [4, now]].sort(([a], [b]) => Number(a) - Number(b)) as [
            number,
            unknown,
          ][],
        ),
        now,
      ).refusal;
    };
    expect(at('2026-11-20T15:59:59Z')).toBe('BAD_DATE');
    expect(at('2026-11-20T16:00:00Z')).toBe('');
  });

  it.each([
    ['520102', []],
    ['110103', ['AREA_RETIRED']],
    ['110199', ['AREA_UNLISTED']],
    ['710101', ['AREA_UNLISTED']],
    ['441900', []],
  ])('flags the county %s', (county, warnings) => {
    expect(document(DOC.RESIDENT, withCheck(`${county}19900101001`))).toMatchObject({
      refusal: '',
      warnings,
    });
  });
});

describe('who sends', () => {
  const child = sender([[2, withCheck('52010220150101001')]]);

  it('wants a guardian beside a child under 14', () => {
    expect(judge(record([[7, child]]))).toMatchObject({
      refusal: 'GUARDIAN_REQUIRED',
      field: 'guardian',
    });
    expect(
      judge(
        record([
          [7, child],
          [10, guardian()],
        ]),
      ).refusal,
    ).toBe('');
    expect(
      judge(
        record([
          [7, child],
          [10, guardian([[2, withCheck('52010220150101001')]])],
        ]),
      ),
    ).toMatchObject({
      refusal: 'GUARDIAN_REQUIRED',
      field: 'guardian.docNumber',
    });
  });

  it('takes the fourteenth birthday for the end of it', () => {
    expect(judge(record([[7, sender([[2, withCheck('52010220121120001')]])]])).refusal).toBe('');
    expect(judge(record([[7, sender([[2, withCheck('52010220121121001')]])]])).refusal).toBe(
      'GUARDIAN_REQUIRED',
    );
  });

  it.each([
    ['none', [[7, undefined]], 'SENDER_REQUIRED', 'sender'],
    ['sender and agreement', [[8, agreement()]], 'SENDER_AMBIGUOUS', 'sender'],
    ['sender and token', [[9, new Uint8Array(40)]], 'SENDER_AMBIGUOUS', 'sender'],
    [
      'a token',
      [
        [7, undefined],
        [9, new Uint8Array(40)],
      ],
      'TOKEN_NOT_ACCEPTED',
      'token',
    ],
    [
      'an agreement',
      [
        [7, undefined],
        [8, agreement()],
      ],
      '',
      '',
    ],
    [
      'a short agreement number',
      [
        [7, undefined],
        [8, agreement([[1, 'AQ1']])],
      ],
      'BAD_AGREEMENT',
      'agreement.number',
    ],
    [
      'an agreement number as integer',
      [
        [7, undefined],
        [8, agreement([[1, 20260001]])],
      ],
      'NOT_STRING',
      'agreement.number',
    ],
    [
      'a wrong USCC',
      [
        [7, undefined],
        [8, agreement([[2, '92520102MA0000000F']])],
      ],
      'BAD_ORG_CHECK',
      'agreement.uscc',
    ],
    [
      'a USCC as integer',
      [
        [7, undefined],
        [8, agreement([[2, 91520102]])],
      ],
      'NOT_STRING',
      'agreement.uscc',
    ],
    [
      'a guardian with a number as integer',
      [[10, guardian([[2, 7]])]],
      'NOT_STRING',
      'guardian.docNumber',
    ],
    [
      'a guardian that is a firm',
      [
        [
          10,
          guardian([
            [1, 11],
            [2, '91520102MA00000078'],
          ]),
        ],
      ],
      'DOC_NOT_ACCEPTED',
      'guardian.docType',
    ],
  ] as [string, [number, unknown][], string, string][])('%s', (_, changes, refusal, field) => {
    expect(judge(record(changes))).toMatchObject({ refusal, field });
  });
});

describe('names', () => {
  it.each([
    ['买买提•阿卜杜拉', '', '买**'],
    ['买买提・阿卜杜拉', '', '买**'],
    ['𠮷某', '', '𠮷*'],
    ['欧阳修', '', '欧**'],
    [' 王五　', '', '王*'],
    ['\ue863某', '', '䶮*'],
    ['张女士', 'PLACEHOLDER', undefined],
    ['欧阳先生', 'PLACEHOLDER', undefined],
    ['略', 'PLACEHOLDER', undefined],
    ['无', 'PLACEHOLDER', undefined],
    ['先生', 'PLACEHOLDER', undefined],
    ['哆啦A梦', 'PLACEHOLDER', undefined],
    ['哆啦ａ梦', 'PLACEHOLDER', undefined],
    ['test', 'PLACEHOLDER', undefined],
    ['王', 'BAD_NAME', undefined],
    ['', 'BAD_NAME', undefined],
    ['王'.repeat(50), '', '王**'],
    ['王'.repeat(51), 'BAD_NAME', undefined],
    ['𠮷'.repeat(50), '', '𠮷**'],
    ['\ue900某', 'BAD_NAME', undefined],
    ['张\u200b三', 'BAD_NAME', undefined],
    ['张\u202e三', 'BAD_NAME', undefined],
  ])('%j', (name, refusal, masked) => {
    for (const [party, verdict] of [
      [7, senderName(name)],
      [11, recipientName(name)],
    ] as const) {
      expect(verdict.refusal).toBe(refusal);
      expect(maskedField(verdict, party, 4)).toBe(masked);
    }
  });

  it.each([
    ['John Smith-O’Neill', DOC.FPR, ''],
    ['Zoë Müller', DOC.FPR, ''],
    ['John Smith', DOC.RESIDENT, 'BAD_NAME'],
    ['王 五', DOC.RESIDENT, 'BAD_NAME'],
    ['王5', DOC.FPR, 'BAD_NAME'],
    ['·王五', DOC.RESIDENT, 'BAD_NAME'],
    ['王··五', DOC.RESIDENT, 'BAD_NAME'],
    ['王五·', DOC.RESIDENT, 'BAD_NAME'],
    ['王女士之', DOC.RESIDENT, ''],
  ])('%s beside a document of type %i', (name, type, refusal) => {
    expect(senderName(name, type).refusal).toBe(refusal);
  });

  it('refuses every name of the list', () => {
    expect(
      placeholders.names.filter((name) => recipientName(name).refusal !== 'PLACEHOLDER'),
    ).toEqual([]);
  });

  it('lets organisations and recipients have what firms are called', () => {
    expect(recipientName('贵州（集团）3号店').refusal).toBe('');
    expect(document(USCC, '91520102MA00000078', [[4, '贵州云上（集团）有限公司']]).refusal).toBe(
      '',
    );
  });

  it('maps what GBK systems hold in the private use area as GB 18030 does', () => {
    const gb18030 = new TextDecoder('gb18030');
    const trails = Array.from({ length: 0x51 }, (_, i) => 0x50 + i).filter(
      (trail) => trail !== 0x7f,
    );
    trails.forEach((trail, i) => {
      const expected = gb18030.decode(Uint8Array.of(0xfe, trail));
      // Six of them still decode to private use in old tables: those that only GB 18030-2022 maps.
      if (expected >= '\ue000' && expected <= '\uf8ff') return;
      const verdict = recipientName(`${String.fromCodePoint(0xe815 + i)}某`);
      expect(maskedField(verdict, 11, 4)).toBe(`${expected}*`);
    });
  });
});

describe('phones', () => {
  it.each([
    ['+86 138-0013-8000', '', '*******8000', []],
    ['008613800138000', '', '*******8000', []],
    ['13800138000', '', '*******8000', []],
    ['１３８００１３８０００', '', '*******8000', []],
    ['0851-8123456', '', '****-***3456', []],
    ['08518123456', '', '*******3456', []],
    ['010-12345678-123', '', '***-*******8-123', []],
    ['95311', '', '*****', []],
    ['955111', '', '******', []],
    ['400-123-4567', '', '***-***-4567', []],
    ['8001234567', '', '******4567', []],
    ['17012345678-1234', '', '***********-1234', []],
    ['13491234567', '', '*******4567', []],
    ['17401234567', '', '*******4567', []],
    ['17421234567', '', '*******4567', ['PHONE_UNALLOCATED']],
    ['16191234567', '', '*******4567', []],
    ['16101234567', '', '*******4567', ['PHONE_UNALLOCATED']],
    ['19412345678', '', '*******5678', ['PHONE_UNALLOCATED']],
    ['1440012345678', 'IOT_NOT_CONTACT', undefined, []],
    ['144-0012-345678', 'IOT_NOT_CONTACT', undefined, []],
    ['14500123456789', 'BAD_PHONE', undefined, []],
    ['1380013800', 'BAD_PHONE', undefined, []],
    ['12345678901', 'BAD_PHONE', undefined, []],
    ['8123456', 'BAD_PHONE', undefined, []],
    ['0851-812345', 'BAD_PHONE', undefined, []],
    ['+86 0851-8123456', 'BAD_PHONE', undefined, []],
    ['95-311', 'BAD_PHONE', undefined, []],
    ['13800138000-', 'BAD_PHONE', undefined, []],
    ['13800138000-1234567', 'BAD_PHONE', undefined, []],
    ['1380013800０a', 'BAD_PHONE', undefined, []],
    ['', 'BAD_PHONE', undefined, []],
    ['-'.repeat(300), 'BAD_PHONE', undefined, []],
  ])('%j', (number, refusal, masked, warnings) => {
    const verdict = phone(number);
    expect(verdict).toMatchObject({ refusal, warnings });
    expect(maskedField(verdict, 7, 5)).toBe(masked);
  });
});

describe('addresses', () => {
  it.each([
    ['合朋村', 'BAD_ADDRESS'],
    ['合朋村四', ''],
    ['路'.repeat(200), ''],
    ['路'.repeat(201), 'BAD_ADDRESS'],
    ['合朋村\u0007四组', 'BAD_ADDRESS'],
    ['合朋村\u202e四组', 'BAD_ADDRESS'],
  ])('%j', (text, refusal) => {
    expect(address(text).refusal).toBe(refusal);
  });

  it.each([
    [520102, '', []],
    [522401, '', []],
    [520199, '', ['DIVISION_UNLISTED']],
    [810000, '', []],
    [990101, 'BAD_DIVISION', []],
    [830000, 'BAD_DIVISION', []],
    [52010, 'BAD_DIVISION', []],
    [5201021, 'BAD_DIVISION', []],
    [2 ** 40, 'BAD_DIVISION', []],
  ])('division %i', (division, refusal, warnings) => {
    expect(judge(record([[11, recipient([[7, division]])]]))).toMatchObject({ refusal, warnings });
  });
});

describe('waybills', () => {
  it.each([
    ['EMS', 'RB123456785GB', '', []],
    ['EMS', 'rb123456785gb', '', []],
    ['EMS', 'RB123456786US', 'BAD_CHECK', []],
    ['POST', 'RB123456785XX', 'BAD_COUNTRY', []],
    ['SF', 'RB123456785GB', '', ['WAYBILL_FORM']],
    ['SF', 'RB123456786GB', 'BAD_CHECK', []],
    ['SF', 'SF1234567890123', '', []],
    ['SF', '123456789012', '', []],
    ['SF', '1234567890123', '', ['WAYBILL_FORM']],
    ['YTO', 'YT1234567890123', '', []],
    ['ZTO', '72123456789012', '', ['WAYBILL_FORM']],
    ['ZTO', '73123456789012', '', []],
    ['STO', '77123456789012', '', []],
    ['STO', '43123456789012345', '', []],
    ['STO', '431234567890123456', '', ['WAYBILL_FORM']],
    ['YUNDA', '3123456789012', '', []],
    ['YUNDA', '312345678901234', '', []],
    ['JD', 'JDVA12345678901', '', []],
    ['JT', 'JT1234567890123', '', []],
    ['EMS', '1123456789012', '', []],
    ['DEPPON', 'DPK123456789012', '', []],
    ['BEST', 'A123456789012', '', []],
    ['TTK', '555123456789', '', []],
    ['TTK', '5551234567890', '', []],
    ['TTK', '557123456789', '', ['WAYBILL_FORM']],
    ['GTO', '12345678901', '', ['WAYBILL_FORM']],
    ['NEWCO', 'ANY-THING', '', []],
    ['S', 'SF1234567890123', 'BAD_CARRIER', []],
    ['ABCDEFGHIJKLM', 'SF1234567890123', 'BAD_CARRIER', []],
    ['S-F', 'SF1234567890123', 'BAD_CARRIER', []],
    ['SF', '12345', 'BAD_WAYBILL', []],
    ['SF', '1'.repeat(35), 'BAD_WAYBILL', []],
    ['SF', '1'.repeat(500), 'BAD_WAYBILL', []],
    ['SF', '1234 5678', 'BAD_WAYBILL', []],
  ])('%s %s', (carrier, number, refusal, warnings) => {
    expect(waybill(carrier, number)).toMatchObject({ refusal, warnings });
  });
});

describe('the rest of a record', () => {
  const id = (ms: number) => [[1, uuid7(ms)]] as [number, unknown][];
  const other = (at: number, octet: number) => {
    const bytes = uuid7(NOW);
    bytes[at] = octet;
    return bytes;
  };
  const DAY = 24 * 3_600_000;

  it.each([
    ['id at its latest', id(NOW + 120_000), '', ''],
    ['id in the future', id(NOW + 120_001), 'ID_FUTURE', 'id'],
    ['id at its oldest', id(NOW - 8 * DAY), '', ''],
    ['id too old', id(NOW - 8 * DAY - 1), 'ID_TOO_OLD', 'id'],
    ['id of version 4', [[1, other(6, 0x4a)]], 'BAD_ID', 'id'],
    ['id of another variant', [[1, other(8, 0xc0)]], 'BAD_ID', 'id'],
    ['taken in the future', [[4, NOW + 120_001]], 'BAD_TAKEN_AT', 'takenAt'],
    ['taken in 2016', [[4, Date.parse('2016-12-31T23:59:59.999Z')]], 'BAD_TAKEN_AT', 'takenAt'],
    ['taken in 2017', [[4, Date.parse('2017-01-01T00:00:00Z')]], '', ''],
    ['outlet of 33', [[5, 'A'.repeat(33)]], 'BAD_OUTLET', 'outlet'],
    ['outlet with Han', [[5, '南明']], 'BAD_OUTLET', 'outlet'],
    ['goods 0', [[6, 0]], 'BAD_GOODS', 'goods'],
    ['goods 11', [[6, 11]], 'BAD_GOODS', 'goods'],
    ['goods 99', [[6, 99]], '', ''],
    ['goods 2^32 + 1', [[6, 2 ** 32 + 1]], 'BAD_GOODS', 'goods'],
    ['photos', [[12, [new Uint8Array(32), new Uint8Array(32)]]], '', ''],
    ['no photo', [[12, []]], 'BAD_PHOTO', 'photos'],
    ['five photos', [[12, Array(5).fill(new Uint8Array(32))]], 'BAD_PHOTO', 'photos'],
    ['short photo', [[12, [new Uint8Array(31)]]], 'BAD_PHOTO', 'photos'],
    ['replaces', [[13, uuid7(NOW - 9 * DAY)]], '', ''],
    ['replaces itself', [[13, uuid7(NOW - 60_000)]], 'BAD_REPLACES', 'replaces'],
    ['replaces no UUIDv7', [[13, other(6, 0x4a)]], 'BAD_REPLACES', 'replaces'],
  ] as [string, [number, unknown][], string, string][])('%s', (_, changes, refusal, field) => {
    expect(judge(record(changes))).toMatchObject({ refusal, field });
  });
});

/** The number with its ISO 7064 MOD 11-2 character, by the weights of GB 11643-1999. */
function withCheck(body: string): string {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, i) => total + weight * Number(body[i]), 0);
  return body + '10X98765432'[sum % 11];
}
