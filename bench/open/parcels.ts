/** Parcels of one epoch as a regulator pulls them: made by the shipped module with the keys of a workspace, signed as the edge signs. */
import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type KeyPair, keyPair } from '../../client/hpke.ts';
import { createWorkspace, type Workspace } from '../../client/workspace.ts';
import { setupSender } from '../../test/support/noble-hpke.ts';
import { Session } from '../../wasm/host/session.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { encapsulationInfo, encodeHeader, NO_DEVICE, STREAM } from '../../wire/envelope.ts';
import { encodeEpoch, epochSigningInput, NATIONAL } from '../../wire/epoch.ts';
import { MAX_CHUNK_BYTES, MAX_EPOCH_MS } from '../../wire/limits.ts';
import { encodeRecord } from '../../wire/record.ts';
import { dayLines } from '../ingest/day.ts';

export interface Pulled {
  workspace: Workspace;
  /** The regulator's keys. */
  recipientKeys: KeyPair[];
  /** The epoch's header, as stored. */
  epoch: Uint8Array;
  parcels: Uint8Array[];
  /** The CBOR that each of them must open to. */
  records: Uint8Array[];
}

interface Secrets {
  edgeKeys: { id: number; privateKey: string; notBefore: number; notAfter: number }[];
  signingKey: string;
  indexKeys: { version: number; fromMs: number; untilMs: number; key: string }[];
}

const ENTERPRISE = '7f1c9a5e-54b8-4c0e-9d1a-0b9a3c2d1e4f';

/** @param dir a folder for the workspace, which does not exist yet */
export async function makeParcels(
  dir: string,
  module: WebAssembly.Module,
  count: number,
): Promise<Pulled> {
  const workspace = await createWorkspace(dir, {
    ...{ city: 520100, node: 'bench', authority: '127.0.0.1:1' },
    enterprises: [{ slug: 'bench', name: 'bench', id: ENTERPRISE }],
  });
  const secrets = JSON.parse(readFileSync(workspace.paths.secrets, 'utf8')) as Secrets;
  const { recipientKeys } = workspace.regulator();
  const party = { enterprise: workspace.enterprise('bench').identity.id, device: NO_DEVICE };
  const now = Date.now();
  const session = new Session(module, workspace.city, (fresh) => {
    for (const { id, privateKey, notBefore, notAfter } of secrets.edgeKeys) {
      fresh.setEdgeKey(id, octets(privateKey), notBefore, notAfter);
    }
    for (const { key, ...period } of secrets.indexKeys) fresh.setIndexKey(period, octets(key));
  });
  const list = workspace.lists().all().at(-1);
  if (!list) throw new Error('the workspace has no recipient list');
  const started = session.startEpoch(
    {
      ...{ view: 1, audience: NATIONAL, startMs: now, endMs: now + MAX_EPOCH_MS },
      ...{ listVersion: list.list.version, listHash: list.hash },
    },
    recipientKeys.map(({ publicKey }) => publicKey),
  );
  const signingKey = octets(secrets.signingKey);
  const signed = epochSigningInput(started.params, started.commit, sha256(started.wraps));
  const signer = sha256(ed25519.getPublicKey(signingKey));
  const signature = ed25519.sign(signed, signingKey);
  const epoch = encodeEpoch(started.params, started.commit, started.wraps, signer, signature);

  const [edgeKey] = secrets.edgeKeys;
  if (!edgeKey) throw new Error('the workspace has no edge key');
  const hdr = encodeHeader(edgeKey.id);
  const info = encapsulationInfo(STREAM.requestLabel, hdr, party.enterprise, party.device);
  const sender = setupSender(keyPair(octets(edgeKey.privateKey)).publicKey, info);
  const stream = session.openStream(concat(hdr, sender.enc), { ...party, masked: false }, now);
  if (stream.status !== 'ok') throw new Error(`the stream does not open: ${stream.status}`);
  const records = [...dayLines(count, 'open')].map(({ record }) => encodeRecord(record));
  const parcels: Uint8Array[] = [];
  let { request } = stream;
  for (const chunk of chunks(records)) {
    const opened = session.openChunk(request, sender.seal(chunk), false, now);
    if (opened.status !== 'ok') throw new Error(`a chunk does not open: ${opened.status}`);
    request = opened.request;
    for (const { full } of parseBatch(opened.batch).records) parcels.push(full);
  }
  return { workspace, recipientKeys, epoch, parcels, records };
}

function* chunks(records: readonly Uint8Array[]): Generator<Uint8Array> {
  for (let at = 0; at < records.length; ) {
    let end = at;
    for (let length = 0; end < records.length; end++) {
      length += (records[end] as Uint8Array).length;
      if (length > MAX_CHUNK_BYTES) break;
    }
    yield concat(...records.slice(at, end));
    at = end;
  }
}

function octets(base64url: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64url, 'base64url'));
}
