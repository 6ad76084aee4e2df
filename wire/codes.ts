/**
 * The one list of codes a record can be refused or flagged with.
 * Numbers are part of the wire format: never reuse one. `npm run gen` writes them out for the WebAssembly module
 * (`wasm/assembly/codes.gen.ts`), so that both sides always agree.
 */

/**
 * Why a record was refused: the `code` of a result, two bytes on the wire. Beside another outcome than REFUSED: why it would
 * have been, had the city not been in trial. 0 means neither.
 */
export const REFUSALS = {
  // Structure (RFC 8949 and docs/record.cddl)
  MALFORMED: 1, // not well-formed CBOR, or invalid UTF-8
  NOT_CANONICAL: 2, // well-formed, but not deterministic (RFC 8949 4.2.1), or with floats, tags, deep nesting
  RECORD_TOO_LARGE: 3, // over MAX_RECORD_BYTES
  MISSING_FIELD: 4,
  UNKNOWN_FIELD: 5,
  WRONG_TYPE: 6,
  NOT_STRING: 7, // a document number given as a number: leading zeros would be lost
  BAD_LENGTH: 8,
  TOO_MANY_RECORDS: 9, // more than MAX_CHUNK_RECORDS in one chunk

  // Identity and time of the record
  BAD_ID: 10, // not a UUIDv7 (RFC 9562 5.7)
  ID_FUTURE: 11,
  ID_TOO_OLD: 12,
  BAD_TAKEN_AT: 13,

  // Documents
  UNKNOWN_DOC_TYPE: 20,
  BAD_FORM: 21,
  BAD_CHECK: 22,
  BAD_DATE: 23,
  BAD_AREA: 24,
  FIRST_GEN: 25, // first-generation 15-digit number, ended on 2013-01-01
  TYPE_MISMATCH: 26,
  BAD_NATIONALITY: 27,
  DOC_NOT_ACCEPTED: 28,
  BAD_ORG_CHECK: 29,

  // Names, phones, addresses
  BAD_NAME: 30,
  PLACEHOLDER: 31,
  BAD_PHONE: 32,
  IOT_NOT_CONTACT: 33,
  BAD_ADDRESS: 34,
  BAD_DIVISION: 35,

  // Waybill and the rest of the parcel
  BAD_CARRIER: 40,
  BAD_WAYBILL: 41,
  BAD_COUNTRY: 42,
  BAD_OUTLET: 43,
  BAD_GOODS: 44,
  BAD_PHOTO: 45,
  BAD_REPLACES: 46,

  // Who sends
  SENDER_REQUIRED: 50, // none of sender, agreement, token
  SENDER_AMBIGUOUS: 51, // more than one of them
  GUARDIAN_REQUIRED: 52, // sender under 14 (PIPL art. 31)
  BAD_AGREEMENT: 53,
  TOKEN_NOT_ACCEPTED: 54, // sender tokens are not open at this edge
} as const;

/** What a stored record was flagged with: bits of the `warnings` word of a result. */
export const WARNINGS = {
  AREA_UNLISTED: 0, // the county code is in no table
  AREA_RETIRED: 1, // the county code is historic
  PHONE_UNALLOCATED: 2, // well-formed mobile number outside the MIIT allocations
  WAYBILL_FORM: 3, // the number does not look like the carrier's
  DIVISION_UNLISTED: 4, // the address' division code is in no table
} as const;

export type Refusal = keyof typeof REFUSALS;

/**
 * Refusals over who somebody is. A city in trial stores such a record with its code (docs/rules.md, "City phases");
 * everything else is refused in every phase. `npm run gen` writes the set out for the module.
 */
export const TRIAL_REFUSALS = [
  ...['BAD_FORM', 'BAD_CHECK', 'BAD_DATE', 'BAD_AREA', 'FIRST_GEN', 'TYPE_MISMATCH'],
  ...['BAD_NATIONALITY', 'DOC_NOT_ACCEPTED', 'BAD_ORG_CHECK'],
  ...['BAD_NAME', 'PLACEHOLDER', 'GUARDIAN_REQUIRED'],
] as const satisfies readonly (keyof typeof REFUSALS)[];
export type Warning = keyof typeof WARNINGS;

/** What became of a record: the `outcome` byte of a result. */
export const OUTCOMES = {
  STORED: 1, // durable
  DUPLICATE: 2, // the same record was durable before
  CONFLICT: 3, // another record with this id is kept
  REFUSED: 4, // see code and field
  RETRY: 5, // not stored; send it again
  CHECKED: 6, // a dry run: it would be taken; nothing was stored
} as const;

export type Outcome = keyof typeof OUTCOMES;

/** Name of a refusal code; undefined when the code is unknown to this version. */
export function refusalName(code: number): Refusal | undefined {
  return REFUSAL_NAMES.get(code);
}

/** Name of an outcome byte; undefined when unknown to this version. */
export function outcomeName(outcome: number): Outcome | undefined {
  return OUTCOME_NAMES.get(outcome);
}

/** Names of the bits set in a warnings word, lowest first. */
export function warningNames(bits: number): Warning[] {
  return (Object.keys(WARNINGS) as Warning[]).filter((name) => (bits >>> WARNINGS[name]) & 1);
}

const REFUSAL_NAMES = new Map<number, Refusal>(
  Object.entries(REFUSALS).map(([name, code]) => [code, name as Refusal]),
);
const OUTCOME_NAMES = new Map<number, Outcome>(
  Object.entries(OUTCOMES).map(([name, code]) => [code, name as Outcome]),
);
