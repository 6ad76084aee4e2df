/** Documents (docs/rules.md "Documents") and dates, in plain TypeScript. */
import type { Refusal } from '../../wire/codes.ts';
import { ALPHA_3, county, NUMERIC, provinceExists } from './tables.ts';
import { HAN, normalCode, tooLong } from './text.ts';

export interface CheckedDocument {
  canonical: string;
  warnings: ('AREA_UNLISTED' | 'AREA_RETIRED')[];
  /** Date of birth that the number tells, as YYYYMMDD. */
  birth?: string;
}

export interface DocumentContext {
  /** YYYYMMDD in China. */
  today: string;
  settledAbroad: boolean;
}

/** A reason to refuse the number; nationality has its own rule. */
export type DocumentVerdict = Refusal | CheckedDocument;

/** YYYYMMDD of the day in China, UTC+8 without summer time. */
export function dayInChina(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
}

const HMT_AREAS = ['810000', '820000', '830000'];

/** @param type number on the wire; not an unknown one */
export function checkDocument(
  type: number,
  given: string,
  context: DocumentContext,
): DocumentVerdict {
  if (tooLong(given)) return 'BAD_FORM';
  const number = normalCode(given);
  switch (type) {
    case 1:
    case 2:
      return /^\d{15}$/.test(number) ? 'FIRST_GEN' : resident(number, false, context);
    case 3:
      return resident(number, true, context);
    case 4:
      return permanentResident(number, context);
    case 5:
      return form(number, /^[HM]\d{8}(\d{2})?$/, number.slice(0, 9));
    case 6:
      return form(number, /^\d{8}$/);
    case 7:
      return form(number, /^[A-Z0-9]{5,9}$/);
    case 8:
      if (!/^(E[A-Z0-9]\d{7}|[SDP]E\d{7}|G\d{8})$/.test(number)) return 'BAD_FORM';
      return context.settledAbroad ? { canonical: number, warnings: [] } : 'DOC_NOT_ACCEPTED';
    case 9:
    case 10:
      return form(number, new RegExp(`^[${HAN}A-Z0-9.]{4,20}$`, 'u'));
    default:
      return organisation(given);
  }
}

function form(number: string, pattern: RegExp, canonical = number): DocumentVerdict {
  return pattern.test(number) ? { canonical, warnings: [] } : 'BAD_FORM';
}

/** GB 11643-1999. */
function resident(number: string, hmt: boolean, { today }: DocumentContext): DocumentVerdict {
  if (!/^[1-9]\d{16}[\dX]$/.test(number)) return 'BAD_FORM';
  if (!mod11(number)) return 'BAD_CHECK';
  const birth = number.slice(6, 14);
  if (!isDate(birth) || birth > today) return 'BAD_DATE';
  const area = number.slice(0, 6);
  if (hmt) {
    return HMT_AREAS.includes(area) ? { canonical: number, warnings: [], birth } : 'BAD_AREA';
  }
  if (HMT_AREAS.includes(area)) return 'TYPE_MISMATCH';
  if (!provinceExists(area.slice(0, 2))) return 'BAD_AREA';
  const found = county(area);
  const warning = { current: [], retired: ['AREA_RETIRED'], unlisted: ['AREA_UNLISTED'] } as const;
  return { canonical: number, warnings: [...warning[found]], birth };
}

/** The cards of 2017 and of 2023. */
function permanentResident(number: string, { today }: DocumentContext): DocumentVerdict {
  if (/^[A-Z]{3}\d{12}$/.test(number)) {
    if (icaoCheck(number.slice(0, 14)) !== Number(number[14])) return 'BAD_CHECK';
    // Two digits of the year: either century will do, if the day has come.
    const birth = ['20', '19']
      .map((century) => century + number.slice(7, 13))
      .find((date) => isDate(date) && date <= today);
    if (!birth) return 'BAD_DATE';
    if (!ALPHA_3.has(number.slice(0, 3))) return 'BAD_NATIONALITY';
    return { canonical: number, warnings: area(number.slice(3, 5)) };
  }
  if (!/^9\d{16}[\dX]$/.test(number)) return 'BAD_FORM';
  if (!mod11(number)) return 'BAD_CHECK';
  const birth = number.slice(6, 14);
  if (!isDate(birth) || birth > today) return 'BAD_DATE';
  if (!NUMERIC.has(number.slice(3, 6))) return 'BAD_NATIONALITY';
  return { canonical: number, warnings: area(number.slice(1, 3)), birth };
}

function area(province: string): 'AREA_UNLISTED'[] {
  return provinceExists(province) ? [] : ['AREA_UNLISTED'];
}

/** GB 32100-2015; characters 9 to 17 are an organisation code (GB 11714). */
export function organisation(given: string): DocumentVerdict {
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
  const number = normalCode(given);
  if (tooLong(given) || number.length !== 18 || [...number].some((c) => !alphabet.includes(c)))
    return 'BAD_FORM';
  const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
  const sum = weights.reduce((s, weight, i) => s + weight * alphabet.indexOf(number[i] ?? ''), 0);
  if (alphabet[(31 - (sum % 31)) % 31] !== number[17]) return 'BAD_CHECK';
  const inner = number.slice(8, 17);
  const innerSum = [3, 7, 9, 10, 5, 8, 4, 2].reduce(
    (s, weight, i) => s + weight * Number.parseInt(inner[i] ?? '', 36),
    0,
  );
  const check = 11 - (innerSum % 11);
  const expected = check === 10 ? 'X' : check === 11 ? '0' : String(check);
  return inner[8] === expected ? { canonical: number, warnings: [] } : 'BAD_ORG_CHECK';
}

/** ISO 7064 MOD 11-2 over 17 digits, by the weights of GB 11643-1999. */
function mod11(number: string): boolean {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((s, weight, i) => s + weight * Number(number[i]), 0);
  return '10X98765432'[sum % 11] === number[17];
}

/** ICAO 9303 part 3: weights 7, 3, 1; letters from A = 10. */
function icaoCheck(text: string): number {
  return (
    [...text].reduce((s, c, i) => s + Number.parseInt(c, 36) * ([7, 3, 1][i % 3] ?? 0), 0) % 10
  );
}

/** Gregorian, YYYYMMDD, from 1800. */
function isDate(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6)].map(Number) as [
    number,
    number,
    number,
  ];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1800 && day >= 1 && day <= (days[month - 1] ?? 0);
}
