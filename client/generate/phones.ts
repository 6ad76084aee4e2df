/** Telephone numbers as people write them on waybills: allocated prefixes, random subscribers. */
import { type Prng, weights } from './prng.ts';

/** Mobile prefixes of the public networks (MIIT allocations as of 2023), with rough shares of subscribers. Satellite ones are left out. */
const prefixes = weights([
  ...entries('138 139 135 136 137 150 151 152 158 159 182 183 184 187 188', 5),
  ...entries('130 131 132 155 156 185 186', 3),
  ...entries('133 153 180 181 189 177 173', 3),
  ...entries('147 157 178 198 166 175 176 199 191 193', 1.5),
  ...entries('134 145 146 148 149 162 165 167 170 171 172 190 192 195 196 197', 0.5),
]);

function entries(list: string, weight: number): (readonly [string, number])[] {
  return list.split(' ').map((prefix) => [prefix, weight] as const);
}

/** Eleven digits. 1349 belongs to satellite phones, so 134 is followed by something else. */
export function mobile(random: Prng): string {
  const prefix = random.weighted(prefixes);
  return prefix === '134' ? `134${random.int(9)}${random.digits(7)}` : prefix + random.digits(8);
}

/** Area code and subscriber number; an extension now and then. */
export function landline(random: Prng, areaCode: string): string {
  // Guiyang's numbers have eight digits and begin with 8; elsewhere those of the two-digit area codes have eight.
  const subscriber =
    areaCode === '0851'
      ? `8${random.digits(7)}`
      : random.between(2, 8) + random.digits(areaCode.length === 3 ? 7 : 6);
  const extension = random.chance(0.1)
    ? `-${random.between(1, 9)}${random.digits(random.between(1, 3))}`
    : '';
  return `${areaCode}${random.chance(0.85) ? '-' : ''}${subscriber}${extension}`;
}

/** A mobile number as written by hand: mostly bare, sometimes with country code, blanks or hyphens. */
export function writtenMobile(random: Prng): string {
  const digits = mobile(random);
  const style = random.float();
  if (style < 0.965) return digits;
  const [a, b, c] = [digits.slice(0, 3), digits.slice(3, 7), digits.slice(7)];
  if (style < 0.975) return `+86${digits}`;
  if (style < 0.983) return `+86 ${a} ${b} ${c}`;
  if (style < 0.99) return `${a}-${b}-${c}`;
  if (style < 0.996) return `${a} ${b} ${c}`;
  return `0086${digits}`;
}

/** A privacy number that a market place gives out in the buyer's stead: a relay number and an extension. */
export function virtualNumber(random: Prng): string {
  return `${random.pick(['170', '171', '184', '195'])}${random.digits(8)}-${random.digits(4)}`;
}

/** A person's telephone. */
export function personPhone(random: Prng, areaCode: string): string {
  return random.chance(0.985) ? writtenMobile(random) : landline(random, areaCode);
}

/** A recipient's telephone: market places hide a good part of them. */
export function recipientPhone(random: Prng, areaCode: string): string {
  return random.chance(0.04) ? virtualNumber(random) : personPhone(random, areaCode);
}

/** An organisation's telephone. */
export function organisationPhone(random: Prng): string {
  const style = random.float();
  if (style < 0.5) return mobile(random);
  if (style < 0.85) return landline(random, '0851');
  if (style < 0.95) return `400${random.digits(7)}`;
  if (style < 0.98) return `800${random.digits(7)}`;
  return `95${random.digits(3)}`;
}
