/** Random batches of the right shapes: what the module would make, without its cryptography. */
import { packBatch } from '../../wire/batch.ts';
import { concat, u16, u32, u64 } from '../../wire/bytes.ts';
import { encodeEpoch, encodeParams } from '../../wire/epoch.ts';
import { BUCKETS, PARCEL_MAGIC, RECORD_SCHEMA, VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';

/** `length` random octets. */
export function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Version 7 (RFC 9562 section 5.7), 16 octets. */
export function uuidv7(ms = Date.now()): Uint8Array {
  const id = concat(u64(ms).subarray(2), random(10));
  id[6] = 0x70 | ((id[6] as number) & 0x0f);
  id[8] = 0x80 | ((id[8] as number) & 0x3f);
  return id;
}

export interface TestRecord {
  id: Uint8Array;
  contentTag: Uint8Array;
  indexVersion: number;
  warnings: number;
  trialCode: number;
  /** Four of 16 octets. */
  indexes: Uint8Array[];
  /** Is there a masked view? */
  masked: boolean;
}

export function makeRecord(given: Partial<TestRecord> = {}): TestRecord {
  return {
    ...{ id: uuidv7(), contentTag: random(16), indexVersion: 1, warnings: 0, masked: true },
    trialCode: 0,
    indexes: [random(16), random(16), random(16), random(16)],
    ...given,
  };
}

export function makeRecords(count: number): TestRecord[] {
  return Array.from({ length: count }, () => makeRecord());
}

/** An epoch header with random wraps and signature. */
export function makeEpoch(
  city: number,
  epoch: Uint8Array,
  audience: Uint8Array = new Uint8Array(16),
): Uint8Array {
  const params = encodeParams({
    ...{ view: audience.some(Boolean) ? VIEW_MASKED : VIEW_FULL, epoch, audience, city },
    ...{ startMs: 0, endMs: 900_000, listVersion: 1, listHash: random(32) },
  });
  const wrap = concat(random(32), u16(80), random(80));
  return encodeEpoch(params, random(32), wrap, random(32), random(64));
}

/** One enterprise in one city with its epochs: packs records into batches. */
export class Packer {
  readonly city: number;
  readonly enterprise: Uint8Array;
  readonly #fullEpoch = random(16);
  readonly #maskedEpoch = random(16);
  /** Headers of its epochs. */
  readonly epochs: Uint8Array[];
  #sequence = 0;

  constructor(city: number, enterprise: Uint8Array) {
    this.city = city;
    this.enterprise = enterprise;
    this.epochs = [
      makeEpoch(city, this.#fullEpoch),
      makeEpoch(city, this.#maskedEpoch, enterprise),
    ];
  }

  /** A packed batch (wire/batch.ts), and the parcels in it. */
  pack(records: readonly TestRecord[]) {
    const full = records.map((record) => this.#parcel(record, VIEW_FULL));
    const masked = records.map((record) =>
      record.masked ? this.#parcel(record, VIEW_MASKED) : new Uint8Array(0),
    );
    const anyMasked = records.some((record) => record.masked);
    const batch = packBatch(
      {
        ...{ city: this.city, enterprise: this.enterprise, acceptedMs: Date.now() },
        fullEpoch: this.#fullEpoch,
        maskedEpoch: anyMasked ? this.#maskedEpoch : new Uint8Array(16),
        ruleset: 20261101,
      },
      records.map((record, i) => {
        return { ...record, full: full[i] as Uint8Array, masked: masked[i] as Uint8Array };
      }),
    );
    return { batch, full, masked };
  }

  #parcel(record: TestRecord, view: number): Uint8Array {
    const bucket = view === VIEW_FULL ? 1 : 0;
    return concat(
      PARCEL_MAGIC,
      u16(3),
      u16(RECORD_SCHEMA),
      Uint8Array.of(view, bucket),
      view === VIEW_FULL ? this.#fullEpoch : this.#maskedEpoch,
      u64(this.#sequence++),
      this.enterprise,
      record.id,
      u64(Date.now()),
      u32(this.city),
      u16(record.indexVersion),
      ...(view === VIEW_FULL ? record.indexes : []),
      random((BUCKETS[bucket] as number) + 16),
    );
  }
}
