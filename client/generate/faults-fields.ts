/** Faults in the id, the time, the waybill and the other fields of the parcel itself. */
import { addressIn } from './addresses.ts';
import { inner, withMap } from './cbor.ts';
import { destination } from './divisions.ts';
import type { Fault } from './faults.ts';
import { set } from './faults-structure.ts';
import { uuidV7 } from './ids.ts';
import { s10CheckDigit } from './waybills.ts';

const MONTH_MS = 30 * 24 * 3_600_000;

export const FIELD_FAULTS: readonly Fault[] = [
  // Version 4 in the place of 7.
  {
    code: 'BAD_ID',
    field: 'id',
    spoil: (record) => set(record, 'id', `${record.id.slice(0, 14)}4${record.id.slice(15)}`),
  },
  // The variant bits of an old UUID (RFC 9562 section 4.1).
  {
    code: 'BAD_ID',
    field: 'id',
    spoil: (record) => set(record, 'id', `${record.id.slice(0, 19)}c${record.id.slice(20)}`),
  },
  {
    code: 'ID_FUTURE',
    field: 'id',
    spoil: (record, { random, day }) => set(record, 'id', uuidV7(random, day.start + MONTH_MS)),
  },
  {
    code: 'ID_TOO_OLD',
    field: 'id',
    spoil: (record, { random, day }) => set(record, 'id', uuidV7(random, day.start - MONTH_MS)),
  },
  // Seconds in the place of milliseconds; the far future.
  {
    code: 'BAD_TAKEN_AT',
    field: 'takenAt',
    spoil: (record) =>
      set(record, 'takenAt', new Date(Math.floor(Date.parse(record.takenAt) / 1000)).toISOString()),
  },
  {
    code: 'BAD_TAKEN_AT',
    field: 'takenAt',
    spoil: (record) => set(record, 'takenAt', '2199-12-31T23:59:59.000Z'),
  },

  { code: 'BAD_CARRIER', field: 'carrier', spoil: (record) => set(record, 'carrier', '顺丰') },
  { code: 'BAD_CARRIER', field: 'carrier', spoil: (record) => set(record, 'carrier', 'S') },
  {
    code: 'BAD_CARRIER',
    field: 'carrier',
    spoil: (record) => set(record, 'carrier', 'GUIYANGCITYEX'),
  },
  {
    code: 'BAD_WAYBILL',
    field: 'waybill',
    spoil: (record) => set(record, 'waybill', `${record.waybill}#2`),
  },
  {
    code: 'BAD_WAYBILL',
    field: 'waybill',
    spoil: (record, { random }) => set(record, 'waybill', random.digits(5)),
  },
  {
    code: 'BAD_WAYBILL',
    field: 'waybill',
    spoil: (record, { random }) =>
      set(record, 'waybill', `77${random.digits(15)}${random.digits(15)}888`),
  },
  // UPU S10: a country that does not exist, and a wrong check digit.
  {
    code: 'BAD_COUNTRY',
    field: 'waybill',
    spoil: (record, { random }) => postal(record, random.digits(8), 0, 'XX'),
  },
  {
    code: 'BAD_CHECK',
    field: 'waybill',
    spoil: (record, { random }) => postal(record, random.digits(8), 1, 'CN'),
  },
  { code: 'BAD_OUTLET', field: 'outlet', spoil: (record) => set(record, 'outlet', '花溪一部') },
  { code: 'BAD_OUTLET', field: 'outlet', spoil: (record) => set(record, 'outlet', '') },
  {
    code: 'BAD_OUTLET',
    field: 'outlet',
    spoil: (record) => set(record, 'outlet', `${record.outlet}${'-001'.repeat(8)}`),
  },
  {
    code: 'BAD_GOODS',
    field: 'goods',
    spoil: (record) => withMap(record, (map) => map.set(6, 100)),
  },
  {
    code: 'BAD_GOODS',
    field: 'goods',
    spoil: (record) => withMap(record, (map) => map.set(6, 70_000)),
  },
  // A digest of 31 octets, five photographs, none.
  {
    code: 'BAD_PHOTO',
    field: 'photos',
    spoil: (record, { random }) => set(record, 'photos', [random.hex(8).slice(2)]),
  },
  {
    code: 'BAD_PHOTO',
    field: 'photos',
    spoil: (record, { random }) =>
      set(
        record,
        'photos',
        Array.from({ length: 5 }, () => random.hex(8)),
      ),
  },
  { code: 'BAD_PHOTO', field: 'photos', spoil: (record) => set(record, 'photos', []) },
  // Version 1 in the place of 7; the record itself.
  {
    code: 'BAD_REPLACES',
    field: 'replaces',
    spoil: (record) => set(record, 'replaces', record.id),
  },
  {
    code: 'BAD_REPLACES',
    field: 'replaces',
    spoil: (record) => set(record, 'replaces', `${record.id.slice(0, 14)}1${record.id.slice(15)}`),
  },

  {
    code: 'BAD_ADDRESS',
    field: 'recipient.address',
    spoil: (record) => set(record.recipient, 'address', '老地方'),
  },
  {
    code: 'BAD_ADDRESS',
    field: 'recipient.address',
    spoil: (record, { random }) =>
      set(
        record.recipient,
        'address',
        addressIn(random, destination(random)).text.repeat(60).slice(0, 240),
      ),
  },
  {
    code: 'BAD_ADDRESS',
    field: 'recipient.address',
    spoil: (record) => set(record.recipient, 'address', `${record.recipient.address}\n转交`),
  },
  {
    code: 'BAD_DIVISION',
    field: 'recipient.division',
    spoil: (record) => set(record.recipient, 'division', record.recipient.division.slice(0, 4)),
  },
  {
    code: 'BAD_DIVISION',
    field: 'recipient.division',
    spoil: (record) => set(record.recipient, 'division', `${record.recipient.division}0`),
  },
  {
    code: 'BAD_DIVISION',
    field: 'recipient.division',
    spoil: (record) => withMap(record, (map) => inner(map, 11).set(7, 0)),
  },
  {
    code: 'BAD_PHONE',
    field: 'recipient.phone',
    spoil: (record, { random }) => set(record.recipient, 'phone', random.digits(3)),
  },
  {
    code: 'BAD_PHONE',
    field: 'recipient.phone',
    spoil: (record) => set(record.recipient, 'phone', '同上'),
  },
  {
    code: 'BAD_NAME',
    field: 'recipient.name',
    spoil: (record) => set(record.recipient, 'name', '王'),
  },
];

function postal(
  record: { carrier: string; waybill: string },
  serial: string,
  off: number,
  country: string,
): undefined {
  record.carrier = 'EMS';
  record.waybill = `EA${serial}${(s10CheckDigit(serial) + off) % 10}${country}`;
}
