/** Lawful erasure (Personal Information Protection Law art. 47): payloads and keyed indexes go, a signed receipt remains. */
import type { ParcelStore } from '../../../db/parcels.ts';
import { concat } from '../../../wire/bytes.ts';
import {
  ERASURE_STATE,
  type EraseRequest,
  encodeErasureBody,
  erasureSigningInput,
  parseErase,
} from '../../../wire/erase.ts';
import { hex, sha256 } from './digest.ts';
import type { Signer } from './ed25519.ts';
import { Failure, fromStore } from './failure.ts';

export interface ErasureParts {
  store: Pick<ParcelStore, 'erase'>;
  signer: Signer;
  city: number;
}

/**
 * Erases records of one enterprise in the city of this edge.
 * @param body wire/erase.ts, encodeErase
 * @param signature octets of the request's signature, which the receipt names
 * @param nowMs the edge's clock
 * @returns the receipt: body ‖ signer ‖ signature. Records that are not there and enterprises that are not known read the same.
 * @throws Failure malformed_request; unavailable, after which nobody knows: the same may be asked for again
 */
export async function erase(
  { store, signer, city }: ErasureParts,
  body: Uint8Array,
  signature: Uint8Array,
  nowMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { enterprise, ids } = parse(body);
  const found = await fromStore(store.erase({ city, enterprise }, ids, nowMs));
  const byId = new Map(found.map((record) => [hex(record.id), record]));
  const receipt = encodeErasureBody({
    ...{ request: await sha256(signature), city, enterprise, atMs: nowMs },
    items: ids.map((id) => {
      const record = byId.get(hex(id));
      if (record === undefined) return { id, state: ERASURE_STATE.NOT_FOUND, erasedMs: 0 };
      const state = record.now ? ERASURE_STATE.ERASED : ERASURE_STATE.ERASED_BEFORE;
      return { id, state, erasedMs: record.erasedMs };
    }),
  });
  return concat(receipt, signer.keyid, await signer.sign(erasureSigningInput(receipt)));
}

function parse(body: Uint8Array): EraseRequest {
  try {
    return parseErase(body);
  } catch {
    throw new Failure('malformed_request');
  }
}
