/** Records of a generated day, all of them acceptable. */
import { type GenerateOptions, generateDay } from '../../client/generate/day.ts';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';

/** A day that never changes, for whatever does not meet a clock, and a moment right after it. */
export const FIXED_DAY = '2026-11-02';
export const FIXED_NOW = Date.parse('2026-11-02T16:00:00Z');

/** The same seed everywhere: whoever repeats a benchmark has the same records. */
const SEED = 'bench';

/** One record a line. */
export function* records(count: number, day: string = FIXED_DAY): Generator<ParcelRecord> {
  const options: GenerateOptions = { city: 'guiyang', parcels: count, seed: SEED, bad: 0, day };
  for (const { record } of generateDay(options)) yield record;
}

/** Text that ends an address: what couriers are told, cut to the octets that are wanted. */
const REMARK =
  '（请放在小区东门快递柜，送货前先打电话，家中无人时交给楼下物业值班人员代收，谢谢）'.repeat(4);

/**
 * The record's CBOR made exactly `length` octets long by its recipient's address.
 * @returns undefined when it is too long already
 */
export function paddedRecord(record: ParcelRecord, length: number): Uint8Array | undefined {
  let { address } = record.recipient;
  const encode = () => encodeRecord({ ...record, recipient: { ...record.recipient, address } });
  // The head of the text may grow by an octet or two with it, so what is missing is asked again.
  for (let attempt = 0; attempt < 4; attempt++) {
    const cbor = encode();
    const missing = length - cbor.length;
    if (missing === 0) return cbor;
    if (missing < 0) return undefined;
    address += REMARK.slice(0, Math.floor(missing / 3)) + '1'.repeat(missing % 3);
    if (encode().length > length) address = address.slice(0, -1);
  }
  return undefined;
}
