/**
 * A parcel record in the words of the domain, and as deterministic CBOR (RFC 8949 4.2.1, docs/record.cddl).
 * The edge decodes records in WebAssembly only; this file is for clients, which write records and read opened ones.
 */
import { encode } from 'cborg';
import { FormatError } from './bytes.ts';
import { CborReader } from './cbor-reader.ts';
import { CborWriter } from './cbor-writer.ts';
import { MAX_RECORD_BYTES } from './limits.ts';

/** Document types (doc-type in the CDDL), with their numbers on the wire. */
export const DOC_TYPES = {
  RESIDENT: 1, // 居民身份证
  RESIDENT_TEMP: 2, // 临时居民身份证
  HMT_RESIDENCE: 3, // 港澳台居民居住证
  FPR: 4, // 外国人永久居留身份证
  HK_MACAO_PERMIT: 5, // 港澳居民来往内地通行证
  TAIWAN_PERMIT: 6, // 台湾居民来往大陆通行证
  PASSPORT_FOREIGN: 7,
  PASSPORT_CN: 8,
  MILITARY: 9, // 军人证件
  ARMED_POLICE: 10, // 武警证件
  USCC: 11, // 统一社会信用代码, an organisation
} as const;

export type DocType = keyof typeof DOC_TYPES;

/** Goods categories, with their numbers on the wire. */
export const GOODS = {
  document: 1,
  clothing: 2,
  food: 3,
  electronics: 4,
  household: 5,
  cosmetics: 6,
  books: 7,
  medicine: 8,
  machinery: 9,
  farm_produce: 10,
  other: 99,
} as const;

export type Goods = keyof typeof GOODS;

export interface Person {
  docType: DocType;
  docNumber: string;
  /** ISO 3166-1 alpha-3; PASSPORT_FOREIGN only. */
  nationality?: string;
  name: string;
  phone: string;
}

export interface Sender extends Person {
  address: string;
  /** Six digits, GB/T 2260. */
  division: string;
  /** The holder of a PASSPORT_CN has settled abroad. */
  settledAbroad?: boolean;
}

/** A sender under a security agreement (快递暂行条例 art. 22). */
export interface Agreement {
  number: string;
  uscc: string;
  phone: string;
  address: string;
  division: string;
}

export interface Recipient {
  name: string;
  phone: string;
  address: string;
  division: string;
}

export interface ParcelRecord {
  /** UUIDv7 in its usual text form. */
  id: string;
  carrier: string;
  waybill: string;
  /** ISO 8601 instant with milliseconds, UTC. */
  takenAt: string;
  outlet: string;
  goods: Goods;
  sender?: Sender;
  agreement?: Agreement;
  guardian?: Person;
  recipient: Recipient;
  /** SHA-256 digests, 64 hex digits each. */
  photos?: string[];
  replaces?: string;
}

/** What a masked view holds: the same shape, with stars; fields that must not be seen are left out. */
export interface MaskedRecord {
  id: string;
  carrier: string;
  waybill: string;
  takenAt: string;
  sender?: Partial<Pick<Sender, 'docType' | 'docNumber' | 'name' | 'phone' | 'address'>>;
  recipient: Pick<Recipient, 'name' | 'phone' | 'address'>;
}

/** Names of the `field` byte of a result: the parent's key in the high four bits, the field's own in the low four. */
export const FIELDS: Readonly<Record<number, string>> = {
  0x00: '',
  0x01: 'id',
  0x02: 'carrier',
  0x03: 'waybill',
  0x04: 'takenAt',
  0x05: 'outlet',
  0x06: 'goods',
  0x07: 'sender',
  0x08: 'agreement',
  0x09: 'token',
  0x0a: 'guardian',
  0x0b: 'recipient',
  0x0c: 'photos',
  0x0d: 'replaces',
  0x71: 'sender.docType',
  0x72: 'sender.docNumber',
  0x73: 'sender.nationality',
  0x74: 'sender.name',
  0x75: 'sender.phone',
  0x76: 'sender.address',
  0x77: 'sender.division',
  0x78: 'sender.settledAbroad',
  0x81: 'agreement.number',
  0x82: 'agreement.uscc',
  0x85: 'agreement.phone',
  0x86: 'agreement.address',
  0x87: 'agreement.division',
  0xa1: 'guardian.docType',
  0xa2: 'guardian.docNumber',
  0xa3: 'guardian.nationality',
  0xa4: 'guardian.name',
  0xa5: 'guardian.phone',
  0xb4: 'recipient.name',
  0xb5: 'recipient.phone',
  0xb6: 'recipient.address',
  0xb7: 'recipient.division',
};

