/** Names, phones and addresses (docs/rules.md), in plain TypeScript. */
import type { Refusal } from '../../wire/codes.ts';
import {
  county,
  machinePrefix,
  mobileAllocated,
  PLACEHOLDERS,
  provinceExists,
  standardised,
  TITLES,
} from './tables.ts';
import {
  BLANK,
  codePoints,
  HAN,
  HYPHEN,
  halfWidth,
  LATIN,
  normalCode,
  privateUse,
  trimmed,
  visible,
} from './text.ts';

/** Who bears a name: a holder of a Chinese document, another person, or whoever else. */
export type Bearer = 'han' | 'person' | 'any';

const LETTERS: Record<Bearer, string | undefined> = {
  han: `[${HAN}]`,
  person: `[${HAN}${LATIN} \\-'\\u2019.,]`,
  any: undefined,
};

/** Canonical name, or why it is refused. */
export function checkName(given: string, bearer: Bearer): { name: string } | Refusal {
  const name = trimmed(given)
    .replace(/[\u2022\u2219\u30fb\u25cf\u2027\u22c5\uff0e]/g, '\u00b7')
    .replace(/./gsu, standardised);
  if (isPlaceholder(name)) return 'PLACEHOLDER';
  const { length } = codePoints(name);
  if (length < 2 || length > 50 || !visible(name) || privateUse(name)) return 'BAD_NAME';
  const letter = LETTERS[bearer];
  // Separators stand alone, between letters.
  const fits = !letter || new RegExp(`^${letter}+(\\u00b7${letter}+)*$`, 'u').test(name);
  return fits ? { name } : 'BAD_NAME';
}

function isPlaceholder(name: string): boolean {
  const folded = normalCode(name);
  if (PLACEHOLDERS.has(folded)) return true;
  return TITLES.some((title) => {
    const surname = name.endsWith(title) ? codePoints(name.slice(0, -title.length)) : [];
    return surname.length === 1 || surname.length === 2;
  });
}

export interface CheckedPhone {
  /** Digits, and a hyphen before an extension. */
  canonical: string;
  /** What the masked view covers with stars. */
  shown: string;
  allocated: boolean;
}

/** No phone has more, hyphens included. */
const MAX_PHONE = 40;

export function checkPhone(given: string): CheckedPhone | Refusal {
  const text = halfWidth(given.replace(new RegExp(BLANK, 'g'), '')).replace(
    new RegExp(HYPHEN, 'g'),
    '-',
  );
  // Of a mobile the country code goes, and hyphens among its digits; what follows is an extension.
  const mobile = /^(?:(?:\+86|0086)-?)?(1(?:-?\d){10})(\d{2})?(-\d{1,6})?$/.exec(text);
  if (mobile && text.length <= MAX_PHONE) {
    const number = (mobile[1] as string).replaceAll('-', '');
    const [, , more = '', extension = ''] = mobile;
    if (more) return machinePrefix(number) ? 'IOT_NOT_CONTACT' : 'BAD_PHONE';
    if (!/^1[3-9]/.test(number)) return 'BAD_PHONE';
    const canonical = number + extension;
    return { canonical, shown: canonical, allocated: mobileAllocated(number) };
  }
  const fixed = /^(0\d{2,3}-?\d{7,8}|[48]00(?:-?\d){7}|95\d{3,4})(-\d{1,6})?$/.exec(text);
  if (!fixed) return 'BAD_PHONE';
  const canonical = (fixed[1] as string).replaceAll('-', '') + (fixed[2] ?? '');
  return { canonical, shown: text, allocated: true };
}

/** Canonical address, or why it is refused. */
export function checkAddress(given: string): { address: string } | Refusal {
  const address = trimmed(given);
  const { length } = codePoints(address);
  return length < 4 || length > 200 || !visible(address) ? 'BAD_ADDRESS' : { address };
}

/** Taiwan, Hong Kong and Macao have no counties in GB/T 2260. */
const WHOLE = ['710000', '810000', '820000'];

export function checkDivision(division: bigint): 'listed' | 'unlisted' | 'BAD_DIVISION' {
  const code = String(division);
  if (code.length !== 6 || !provinceExists(code.slice(0, 2))) return 'BAD_DIVISION';
  return WHOLE.includes(code) || county(code) !== 'unlisted' ? 'listed' : 'unlisted';
}
