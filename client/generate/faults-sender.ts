/** Faults in who sends: documents, names, phones, guardians, agreements. */
import type { DocType, ParcelRecord, Sender } from '../../wire/record.ts';
import { inner, withMap } from './cbor.ts';
import { birthDate, compactDate } from './clock.ts';
import { companies } from './companies.ts';
import {
  fpr2017Number,
  fpr2023Number,
  localResidentNumber,
  organisationCheck,
  residentNumber,
  uscc,
  usccCheck,
} from './documents.ts';
import type { Fault, FaultContext, Loose } from './faults.ts';
import { drop, set } from './faults-structure.ts';
import { organisationName } from './names.ts';
import { mobile } from './phones.ts';
import type { Prng } from './prng.ts';
import { customer } from './senders.ts';

const MONTH_MS = 30 * 24 * 3_600_000;
const NUMBER = 'sender.docNumber';
const NAME = 'sender.name';
const PHONE = 'sender.phone';

export const SENDER_FAULTS: readonly Fault[] = [
  { code: 'SENDER_REQUIRED', field: 'sender', spoil: (record) => drop(record, 'sender') },
  {
    code: 'SENDER_AMBIGUOUS',
    field: 'sender',
    spoil: (record, context) => set(record, 'agreement', agreement(context)),
  },
  {
    code: 'GUARDIAN_REQUIRED',
    field: 'guardian',
    from: 'minor',
    spoil: (record) => drop(record, 'guardian'),
  },
  {
    code: 'TOKEN_NOT_ACCEPTED',
    field: 'token',
    spoil: (record, { random }) => withToken(record, random),
  },
  {
    code: 'BAD_AGREEMENT',
    field: 'agreement.number',
    spoil: (record, context) => byAgreement(record, context, { number: '无' }),
  },
  {
    code: 'BAD_AGREEMENT',
    field: 'agreement.number',
    spoil: (record, context) => byAgreement(record, context, { number: 'A-1' }),
  },
  {
    code: 'BAD_CHECK',
    field: 'agreement.uscc',
    spoil: (record, context) =>
      byAgreement(record, context, { uscc: altered(uscc(context.random)) }),
  },

  {
    code: 'UNKNOWN_DOC_TYPE',
    field: 'sender.docType',
    spoil: (record) => withMap(record, (map) => inner(map, 7).set(1, 12)),
  },
  {
    code: 'UNKNOWN_DOC_TYPE',
    field: 'sender.docType',
    spoil: (record) => withMap(record, (map) => inner(map, 7).set(1, 0)),
  },

  document('BAD_FORM', 'RESIDENT', ({ random, day }) =>
    localResidentNumber(random, birthDate(random, day, 20, 60)).slice(1),
  ),
  document('BAD_FORM', 'RESIDENT', ({ random, day }) =>
    localResidentNumber(random, birthDate(random, day, 20, 60)).replace(/.(?=.$)/, 'O'),
  ),
  document('BAD_FORM', 'HK_MACAO_PERMIT', ({ random }) => `X${random.digits(8)}`),
  document('BAD_FORM', 'TAIWAN_PERMIT', ({ random }) => random.digits(7)),
  document('BAD_FORM', 'FPR', ({ random }) => `KAZ${random.digits(11)}`),
  document('BAD_FORM', 'PASSPORT_FOREIGN', ({ random }) => random.digits(4), {
    nationality: 'GBR',
    name: 'EVANS HARRY',
  }),
  document('BAD_FORM', 'PASSPORT_CN', ({ random }) => `E${random.digits(6)}`, {
    settledAbroad: true,
  }),
  document('BAD_FORM', 'MILITARY', () => '军字'),
  document('BAD_FORM', 'USCC', ({ random }) => `${uscc(random).slice(0, 17)}I`),

  // One digit altered by hand: the fraud that check digits are for.
  document('BAD_CHECK', 'RESIDENT', ({ random, day }) =>
    altered(localResidentNumber(random, birthDate(random, day, 20, 60))),
  ),
  document('BAD_CHECK', 'FPR', ({ random, day }) =>
    altered(fpr2017Number(random, 'KAZ', birthDate(random, day, 20, 60))),
  ),
  document('BAD_CHECK', 'FPR', ({ random, day }) =>
    altered(fpr2023Number(random, '398', birthDate(random, day, 20, 60))),
  ),
  document('BAD_CHECK', 'USCC', ({ random }) => altered(uscc(random))),
  {
    code: 'BAD_CHECK',
    field: 'guardian.docNumber',
    from: 'minor',
    spoil: (record) =>
      set(record.guardian as Loose, 'docNumber', altered(record.guardian?.docNumber ?? '')),
  },

  document('BAD_DATE', 'RESIDENT', ({ random }) => localResidentNumber(random, '19990230')),
  document('BAD_DATE', 'RESIDENT', ({ random }) => localResidentNumber(random, '19901301')),
  document('BAD_DATE', 'RESIDENT', ({ random, day }) =>
    localResidentNumber(random, compactDate(day.start + 2 * MONTH_MS)),
  ),
  document('BAD_DATE', 'FPR', ({ random }) => fpr2023Number(random, '398', '19870631')),
  document('BAD_AREA', 'RESIDENT', ({ random, day }) =>
    residentNumber(random, '990101', birthDate(random, day, 20, 60)),
  ),
  document('BAD_AREA', 'HMT_RESIDENCE', ({ random, day }) =>
    residentNumber(random, '440305', birthDate(random, day, 20, 60)),
  ),
  document(
    'FIRST_GEN',
    'RESIDENT',
    ({ random, day }) => `520102${birthDate(random, day, 40, 70).slice(2)}${random.digits(3)}`,
  ),
  document('TYPE_MISMATCH', 'RESIDENT', ({ random, day }) =>
    residentNumber(random, '810000', birthDate(random, day, 20, 60)),
  ),
  document('TYPE_MISMATCH', 'RESIDENT_TEMP', ({ random, day }) =>
    residentNumber(random, '830000', birthDate(random, day, 20, 60)),
  ),
  document('BAD_NATIONALITY', 'FPR', ({ random, day }) =>
    fpr2023Number(random, '999', birthDate(random, day, 20, 60)),
  ),
  document('DOC_NOT_ACCEPTED', 'PASSPORT_CN', ({ random }) => `E${random.digits(8)}`),
  document('DOC_NOT_ACCEPTED', 'PASSPORT_CN', ({ random }) => `G${random.digits(8)}`, {
    settledAbroad: false,
  }),
  document('BAD_ORG_CHECK', 'USCC', ({ random }) => wrongOrganisation(random)),
  // As a number it would lose its leading zeros.
  document('NOT_STRING', 'TAIWAN_PERMIT', ({ random }) => random.between(1_000_000, 9_999_999)),
  document(
    'NOT_STRING',
    'PASSPORT_FOREIGN',
    ({ random }) => random.between(10_000_000, 99_999_999),
    { nationality: 'GBR' },
  ),

  passport('BAD_NATIONALITY', 'XQZ'),
  passport('BAD_LENGTH', 'US'),
  passport('MISSING_FIELD', undefined),

  name('BAD_NAME', (random) => random.pick(['李', '王', '张'])),
  name('BAD_NAME', () => '张3'),
  name('BAD_NAME', () => '杨\ue000'),
  name('BAD_NAME', (random) => random.pick(['李', '王', '张']).repeat(51)),
  name(
    'PLACEHOLDER',
    (random) => random.pick(['王', '李', '张', '欧阳']) + random.pick(['女士', '先生', '小姐']),
  ),
  name('PLACEHOLDER', () => '略'),
  name('PLACEHOLDER', () => '无'),
  name('PLACEHOLDER', () => '先生'),
  name('PLACEHOLDER', () => '哆啦A梦'),

  phone('BAD_PHONE', (random) => mobile(random).slice(0, 10)),
  phone('BAD_PHONE', (random) => `${mobile(random)}0`),
  phone('BAD_PHONE', (random) => `23${random.digits(9)}`),
  phone('BAD_PHONE', () => ''),
  phone('IOT_NOT_CONTACT', (random) => `1440${random.digits(9)}`),
  phone(
    'IOT_NOT_CONTACT',
    (random) => random.pick(['1410', '146', '148']).padEnd(4, '0') + random.digits(9),
  ),

  {
    code: 'BAD_ADDRESS',
    field: 'sender.address',
    spoil: (record) => set(record.sender as Loose, 'address', '贵阳'),
  },
  {
    code: 'BAD_DIVISION',
    field: 'sender.division',
    spoil: (record) => set(record.sender as Loose, 'division', '5201'),
  },
];

