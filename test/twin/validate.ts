/** The values of a record in the order of docs/rules.md "Order" 3, in plain TypeScript. */
import {
  REFUSALS,
  type Refusal,
  TRIAL_REFUSALS,
  WARNINGS,
  type Warning,
} from '../../wire/codes.ts';
import { MAX_CHUNK_RECORDS } from '../../wire/limits.ts';
import { readItem } from './cbor.ts';
import { type Bearer, checkAddress, checkDivision, checkName, checkPhone } from './contacts.ts';
import { type DecodedRecord, decodeRecord, type Party, Refused } from './decode.ts';
import { checkDocument, dayInChina, organisation } from './documents.ts';
import {
  encodeMasked,
  type MaskedParty,
  maskAddress,
  maskName,
  maskNumber,
  maskPhone,
} from './mask.ts';
import { ALPHA_2, ALPHA_3, fitsCarrier } from './tables.ts';
import { normalCode, tooLong } from './text.ts';

/** As the module gives it: numbers of the lists of codes; and what the keyed indexes are made over. */
export interface TwinVerdict {
  refusal: number;
  field: number;
  /** Taken all the same, for the city is in trial. */
  flagged: boolean;
  warnings: number;
  masked: Uint8Array;
  canonical?: Canonical;
}

export interface Canonical {
  docType: number;
  /** Undefined when a city in trial took a document that is none. */
  docNumber: string | undefined;
  nationality: string;
  carrier: string;
  waybill: string;
  senderPhone: string;
  recipientPhone: string;
}

const DAY = 24 * 3_600_000;
const AHEAD = 120_000;
const EARLIEST = Date.UTC(2017, 0, 1);
const GOODS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99].map(BigInt);
const PASSPORT_FOREIGN = 7;
const USCC = 11;
const WAYBILL = 3;

/** The whole judgement of one record. @param now milliseconds since 1970 */
export function judgeRecord(bytes: Uint8Array, now: number, trial = false): TwinVerdict {
  try {
    return validate(decodeRecord(bytes), new Checker(now, trial));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refused(error.refusal, error.field);
  }
}

/** What a chunk comes to: a CBOR sequence (RFC 8742), at most 256 records of it. docs/wire-format.md section 4. */
export function judgeSequence(bytes: Uint8Array, now: number, trial = false): TwinVerdict[] {
  const verdicts: TwinVerdict[] = [];
  let at = 0;
  while (at < bytes.length && verdicts.length < MAX_CHUNK_RECORDS) {
    const { length = bytes.length - at, refusal } = readItem(bytes.subarray(at));
    const judged = refusal
      ? refused(refusal)
      : judgeRecord(bytes.subarray(at, at + length), now, trial);
    verdicts.push(judged);
    at += length;
  }
  if (at < bytes.length) verdicts[MAX_CHUNK_RECORDS - 1] = refused('TOO_MANY_RECORDS');
  return verdicts;
}

function refused(refusal: Refusal, field = 0): TwinVerdict {
  return {
    ...{ refusal: REFUSALS[refusal], field, flagged: false },
    ...{ warnings: 0, masked: new Uint8Array(0) },
  };
}

interface CheckedPerson {
  type: number;
  number: string | undefined;
  /** May the number be looked for? */
  indexed: boolean;
  name: string | undefined;
  phone: { canonical: string; shown: string };
  minor: boolean;
}

class Checker {
  readonly now: number;
  readonly today: string;
  readonly #trial: boolean;
  warnings = 0;
  /** The first fault that a city in trial lets pass. */
  passed: Refused | undefined;

  constructor(now: number, trial: boolean) {
    this.now = now;
    this.today = dayInChina(now);
    this.#trial = trial;
  }

  warn(warning: Warning, really: boolean): void {
    if (really) this.warnings |= 1 << WARNINGS[warning];
  }

