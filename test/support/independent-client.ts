/**
 * A client written from docs/ alone: HPKE from @hpke/core, everything else from node:crypto. It shares no code with the
 * project, so that an error in our formats can't cancel itself out.
 */
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import {
  CipherSuite,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  type RecipientContext,
  type SenderContext,
} from '@hpke/core';

export const SUITE = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

export interface Credentials {
  /** 16 octets. */
  id: Uint8Array;
  /** Ed25519 or P-256. */
  privateKey: KeyObject;
}

export interface EdgeKey {
  keyId: number;
  publicKey: Uint8Array;
}

/** The edge's key configurations (RFC 9458 section 3), unverified. */
export async function fetchKeys(url: string): Promise<EdgeKey[]> {
  const response = await fetch(`${url}/v1/keys`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const keys: EdgeKey[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
    keys.push({
      keyId: bytes.readUInt8(at + 2),
      publicKey: new Uint8Array(bytes.subarray(at + 5, at + 37)),
    });
  }
  return keys;
}

/** An HPKE context and hdr ‖ enc, for one submission or one stream. */
export interface Encapsulation {
  head: Buffer;
  context: SenderContext;
  /** Label of the answer. */
  responseLabel: string;
}

/** @param kind `request` for a single submission, `chunked request` for a stream */
export async function encapsulate(
  key: EdgeKey,
  enterprise: Uint8Array,
  kind: 'request' | 'chunked request',
): Promise<Encapsulation> {
  const hdr = Buffer.from([key.keyId, 0x00, 0x20, 0x00, 0x01, 0x00, 0x03]);
  const label = Buffer.from(`message/sealpost-parcel ${kind}`);
  const info = [label, Buffer.of(0), hdr, Buffer.of(1), enterprise, Buffer.alloc(16)];
  const context = await SUITE.createSenderContext({
    recipientPublicKey: await SUITE.kem.deserializePublicKey(exact(key.publicKey)),
    info: exact(Buffer.concat(info)),
  });
  return {
    head: Buffer.concat([hdr, Buffer.from(context.enc)]),
    context,
    responseLabel: `message/sealpost-parcel ${kind.replace('request', 'response')}`,
  };
}

export async function seal(
  { context }: Encapsulation,
  plaintext: Uint8Array,
  final = false,
): Promise<Buffer> {
  const aad = final ? exact(Buffer.from('final')) : undefined;
  return Buffer.from(await context.seal(exact(plaintext), aad));
}

/** One chunk as it travels (draft-ietf-ohai-chunked-ohttp section 6). */
export async function sealChunk(
  encapsulation: Encapsulation,
  records: readonly Uint8Array[],
  final: boolean,
): Promise<Buffer> {
  const sealed = await seal(encapsulation, Buffer.concat(records), final);
  return Buffer.concat([quicInteger(final ? 0 : sealed.length), sealed]);
}

/** RFC 9000 section 16, up to 30 bits. */
export function quicInteger(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (value < 64) return Buffer.of(value);
  bytes.writeUInt32BE(value < 0x4000 ? (value | 0x4000) * 0x1_0000 : (value | 0x8000_0000) >>> 0);
  return bytes.subarray(0, value < 0x4000 ? 2 : 4);
}

/** Opens answers (RFC 9458 section 4.4), chunk after chunk. */
export class Answer {
  readonly #key: Buffer;
  readonly #nonce: Buffer;
  #sequence = 0;

  private constructor(key: Buffer, nonce: Buffer) {
    this.#key = key;
    this.#nonce = nonce;
  }

  static async start(
    { context, head, responseLabel }: Encapsulation,
    responseNonce: Uint8Array,
  ): Promise<Answer> {
    const secret = Buffer.from(await context.export(exact(Buffer.from(responseLabel)), 32));
    const prk = hmac(Buffer.concat([head.subarray(7), responseNonce]), secret);
    return new Answer(expand(prk, Buffer.from('key')), expand(prk, Buffer.from('nonce')));
  }

  /** @throws Error when it does not open */
  open(sealed: Uint8Array, final = false): Buffer {
    const nonce = Buffer.from(this.#nonce.subarray(0, 12));
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence++) >>> 0, 8);
    return openChaCha(this.#key, nonce, Buffer.from(final ? 'final' : ''), sealed);
  }
}

export interface Result {
  place: number;
  id: string;
  outcome: number;
  field: number;
  code: number;
}

export const OUTCOME = { stored: 1, duplicate: 2, conflict: 3, refused: 4, retry: 5, checked: 6 };

export function readResults(bytes: Buffer): Result[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => {
    const at = bytes.subarray(i * 32, i * 32 + 32);
    return {
      place: at.readUInt32BE(0),
      id: at.subarray(4, 20).toString('hex'),
      outcome: at.readUInt8(20),
      field: at.readUInt8(21),
      code: at.readUInt16BE(22),
    };
  });
}

