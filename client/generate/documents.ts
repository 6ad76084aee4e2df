/** Document numbers with right check digits. Everything but the check digits is random: no number is taken from a person. */
import { registrationCode } from './divisions.ts';
import { type Prng, weights } from './prng.ts';

const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** ISO 7064 MOD 11-2 over the first 17 digits, as GB 11643-1999 has it. */
export function residentCheck(first17: string): string {
  let sum = 0;
  for (let index = 0; index < 17; index++) {
    sum += (RESIDENT_WEIGHTS[index] as number) * (first17.charCodeAt(index) - 48);
  }
  return '10X98765432'[sum % 11] as string;
}

/** A resident number: division code (6), date of birth YYYYMMDD, sequence (3), check. */
export function residentNumber(random: Prng, division: string, birth: string): string {
  const first17 = division + birth + random.digits(3);
  return first17 + residentCheck(first17);
}

/** A resident number of someone who lives in Guiyang. */
export function localResidentNumber(random: Prng, birth: string): string {
  return residentNumber(random, registrationCode(random, Number(birth.slice(0, 4))), birth);
}

/** The residence permit of people from Hong Kong, Macao and Taiwan has fixed first six digits per place of origin. */
export function hmtResidenceNumber(random: Prng, birth: string): string {
  return residentNumber(random, random.pick(['810000', '820000', '830000']), birth);
}

const ICAO_WEIGHTS = [7, 3, 1];

/** ICAO 9303 part 3, 4.9: weights 7 3 1, letters count from A = 10, sum mod 10. */
export function icaoCheck(text: string): string {
  let sum = 0;
  for (let index = 0; index < text.length; index++) {
    sum += Number.parseInt(text[index] as string, 36) * (ICAO_WEIGHTS[index % 3] as number);
  }
  return String(sum % 10);
}

/** The foreign permanent resident card of 2017: nationality, area of issue (4), YYMMDD, sequence, check. */
export function fpr2017Number(random: Prng, alpha3: string, birth: string): string {
  const area = random.pick(['5201', '5200', '1100', '3100', '4401', '4403', '5101', '5301']);
  const first14 = alpha3 + area + birth.slice(2) + random.digits(1);
  return first14 + icaoCheck(first14);
}

/** The five-star card of 2023: 9, province of issue, ISO 3166-1 numeric, YYYYMMDD, sequence (3), check. */
export function fpr2023Number(random: Prng, numeric: string, birth: string): string {
  const first17 = `9${random.pick(['52', '11', '31', '44', '51', '53'])}${numeric}${birth}${random.digits(3)}`;
  return first17 + residentCheck(first17);
}

/** 港澳居民来往内地通行证; half of them written with the issue count behind. */
export function hkMacaoPermitNumber(random: Prng): string {
  const issue = random.chance(0.5) ? `0${random.between(0, 4)}` : '';
  return random.pick(['H', 'M']) + random.digits(8) + issue;
}

/** 台湾居民来往大陆通行证 */
export function taiwanPermitNumber(random: Prng): string {
  return random.digits(8);
}

/** A passport number after a form of A (letter) and 9 (digit). */
export function passportNumber(random: Prng, form: string): string {
  return form.replace(/[A9]/g, (kind) =>
    kind === '9' ? random.digits(1) : random.text(LETTERS, 1),
  );
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ';

/** The forms of Chinese passports now valid: E and eight digits, E and a letter, G; service, diplomatic, public affairs. */
export function chinesePassportNumber(random: Prng): string {
  const style = random.float();
  if (style < 0.5) return `E${random.digits(8)}`;
  if (style < 0.85) return `E${random.text(LETTERS, 1)}${random.digits(7)}`;
  if (style < 0.95) return `G${random.digits(8)}`;
  return `${random.pick(['S', 'D', 'P'])}E${random.digits(7)}`;
}

/** 军人证件: no form is public; these are the shapes seen on waybills. */
export function militaryNumber(random: Prng): string {
  return `${random.pick(['军', '南', '西', '空', '海', '政'])}字第${random.digits(random.between(6, 8))}号`;
}

/** 武警证件 */
export function armedPoliceNumber(random: Prng): string {
  return `武${random.pick(['', '黔', '水', '森'])}字第${random.digits(random.between(6, 8))}号`;
}

/** The 31 characters of GB 32100-2015; their places are their values. */
export const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const USCC_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const ORG_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];

/** GB 32100-2015 5.5, over the first 17 characters. */
export function usccCheck(first17: string): string {
  const sum = USCC_WEIGHTS.reduce(
    (total, weight, index) => total + weight * USCC_ALPHABET.indexOf(first17[index] as string),
    0,
  );
  return USCC_ALPHABET[(31 - (sum % 31)) % 31] as string;
}

/** GB 11714-1997: check character of the organisation code, over its first eight characters. */
export function organisationCheck(first8: string): string {
  const sum = ORG_WEIGHTS.reduce(
    (total, weight, index) => total + weight * Number.parseInt(first8[index] as string, 36),
    0,
  );
  const check = 11 - (sum % 11);
  return check === 10 ? 'X' : check === 11 ? '0' : String(check);
}

const registrants = weights([
  ['91', 75], // companies
  ['92', 15], // sole traders
  ['93', 4], // farmers' cooperatives
  ['12', 3], // public institutions
  ['52', 3], // private non-enterprise units
] as const);

/** A unified social credit code: registrant (2), division (6), organisation code (9), check. */
export function uscc(random: Prng): string {
  const division = `520${random.pick(['102', '103', '111', '112', '113', '115', '121', '123', '181', '100'])}`;
  const organisation = `MA${random.text(USCC_ALPHABET, 6)}`;
  const first17 =
    random.weighted(registrants) + division + organisation + organisationCheck(organisation);
  return first17 + usccCheck(first17);
}
