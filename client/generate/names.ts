/** Names of people and organisations: plausible in their frequencies, put together at random. */
import { COUNTRIES, type Country } from './countries.data.ts';
import {
  GIVEN_FEMALE,
  GIVEN_MALE,
  GIVEN_RARE,
  ORGANISATION_PLACES,
  ORGANISATION_TRADES,
  ORGANISATION_WORDS,
  SEPARATED_FAMILY,
  SEPARATED_GIVEN,
  SURNAMES,
} from './names.data.ts';
import { type Prng, weights } from './prng.ts';

const surnames = weights(SURNAMES);

/** The proper separator and the look-alikes that keyboards and old systems put in its place (民委发〔2016〕33号). */
const separators = weights([
  ['\u00b7', 85],
  ['\u2022', 6],
  ['\u30fb', 3],
  ['\u2027', 2],
  ['\u25cf', 1],
  ['\u2219', 1],
  ['\u22c5', 1],
  ['\uff0e', 1],
] as const);

const countries = weights(COUNTRIES.map((country) => [country, country.share] as const));

export function surname(random: Prng): string {
  return random.weighted(surnames);
}

/** A Chinese name; `family` keeps a family's surname together. One in 250 holds a rare character, one in 150 a separator. */
export function chineseName(random: Prng, family?: string): string {
  if (family === undefined && random.chance(1 / 150)) {
    return (
      random.pick(SEPARATED_GIVEN) + random.weighted(separators) + random.pick(SEPARATED_FAMILY)
    );
  }
  const characters = random.chance(0.5) ? GIVEN_FEMALE : GIVEN_MALE;
  const last = random.pick(random.chance(1 / 250) ? GIVEN_RARE : characters);
  const middle = random.chance(0.14) ? '' : random.pick(characters);
  return (family ?? surname(random)) + middle + last;
}

export function foreignCountry(random: Prng): Country {
  return random.weighted(countries);
}

/** A name as in the machine-readable zone of a passport, in capitals. */
export function foreignName(random: Prng, country: Country): string {
  const second = random.chance(0.2) ? ` ${random.pick(country.given)}` : '';
  return `${random.pick(country.family)} ${random.pick(country.given)}${second}`;
}

/** The registered name of a company in Guiyang. */
export function organisationName(random: Prng): string {
  const words = random.pick(ORGANISATION_WORDS) + random.pick(ORGANISATION_WORDS);
  return `${random.pick(ORGANISATION_PLACES)}${words}${random.pick(ORGANISATION_TRADES)}有限公司`;
}

/** What a waybill gives as the recipient: mostly a person, sometimes a firm or a foreigner. */
export function recipientName(random: Prng): string {
  const kind = random.float();
  if (kind < 0.985) return chineseName(random);
  return kind < 0.995 ? organisationName(random) : foreignName(random, foreignCountry(random));
}
