/** Lawful erasure: asks the edge to delete records, and checks the receipt that it signs. */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, FormatError } from '../wire/bytes.ts';
import {
  ERASE_TYPE,
  ERASURE_STATE,
  ERASURE_TYPE,
  type ErasureReceipt,
  encodeErase,
  erasureSigningInput,
  parseErasure,
} from '../wire/erase.ts';
import { MAX_ERASE_IDS } from '../wire/limits.ts';
import { uuidText } from '../wire/record.ts';
import { type EdgeClient, readAll } from './edge.ts';
import { EdgeError } from './errors.ts';
import { edgeSigningKey, type TrustedLists, verifyEd25519 } from './recipients.ts';
import type { Identity } from './signing.ts';

export type ErasureState = 'erased' | 'erased_before' | 'not_found';

export interface ErasedItem {
  /** UUID text. */
  id: string;
  state: ErasureState;
  /** ISO 8601; absent when it was not found. */
  erasedAt?: string;
}

/** What one request came to: at most MAX_ERASE_IDS records. */
export interface Erasure {
  /** As the edge signed it: to be kept. */
  receipt: Uint8Array;
  /** ISO 8601, the edge's clock. */
  at: string;
  items: ErasedItem[];
}

/**
 * Erases records of one enterprise. Asking again for the same ids is safe, and shows when they were erased.
 * @param identity of the party that may erase
 * @param enterprise whose records they are, 16 octets
 * @param ids 16 octets each
 * @param onErasure told each request's outcome before the next one is sent, so that no receipt is lost
 * @throws EdgeError, also `bad_answer` for a receipt that is not the edge's for this very request
 * @throws TrustError
 */
export async function eraseRecords(
  edge: EdgeClient,
  identity: Identity,
  enterprise: Uint8Array,
  ids: readonly Uint8Array[],
  onErasure?: (erasure: Erasure) => void,
): Promise<Erasure[]> {
  const erasures: Erasure[] = [];
  for (let at = 0; at < ids.length; at += MAX_ERASE_IDS) {
    const some = ids.slice(at, at + MAX_ERASE_IDS);
    const erasure = await eraseSome(edge, identity, enterprise, some);
    onErasure?.(erasure);
    erasures.push(erasure);
  }
  return erasures;
}

async function eraseSome(
  edge: EdgeClient,
  identity: Identity,
  enterprise: Uint8Array,
  ids: Uint8Array[],
): Promise<Erasure> {
  const { response, signature } = await edge.send({
    method: 'POST',
    path: '/v1/erase',
    headers: { 'content-type': ERASE_TYPE },
    body: encodeErase({ enterprise, ids }),
    answerType: ERASURE_TYPE,
    identity,
  });
  const bytes = await readAll(response);
  await edge.recipients();
  const receipt = verifyErasure(bytes, edge.lists, edge.city);
  const ours =
    receipt !== undefined &&
    equalBytes(receipt.request, sha256(signature)) &&
    equalBytes(receipt.enterprise, enterprise) &&
    receipt.items.length === ids.length &&
    receipt.items.every(({ id }, i) => equalBytes(id, ids[i] as Uint8Array));
  if (!ours) throw new EdgeError('bad_answer', { status: response.status });
  return { receipt: bytes, ...readable(receipt) };
}

/**
 * Checks a receipt that was kept.
 * @param lists recipient lists signed by the root, that of the receipt's time among them
 * @returns undefined unless an edge of the city signed it
 */
export function verifyErasure(
  bytes: Uint8Array,
  lists: TrustedLists,
  city: number,
): ErasureReceipt | undefined {
  const parsed = attempt(() => parseErasure(bytes));
  if (parsed === undefined || parsed.receipt.city !== city) return undefined;
  const { receipt, body, signer, signature } = parsed;
  const signed = lists.all().some(({ list }) => {
    const key = edgeSigningKey(list, signer, city, receipt.atMs);
    return key !== undefined && verifyEd25519(signature, erasureSigningInput(body), key);
  });
  return signed ? receipt : undefined;
}

const STATES: Readonly<Record<number, ErasureState>> = {
  [ERASURE_STATE.ERASED]: 'erased',
  [ERASURE_STATE.ERASED_BEFORE]: 'erased_before',
  [ERASURE_STATE.NOT_FOUND]: 'not_found',
};

function readable({ atMs, items }: ErasureReceipt): Omit<Erasure, 'receipt'> {
  return {
    at: new Date(atMs).toISOString(),
    items: items.map(({ id, state, erasedMs }) => ({
      ...{ id: uuidText(id), state: STATES[state] as ErasureState },
      ...(erasedMs === 0 ? {} : { erasedAt: new Date(erasedMs).toISOString() }),
    })),
  };
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
