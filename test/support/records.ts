/** Valid records for tests: all of it made up, with right check digits. */
import type { ParcelRecord } from '../../wire/record.ts';
import { uuidText } from '../../wire/record.ts';

/** A UUIDv7 of `ms`, with random bits otherwise. */
export function recordId(ms: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setUint32(0, Math.floor(ms / 0x1_0000));
  new DataView(bytes.buffer).setUint16(4, ms % 0x1_0000);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return uuidText(bytes);
}

/** A record that every rule accepts at `now`. */
export function validRecord(now: number, changes: Partial<ParcelRecord> = {}): ParcelRecord {
  return {
    id: recordId(now - 1000),
    carrier: 'SF',
    waybill: 'SF1234567890123',
    takenAt: new Date(now - 1000).toISOString(),
    outlet: 'GY-0012',
    goods: 'food',
    sender: {
      docType: 'RESIDENT',
      docNumber: '11010519491231002X',
      name: '买买提·阿卜杜拉',
      phone: '13800138000',
      address: '贵州省贵阳市南明区中山东路12号鸿基大厦3单元1502室',
      division: '520102',
    },
    recipient: {
      name: '欧阳若兰',
      phone: '13912345678',
      address: '广东省深圳市福田区福华一路88号中心商务大厦21层2103室',
      division: '440304',
    },
    ...changes,
  };
}
