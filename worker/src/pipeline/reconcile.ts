/** Daily reconciliation: count and digest of the ids that an enterprise has in the store, signed like the end of a pull. */
import type { ParcelStore } from '../../../db/parcels.ts';
import { VIEW_MASKED } from '../../../wire/parcel.ts';
import { encodeFrame, FRAME } from '../../../wire/pull.ts';
import { encodeDay, ID_BYTES } from '../../../wire/reconcile.ts';
import { sha256 } from './digest.ts';
import { ended, type PullParts } from './pull.ts';

export interface ReconcileParts extends Pick<PullParts, 'signer' | 'city'> {
  store: Pick<ParcelStore, 'ids'>;
}

export interface ReconcileRequest {
  /** From the credential alone, 16 octets. */
  enterprise: Uint8Array;
  /** Days since 1970-01-01 UTC. */
  day: number;
  /** Send the ids too. */
  ids: boolean;
  nowMs: number;
  /** Octets of the request's signature, which the signed end names. */
  signature: Uint8Array;
}

/**
 * Starts an answer.
 * @returns the frames; when reading fails on the way they end without an END frame
 */
export async function reconcile(
  parts: ReconcileParts,
  request: ReconcileRequest,
): Promise<AsyncGenerator<Uint8Array>> {
  const hash = await sha256(request.signature);
  return ended(parts, hash, VIEW_MASKED, () => frames(parts, request));
}

async function* frames(
  { store, city }: ReconcileParts,
  { enterprise, day, ids, nowMs }: ReconcileRequest,
): AsyncGenerator<Uint8Array> {
  const digest = new crypto.DigestStream('SHA-256');
  const digesting = digest.getWriter();
  let count = 0;
  for await (const block of store.ids({ city, enterprise }, day)) {
    await digesting.write(block);
    count += block.length / ID_BYTES;
    if (ids) yield encodeFrame(FRAME.IDS, block);
  }
  await digesting.close();
  const statement = {
    ...{ enterprise, day, asOfMs: nowMs, count },
    digest: new Uint8Array(await digest.digest),
  };
  yield encodeFrame(FRAME.DAY, encodeDay(statement));
}
