/** Pulls and lookups of the independent client: frames taken apart by docs/ alone, the signed end verified. */
import { type KeyObject, verify } from 'node:crypto';
import {
  type Credentials,
  keyId,
  sha256,
  signedHeaders,
  type Tampering,
} from './independent-client.ts';

export interface PulledRow {
  id: string;
  contentTag: string;
  /** 0 present, 1 erased, 2 not in this view. */
  state: number;
  /** Empty unless present. */
  parcel: Buffer;
}

export interface PulledEnd {
  more: boolean;
  rows: number;
  view: number;
  cursor: Buffer;
}

export interface Pulled {
  response: Response;
  /** By hexadecimal epoch id. */
  epochs: Map<string, Buffer>;
  rows: PulledRow[];
  /** Undefined when there was no valid one. */
  end: PulledEnd | undefined;
}

/** Pulls once. @param cursor as an end gave it */
export async function pull(
  url: string,
  credentials: Credentials,
  edgeSigning: KeyObject,
  cursor?: Buffer,
  tampering?: Tampering,
): Promise<Pulled> {
  const query = cursor === undefined ? '' : `?cursor=${cursor.toString('base64url')}`;
  const request = { method: 'GET', path: '/v1/pull', query };
  const headers = signedHeaders(url, credentials, request, tampering);
  return readPull(await fetch(`${url}/v1/pull${query}`, { headers }), headers, edgeSigning);
}

/** Looks up by keyed indexes (16 octets each), over all days. */
export async function lookup(
  url: string,
  credentials: Credentials,
  edgeSigning: KeyObject,
  indexes: readonly Buffer[],
): Promise<Pulled> {
  const days = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]);
  const body = Buffer.concat([Buffer.from('SPQ1'), days, ...indexes]);
  const headers = signedHeaders(url, credentials, {
    ...{ method: 'POST', path: '/v1/lookup', body },
    headers: { 'content-type': 'application/sealpost-lookup' },
  });
  const response = await fetch(`${url}/v1/lookup`, { method: 'POST', headers, body });
  return readPull(response, headers, edgeSigning);
}

async function readPull(
  response: Response,
  headers: Record<string, string>,
  edgeSigning: KeyObject,
): Promise<Pulled> {
  const pulled: Pulled = { response, epochs: new Map(), rows: [], end: undefined };
  if (!response.ok) return pulled;
  const bytes = Buffer.from(await response.clone().arrayBuffer());
  for (let at = 0; at < bytes.length; ) {
    const type = bytes.readUInt8(at);
    const body = bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1));
    if (type === 1) pulled.epochs.set(body.subarray(8, 24).toString('hex'), body);
    if (type === 2) pulled.rows.push(...readCommit(body));
    if (type === 3) pulled.rows.push(...readParcels(body));
    if (type === 127) {
      pulled.end = readEnd(body, bytes.subarray(0, at), headers, edgeSigning);
    }
    at += 5 + body.length;
  }
  return pulled;
}

function readCommit(body: Buffer): PulledRow[] {
  const count = body.readUInt32BE(68);
  let at = 72 + count * 32;
  return Array.from({ length: count }, (_, i) => {
    const receipt = body.subarray(72 + i * 32, 104 + i * 32);
    const parcel = body.subarray(at + 3, at + 3 + body.readUInt16BE(at + 1));
    const row = {
      id: receipt.subarray(0, 16).toString('hex'),
      contentTag: receipt.subarray(16).toString('hex'),
      state: body.readUInt8(at),
      parcel,
    };
    at += 3 + parcel.length;
    return row;
  });
}

function readParcels(body: Buffer): PulledRow[] {
  const rows: PulledRow[] = [];
  for (let at = 0; at < body.length; at += 2 + body.readUInt16BE(at)) {
    const parcel = body.subarray(at + 2, at + 2 + body.readUInt16BE(at));
    rows.push({ id: parcel.subarray(50, 66).toString('hex'), contentTag: '', state: 0, parcel });
  }
  return rows;
}

function readEnd(
  frame: Buffer,
  before: Buffer,
  headers: Record<string, string>,
  edgeSigning: KeyObject,
): PulledEnd | undefined {
  const body = frame.subarray(0, -96);
  const signed = Buffer.concat([Buffer.from('sealpost pull end v1\0'), body]);
  const request = Buffer.from(headers.signature?.split(':')[1] ?? '', 'base64');
  const genuine =
    frame.subarray(-96, -64).equals(keyId(edgeSigning)) &&
    verify(null, signed, edgeSigning, frame.subarray(-64)) &&
    body.subarray(0, 4).toString() === 'SPX1' &&
    body.subarray(4, 36).equals(sha256(request)) &&
    body.subarray(50, 82).equals(sha256(before));
  if (!genuine) return undefined;
  const cursorAt = 86 + body.readUInt32BE(82);
  return {
    view: body.readUInt8(40),
    more: body.readUInt8(41) === 1,
    rows: Number(body.readBigUInt64BE(42)),
    cursor: body.subarray(cursorAt + 4, cursorAt + 4 + body.readUInt32BE(cursorAt)),
  };
}