/** A sender with this document instead of the resident card. */
function document(
  code: Fault['code'],
  docType: DocType,
  number: (context: FaultContext) => string | number,
  more: Partial<Sender> = {},
): Fault {
  return {
    code,
    field: NUMBER,
    spoil(record, context) {
      const docNumber = number(context);
      const name = docType === 'USCC' ? { name: organisationName(context.random) } : {};
      Object.assign(record.sender as Loose, { docType, docNumber, ...name, ...more });
      return undefined;
    },
  };
}

/** A foreign passport whose nationality is at fault. */
function passport(code: Fault['code'], nationality: string | undefined): Fault {
  return {
    code,
    field: 'sender.nationality',
    spoil(record, { random }) {
      Object.assign(record.sender as Loose, {
        docType: 'PASSPORT_FOREIGN',
        docNumber: random.digits(9),
        name: 'WALKER GRACE',
      });
      return nationality === undefined
        ? undefined
        : set(record.sender as Loose, 'nationality', nationality);
    },
  };
}

function name(code: Fault['code'], draw: (random: Prng) => string): Fault {
  return {
    code,
    field: NAME,
    spoil: (record, { random }) => set(record.sender as Loose, 'name', draw(random)),
  };
}

function phone(code: Fault['code'], draw: (random: Prng) => string): Fault {
  return {
    code,
    field: PHONE,
    spoil: (record, { random }) => set(record.sender as Loose, 'phone', draw(random)),
  };
}

/** The number with another last digit, which no check scheme in use lets pass. */
function altered(number: string): string {
  const last = number.slice(-1);
  return number.slice(0, -1) + (last === '1' ? '2' : '1');
}

/** A credit code that is right as a whole around a wrong organisation code. */
function wrongOrganisation(random: Prng): string {
  const organisation = `MA${random.digits(6)}`;
  const right = organisationCheck(organisation);
  const first17 = `91520102${organisation}${right === '5' ? '6' : '5'}`;
  return first17 + usccCheck(first17);
}

function agreement({ random, day }: FaultContext) {
  return customer('faults', day, random.pick(companies('guiyang')), 0).agreement;
}

function byAgreement(
  record: ParcelRecord,
  context: FaultContext,
  change: Partial<ReturnType<typeof agreement>>,
): undefined {
  delete record.sender;
  record.agreement = { ...agreement(context), ...change };
}

/** A sender token in place of the sender's fields. */
function withToken(record: ParcelRecord, random: Prng): string {
  return withMap(record, (map) => {
    map.delete(7);
    map.set(
      9,
      Uint8Array.from({ length: 160 }, () => random.int(256)),
    );
  });
}
