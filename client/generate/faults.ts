/**
 * Every way in which a record of a stream is refused, as a change to a good record. Of wire/codes.ts only TOO_MANY_RECORDS is
 * left out: it refuses a chunk, not a record.
 */
import type { Refusal } from '../../wire/codes.ts';
import type { ParcelRecord } from '../../wire/record.ts';
import type { Day } from './clock.ts';
import { FIELD_FAULTS } from './faults-fields.ts';
import { SENDER_FAULTS } from './faults-sender.ts';
import { STRUCTURE_FAULTS } from './faults-structure.ts';
import type { Prng } from './prng.ts';

export interface FaultContext {
  random: Prng;
  day: Day;
}

export interface Fault {
  code: Refusal;
  /** Name of the field that the refusal points to, as in FIELDS of wire/record.ts. */
  field?: string;
  /** Not well-formed: see GeneratedLine. */
  alone?: true;
  /** The sender of the record to start from; an adult resident unless told otherwise. */
  from?: 'minor';
  /** Spoils the record in place, or returns the hexadecimal CBOR to send instead of it. */
  spoil(record: ParcelRecord, context: FaultContext): string | undefined;
}

/** A record whose fields may hold anything. */
// biome-ignore lint/suspicious/noExplicitAny: faults break the declared types on purpose
export type Loose = Record<string, any>;

/** All faults in the order of their use: the first of each code, then the others, so that a small day has every code. */
export const FAULTS: readonly Fault[] = firstOfEach([
  ...STRUCTURE_FAULTS,
  ...FIELD_FAULTS,
  ...SENDER_FAULTS,
]);

function firstOfEach(faults: readonly Fault[]): Fault[] {
  const first = faults.filter(
    (fault, index) => faults.findIndex(({ code }) => code === fault.code) === index,
  );
  return [...first, ...faults.filter((fault) => !first.includes(fault))];
}