/** Names that stand directly in a record, and those inside of each of its parts. */
const NAMES = new Map<string, Set<string>>();
for (const path of Object.values(FIELDS)) {
  const [name = '', inner] = path.split('.');
  const within = NAMES.get(name) ?? new Set();
  if (inner !== undefined) within.add(inner);
  NAMES.set(name, within);
}

/** The first name in a record's JSON that records do not have, as `sender.nam`; undefined when all are known. */
export function unknownKey(record: object): string | undefined {
  for (const name of Object.keys(record)) {
    const names = NAMES.get(name);
    if (names === undefined) return name;
    const value = (record as Record<string, unknown>)[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    for (const key of Object.keys(value)) if (!names.has(key)) return `${name}.${key}`;
  }
  return undefined;
}

const SCRATCH = new Uint8Array(MAX_RECORD_BYTES);
const writer = new CborWriter(SCRATCH);

/**
 * Encodes a record. Text and numbers go as they are: it is the edge that judges them.
 * @throws RangeError when the record is over MAX_RECORD_BYTES
 * @throws TypeError when a field has a form that CBOR cannot carry (an id that is no UUID, say)
 */
export function encodeRecord(record: ParcelRecord): Uint8Array<ArrayBuffer> {
  return SCRATCH.slice(0, encodeRecordInto(SCRATCH, 0, record));
}

/**
 * The same into a buffer, from `at` on; returns where the record ends.
 * @throws RangeError also when it does not fit; what is behind `at` is then undefined
 */
export function encodeRecordInto(target: Uint8Array, at: number, record: ParcelRecord): number {
  writer.reset(target, at);
  const begun = writer.beginMap();
  putUuid(1, record.id);
  let entries = 2 + put(2, record.carrier) + put(3, record.waybill);
  put(4, instant(record.takenAt));
  entries += put(5, record.outlet) + put(6, GOODS[record.goods]);
  entries += record.sender ? putSender(record.sender) : put(7, record.sender);
  entries += record.agreement ? putAgreement(record.agreement) : put(8, record.agreement);
  entries += record.guardian ? putGuardian(record.guardian) : put(10, record.guardian);
  entries += putRecipient(record.recipient) + putPhotos(record.photos);
  if (record.replaces !== undefined) {
    putUuid(13, record.replaces);
    entries++;
  }
  writer.endMap(begun, entries);
  const end = writer.at;
  if (end - at > MAX_RECORD_BYTES) throw new RangeError('record is over 4,096 octets');
  if (end > target.length) throw new RangeError('no room for the record');
  return end;
}

/** Decodes the CBOR of an opened full view; keys that it does not know are passed over. @throws Error when it is not a record */
export function decodeRecord(bytes: Uint8Array): ParcelRecord {
  return decodeWhole(bytes, RECORD) as unknown as ParcelRecord;
}

/** Decodes the CBOR of an opened masked view likewise. @throws Error when it is not a masked record */
export function decodeMasked(bytes: Uint8Array): MaskedRecord {
  return decodeWhole(bytes, MASKED) as unknown as MaskedRecord;
}

/** Name and reader of each value of a map, at the place of its key. What is read as undefined is left out. */
type Shape = readonly (
  | readonly [name: string, read: (reader: CborReader) => unknown]
  | undefined
)[];

const text = (reader: CborReader) => reader.text();
const uuid = (reader: CborReader) => uuidText(reader.bytes());
const takenAt = (reader: CborReader) => new Date(reader.unsigned()).toISOString();
const division = (reader: CborReader) => String(reader.unsigned()).padStart(6, '0');
const nameIn = (table: Readonly<Record<string, number>>) => {
  const names = new Map(Object.entries(table).map(([name, number]) => [number, name]));
  return (reader: CborReader) => names.get(reader.unsigned());
};
const within = (shape: Shape) => (reader: CborReader) => decodeMap(reader, shape, 2);

const PERSON: Shape = [
  undefined,
  ['docType', nameIn(DOC_TYPES)],
  ['docNumber', text],
  ['nationality', text],
  ['name', text],
  ['phone', text],
];
const SENDER: Shape = [
  ...PERSON,
  ['address', text],
  ['division', division],
  ['settledAbroad', (reader) => reader.boolean()],
];
const AGREEMENT: Shape = [
  undefined,
  ['number', text],
  ['uscc', text],
  ...[undefined, undefined],
  ['phone', text],
  ['address', text],
  ['division', division],
];
const RECIPIENT: Shape = [...[undefined, undefined, undefined, undefined], ...SENDER.slice(4, 8)];
const RECORD: Shape = [
  undefined,
  ['id', uuid],
  ['carrier', text],
  ['waybill', text],
  ['takenAt', takenAt],
  ['outlet', text],
  ['goods', nameIn(GOODS)],
  ['sender', within(SENDER)],
  ['agreement', within(AGREEMENT)],
  undefined,
  ['guardian', within(PERSON)],
  ['recipient', within(RECIPIENT)],
  ['photos', (reader) => Array.from({ length: reader.array() }, () => hexText(reader.bytes()))],
  ['replaces', uuid],
];
const MASKED: Shape = [
  ...RECORD.slice(0, 5),
  ...[undefined, undefined],
  ['sender', within(SENDER.slice(0, 7))],
  ...[undefined, undefined, undefined],
  ['recipient', within(RECIPIENT.slice(0, 7))],
];

function decodeWhole(bytes: Uint8Array, shape: Shape): Record<string, unknown> {
  const reader = new CborReader(bytes);
  const record = decodeMap(reader, shape, 1);
  reader.end();
  if (record.id === undefined || record.takenAt === undefined) throw new FormatError();
  return record;
}

function decodeMap(reader: CborReader, shape: Shape, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  let key = -1;
  for (let entries = reader.map(); entries > 0; entries--) {
    key = reader.key(key);
    const field = shape[key];
    if (field === undefined) {
      reader.skip(depth);
      continue;
    }
    const value = field[1](reader);
    if (value !== undefined) object[field[0]] = value;
  }
  return object;
}

/** Key and value, unless it is undefined; returns how many entries that is. Keys go in ascending order (RFC 8949 4.2.1). */
function put(key: number, value: unknown): number {
  if (value === undefined) return 0;
  writer.unsigned(key);
  if (typeof value === 'string') writer.text(value);
  else if (typeof value === 'boolean') writer.boolean(value);
  else if (Number.isSafeInteger(value) && (value as number) > 0) writer.unsigned(value as number);
  else writer.encoded(encode(value));
  return 1;
}

function putUuid(key: number, text: string): void {
  checkUuid(text);
  writer.unsigned(key);
  writer.hex(text, 32);
}

function putSender(sender: Sender): number {
  writer.unsigned(7);
  const begun = writer.beginMap();
  const entries = putPerson(sender) + put(6, sender.address);
  put(7, divisionCode(sender.division));
  writer.endMap(begun, entries + 1 + put(8, sender.settledAbroad));
  return 1;
}

function putAgreement(agreement: Agreement): number {
  writer.unsigned(8);
  const begun = writer.beginMap();
  const entries = put(1, agreement.number) + put(2, agreement.uscc) + put(5, agreement.phone);
  const address = put(6, agreement.address);
  put(7, divisionCode(agreement.division));
  writer.endMap(begun, entries + address + 1);
  return 1;
}

function putGuardian(guardian: Person): number {
  writer.unsigned(10);
  const begun = writer.beginMap();
  writer.endMap(begun, putPerson(guardian));
  return 1;
}

function putRecipient(recipient: Recipient): number {
  writer.unsigned(11);
  const begun = writer.beginMap();
  const entries = put(4, recipient.name) + put(5, recipient.phone) + put(6, recipient.address);
  put(7, divisionCode(recipient.division));
  writer.endMap(begun, entries + 1);
  return 1;
}

function putPerson(person: Person): number {
  return (
    put(1, DOC_TYPES[person.docType]) +
    put(2, person.docNumber) +
    put(3, person.nationality) +
    put(4, person.name) +
    put(5, person.phone)
  );
}

function putPhotos(photos: readonly string[] | undefined): number {
  if (photos === undefined || photos === null) return put(12, photos);
  const digests = photos.map(checkHex);
  writer.unsigned(12);
  writer.array(digests.length);
  for (const digest of digests) writer.hex(digest, digest.length);
  return 1;
}

function instant(text: string): number {
  // Without its time and zone a text would be taken for another instant than was meant.
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new TypeError('takenAt is not an ISO 8601 instant with its zone');
  return ms;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/;

/** @throws TypeError when it is no number; whether there is such a division is for the edge to judge */
function divisionCode(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError('division is not a number');
  return Number(text);
}

/** The 16 octets of a UUID. @throws TypeError when the text is not one */
export function uuidBytes(text: string): Uint8Array {
  checkUuid(text);
  return Uint8Array.from(text.replaceAll('-', '').match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
}

function checkUuid(text: string): void {
  if (typeof text !== 'string' || !UUID.test(text)) throw new TypeError('not a UUID');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The text form of 16 octets of a UUID. */
export function uuidText(bytes: Uint8Array): string {
  const hex = hexText(bytes);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return `${groups.join('-')}-${hex.slice(20)}`;
}

function checkHex(text: string): string {
  const fits = typeof text === 'string' && /^([0-9a-f]{2})*$/i.test(text);
  if (!fits) throw new TypeError('not hexadecimal');
  return text;
}

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

function hexText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i] as number];
  return text;
}
