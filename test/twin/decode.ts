/** A plain reading of docs/record.cddl in the order of docs/rules.md "Order" 2: the shape of a record. */
import type { Refusal } from '../../wire/codes.ts';
import { type Item, MAX_RECORD_BYTES, readItem } from './cbor.ts';

export interface Party {
  docType?: bigint;
  docNumber?: string;
  nationality?: string;
  name?: string;
  phone: string;
  address?: string;
  division?: bigint;
  settledAbroad?: boolean;
}

export interface Agreement {
  number: string;
  uscc: string;
  phone: string;
  address: string;
  division: bigint;
}

export interface DecodedRecord {
  id: Uint8Array;
  carrier: string;
  waybill: string;
  takenAt: bigint;
  outlet: string;
  goods: bigint;
  sender?: Party;
  agreement?: Agreement;
  token?: Uint8Array;
  guardian?: Party;
  recipient: Party;
  photos?: Uint8Array[];
  replaces?: Uint8Array;
}

/** Why and where a record is refused: the parent's key in the high four bits, the field's own in the low four. */
export class Refused extends Error {
  readonly refusal: Refusal;
  readonly field: number;

  constructor(refusal: Refusal, field: number) {
    super(refusal);
    this.refusal = refusal;
    this.field = field;
  }
}

type Read = (item: Item, field: number) => unknown;

interface Field {
  name: string;
  read: Read;
  optional?: true;
}

type Shape = Record<number, Field>;

/** Decodes a record that is alone in `bytes`. @throws Refused */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  // Longer than any record: nobody looks at what it is.
  if (bytes.length > MAX_RECORD_BYTES) throw new Refused('RECORD_TOO_LARGE', 0);
  const { length, refusal, item } = readItem(bytes);
  if (length === undefined || refusal === 'MALFORMED') throw new Refused('MALFORMED', 0);
  if (length !== bytes.length) throw new Refused('MALFORMED', 0);
  if (refusal) throw new Refused(refusal, 0);
  return decodeItem(item as Item);
}

/** The shape of an item that is well-formed and deterministic. @throws Refused */
export function decodeItem(item: Item): DecodedRecord {
  return readMap(item, 0, RECORD, whoSends) as unknown as DecodedRecord;
}

const text: Read = (item, field) =>
  item.kind === 'text' ? item.text : refuse('WRONG_TYPE', field);
const uint: Read = (item, field) =>
  item.kind === 'uint' ? item.value : refuse('WRONG_TYPE', field);
const bool: Read = (item, field) =>
  item.kind === 'bool' ? item.value : refuse('WRONG_TYPE', field);

/** A number of a document or an agreement: an integer would have lost its leading zeros. */
const numeral: Read = (item, field) =>
  item.kind === 'uint' || item.kind === 'nint' ? refuse('NOT_STRING', field) : text(item, field);

const bytes =
  (least: number, most = least): Read =>
  (item, field) => {
    if (item.kind !== 'bytes') return refuse('WRONG_TYPE', field);
    const { length } = item.bytes;
    return length < least || length > most ? refuse('BAD_LENGTH', field) : item.bytes;
  };

/** `tstr .size 3` counts octets (RFC 8610 section 3.8.1). */
const alpha3: Read = (item, field) =>
  item.kind === 'text' && item.octets !== 3 ? refuse('BAD_LENGTH', field) : text(item, field);

const photos: Read = (item, field) => {
  if (item.kind !== 'array') return refuse('WRONG_TYPE', field);
  if (item.items.length < 1 || item.items.length > 4) return refuse('BAD_PHOTO', field);
  return item.items.map((digest) => {
    if (digest.kind !== 'bytes') return refuse('WRONG_TYPE', field);
    return digest.bytes.length === 32 ? digest.bytes : refuse('BAD_PHOTO', field);
  });
};

const PERSON: Shape = {
  1: { name: 'docType', read: uint },
  2: { name: 'docNumber', read: numeral },
  3: { name: 'nationality', read: alpha3, optional: true },
  4: { name: 'name', read: text },
  5: { name: 'phone', read: text },
};
const PLACE: Shape = {
  6: { name: 'address', read: text },
  7: { name: 'division', read: uint },
};
const SENDER: Shape = {
  ...PERSON,
  ...PLACE,
  8: { name: 'settledAbroad', read: bool, optional: true },
};
const AGREEMENT: Shape = {
  1: { name: 'number', read: numeral },
  2: { name: 'uscc', read: numeral },
  5: { name: 'phone', read: text },
  ...PLACE,
};
const RECIPIENT: Shape = {
  4: { name: 'name', read: text },
  5: { name: 'phone', read: text },
  ...PLACE,
};

const map =
  (shape: Shape): Read =>
  (item, field) =>
    readMap(item, field, shape);

const RECORD: Shape = {
  1: { name: 'id', read: bytes(16) },
  2: { name: 'carrier', read: text },
  3: { name: 'waybill', read: text },
  4: { name: 'takenAt', read: uint },
  5: { name: 'outlet', read: text },
  6: { name: 'goods', read: uint },
  7: { name: 'sender', read: map(SENDER), optional: true },
  8: { name: 'agreement', read: map(AGREEMENT), optional: true },
  9: { name: 'token', read: bytes(1, 1024), optional: true },
  10: { name: 'guardian', read: map(PERSON), optional: true },
  11: { name: 'recipient', read: map(RECIPIENT) },
  12: { name: 'photos', read: photos, optional: true },
  13: { name: 'replaces', read: bytes(16), optional: true },
};

/** Just one of sender, agreement and token; looked at where key 7 stands in the order. */
function whoSends(key: number, record: Record<string, unknown>): void {
  if (key !== 7) return;
  const given = ['sender', 'agreement', 'token'].filter((name) => record[name] !== undefined);
  if (given.length === 0) refuse('SENDER_REQUIRED', 7);
  if (given.length > 1) refuse('SENDER_AMBIGUOUS', 7);
}

/** The entries in the order of the octets, then what is missing, lowest key first. */
function readMap(
  item: Item,
  field: number,
  shape: Shape,
  alsoAt: (key: number, found: Record<string, unknown>) => void = () => {},
): Record<string, unknown> {
  if (item.kind !== 'map') return refuse('WRONG_TYPE', field);
  const found: Record<string, unknown> = {};
  for (const [key, value] of item.entries) {
    const known = key.kind === 'uint' ? shape[Number(key.value)] : undefined;
    if (known === undefined || key.kind !== 'uint') return refuse('UNKNOWN_FIELD', field);
    found[known.name] = known.read(value, within(field, Number(key.value)));
  }
  for (const [key, { name, optional }] of Object.entries(shape)) {
    if (!optional && found[name] === undefined) {
      refuse('MISSING_FIELD', within(field, Number(key)));
    }
    alsoAt(Number(key), found);
  }
  return found;
}

function within(parent: number, key: number): number {
  return (parent << 4) | key;
}

function refuse(refusal: Refusal, field: number): never {
  throw new Refused(refusal, field);
}
