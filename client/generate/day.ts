/**
 * A synthetic day of parcels: everything in it is drawn from a seed, nothing is taken from a real person. Lines come one by
 * one in the order of intake, and memory does not grow with their number.
 */
import type { Refusal } from '../../wire/codes.ts';
import type { Goods, ParcelRecord } from '../../wire/record.ts';
import { addressIn } from './addresses.ts';
import { beijingDay, type Day, intakeTime } from './clock.ts';
import { type City, type Company, companyShares } from './companies.ts';
import { destination } from './divisions.ts';
import { FAULTS, type Fault } from './faults.ts';
import { uuidV7 } from './ids.ts';
import { recipientName } from './names.ts';
import { recipientPhone } from './phones.ts';
import { Prng, weights } from './prng.ts';
import { minor, resident, type Sending, sending } from './senders.ts';
import { waybill } from './waybills.ts';

export interface GenerateOptions {
  city: City;
  /** How many lines. */
  parcels: number;
  /** Same seed and options: the same bytes. */
  seed: number | string;
  /** Fraction of faulty lines, 0 to 1. */
  bad: number;
  /** YYYY-MM-DD in Beijing time. Edges refuse ids of the future: give a day that is over, at most a week ago. */
  day: string;
}

/** One line of the NDJSON. */
export interface GeneratedLine {
  /** Slug of the company that submits. */
  enterprise: string;
  /** In faulty lines some field may have another type than the one declared. */
  record: ParcelRecord;
  /** The answer that a faulty line must get; lines without it must be stored. */
  expect?: { outcome: 'REFUSED'; code: Refusal; field?: string };
  /** Hexadecimal CBOR to send in place of `encodeRecord(record)`, for faults that a JSON record cannot express. */
  raw?: string;
  /**
   * The octets are not well-formed CBOR, so that a decoder cannot find what follows them in a CBOR sequence: send the line
   * as the last or the only one of its chunk.
   */
  alone?: true;
}

const goods = weights<Goods>([
  ['clothing', 24],
  ['food', 20],
  ['farm_produce', 12],
  ['household', 11],
  ['document', 9],
  ['electronics', 8],
  ['cosmetics', 6],
  ['books', 4],
  ['medicine', 2.5],
  ['machinery', 1.5],
  ['other', 2],
]);

const PHOTO_SHARE = 0.1;
const CORRECTION_SHARE = 0.001;

/**
 * The lines of a day.
 * @throws RangeError when an option is out of its range
 */
export function* generateDay(options: GenerateOptions): Generator<GeneratedLine, void, undefined> {
  const { parcels, bad } = options;
  if (!Number.isSafeInteger(parcels) || parcels < 0) throw new RangeError('parcels is not a count');
  if (!(bad >= 0 && bad <= 1)) throw new RangeError('bad is not a fraction');
  const day = beijingDay(options.day);
  const seed = `${options.city}/${options.seed}`;
  const random = new Prng(seed, day.text, 'day');
  const shares = companyShares(options.city);
  const roll = `${options.seed}/${day.text}`;
  const lastIds = new Map<string, string>();
  let faulty = 0;
  // Where in its stretch of 1 / bad lines each fault stands.
  const phase = random.float();

  for (let index = 0; index < parcels; index++) {
    const company = random.weighted(shares);
    const isFaulty = Math.floor((index + 1) * bad + phase) > faulty;
    const time = intakeTime(random, day, index, parcels);
    if (isFaulty) {
      const fault = FAULTS[faulty++ % FAULTS.length] as Fault;
      yield faultyLine(
        random,
        fault,
        day,
        company,
        parcel(
          random,
          company,
          time,
          waybillOf(index, company),
          plain(random, fault, day, company),
        ),
      );
      continue;
    }
    const record = parcel(
      random,
      company,
      time,
      waybillOf(index, company),
      sending(random, seed, day, company),
    );
    if (random.chance(CORRECTION_SHARE)) {
      const replaced = lastIds.get(company.slug);
      if (replaced) record.replaces = replaced;
    }
    lastIds.set(company.slug, record.id);
    yield { enterprise: company.slug, record };
  }

  function waybillOf(index: number, company: Company): string {
    return waybill(random, company.carrier, index, roll);
  }
}

function parcel(
  random: Prng,
  company: Company,
  time: number,
  number: string,
  from: Sending,
): ParcelRecord {
  const county = destination(random);
  const { text: address, division } = addressIn(random, county);
  const { outlet, ...who } = from;
  const record: ParcelRecord = {
    id: uuidV7(random, time),
    carrier: company.carrier,
    waybill: number,
    takenAt: new Date(time).toISOString(),
    outlet,
    goods: random.weighted(goods),
    ...who,
    recipient: {
      name: recipientName(random),
      phone: recipientPhone(random, county.areaCode),
      address,
      division,
    },
  };
  if (random.chance(PHOTO_SHARE)) {
    record.photos = random.chance(0.7) ? [random.hex(8)] : [random.hex(8), random.hex(8)];
  }
  return record;
}

/** What a fault starts from: a record with nothing else out of the ordinary. */
function plain(random: Prng, fault: Fault, day: Day, company: Company): Sending {
  const outlet = random.pick(company.outlets);
  return fault.from === 'minor' ? minor(random, day, outlet) : resident(random, day, outlet);
}

function faultyLine(
  random: Prng,
  fault: Fault,
  day: Day,
  company: Company,
  record: ParcelRecord,
): GeneratedLine {
  const { code, field, alone } = fault;
  const spoiled = fault.spoil(record, { random, day });
  return {
    enterprise: company.slug,
    record,
    expect:
      field === undefined ? { outcome: 'REFUSED', code } : { outcome: 'REFUSED', code, field },
    ...(spoiled === undefined ? {} : { raw: spoiled }),
    ...(alone ? { alone } : {}),
  };
}