export interface Unsigned {
  method: string;
  path: string;
  query?: string;
  headers?: Record<string, string>;
  /** Signed through content-digest; a stream's body is not. */
  body?: Uint8Array;
  /** hdr ‖ enc of a sealed body. */
  head?: Uint8Array;
}

/** What a test may turn wrong in a signature. */
export interface Tampering {
  /** Changes the signature parameters, list of components included, before they are signed. */
  params?: (usual: string) => string;
  authority?: string;
  created?: number;
  expires?: number;
  nonce?: string;
  keyid?: string;
  tag?: string;
  /** Covered components, instead of those that must be. */
  components?: string[];
}

/** Headers of a request with its signature (RFC 9421). */
export function signedHeaders(
  url: string,
  { privateKey }: Credentials,
  { method, path, query = '', headers = {}, body, head }: Unsigned,
  wrong: Tampering = {},
): Record<string, string> {
  const all: Record<string, string> = { ...headers };
  if (body?.length) all['content-digest'] = `sha-256=:${sha256(body).toString('base64')}:`;
  if (head) all['sealpost-encapsulation'] = `:${Buffer.from(head).toString('base64')}:`;
  const values: Record<string, string | undefined> = {
    '@method': method,
    '@authority': wrong.authority ?? new URL(url).host,
    '@path': path,
    '@query': query === '' ? undefined : query,
    'content-type': all['content-type'],
    'content-digest': all['content-digest'],
    'sealpost-encapsulation': all['sealpost-encapsulation'],
  };
  const present = Object.keys(values).filter((name) => values[name] !== undefined);
  const components = wrong.components ?? present;
  const created = wrong.created ?? Math.floor(Date.now() / 1000);
  const usual = [
    `(${components.map((name) => `"${name}"`).join(' ')})`,
    `created=${created}`,
    `expires=${wrong.expires ?? created + 60}`,
    `nonce="${wrong.nonce ?? randomBytes(16).toString('base64url')}"`,
    `keyid="${wrong.keyid ?? keyId(createPublicKey(privateKey)).toString('base64url')}"`,
    `tag="${wrong.tag ?? 'sealpost-v1'}"`,
  ].join(';');
  const params = wrong.params?.(usual) ?? usual;
  const base = [
    ...components.map((name) => `"${name}": ${values[name]}`),
    `"@signature-params": ${params}`,
  ].join('\n');
  const edwards = privateKey.asymmetricKeyType === 'ed25519';
  const signature = sign(edwards ? null : 'sha256', Buffer.from(base), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    ...all,
    'signature-input': `sealpost=${params}`,
    signature: `sealpost=:${signature.toString('base64')}:`,
  };
}

/** Raw public key: 32 octets (Ed25519), or 65, uncompressed (P-256). */
export function rawPublicKey(key: KeyObject): Buffer {
  const { x, y, crv } = key.export({ format: 'jwk' });
  const coordinates = [x, y].map((value) => Buffer.from(value ?? '', 'base64url'));
  return crv === 'P-256'
    ? Buffer.concat([Buffer.of(4), ...coordinates])
    : (coordinates[0] as Buffer);
}

/** SHA-256 of the raw public key. */
export function keyId(publicKey: KeyObject): Buffer {
  return sha256(rawPublicKey(publicKey));
}

/** Code of the problem details of a response; undefined when it has none. */
export async function problemCode(response: Response): Promise<string | undefined> {
  if (response.headers.get('content-type') !== 'application/problem+json') return undefined;
  return ((await response.clone().json()) as { code: string }).code;
}

export interface SubmitOptions {
  /** The party that the body is sealed for, when it is not the one that signs. */
  sealedFor?: Uint8Array;
  headers?: Record<string, string>;
  tampering?: Tampering;
  /** Changes the body after it was sealed, before it is signed. */
  change?: (body: Buffer) => Uint8Array;
}

