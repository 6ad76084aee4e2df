/**
 * Lawful erasure: which records are to go, and the receipt of what became of each. The receipt is signed by the edge and
 * outlives what it tells of.
 */
import { concat, FormatError, Reader, u32, u64, utf8 } from './bytes.ts';
import { MAX_ERASE_IDS } from './limits.ts';

export const ERASE_TYPE = 'application/sealpost-erase';
export const ERASURE_TYPE = 'application/sealpost-erasure';

export interface EraseRequest {
  /** Whose records they are, 16 octets. */
  enterprise: Uint8Array;
  /** Record ids, 16 octets each, at least one. */
  ids: Uint8Array[];
}

/** What became of a record: the state in an erasure's receipt. */
export const ERASURE_STATE = {
  /** Its payload was deleted by this request. */
  ERASED: 1,
  /** By an earlier one. */
  ERASED_BEFORE: 2,
  /** No such record of this enterprise in this city: never stored, or somebody else's, which is not told apart. */
  NOT_FOUND: 3,
} as const;

export interface ErasureItem {
  id: Uint8Array;
  state: number;
  /** When its payload was deleted, ms since 1970; 0 when it was not found. */
  erasedMs: number;
}

export interface ErasureReceipt {
  /** SHA-256 of the request's signature. */
  request: Uint8Array;
  city: number;
  enterprise: Uint8Array;
  /** The edge's clock, ms since 1970. */
  atMs: number;
  /** One for each id asked for, in the same order. */
  items: ErasureItem[];
}

const REQUEST_MAGIC = utf8('SPD1');
const RECEIPT_MAGIC = utf8('SPR1');
const RECEIPT_SIGN_LABEL = 'sealpost erasure v1';
const ID_BYTES = 16;

/** Octets of the largest request. */
export const MAX_ERASE_BYTES = REQUEST_MAGIC.length + ID_BYTES + MAX_ERASE_IDS * ID_BYTES;

/** "SPD1" ‖ enterprise (16) ‖ ids (16 each) */
export function encodeErase({ enterprise, ids }: EraseRequest): Uint8Array<ArrayBuffer> {
  return concat(REQUEST_MAGIC, enterprise, ...ids);
}

/** @throws FormatError, also for no id, and for more than MAX_ERASE_IDS */
export function parseErase(bytes: Uint8Array): EraseRequest {
  const reader = new Reader(bytes);
  reader.expect(REQUEST_MAGIC);
  const enterprise = reader.bytes(ID_BYTES);
  const ids: Uint8Array[] = [];
  while (reader.left > 0) ids.push(reader.bytes(ID_BYTES));
  if (ids.length === 0 || ids.length > MAX_ERASE_IDS) throw new FormatError();
  return { enterprise, ids };
}

/**
 * The receipt without signer and signature: "SPR1" ‖ request (32) ‖ city (4) ‖ enterprise (16) ‖ at (8) ‖ count (4)
 * ‖ count × (id (16) ‖ state (1) ‖ erased (8))
 */
export function encodeErasureBody(receipt: ErasureReceipt): Uint8Array {
  return concat(
    RECEIPT_MAGIC,
    receipt.request,
    u32(receipt.city),
    receipt.enterprise,
    u64(receipt.atMs),
    u32(receipt.items.length),
    ...receipt.items.map(({ id, state, erasedMs }) =>
      concat(id, Uint8Array.of(state), u64(erasedMs)),
    ),
  );
}

/** What the edge signs, given the body. */
export function erasureSigningInput(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(RECEIPT_SIGN_LABEL), Uint8Array.of(0), body);
}

/** Takes a receipt apart: body ‖ signer (32) ‖ Ed25519 signature (64). @throws FormatError */
export function parseErasure(bytes: Uint8Array): {
  receipt: ErasureReceipt;
  body: Uint8Array;
  signer: Uint8Array;
  signature: Uint8Array;
} {
  const reader = new Reader(bytes);
  reader.expect(RECEIPT_MAGIC);
  const receipt: ErasureReceipt = {
    request: reader.bytes(32),
    city: reader.u32(),
    enterprise: reader.bytes(ID_BYTES),
    atMs: reader.u64(),
    items: [],
  };
  for (let count = reader.u32(); count > 0; count--) {
    const item = { id: reader.bytes(ID_BYTES), state: reader.u8(), erasedMs: reader.u64() };
    if (item.state < ERASURE_STATE.ERASED || item.state > ERASURE_STATE.NOT_FOUND) {
      throw new FormatError();
    }
    receipt.items.push(item);
  }
  const body = bytes.subarray(0, bytes.length - reader.left);
  const [signer, signature] = [reader.bytes(32), reader.bytes(64)];
  reader.end();
  return { receipt, body, signer, signature };
}
