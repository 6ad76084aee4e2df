/** Lookups by keyed index: the edge learns that somebody asks for an index, never for whom. */
import { MAX_LOOKUP_INDEXES, MAX_LOOKUP_ROWS } from '../../../wire/limits.ts';
import { parseParcel, VIEW_FULL } from '../../../wire/parcel.ts';
import { encodeFrame, encodeParcels, FRAME, type Lookup, parseLookup } from '../../../wire/pull.ts';
import { hex, sha256 } from './digest.ts';
import { Failure, fromStore } from './failure.ts';
import { LOOKUP_FRAME_BYTES } from './limits.ts';
import { ended, epochFrames, type PullParts, type Tally } from './pull.ts';

/**
 * Finds full parcels by their keyed indexes, in the city of this edge.
 * @param body wire/pull.ts, encodeLookup
 * @param signature octets of the request's signature, which the signed end names
 * @throws Failure malformed_request, unavailable
 */
export async function lookup(
  parts: PullParts,
  body: Uint8Array,
  signature: Uint8Array,
): Promise<AsyncGenerator<Uint8Array>> {
  const { indexes, fromDay, toDay } = parse(body);
  const { store, city } = parts;
  const asked = store.find({ city }, indexes, fromDay, toDay, MAX_LOOKUP_ROWS);
  const parcels = await fromStore(asked);
  return ended(parts, await sha256(signature), VIEW_FULL, (tally) => found(store, parcels, tally));
}

async function* found(
  store: PullParts['store'],
  parcels: readonly Uint8Array[],
  tally: Tally,
): AsyncGenerator<Uint8Array> {
  tally.rows = parcels.length;
  tally.more = parcels.length >= MAX_LOOKUP_ROWS;
  const epochs = new Map(parcels.map(parseParcel).map(({ epoch }) => [hex(epoch), epoch]));
  yield* epochFrames(store, [...epochs.values()], VIEW_FULL, new Set());
  for (const group of groups(parcels)) yield encodeFrame(FRAME.PARCELS, encodeParcels(group));
}

function* groups(parcels: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let size = 0;
  for (const parcel of parcels) {
    group.push(parcel);
    size += parcel.length;
    if (size < LOOKUP_FRAME_BYTES) continue;
    yield group;
    [group, size] = [[], 0];
  }
  if (group.length > 0) yield group;
}

function parse(body: Uint8Array): Lookup {
  const asked = attempt(() => parseLookup(body));
  if (asked === undefined || asked.fromDay > asked.toDay) throw new Failure('malformed_request');
  if (asked.indexes.length === 0 || asked.indexes.length > MAX_LOOKUP_INDEXES) {
    throw new Failure('malformed_request');
  }
  return asked;
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
