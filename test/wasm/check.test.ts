import { expect, it } from 'vitest';
import {
  canonicalDocument,
  canonicalPhone,
  canonicalWaybill,
  checkRecord,
  ruleset,
} from '../../wasm/host/check.ts';
import { DOC_TYPES, encodeRecord, type ParcelRecord, uuidText } from '../../wire/record.ts';
import {
  agreement,
  cbor,
  guardian,
  instance,
  NOW,
  recipient,
  record,
  sender,
  uuid7,
} from '../support/rules.ts';

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('latin1');

/** Values long enough to be found, in every field that can be wrong or right. */
const MARKERS = [
  '11010519491231002X',
  '王建国',
  '13800138000',
  '鸿基大厦3单元1502室',
  '520102190402290013',
  '王大山',
  '13900139000',
  '李梅',
  '0851-8123456',
  '08518123456',
  '阳光小区8-2-301',
  'SF1234567890123',
  'GY-NM-001',
  '91520102MA00000078',
  'AQ-2026-0001',
];

function leftovers(): string[] {
  const memory = Buffer.from((instance.exports.memory as WebAssembly.Memory).buffer);
  return MARKERS.filter((marker) => memory.includes(marker));
}

it.each([
  ['a valid record', record([[10, guardian()]]), true],
  [
    'an agreement',
    record([
      [7, undefined],
      [8, agreement()],
    ]),
    true,
  ],
  [
    'a full-width number',
    record([[7, sender([[2, '１１０１０５１９４９１２３１００２Ｘ']])]]),
    true,
  ],
  ['a refused document', record([[7, sender([[2, '110105194912310021']])]]), false],
  ['a refused recipient', record([[11, recipient([[7, 990101]])]]), false],
  ['an unknown field', record([[14, 1]]), false],
])('leaves nothing in memory: %s', (_, value, accepted) => {
  const verdict = checkRecord(instance, cbor(value), NOW);
  expect(verdict.refusal === 0).toBe(accepted);
  expect(leftovers()).toEqual([]);
});

it('leaves nothing of a record that is cut', () => {
  const whole = cbor(record());
  expect(checkRecord(instance, whole.subarray(0, -1), NOW).refusal).toBe(1);
  expect(leftovers()).toEqual([]);
});

it('leaves nothing of a value', () => {
  canonicalDocument(instance, DOC_TYPES.RESIDENT, '11010519491231002X');
  canonicalDocument(instance, DOC_TYPES.PASSPORT_FOREIGN, '11010519491231002X', 'GBR');
  canonicalPhone(instance, '13800138000');
  canonicalPhone(instance, '0851-8123456');
  canonicalWaybill(instance, 'SF', 'SF1234567890123');
  canonicalWaybill(instance, 'S', 'SF1234567890123');
  expect(leftovers()).toEqual([]);
});

it('passes what the record encoder writes', () => {
  const parcel: ParcelRecord = {
    id: uuidText(uuid7(NOW)),
    carrier: 'SF',
    waybill: 'SF1234567890123',
    takenAt: new Date(NOW).toISOString(),
    outlet: 'GY-NM-001',
    goods: 'books',
    sender: {
      docType: 'PASSPORT_FOREIGN',
      docNumber: 'AB123456',
      nationality: 'GBR',
      name: 'Jane Smith',
      phone: '13800138000',
      address: '贵阳市南明区中华南路1号',
      division: '520102',
    },
    recipient: {
      name: '李梅',
      phone: '0851-8123456',
      address: '贵阳市南明区阳光小区8-2-301',
      division: '520102',
    },
  };
  expect(checkRecord(instance, encodeRecord(parcel), NOW)).toMatchObject({
    refusal: 0,
    warnings: 0,
  });
});

it.each([
  ['RESIDENT', ' 11010519491231002x', '', '\x01\0\0\0' + '11010519491231002X'],
  ['RESIDENT_TEMP', '11010519491231002X', '', '\x01\0\0\0' + '11010519491231002X'],
  ['HMT_RESIDENCE', '830000199201300022', '', '\x01\0\0\0' + '830000199201300022'],
  ['HK_MACAO_PERMIT', 'H1234567801', '', '\x05\0\0\0H12345678'],
  ['TAIWAN_PERMIT', '01234567', '', '\x06\0\0\0' + '01234567'],
  ['PASSPORT_FOREIGN', 'ab123456', 'GBR', '\x07GBRAB123456'],
  ['PASSPORT_CN', 'E12345678', '', '\x08\0\0\0E12345678'],
  ['USCC', '91520102MA00000078', '', '\x0b\0\0\0' + '91520102MA00000078'],
  ['RESIDENT', '110105194912310021', '', undefined],
  ['RESIDENT', '11010519491231002X', 'CHN', undefined],
  ['PASSPORT_FOREIGN', 'AB123456', '', undefined],
  ['PASSPORT_FOREIGN', 'AB123456', 'XQX', undefined],
  ['RESIDENT', '1'.repeat(30_000), '', undefined],
] as const)('canonical document: %s %s %s', (type, number, nationality, expected) => {
  expect(text(canonicalDocument(instance, DOC_TYPES[type], number, nationality))).toBe(expected);
});

it.each([
  ['+86 138-0013-8000', '13800138000'],
  ['13800138000', '13800138000'],
  ['0851-8123456', '08518123456'],
  ['0851 8123456', '08518123456'],
  ['0851-8123456-12', '08518123456-12'],
  ['400-123-4567', '4001234567'],
  ['17012345678-1234', '17012345678-1234'],
  ['1440012345678', undefined],
  ['', undefined],
])('canonical phone: %s', (number, expected) => {
  expect(text(canonicalPhone(instance, number))).toBe(expected);
});

it.each([
  ['sf', 'SF1234567890123', 'SF\0SF1234567890123'],
  ['EMS', 'RB123456786US', undefined],
  ['S', 'SF1234567890123', undefined],
])('canonical waybill: %s %s', (carrier, number, expected) => {
  expect(text(canonicalWaybill(instance, carrier, number))).toBe(expected);
});

it('tells the version of its rules', () => {
  expect(ruleset(instance)).toBeGreaterThanOrEqual(20261101);
});