/** Seals one record and submits it. `result` and `masked` are there when a sealed answer came. */
export async function submit(
  url: string,
  credentials: Credentials,
  key: EdgeKey,
  record: Uint8Array,
  options: SubmitOptions = {},
) {
  const sealedFor = options.sealedFor ?? credentials.id;
  const encapsulation = await encapsulate(key, sealedFor, 'request');
  const sealed = Buffer.concat([encapsulation.head, await seal(encapsulation, record)]);
  const body = options.change?.(sealed) ?? sealed;
  const response = await postSingle(url, credentials, body, options);
  return { response, body, ...(await readSingle(response, encapsulation)) };
}

/** Signs and sends the body of a single submission. */
export function postSingle(
  url: string,
  credentials: Credentials,
  body: Uint8Array,
  { headers = {}, tampering }: Pick<SubmitOptions, 'headers' | 'tampering'> = {},
): Promise<Response> {
  const request: Unsigned = {
    ...{ method: 'POST', path: '/v1/parcels', body, head: body.subarray(0, 39) },
    headers: { 'content-type': 'message/sealpost-parcel-req', ...headers },
  };
  return fetch(`${url}/v1/parcels`, {
    method: 'POST',
    headers: signedHeaders(url, credentials, request, tampering),
    body: exact(body),
  });
}

/** Opens the answer to a single submission. */
export async function readSingle(response: Response, encapsulation: Encapsulation) {
  const bytes = Buffer.from(await response.clone().arrayBuffer());
  if (response.headers.get('content-type') !== 'message/sealpost-parcel-res') {
    return { code: await problemCode(response), result: undefined, masked: undefined, bytes };
  }
  const answer = await Answer.start(encapsulation, bytes.subarray(0, 32));
  const opened = answer.open(bytes.subarray(32));
  const masked = opened.subarray(34, 34 + opened.readUInt16BE(32));
  return { code: undefined, result: readResults(opened.subarray(0, 32))[0], masked, bytes };
}

/** Opens a parcel of an epoch (`SPE1` and `SPP1` of docs/wire-format.md) with a recipient's private key. */
export async function openParcel(
  epochHeader: Buffer,
  parcel: Buffer,
  recipient: CryptoKeyPair,
): Promise<Buffer> {
  const key = await epochKey(epochHeader, recipient);
  const aadBytes = parcel.readUInt8(8) === 1 ? 144 : 80;
  const nonce = Buffer.concat([Buffer.alloc(4), parcel.subarray(26, 34)]);
  const aad = parcel.subarray(0, aadBytes);
  const padded = openChaCha(key, nonce, aad, parcel.subarray(aadBytes));
  return padded.subarray(2, 2 + padded.readUInt16BE(0));
}

async function epochKey(header: Buffer, recipient: CryptoKeyPair): Promise<Buffer> {
  const [params, commit] = [header.subarray(0, 96), header.subarray(96, 128)];
  const publicKey = Buffer.from(await SUITE.kem.serializePublicKey(recipient.publicKey));
  const name = sha256(publicKey);
  const wraps = header.subarray(130, 130 + header.readUInt16BE(128));
  for (let at = 0; at < wraps.length; at += 114) {
    if (!wraps.subarray(at, at + 32).equals(name)) continue;
    const info = ['sealpost epoch wrap v1\0', '\x00\x20', '\x00\x01', '\x00\x03', name];
    const context: RecipientContext = await SUITE.createRecipientContext({
      recipientKey: recipient,
      enc: exact(wraps.subarray(at + 34, at + 66)),
      info: exact(Buffer.concat(info.map((part) => Buffer.from(part as string)))),
    });
    const aad = exact(Buffer.concat([params, commit]));
    const content = Buffer.from(await context.open(exact(wraps.subarray(at + 66, at + 114)), aad));
    const committed = expand(content, Buffer.from('sealpost epoch commit v1'), params);
    if (!committed.equals(commit)) throw new Error('the epoch does not commit to this key');
    return expand(content, Buffer.from('sealpost parcel key v1'), params);
  }
  throw new Error('not a recipient of this epoch');
}

/** HKDF-Expand (RFC 5869 section 2.3) to 32 octets. */
function expand(prk: Buffer, ...info: Buffer[]): Buffer {
  return hmac(prk, Buffer.concat([...info, Buffer.of(1)]));
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

export function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function openChaCha(key: Buffer, nonce: Buffer, aad: Buffer, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  decipher.setAAD(aad, { plaintextLength: sealed.length - 16 });
  const opened = decipher.update(sealed.subarray(0, sealed.length - 16));
  return Buffer.concat([opened, decipher.final()]);
}

/** A copy in an ArrayBuffer of its own, as the HPKE package wants it. */
function exact(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
