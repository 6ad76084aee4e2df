/** The spine: sealed bytes of a registered party in, a durable row and a sealed answer out. */
import type { OpenedSingle, Session } from '../../../wasm/host/session.ts';
import { parseResults } from '../../../wire/answer.ts';
import { parseBatchHead } from '../../../wire/batch.ts';
import { OUTCOMES } from '../../../wire/codes.ts';
import {
  AEAD_CHACHA20_POLY1305,
  ENC_BYTES,
  HDR_BYTES,
  KDF_SHA256,
  KEM_X25519,
  parseHeader,
} from '../../../wire/envelope.ts';
import { MAX_RECORD_BYTES, TAG_BYTES } from '../../../wire/limits.ts';
import type { EpochKeeper } from './epochs.ts';
import { Failure } from './failure.ts';
import type { InFlight } from './in-flight.ts';

/** Octets of hdr ‖ enc, which the signature covers. */
export const ENCAPSULATION_BYTES = HDR_BYTES + ENC_BYTES;

/**
 * Hands a batch to the writer of an enterprise; one outcome per record, durable when it returns.
 * @throws Failure store_full or unavailable; then it may or may not have been stored
 */
export type Append = (
  enterprise: Uint8Array,
  epochs: Uint8Array[],
  batch: Uint8Array,
) => Promise<Uint8Array>;

export interface Ingest {
  session: Session;
  epochs: EpochKeeper;
  append: Append;
  inFlight: InFlight;
  clock: () => number;
}

export interface SealedAnswer {
  /** Byte of OUTCOMES: STORED, DUPLICATE, CONFLICT, REFUSED or CHECKED. */
  outcome: number;
  /** Sealed to the sender: response nonce ‖ ciphertext. */
  body: Uint8Array;
}

/**
 * Takes in one submission: hdr ‖ enc ‖ ciphertext.
 * @param enterprise the party whose signature was verified, 16 octets
 * @param dryRun judge and mask it, store nothing
 * @throws Failure unsupported_suite, too_large, unknown_key, decrypt_failed, no_recipient, store_full, unavailable
 */
export async function ingestSingle(
  ingest: Ingest,
  enterprise: Uint8Array,
  body: Uint8Array,
  dryRun = false,
): Promise<SealedAnswer> {
  checkSuite(body);
  if (body.length > ENCAPSULATION_BYTES + MAX_RECORD_BYTES + TAG_BYTES) {
    throw new Failure('too_large');
  }
  const { session, epochs, inFlight, clock } = ingest;
  if (inFlight.full) throw new Failure('unavailable');
  const release = inFlight.take(body.length);
  try {
    const opened = await epochs.sealing(enterprise, clock, dryRun, (party, now) =>
      session.openSingle(body, party, now),
    );
    return answer(session, opened, await commit(ingest, enterprise, opened.batch));
  } finally {
    release();
  }
}

function answer(session: Session, opened: OpenedSingle, outcomes: Uint8Array): SealedAnswer {
  // Nothing to store: the module's own outcome is the last word.
  const outcome = outcomes[0] ?? parseResults(opened.drafts)[0]?.outcome ?? OUTCOMES.REFUSED;
  if (outcome === OUTCOMES.RETRY) throw new Failure('unavailable');
  return { outcome, body: session.answerSingle(opened.context, outcome) };
}

/**
 * Makes a batch durable, with the epochs it names.
 * @param batch wire/batch.ts; empty when every record was refused, and in a dry run
 * @returns one outcome per record of the batch
 */
export async function commit(
  { epochs, append }: Pick<Ingest, 'epochs' | 'append'>,
  enterprise: Uint8Array,
  batch: Uint8Array,
): Promise<Uint8Array> {
  if (batch.length === 0) return batch;
  const { fullEpoch, maskedEpoch } = parseBatchHead(batch);
  return append(enterprise, await epochs.headers([fullEpoch, maskedEpoch]), batch);
}

/** @throws Failure unsupported_suite unless `hdr` names the one suite that is offered */
export function checkSuite(encapsulation: Uint8Array): void {
  const { kem, kdf, aead } = parseHeader(encapsulation);
  if (kem !== KEM_X25519 || kdf !== KDF_SHA256 || aead !== AEAD_CHACHA20_POLY1305) {
    throw new Failure('unsupported_suite');
  }
}
