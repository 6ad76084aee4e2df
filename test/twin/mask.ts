/** The masked view (docs/rules.md "Masked view"), in plain TypeScript. */
import { encode } from 'cborg';
import { BLANK, codePoints, HYPHEN } from './text.ts';

/** First code point and one star, or two when the name is longer than two; a name of one is only a star. */
export function maskName(name: string): string {
  const points = codePoints(name);
  if (points.length < 2) return '*';
  return points[0] + (points.length > 2 ? '**' : '*');
}

/** First and last code point, a star for each between; one star for a number that there is not. */
export function maskNumber(number: string): string {
  const points = codePoints(number);
  if (points.length < 2) return '*';
  return points[0] + '*'.repeat(points.length - 2) + points.at(-1);
}

/** The last min(4, digits - 6) digits stay, and hyphens (GB/T 41833-2022: at least six digits are hidden). */
export function maskPhone(phone: string): string {
  const digits = phone.replace(/\D/g, '').length;
  let hidden = digits - Math.min(4, Math.max(0, digits - 6));
  return phone.replace(/\d/g, (digit) => (hidden-- > 0 ? '*' : digit));
}

const DIGIT = '[0-9\uff10-\uff19]';
const JOINED = `${DIGIT}+${HYPHEN}${DIGIT}+`;
/** Digits, Latin letters and Han numerals: what may be the number of a unit or a room. */
const NUMERAL = '[0-9A-Za-z\uff10-\uff19〇零一二三四五六七八九十百]';
const BEFORE_PLACE = new RegExp(`(?:${JOINED}|${NUMERAL}*)$`);
const AT_END = new RegExp(`${JOINED}$`);
const BLANKS_AT_END = new RegExp(`${BLANK}+$`);

/** Cut before the first of 单元, 室 and 户 and the number in front of it, else before `\d+-\d+` at the end. */
export function maskAddress(address: string): string {
  const place = /单元|室|户/.exec(address);
  if (!place && !AT_END.test(address)) return address;
  const kept = place
    ? address.slice(0, place.index).replace(BEFORE_PLACE, '')
    : address.replace(AT_END, '');
  return `${kept.replace(BLANKS_AT_END, '')}***`;
}

export interface MaskedParty {
  docType?: number;
  docNumber?: string;
  name?: string;
  phone: string;
  address: string;
}

/** Of canonical values, already masked. */
export interface MaskedFields {
  id: Uint8Array;
  carrier: string;
  waybill: string;
  takenAt: bigint;
  sender: MaskedParty;
  recipient: MaskedParty;
}

/** Deterministic CBOR of the view. */
export function encodeMasked(fields: MaskedFields): Uint8Array {
  const party = ({ docType, docNumber, name, phone, address }: MaskedParty) =>
    present([
      [1, docType],
      [2, docNumber],
      [4, name],
      [5, phone],
      [6, address],
    ]);
  return encode(
    present([
      [1, fields.id],
      [2, fields.carrier],
      [3, fields.waybill],
      [4, Number(fields.takenAt)],
      [7, party(fields.sender)],
      [11, party(fields.recipient)],
    ]),
  );
}

function present(entries: [number, unknown][]): Map<number, unknown> {
  return new Map(entries.filter(([, value]) => value !== undefined));
}
