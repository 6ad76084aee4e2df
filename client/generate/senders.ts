/**
 * Who sends: occasional senders, regular ones (shops that come back every day), and customers under a security agreement.
 * Regulars and customers are functions of seed, company and rank, so that they recur without being kept in memory.
 */
import type { Agreement, ParcelRecord, Person, Sender } from '../../wire/record.ts';
import { guiyangAddress, guiyangDistrict } from './addresses.ts';
import { birthDate, type Day } from './clock.ts';
import { type Company, outletDistrict } from './companies.ts';
import { uscc } from './documents.ts';
import { surname } from './names.ts';
import { documentType, holder } from './people.ts';
import { organisationPhone, personPhone } from './phones.ts';
import { Prng } from './prng.ts';

/** The part of a record that says who sends, and at which outlet. */
export type Sending = Pick<ParcelRecord, 'outlet' | 'sender' | 'agreement' | 'guardian'>;

const AGREEMENT_SHARE = 0.2;
const REGULAR_SHARE = 0.35;
const MINOR_SHARE = 0.004;

/** Draws who sends the next parcel of a company. */
export function sending(random: Prng, seed: string, day: Day, company: Company): Sending {
  const kind = random.float();
  if (kind < AGREEMENT_SHARE) {
    return customer(seed, day, company, random.rank(Math.ceil(company.couriers / 8)));
  }
  if (kind < AGREEMENT_SHARE + REGULAR_SHARE) {
    return regular(seed, company, random.rank(company.couriers * 3));
  }
  const outlet = random.pick(company.outlets);
  return random.chance(MINOR_SHARE) ? minor(random, day, outlet) : occasional(random, day, outlet);
}

/** An adult with any of the documents. */
function occasional(random: Prng, day: Day, outlet: string): Sending {
  const docType = documentType(random);
  const birth = birthDate(random, day, 15, random.chance(0.85) ? 50 : 85);
  const phone = docType === 'USCC' ? organisationPhone(random) : personPhone(random, '0851');
  return { outlet, sender: { ...holder(random, docType, birth), phone, ...home(random, outlet) } };
}

/** An adult with a resident card who has not sent before. */
export function resident(random: Prng, day: Day, outlet: string): Sending & { sender: Sender } {
  const person = holder(random, 'RESIDENT', birthDate(random, day, 15, 60));
  return {
    outlet,
    sender: { ...person, phone: personPhone(random, '0851'), ...home(random, outlet) },
  };
}

/** A child with a guardian's document beside its own (PIPL art. 31): the record needs both under 14. */
export function minor(
  random: Prng,
  day: Day,
  outlet: string,
): Sending & { sender: Sender; guardian: Person } {
  const family = surname(random);
  const child = holder(random, 'RESIDENT', birthDate(random, day, 7, 13.9), family);
  const parent = holder(random, 'RESIDENT', birthDate(random, day, 34, 50), family);
  const phone = personPhone(random, '0851');
  return {
    outlet,
    sender: { ...child, phone, ...home(random, outlet) },
    guardian: { ...parent, phone },
  };
}

/** A shop or stall, registered by its owner's card or, a quarter of them, by its credit code. */
function regular(seed: string, company: Company, rank: number): Sending {
  const random = new Prng(seed, 'regular', company.slug, rank);
  const outlet = random.pick(company.outlets);
  const isOrganisation = random.chance(0.25);
  const birth = `${random.between(1962, 2004)}${String(random.between(1, 12)).padStart(2, '0')}${String(random.between(1, 28)).padStart(2, '0')}`;
  const person = holder(random, isOrganisation ? 'USCC' : 'RESIDENT', birth);
  const phone = isOrganisation ? organisationPhone(random) : personPhone(random, '0851');
  return { outlet, sender: { ...person, phone, ...home(random, outlet) } };
}

/** A customer under a security agreement: agreement number and credit code in place of a document (快递暂行条例 art. 22). */
export function customer(
  seed: string,
  day: Day,
  company: Company,
  rank: number,
): Sending & { agreement: Agreement } {
  const random = new Prng(seed, 'customer', company.slug, rank);
  const outlet = random.pick(company.outlets);
  const year = Number(day.text.slice(0, 4)) - random.int(2);
  const number = `AQ-GY-${year}-${company.slug.replace('-', '').toUpperCase()}-${random.digits(5)}`;
  return {
    outlet,
    agreement: {
      number,
      uscc: uscc(random),
      phone: organisationPhone(random),
      ...home(random, outlet),
    },
  };
}

/** An address near the outlet, mostly in its own district. */
function home(random: Prng, outlet: string): Pick<Sender, 'address' | 'division'> {
  const district = random.chance(0.88) ? outletDistrict(outlet) : guiyangDistrict(random);
  const { text, division } = guiyangAddress(random, district);
  return { address: text, division };
}
