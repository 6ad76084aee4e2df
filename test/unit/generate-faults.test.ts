import { describe, expect, it } from 'vitest';
import { type GeneratedLine, generateDay } from '../../client/generate/day.ts';
import { FAULTS } from '../../client/generate/faults.ts';
import { REFUSALS } from '../../wire/codes.ts';
import { MAX_CHUNK_BYTES, MAX_RECORD_BYTES } from '../../wire/limits.ts';
import { encodeRecord, FIELDS } from '../../wire/record.ts';

const options = { city: 'guiyang', seed: 'faults', bad: 0.02, day: '2026-11-22' } as const;
const day = [...generateDay({ ...options, parcels: 5_000 })];
const faulty = day.filter(({ expect: expected }) => expected !== undefined);
/** Every fault several times over. */
const dense = [...generateDay({ ...options, parcels: 4 * FAULTS.length, bad: 1 })];

const bytesOf = ({ raw, record }: GeneratedLine) =>
  raw === undefined ? encodeRecord(record) : Uint8Array.from(Buffer.from(raw, 'hex'));
const withCode = (code: string) => dense.filter(({ expect: expected }) => expected?.code === code);

describe('faulty lines', () => {
  it('are as many as asked for, spread over the day', () => {
    expect(Math.abs(faulty.length - 100)).toBeLessThanOrEqual(1);
    const places = day.flatMap(({ expect: expected }, index) => (expected ? [index] : []));
    expect(new Set(places.slice(1).map((place, n) => place - (places[n] ?? 0)))).toEqual(
      new Set([50]),
    );
    expect([...generateDay({ ...options, parcels: 500, bad: 0 })].some((line) => line.expect)).toBe(
      false,
    );
    expect(dense.every((line) => line.expect)).toBe(true);
  });

  it('are of every code but TOO_MANY_RECORDS, in a day of 5,000 as well', () => {
    const codes = Object.keys(REFUSALS)
      .filter((code) => code !== 'TOO_MANY_RECORDS')
      .sort();
    expect([...new Set(FAULTS.map(({ code }) => code))].sort()).toEqual(codes);
    expect([...new Set(faulty.map((line) => line.expect?.code))].sort()).toEqual(codes);
  });

  it('point to fields that exist', () => {
    const names = new Set(Object.values(FIELDS));
    for (const { field } of FAULTS)
      if (field !== undefined) expect(names.has(field), field).toBe(true);
  });

  it('can all be sent: they survive JSON, encode, and fit a chunk', () => {
    for (const line of dense) {
      const read = JSON.parse(JSON.stringify(line)) as GeneratedLine;
      const bytes = bytesOf(read);
      expect(Buffer.from(bytes).equals(Buffer.from(bytesOf(line)))).toBe(true);
      expect(bytes.length).toBeLessThan(MAX_CHUNK_BYTES);
      expect(bytes.length > MAX_RECORD_BYTES).toBe(line.expect?.code === 'RECORD_TOO_LARGE');
    }
  });

  it('stand alone exactly when nobody can tell where they end', () => {
    for (const line of dense) {
      const bytes = bytesOf(line);
      expect(line.alone === true, line.expect?.code).toBe(itemEnd(bytes, 0) !== bytes.length);
      if (line.alone) expect(line.expect?.code).toBe('MALFORMED');
    }
  });

  it('are ids of the future and of long ago seen from the day after', () => {
    const time = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    const now = Date.parse('2026-11-23T12:00:00+08:00');
    for (const { record } of withCode('ID_FUTURE'))
      expect(time(record.id)).toBeGreaterThan(now + 86_400_000);
    for (const { record } of withCode('ID_TOO_OLD'))
      expect(time(record.id)).toBeLessThan(now - 9 * 86_400_000);
  });

  it('hold document numbers given as numbers', () => {
    const numbers = withCode('NOT_STRING');
    expect(numbers.length).toBeGreaterThan(0);
    for (const { record } of numbers) expect(typeof record.sender?.docNumber).toBe('number');
  });

  it('differ from good records only in their fault: the others keep their fields', () => {
    for (const code of ['PLACEHOLDER', 'BAD_PHONE', 'BAD_CHECK', 'BAD_OUTLET'] as const) {
      for (const { record } of withCode(code)) {
        expect(record.recipient.name.length).toBeGreaterThan(1);
        expect(record.takenAt.startsWith('2026-11-2')).toBe(true);
      }
    }
  });
});

/** Where the CBOR item at `start` ends; -1 when it is not well-formed. After the pseudocode of RFC 8949 appendix C. */
function itemEnd(bytes: Uint8Array, start: number, breakable = false): number {
  const initial = bytes[start];
  if (initial === undefined) return -1;
  if (initial === 0xff) return breakable ? start + 1 : -1;
  const major = initial >> 5;
  const info = initial & 31;
  let at = start + 1;
  let argument = info;
  if (info >= 24 && info < 28) {
    const width = 1 << (info - 24);
    if (at + width > bytes.length) return -1;
    argument = bytes.slice(at, at + width).reduce((value, octet) => value * 256 + octet, 0);
    at += width;
  } else if (info === 31 && major === 5) {
    argument = Number.POSITIVE_INFINITY;
  } else if (info >= 24) {
    return -1;
  }
  if (major === 2 || major === 3) return at + argument <= bytes.length ? at + argument : -1;
  const items = major === 4 ? argument : major === 5 ? 2 * argument : major === 6 ? 1 : 0;
  for (let n = 0; n < items; n++) {
    const isBreak = items === Number.POSITIVE_INFINITY && bytes[at] === 0xff;
    at = itemEnd(bytes, at, isBreak);
    if (at === -1 || isBreak) return at;
  }
  return at;
}
