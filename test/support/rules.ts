/** Records for the tests of the rules, as CBOR maps so that any part can be wrong, and the verdict of the compiled module. */
import { decode, type EncodeOptions, encode } from 'cborg';
import { checkRecord } from '../../wasm/host/check.ts';
import { refusalName, warningNames } from '../../wire/codes.ts';
import { FIELDS } from '../../wire/record.ts';
import { loadModule } from './wasm.ts';

export type CborMap = Map<number, unknown>;

export const NOW = Date.parse('2026-11-20T08:00:00Z');

export const instance = new WebAssembly.Instance(loadModule(), {});

/** A UUIDv7 of the given time; the rest is fixed. */
export function uuid7(ms: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(ms) << 16n) | 0x7abcn);
  bytes[8] = 0x9f;
  return bytes;
}

export function sender(changes: [number, unknown][] = []): CborMap {
  return changed(
    [
      [1, 1],
      [2, '11010519491231002X'],
      [4, '王建国'],
      [5, '13800138000'],
      [6, '贵州省贵阳市云岩区中山东路12号鸿基大厦3单元1502室'],
      [7, 520103],
    ],
    changes,
  );
}

export function recipient(changes: [number, unknown][] = []): CborMap {
  return changed(
    [
      [4, '李梅'],
      [5, '0851-8123456'],
      [6, '贵阳市南明区阳光小区8-2-301'],
      [7, 520102],
    ],
    changes,
  );
}

export function guardian(changes: [number, unknown][] = []): CborMap {
  return changed(
    [
      [1, 1],
      [2, '520102190402290013'],
      [4, '王大山'],
      [5, '13900139000'],
    ],
    changes,
  );
}

export function agreement(changes: [number, unknown][] = []): CborMap {
  return changed(
    [
      [1, 'AQ-2026-0001'],
      [2, '91520102MA00000078'],
      [5, '0851-8123456'],
      [6, '贵阳市南明区中华南路1号'],
      [7, 520102],
    ],
    changes,
  );
}

/** A valid record with the changes; `undefined` takes a key away. Keys stay in ascending order. */
export function record(changes: [number, unknown][] = []): CborMap {
  return changed(
    [
      [1, uuid7(NOW - 60_000)],
      [2, 'SF'],
      [3, 'SF1234567890123'],
      [4, NOW - 120_000],
      [5, 'GY-NM-001'],
      [6, 1],
      [7, sender()],
      [11, recipient()],
    ],
    changes,
  );
}

/** Encodes as it stands: integers that are numbers, maps in the order of their entries. */
export function cbor(value: unknown): Uint8Array {
  const asGiven: EncodeOptions = { mapSorter: () => 0 };
  return encode(value, asGiven);
}

export interface Named {
  refusal: string;
  field: string;
  warnings: string[];
  masked: CborMap | undefined;
}

/** The module's verdict in words. */
export function judge(value: CborMap | Uint8Array, now = NOW): Named {
  const bytes = value instanceof Uint8Array ? value : cbor(value);
  const verdict = checkRecord(instance, bytes, now);
  const masked =
    verdict.masked.length === 0
      ? undefined
      : (decode(verdict.masked, { useMaps: true }) as CborMap);
  return {
    refusal:
      verdict.refusal === 0 ? '' : (refusalName(verdict.refusal) ?? `unknown ${verdict.refusal}`),
    field: FIELDS[verdict.field] ?? `unknown ${verdict.field}`,
    warnings: warningNames(verdict.warnings),
    masked,
  };
}

/** A field of the masked view: `masked(verdict, 7, 2)` is the sender's number. */
export function maskedField(verdict: Named, party: number, key: number): unknown {
  return (verdict.masked?.get(party) as CborMap | undefined)?.get(key);
}

function changed(entries: [number, unknown][], changes: [number, unknown][]): CborMap {
  const all = new Map([...entries, ...changes]);
  return new Map([...all].filter(([, value]) => value !== undefined).sort(([a], [b]) => a - b));
}
