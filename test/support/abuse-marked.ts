/** Records of made-up people who stand nowhere else: what is found of them was leaked by whoever got the record. */

import type { Needles } from '../../client/demo/needles.ts';
import { residentCheck } from '../../client/generate/documents.ts';
import type { ParcelRecord } from '../../wire/record.ts';
import { validRecord } from './records.ts';

/** Characters of names, each a digit of a number. */
const HAN = [...'安白冰波才超晨成大丹德东飞芳刚国海昊和红华辉慧佳建杰金静军俊'];

/** A number as Han characters, five of them. */
function han(number: number): string {
  return Array.from(
    { length: 5 },
    (_, i) => HAN[Math.floor(number / HAN.length ** i) % HAN.length],
  ).join('');
}

export interface Marked {
  record: ParcelRecord;
  /** What must not be found: name, phone, document number and addresses, each in no other record. */
  values: string[];
}

/** @param number 0 to 39,999, each once in a run */
export function marked(number: number, changes: Partial<ParcelRecord> = {}): Marked {
  // Spread, so that no value is part of another one's neighbour.
  const spread = (number * 7919) % 1_000_000;
  const digits = String(spread).padStart(6, '0');
  const birth = `19${60 + (Math.floor(number / 1000) % 40)}0${1 + (number % 9)}1${number % 9}`;
  const first17 = `520102${birth}${digits.slice(3)}`;
  const names = [`欧阳${han(2 * spread)}`, `司马${han(2 * spread + 1)}`] as [string, string];
  const phones = [`138${digits}${number % 10}1`, `139${digits}${number % 10}2`] as [string, string];
  const buildings = [
    `${han(3 * spread)}大厦${digits}号`,
    `${han(3 * spread + 1)}公馆${digits}号`,
  ] as [string, string];
  const record = validRecord(Date.now(), {
    waybill: `SF1${String(number).padStart(12, '0')}`,
    sender: {
      docType: 'RESIDENT',
      docNumber: first17 + residentCheck(first17),
      ...{ name: names[0], phone: phones[0], division: '520102' },
      address: `贵州省贵阳市南明区中山东路${buildings[0]}`,
    },
    recipient: {
      ...{ name: names[1], phone: phones[1], division: '440304' },
      address: `广东省深圳市福田区福华一路${buildings[1]}`,
    },
    ...changes,
  });
  const { docNumber = '' } = record.sender ?? {};
  return { record, values: [...names, ...phones, ...buildings, docNumber] };
}

/** Enters values as they are and backwards. */
export function enter(needles: Needles, values: readonly string[]): void {
  for (const value of values) {
    needles.add(value);
    needles.add([...value].reverse().join(''));
  }
}
