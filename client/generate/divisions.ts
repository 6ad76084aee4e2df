/** County-level divisions as the generator draws them: where parcels go, and where senders were first registered. */
import { PLACES, PROVINCE_SHARES, RETIRED_GUIZHOU_CODES } from './divisions.data.ts';
import { GUIYANG_DISTRICTS } from './guiyang.data.ts';
import { type Prng, type Weights, weights } from './prng.ts';

export interface County {
  /** Six digits, GB/T 2260. */
  code: string;
  name: string;
  /** Prefecture; equal to the province in the four municipalities. */
  city: string;
  province: string;
  /** Telephone area code with its leading 0. */
  areaCode: string;
}

const elsewhere: County[] = PLACES.trim()
  .split('\n')
  .flatMap((line) => {
    const [province = '', city = '', areaCode = '', counties = ''] = line.split('|');
    return counties.split(', ').map((entry) => {
      const [code = '', name = ''] = entry.split(' ');
      return { code, name, city, province, areaCode };
    });
  });

const guiyang: County[] = GUIYANG_DISTRICTS.map(({ code, name }) => ({
  code,
  name,
  city: '贵阳市',
  province: '贵州省',
  areaCode: '0851',
}));

/** Every county the generator knows, Guiyang's first. */
export const COUNTIES: readonly County[] = [...guiyang, ...elsewhere];

const destinations: Weights<County> = weights(
  PROVINCE_SHARES.flatMap(([province, share]) => {
    const inside = COUNTIES.filter((county) => county.province === province);
    return inside.map((county): [County, number] => [county, share / inside.length]);
  }),
);

const guizhouCodes = COUNTIES.filter(({ province }) => province === '贵州省').map(
  ({ code }) => code,
);

/** Where a parcel from Guiyang goes. */
export function destination(random: Prng): County {
  return random.weighted(destinations);
}

/**
 * The county code in the resident number of someone born in `year` who now lives in Guiyang. Withdrawn codes appear only in
 * numbers given before 2000.
 */
export function registrationCode(random: Prng, year: number): string {
  if (random.chance(0.22)) return destination(random).code;
  if (year < 2000 && random.chance(0.35)) return random.pick(RETIRED_GUIZHOU_CODES);
  return random.pick(guizhouCodes);
}