  refuseIf(wrong: boolean, refusal: Refusal, field: number): void {
    if (!wrong) return;
    const fault = new Refused(refusal, field);
    const overPerson = (TRIAL_REFUSALS as readonly Refusal[]).includes(refusal);
    if (!this.#trial || !overPerson || field === WAYBILL) throw fault;
    this.passed ??= fault;
  }

  /** The value; undefined when it is the name of a refusal that a trial lets pass. */
  taken<T extends object>(value: T | Refusal, field: number): T | undefined {
    if (typeof value !== 'string') return value;
    this.refuseIf(true, value, field);
    return undefined;
  }

  /** The value, unless it is the name of a refusal that no city lets pass. */
  accepted<T extends object>(value: T | Refusal, field: number): T {
    const accepted = this.taken(value, field);
    if (!accepted) throw new TypeError('a refusal that should not pass');
    return accepted;
  }

  code(given: string, pattern: RegExp, refusal: Refusal, field: number): string {
    const code = normalCode(given);
    this.refuseIf(tooLong(given) || !pattern.test(code), refusal, field);
    return code;
  }

  /** RFC 9562 section 5.7: version 7, variant 10. Returns its milliseconds. */
  id(id: Uint8Array, refusal: Refusal, field: number): number {
    this.refuseIf((id[6] as number) >> 4 !== 7 || (id[8] as number) >> 6 !== 2, refusal, field);
    return Number(new DataView(id.buffer, id.byteOffset).getBigUint64(0) >> 16n);
  }

  waybill(given: string, carrier: string): string {
    const number = this.code(given, /^[A-Z0-9-]{6,34}$/, 'BAD_WAYBILL', WAYBILL);
    // UPU S10-12.
    if (/^[A-Z]{2}\d{9}[A-Z]{2}$/.test(number)) {
      const weights = [8, 6, 4, 2, 3, 5, 9, 7];
      const sum = weights.reduce((s, weight, i) => s + weight * Number(number[2 + i]), 0);
      const check = 11 - (sum % 11);
      const expected = check === 10 ? 0 : check === 11 ? 5 : check;
      this.refuseIf(expected !== Number(number[10]), 'BAD_CHECK', WAYBILL);
      this.refuseIf(!ALPHA_2.has(number.slice(11)), 'BAD_COUNTRY', WAYBILL);
    }
    this.warn('WAYBILL_FORM', !fitsCarrier(carrier, number));
    return number;
  }

  phone(given: string, field: number) {
    const phone = this.accepted(checkPhone(given), field);
    this.warn('PHONE_UNALLOCATED', !phone.allocated);
    return phone;
  }

  /** Address and division of a party below `parent`. */
  place(party: { address?: string; division?: bigint }, parent: number): string {
    const { address } = this.accepted(checkAddress(party.address as string), parent | 6);
    const division = checkDivision(party.division as bigint);
    this.refuseIf(division === 'BAD_DIVISION', 'BAD_DIVISION', parent | 7);
    this.warn('DIVISION_UNLISTED', division === 'unlisted');
    return address;
  }

  name(given: string, bearer: Bearer, field: number): string | undefined {
    return this.taken(checkName(given, bearer), field)?.name;
  }

  person(party: Party, parent: number): CheckedPerson {
    const type = Number(party.docType);
    this.refuseIf(type < 1 || type > USCC, 'UNKNOWN_DOC_TYPE', parent | 1);
    const firm = parent === 0xa0 && type === USCC;
    this.refuseIf(firm, 'DOC_NOT_ACCEPTED', parent | 1);
    const { number, birth, indexed } = firm
      ? { number: undefined, birth: undefined, indexed: false }
      : this.document(party, type, parent);
    const minor = isMinor(birth, this.today);
    this.refuseIf(parent === 0xa0 && minor, 'GUARDIAN_REQUIRED', 0xa2);
    const name = this.name(party.name as string, bearer(type), parent | 4);
    const phone = this.phone(party.phone, parent | 5);
    return { type, number, indexed, name, phone, minor };
  }

  document(party: Party, type: number, parent: number) {
    const given = party.docNumber as string;
    const about = { today: this.today, settledAbroad: party.settledAbroad === true };
    let document = this.taken(checkDocument(type, given, about), parent | 2);
    // A passport that is valid but not taken has a good number all the same.
    document ??= goodOtherwise(checkDocument(type, given, { ...about, settledAbroad: true }));
    if (!document) return { number: undefined, birth: undefined, indexed: false };
    for (const warning of document.warnings) this.warn(warning, true);

    const foreign = type === PASSPORT_FOREIGN;
    const { nationality } = party;
    this.refuseIf(foreign && nationality === undefined, 'MISSING_FIELD', parent | 3);
    const wrong = foreign ? !ALPHA_3.has(nationality as string) : nationality !== undefined;
    this.refuseIf(wrong, 'BAD_NATIONALITY', parent | 3);
    // With a nationality that it cannot have, a foreign passport is nobody's.
    const indexed = !(foreign && wrong);
    return { number: document.canonical, birth: document.birth, indexed };
  }
}

function goodOtherwise<T extends object>(verdict: T | Refusal): T | undefined {
  return typeof verdict === 'string' ? undefined : verdict;
}

function bearer(type: number): Bearer {
  if (type === USCC) return 'any';
  return [1, 2, 9, 10].includes(type) ? 'han' : 'person';
}

/** Until the fourteenth birthday by the date in China (PIPL art. 31). */
function isMinor(birth: string | undefined, today: string): boolean {
  return birth !== undefined && Number(today) < Number(birth) + 14_0000;
}

function validate(record: DecodedRecord, checker: Checker): TwinVerdict {
  const { now } = checker;
  const idMs = checker.id(record.id, 'BAD_ID', 1);
  checker.refuseIf(idMs > now + AHEAD, 'ID_FUTURE', 1);
  checker.refuseIf(idMs < now - 8 * DAY, 'ID_TOO_OLD', 1);
  const carrier = checker.code(record.carrier, /^[A-Z0-9]{2,12}$/, 'BAD_CARRIER', 2);
  const waybill = checker.waybill(record.waybill, carrier);
  const { takenAt } = record;
  const takenWhen = takenAt >= BigInt(EARLIEST) && takenAt <= BigInt(now + AHEAD);
  checker.refuseIf(!takenWhen, 'BAD_TAKEN_AT', 4);
  checker.code(record.outlet, /^[A-Z0-9-]{1,32}$/, 'BAD_OUTLET', 5);
  checker.refuseIf(!GOODS.includes(record.goods), 'BAD_GOODS', 6);

  const sender = whoSends(record, checker);
  checker.refuseIf(sender.minor && !record.guardian, 'GUARDIAN_REQUIRED', 0x0a);
  if (record.guardian) checker.person(record.guardian, 0xa0);

  const recipient = record.recipient;
  const name = checker.name(recipient.name as string, 'any', 0xb4);
  const phone = checker.phone(recipient.phone, 0xb5);
  const address = checker.place(recipient, 0xb0);
  if (record.replaces) {
    checker.id(record.replaces, 'BAD_REPLACES', 13);
    checker.refuseIf(Buffer.compare(record.replaces, record.id) === 0, 'BAD_REPLACES', 13);
  }
  const { passed } = checker;
  return {
    ...{ refusal: passed ? REFUSALS[passed.refusal] : 0, field: passed?.field ?? 0 },
    ...{ flagged: passed !== undefined, warnings: checker.warnings },
    masked: encodeMasked({
      ...{ id: record.id, carrier, waybill, takenAt, sender: sender.masked },
      recipient: {
        ...{ name: maskName(name ?? ''), phone: maskPhone(phone.shown) },
        address: maskAddress(address),
      },
    }),
    canonical: { ...sender.canonical, carrier, waybill, recipientPhone: phone.canonical },
  };
}

interface CheckedSender {
  masked: MaskedParty;
  minor: boolean;
  canonical: Pick<Canonical, 'docType' | 'docNumber' | 'nationality' | 'senderPhone'>;
}

function whoSends(record: DecodedRecord, checker: Checker): CheckedSender {
  checker.refuseIf(record.token !== undefined, 'TOKEN_NOT_ACCEPTED', 9);
  if (record.agreement) {
    const { number, uscc, phone: given, ...place } = record.agreement;
    checker.code(number, /^[A-Z0-9-]{4,40}$/, 'BAD_AGREEMENT', 0x81);
    const code = checker.taken(organisation(uscc), 0x82)?.canonical;
    const phone = checker.phone(given, 0x85);
    const masked = { phone: maskPhone(phone.shown), address: checker.place(place, 0x80) };
    return {
      masked: {
        ...{ docType: USCC, docNumber: maskNumber(code ?? '') },
        ...{ ...masked, address: maskAddress(masked.address) },
      },
      minor: false,
      canonical: {
        ...{ docType: USCC, docNumber: code, nationality: '', senderPhone: phone.canonical },
      },
    };
  }
  const given = record.sender as Party;
  const { type, number, indexed, name, phone, minor } = checker.person(given, 0x70);
  const address = checker.place(given, 0x70);
  return {
    masked: {
      ...{ docType: type, docNumber: maskNumber(number ?? '') },
      ...{ name: maskName(name ?? ''), phone: maskPhone(phone.shown) },
      address: maskAddress(address),
    },
    minor,
    canonical: {
      ...{ docType: type, docNumber: indexed ? number : undefined },
      ...{ nationality: given.nationality ?? '', senderPhone: phone.canonical },
    },
  };
}
