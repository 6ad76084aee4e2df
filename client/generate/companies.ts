/**
 * The roster of companies that submit: in Guiyang in 2017 there were 197 with about 8,000 couriers, ten of them with front
 * ends of their own and all others on the public edition. The ten are carriers known by name; the others' names are made up.
 */
import { v5 as nameUuid } from 'uuid';
import { guiyangDistrict } from './addresses.ts';
import type { District } from './guiyang.data.ts';
import { Prng, type Weights, weights } from './prng.ts';

export interface Company {
  slug: string;
  /** Chinese name. */
  name: string;
  /** Enterprise id: 16 octets as UUID text, always the same for a slug. */
  id: string;
  /** Carrier code on its waybills. */
  carrier: string;
  /** `enterprise`: submits from a system of its own; `public`: through the public edition. */
  edition: 'enterprise' | 'public';
  /** Codes of its outlets. */
  outlets: readonly string[];
  couriers: number;
  /** Relative number of parcels. */
  share: number;
}

export type City = 'guiyang';

const COMPANY_COUNT = 197;
const COURIER_COUNT = 8_000;
const COURIERS_PER_OUTLET = 12;

/** UUID namespace of this roster (RFC 9562 section 6.6), chosen once at random. */
const NAMESPACE = 'f7b7032a-5505-4ca5-8e13-fa93f1664da5';

/** Slug, name, carrier and share in per cent; the first ten have front ends of their own. */
const NAMED: readonly (readonly [string, string, string, number])[] = [
  ['zto', '中通快递贵阳分公司', 'ZTO', 16],
  ['yto', '圆通速递贵阳分公司', 'YTO', 14],
  ['yunda', '韵达速递贵阳分公司', 'YUNDA', 12],
  ['sto', '申通快递贵阳分公司', 'STO', 9.5],
  ['sf', '顺丰速运贵阳分公司', 'SF', 9],
  ['best', '百世快递贵阳分公司', 'BEST', 7],
  ['post', '中国邮政贵阳分公司', 'POST', 6.5],
  ['ems', '邮政速递物流贵阳分公司', 'EMS', 5],
  ['ttk', '天天快递贵阳分公司', 'TTK', 2.5],
  ['gto', '国通快递贵阳分公司', 'GTO', 1.5],
  ['jt', '极兔速递贵阳分公司', 'JT', 4.5],
  ['jd', '京东物流贵阳分公司', 'JD', 3.5],
  ['deppon', '德邦快递贵阳分公司', 'DEPPON', 1.5],
];
const OWN_FRONT_ENDS = 10;

/** Carriers whose local agents are companies of their own. */
const FRANCHISES = ['ZTO', 'YTO', 'YUNDA', 'STO', 'BEST', 'JT'];
const FRANCHISE_NAMES: Readonly<Record<string, string>> = {
  ZTO: '中通',
  YTO: '圆通',
  YUNDA: '韵达',
  STO: '申通',
  BEST: '百世',
  JT: '极兔',
};
const FRANCHISE_COUNT = 64;
const NAME_FIRST = [...'黔筑林甲贵乌云观南清'];
const NAME_SECOND = [...'通达顺捷运驰迅联安诚丰信'];

const rosters = new Map<City, readonly Company[]>();

/**
 * The companies of a city, the ten with front ends of their own first. Always the same.
 * @throws RangeError for a city that there is no roster of
 */
export function companies(city: City): readonly Company[] {
  if (city !== 'guiyang') throw new RangeError('no roster of this city');
  const known = rosters.get(city);
  if (known) return known;
  const roster = build();
  rosters.set(city, roster);
  return roster;
}

/** The roster as a table of shares. */
export function companyShares(city: City): Weights<Company> {
  return weights(companies(city).map((company) => [company, company.share] as const));
}

/** The district that an outlet stands in: a property of its code. */
export function outletDistrict(outlet: string): District {
  let district = outletDistricts.get(outlet);
  if (!district) {
    district = guiyangDistrict(new Prng('outlet', outlet));
    outletDistricts.set(outlet, district);
  }
  return district;
}

const outletDistricts = new Map<string, District>();

function build(): Company[] {
  const drafts = [...NAMED.map(([slug, name, carrier, share]) => ({ slug, name, carrier, share }))];
  for (let number = drafts.length + 1; number <= COMPANY_COUNT; number++) {
    drafts.push(smallCompany(number, number - NAMED.length - 1));
  }
  const total = drafts.reduce((sum, { share }) => sum + share, 0);
  const spare = COURIER_COUNT - COMPANY_COUNT;
  const couriers = drafts.map(({ share }) => 1 + Math.floor((share / total) * spare));
  const assigned = couriers.reduce((sum, count) => sum + count, 0);
  couriers[0] = (couriers[0] as number) + COURIER_COUNT - assigned;
  return drafts.map((draft, index) => {
    const count = couriers[index] as number;
    const prefix = `GY-${draft.slug.replace('-', '').toUpperCase()}`;
    return {
      ...draft,
      id: nameUuid(`guiyang/${draft.slug}`, NAMESPACE),
      edition: index < OWN_FRONT_ENDS ? 'enterprise' : 'public',
      outlets: Array.from(
        { length: Math.ceil(count / COURIERS_PER_OUTLET) },
        (_, outlet) => `${prefix}-${String(outlet + 1).padStart(3, '0')}`,
      ),
      couriers: count,
    };
  });
}

function smallCompany(number: number, place: number) {
  const label = String(number).padStart(3, '0');
  const words =
    (NAME_FIRST[place % 10] as string) + (NAME_SECOND[Math.floor(place / 10) % 12] as string);
  const suffix = place < 120 ? '' : '城配';
  // The small companies' sizes fall as 1 / rank; together they carry about a fourteenth of the parcels.
  const share = 7.5 / (place + 8) / 3.2;
  if (place % 3 === 0 && place / 3 < FRANCHISE_COUNT) {
    const carrier = FRANCHISES[(place / 3) % FRANCHISES.length] as string;
    return {
      slug: `gy-${label}`,
      name: `贵阳${words}${suffix}${FRANCHISE_NAMES[carrier]}快递服务有限公司`,
      carrier,
      share,
    };
  }
  return {
    slug: `gy-${label}`,
    name: `贵阳${words}${suffix}速递有限公司`,
    carrier: `GY${label}`,
    share,
  };
}
