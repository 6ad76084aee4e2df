import { encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { checkRecord } from '../../wasm/host/check.ts';
import { DOC_TYPES, decodeMasked } from '../../wire/record.ts';
import {
  agreement,
  cbor,
  guardian,
  instance,
  judge,
  maskedField,
  NOW,
  recipient,
  record,
  sender,
  uuid7,
} from '../support/rules.ts';

describe('addresses', () => {
  it.each([
    ['中山东路12号鸿基大厦3单元1502室', '中山东路12号鸿基大厦***'],
    ['阳光小区8-2-301', '阳光小区8-***'],
    ['合朋村四组', '合朋村四组'],
    ['阳光小区2-301', '阳光小区***'],
    ['阳光小区8-2-301室', '阳光小区8-***'],
    ['阳光小区8－2－301', '阳光小区8－***'],
    ['鸿基大厦1502室', '鸿基大厦***'],
    ['鸿基大厦 B1502室', '鸿基大厦***'],
    ['幸福里二单元三楼', '幸福里***'],
    ['幸福里十二单元三楼', '幸福里***'],
    ['南厂路5号3楼东户', '南厂路5号3楼东***'],
    ['中华路1号2号楼５０２室', '中华路1号2号楼***'],
    ['西安市单县路100号', '西安市单县路100号'],
    ['中华南路1号-5号', '中华南路1号-5号'],
    ['室内装饰城三楼', '***'],
    ['1-1-101', '1-***'],
  ])('%s', (text, shown) => {
    expect(maskedField(judge(record([[7, sender([[6, text]])]])), 7, 6)).toBe(shown);
    expect(maskedField(judge(record([[11, recipient([[6, text]])]])), 11, 6)).toBe(shown);
  });

  it('holds two of the longest', () => {
    const text = '𠮷'.repeat(200);
    const verdict = judge(
      record([
        [7, sender([[6, text]])],
        [11, recipient([[6, text]])],
      ]),
    );
    expect([maskedField(verdict, 7, 6), maskedField(verdict, 11, 6)]).toEqual([text, text]);
  });
});

it('is deterministic CBOR of the fields that may be seen, and no others', () => {
  const changes: [number, unknown][] = [
    [10, guardian()],
    [12, [new Uint8Array(32)]],
    [13, uuid7(NOW - 500_000)],
  ];
  const expected = new Map<number, unknown>([
    [1, uuid7(NOW - 60_000)],
    [2, 'SF'],
    [3, 'SF1234567890123'],
    [4, NOW - 120_000],
    [
      7,
      new Map<number, unknown>([
        [1, 1],
        [2, `1${'*'.repeat(16)}X`],
        [4, '王**'],
        [5, '*******8000'],
        [6, '贵州省贵阳市云岩区中山东路12号鸿基大厦***'],
      ]),
    ],
    [
      11,
      new Map([
        [4, '李*'],
        [5, '****-***3456'],
        [6, '贵阳市南明区阳光小区8-***'],
      ]),
    ],
  ]);
  expect(checkRecord(instance, cbor(record(changes)), NOW).masked).toEqual(
    new Uint8Array(encode(expected)),
  );
});

it('shows the organisation of an agreement in place of a sender', () => {
  const { masked } = checkRecord(
    instance,
    cbor(
      record([
        [7, undefined],
        [8, agreement()],
      ]),
    ),
    NOW,
  );
  expect(decodeMasked(masked)).toMatchObject({
    carrier: 'SF',
    sender: {
      docType: 'USCC',
      docNumber: `9${'*'.repeat(16)}8`,
      phone: '****-***3456',
      address: '贵阳市南明区中华南路1号',
    },
  });
  expect(decodeMasked(masked).sender).not.toHaveProperty('name');
});

it('shows the canonical carrier, waybill and number', () => {
  const verdict = judge(
    record([
      [2, ' sf '],
      [3, 'ｓｆ1234567890123'],
      [
        7,
        sender([
          [1, DOC_TYPES.HK_MACAO_PERMIT],
          [2, 'h1234567801'],
        ]),
      ],
    ]),
  );
  expect(verdict.masked?.get(2)).toBe('SF');
  expect(verdict.masked?.get(3)).toBe('SF1234567890123');
  expect(maskedField(verdict, 7, 2)).toBe('H*******8');
});
