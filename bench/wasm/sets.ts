/**
 * The sets of work: records of a generated day, sealed as clients seal them.
 *
 * - `message`: 256 records of 420 octets, each sealed by itself
 * - `chunk`: chunks of a stream with records of their natural size
 * - `chunk420`: chunks of a stream with records of 420 octets
 */
import { createCipheriv } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { generateKeyPair, type KeyPair, keyPair } from '../../client/hpke.ts';
import { setupReceiver } from '../../test/support/noble-hpke.ts';
import {
  canonicalDocument,
  canonicalPhone,
  canonicalWaybill,
  checkRecord,
} from '../../wasm/host/check.ts';
import type { StartedEpoch } from '../../wasm/host/session.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, u16, utf8 } from '../../wire/bytes.ts';
import {
  AEAD_CHACHA20_POLY1305,
  encapsulationInfo,
  encodeHeader,
  KDF_SHA256,
  KEM_X25519,
  NO_DEVICE,
  STREAM,
} from '../../wire/envelope.ts';
import { wrapInfo } from '../../wire/epoch.ts';
import { CONTENT_PURPOSE, INDEX_PURPOSES, INDEX_SALT, indexKeyInfo } from '../../wire/indexes.ts';
import { MAX_CHUNK_BYTES } from '../../wire/limits.ts';
import { BUCKETS, PARCEL_KEY_LABEL, parseParcel } from '../../wire/parcel.ts';
import { DOC_TYPES, encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import { FIXED_NOW, paddedRecord, records } from '../shared/records.ts';
import type { Epochs, Setup } from './pipeline.ts';
import { type Outcome, type Unit, unitNonce, type Work } from './work.ts';

export type SetName = 'message' | 'chunk' | 'chunk420';

/** A set of work before anything was made of it: additional data and keys of the views come from a run of the module. */
export interface WorkSet {
  name: SetName;
  key: Uint8Array;
  baseNonce: Uint8Array;
  /** hdr ‖ enc of the stream; of no use for `message`. */
  head: Uint8Array;
  units: Unit[];
  records: { cbor: Uint8Array; masked: Uint8Array; values: Uint8Array[] }[];
}

export interface Keys {
  setup: Setup;
  /** Of the readers, who can open what was made. */
  regulator: KeyPair;
  enterprise: KeyPair;
}

const CITY = 520100;
const RECORD_BYTES = 420;
const EDGE_KEY_ID = 1;

export function makeKeys(): Keys {
  const [regulator, enterprise] = [generateKeyPair(), generateKeyPair()];
  const setup: Setup = {
    ...{ city: CITY, now: FIXED_NOW, enterprise: random(16) },
    ...{ edgeKey: random(32), indexKey: random(32) },
    ...{ regulator: regulator.publicKey, enterpriseKey: enterprise.publicKey },
  };
  return { setup, regulator, enterprise };
}

/** @param module the shipped module, which judges and masks @param counts records by message; chunks of each kind */
export function makeSets(
  module: WebAssembly.Instance,
  keys: Keys,
  counts: { messages: number; chunks: number },
): Record<SetName, WorkSet> {
  const natural: WorkSet['records'] = [];
  const padded: WorkSet['records'] = [];
  const per420 = Math.floor(MAX_CHUNK_BYTES / RECORD_BYTES);
  const wanted420 = Math.max(counts.messages, counts.chunks * per420);
  const wantedNatural = counts.chunks * 80;
  for (const record of records(4 * (wanted420 + wantedNatural))) {
    if (natural.length < wantedNatural)
      natural.push(prepared(module, record, encodeRecord(record)));
    const cbor = padded.length < wanted420 ? paddedRecord(record, RECORD_BYTES) : undefined;
    if (cbor === undefined) continue;
    const one = prepared(module, record, cbor);
    // The masked view of nearly every record fits the smallest bucket; so do these.
    if (one.masked.length + 2 <= BUCKETS[0]) padded.push(one);
  }
  if (padded.length < wanted420) throw new Error('too few records of 420 octets');
  const messages = padded.slice(0, counts.messages);
  return {
    message: sealMessages(messages),
    chunk: sealChunks('chunk', keys.setup, natural, counts.chunks),
    chunk420: sealChunks('chunk420', keys.setup, padded, counts.chunks),
  };
}

function prepared(module: WebAssembly.Instance, record: ParcelRecord, cbor: Uint8Array) {
  const verdict = checkRecord(module, cbor, FIXED_NOW);
  if (verdict.refusal !== 0) throw new Error(`a generated record is refused: ${verdict.refusal}`);
  const { sender, agreement } = record;
  const none = new Uint8Array(0);
  const values = [
    sender
      ? canonicalDocument(module, DOC_TYPES[sender.docType], sender.docNumber, sender.nationality)
      : canonicalDocument(module, DOC_TYPES.USCC, agreement?.uscc ?? ''),
    canonicalWaybill(module, record.carrier, record.waybill),
    canonicalPhone(module, (sender ?? agreement)?.phone ?? ''),
    canonicalPhone(module, record.recipient.phone),
  ].map((value) => value ?? none);
  return { cbor, masked: verdict.masked, values };
}

function sealMessages(records: WorkSet['records']): WorkSet {
  const [key, baseNonce] = [random(32), new Uint8Array(12)];
  const units = records.map(
    ({ cbor }, first): Unit => ({
      ...{ first, count: 1, plain: cbor },
      sealed: seal(key, unitNonce(baseNonce, first), cbor),
    }),
  );
  return { name: 'message', key, baseNonce, head: new Uint8Array(39), units, records };
}

function sealChunks(
  name: SetName,
  setup: Setup,
  from: WorkSet['records'],
  chunks: number,
): WorkSet {
  const hdr = encodeHeader(EDGE_KEY_ID);
  const info = encapsulationInfo(STREAM.requestLabel, hdr, setup.enterprise, NO_DEVICE);
  const { enc, key, baseNonce } = hpkeKeys(keyPair(setup.edgeKey).publicKey, info);
  const units: Unit[] = [];
  let first = 0;
  while (units.length < chunks) {
    let count = 0;
    for (let length = 0; first + count < from.length; count++) {
      length += from[first + count]?.cbor.length ?? 0;
      if (length > MAX_CHUNK_BYTES) break;
    }
    const plain = concat(...from.slice(first, first + count).map(({ cbor }) => cbor));
    const sealed = seal(key, unitNonce(baseNonce, units.length), plain);
    units.push({ first, count, sealed, plain });
    first += count;
  }
  return { name, key, baseNonce, head: concat(hdr, enc), units, records: from.slice(0, first) };
}

/** ChaCha20-Poly1305 by Node's own OpenSSL. */
function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** A sender's key and base nonce, which no HPKE package gives away: RFC 9180 sections 4.1 and 5.1. */
function hpkeKeys(recipient: Uint8Array, info: Uint8Array) {
  const kem = concat(utf8('KEM'), u16(KEM_X25519));
  const suite = concat(utf8('HPKE'), u16(KEM_X25519), u16(KDF_SHA256), u16(AEAD_CHACHA20_POLY1305));
  const none = new Uint8Array(0);
  const version = utf8('HPKE-v1');
  const take = (id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
    extract(sha256, concat(version, id, utf8(label), ikm), salt);
  const give = (id: Uint8Array, prk: Uint8Array, label: string, text: Uint8Array, length: number) =>
    expand(sha256, prk, concat(u16(length), version, id, utf8(label), text), length);
  const { privateKey, publicKey: enc } = generateKeyPair();
  const dh = x25519.getSharedSecret(privateKey, recipient);
  const eae = take(kem, none, 'eae_prk', dh);
  const shared = give(kem, eae, 'shared_secret', concat(enc, recipient), 32);
  const context = concat(
    Uint8Array.of(0),
    take(suite, none, 'psk_id_hash', none),
    take(suite, none, 'info_hash', info),
  );
  const secret = take(suite, shared, 'secret', none);
  return {
    enc,
    key: give(suite, secret, 'key', context, 32),
    baseNonce: give(suite, secret, 'base_nonce', context, 12),
  };
}

/** The work as the module's batches lay it out, and what the module made of it. */
export function workOf(
  set: WorkSet,
  keys: Keys,
  epochs: Epochs,
  batches: readonly Uint8Array[],
): { work: Work; made: Outcome[] } {
  const { setup } = keys;
  const purposes = [...INDEX_PURPOSES, CONTENT_PURPOSE] as const;
  const work: Work = {
    key: set.key,
    baseNonce: set.baseNonce,
    indexKeys: purposes.map((purpose) =>
      expand(
        sha256,
        extract(sha256, setup.indexKey, INDEX_SALT),
        indexKeyInfo(purpose, setup.city, 1),
        32,
      ),
    ),
    fullKey: parcelKey(epochs.full, keys.regulator),
    maskedKey: parcelKey(epochs.masked, keys.enterprise),
    units: set.units,
    items: [],
  };
  const made: Outcome[] = [];
  for (const stored of batches.flatMap((bytes) => parseBatch(bytes).records)) {
    const record = set.records[work.items.length];
    if (!record) throw new Error('the module gave more records than it got');
    const full = parseParcel(stored.full);
    const masked = parseParcel(stored.masked);
    work.items.push({
      content: concat(setup.enterprise, full.id, record.cbor),
      values: record.values,
      fullAad: full.aad,
      full: padded(record.cbor, full.bucket),
      maskedAad: masked.aad,
      masked: padded(record.masked, masked.bucket),
    });
    made.push({
      codes: [stored.contentTag, ...full.indexes],
      full: full.sealed,
      masked: masked.sealed,
    });
  }
  if (made.length !== set.records.length)
    throw new Error('the module gave fewer records than it got');
  return { work, made };
}

function parcelKey(epoch: StartedEpoch, reader: KeyPair): Uint8Array {
  const keyid = epoch.wraps.subarray(0, 32);
  const context = setupReceiver(epoch.wraps.slice(34, 66), reader, wrapInfo(keyid));
  const contentKey = context.open(epoch.wraps.slice(66, 114), concat(epoch.params, epoch.commit));
  return expand(sha256, contentKey, concat(utf8(PARCEL_KEY_LABEL), epoch.params), 32);
}

/** length (2) ‖ value ‖ zeros */
function padded(value: Uint8Array, bucket: number): Uint8Array {
  const bytes = new Uint8Array(BUCKETS[bucket] as number);
  bytes.set(u16(value.length));
  bytes.set(value, 2);
  return bytes;
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
