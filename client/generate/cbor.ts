/** Surgery on the CBOR of a record, for octets that no correct encoder gives out. Results are hexadecimal. */
import { decode, encode } from 'cborg';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';

/** A record, or a map inside it, by its keys on the wire. */
export type WireMap = Map<number, unknown>;

/** An entry of the outer map, each half in its encoding. */
export type WireEntry = [key: Uint8Array, value: Uint8Array];

/** The record re-encoded after `edit` has changed its map. Nested maps are maps as well. */
export function withMap(record: ParcelRecord, edit: (map: WireMap) => void): string {
  const map = decode(encodeRecord(record), { useMaps: true }) as WireMap;
  edit(map);
  return hex(encode(map));
}

/** The record put together again after `edit` has changed its entries. */
export function withEntries(record: ParcelRecord, edit: (entries: WireEntry[]) => void): string {
  const map = decode(encodeRecord(record), { useMaps: true }) as WireMap;
  const entries = [...map].map(([key, value]): WireEntry => [encode(key), encode(value)]);
  edit(entries);
  // Fewer than 24 entries: the count stands in the initial octet (RFC 8949 section 3).
  return hex(
    Uint8Array.of(0xa0 | entries.length, ...entries.flatMap(([key, value]) => [...key, ...value])),
  );
}

/** The record's octets after `edit`, which may return others in their place. */
export function withBytes(record: ParcelRecord, edit: (bytes: Uint8Array) => Uint8Array): string {
  return hex(edit(encodeRecord(record)));
}

/** The entry with this key; it must be there. */
export function entryOf(entries: WireEntry[], key: number): WireEntry {
  const entry = entries.find(([encoded]) => encoded[0] === key);
  if (!entry) throw new RangeError('no such entry');
  return entry;
}

/** The map below this key; it must be there. */
export function inner(map: WireMap, key: number): WireMap {
  return map.get(key) as WireMap;
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
