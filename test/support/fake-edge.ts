/** An edge in plain TypeScript that answers requests: as a `fetch` for clients, or on a real port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { EdgeClient } from '../../client/edge.ts';
import { generateKeyPair } from '../../client/hpke.ts';
import { TrustedLists } from '../../client/recipients.ts';
import { ed25519Signer, type Identity } from '../../client/signing.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import { encapsulationInfo, NO_DEVICE, type SINGLE, type STREAM } from '../../wire/envelope.ts';
import {
  encodeKeyConfigurations,
  encodeKeysStatement,
  KEYS_SIGNATURE_HEADER,
  KEYS_TYPE,
  keysSigningInput,
} from '../../wire/keys.ts';
import { PROBLEM_TYPE, type ProblemCode, problem } from '../../wire/problem.ts';
import {
  byteSequence,
  contentDigest,
  parseSignature,
  type SignableRequest,
  signatureBase,
} from '../../wire/signature.ts';
import { CITY, DAY_MS, random, signingPair, type World } from './fake-store.ts';
import { nonceAt, type ReceiverContext, setupReceiver } from './noble-hpke.ts';

export const AUTHORITY = 'edge.test:8787';

export type Handler = (request: Request, signature: Uint8Array) => Response | Promise<Response>;

export class FakeEdge {
  readonly world: World;
  /** The one party that may sign. */
  readonly identity: Identity;
  readonly party = signingPair();
  /** What is sealed to. */
  readonly key = generateKeyPair();
  /** Answers by method and path. */
  readonly handlers = new Map<string, Handler>();
  readonly requests: Request[] = [];

  constructor(world: World) {
    this.world = world;
    this.identity = { id: world.enterprise, signer: ed25519Signer(this.party.privateKey) };
    this.handlers.set('GET /v1/recipients', () => {
      const headers = { 'content-type': 'application/octet-stream' };
      return new Response(concat(world.signedList), { headers });
    });
    this.handlers.set('GET /v1/keys', () => this.keysAnswer());
  }

  /** A client that talks to this edge without a network. */
  client(changes: Partial<ConstructorParameters<typeof EdgeClient>[0]> = {}): EdgeClient {
    return new EdgeClient({
      ...{ url: 'http://edge.test:8787', authority: AUTHORITY, city: CITY },
      ...{ rootKey: this.world.root.publicKey, now: () => this.world.now },
      lists: new TrustedLists(this.world.root.publicKey),
      fetch: (url, init) => this.handle(new Request(url, init)),
      ...changes,
    });
  }

  async handle(request: Request): Promise<Response> {
    this.requests.push(request);
    const handler = this.handlers.get(`${request.method} ${new URL(request.url).pathname}`);
    if (handler === undefined) return refuse('not_found');
    const open = ['/v1/recipients', '/v1/keys'].includes(new URL(request.url).pathname);
    const signature = open ? new Uint8Array(0) : await this.#verified(request);
    return signature === undefined ? refuse('signature_invalid') : handler(request, signature);
  }

  keysAnswer(
    statement: Partial<Parameters<typeof encodeKeysStatement>[0]> = {},
    signer = this.world.edge,
  ) {
    const { now } = this.world;
    const body = encodeKeyConfigurations([{ keyId: 1, publicKey: this.key.publicKey }]);
    const bytes = encodeKeysStatement({
      ...{ version: 1, city: CITY, notBefore: now - 1000, notAfter: now + DAY_MS },
      ...{ signer: sha256(signer.publicKey), ...statement },
    });
    const signature = ed25519.sign(keysSigningInput(bytes, sha256(body)), signer.privateKey);
    const value = byteSequence(concat(bytes, signature));
    const headers = { 'content-type': KEYS_TYPE, [KEYS_SIGNATURE_HEADER]: value };
    return new Response(body, { headers });
  }

  /** Opens hdr ‖ enc, 39 octets. */
  receive(kind: typeof SINGLE | typeof STREAM, head: Uint8Array): EdgeContext {
    const info = encapsulationInfo(
      kind.requestLabel,
      head.subarray(0, 7),
      this.identity.id,
      this.identity.device ?? NO_DEVICE,
    );
    const enc = head.subarray(7, 39);
    return new EdgeContext(setupReceiver(enc, this.key, info), enc, kind.responseLabel);
  }

  /** Serves on a real port until closed. */
  async listen(): Promise<{ url: string; close: () => Promise<void> }> {
    const server = createServer(async (incoming, outgoing) => {
      const body = incoming.method === 'GET' ? null : Readable.toWeb(incoming);
      const request = new Request(`http://${AUTHORITY}${incoming.url}`, {
        ...{ method: incoming.method as string, headers: incoming.headers as HeadersInit },
        ...(body === null ? {} : { body: body as unknown as ReadableStream, duplex: 'half' }),
      });
      const response = await this.handle(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.flushHeaders();
      try {
        if (response.body) for await (const part of response.body) outgoing.write(part);
        outgoing.end();
      } catch {
        outgoing.destroy();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      });
    return { url: `http://127.0.0.1:${port}`, close };
  }

  async #verified(request: Request): Promise<Uint8Array | undefined> {
    const { pathname: path, search: query } = new URL(request.url);
    const header = (name: string) => request.headers.get(name);
    const signable: SignableRequest = {
      method: request.method,
      ...{ authority: AUTHORITY, path, query, header },
    };
    const { params, signature } = parseSignature(signable);
    const digest = header('content-digest');
    if (digest !== null) {
      const body = new Uint8Array(await request.clone().arrayBuffer());
      if (digest !== contentDigest(sha256(body))) return undefined;
    }
    const base = utf8(signatureBase(signable, params));
    return ed25519.verify(signature, base, this.party.publicKey) ? signature : undefined;
  }
}

/** The edge's side of one encapsulation. */
export class EdgeContext {
  readonly responseNonce = random(32);
  readonly request: ReceiverContext;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  #sequence = 0;

  constructor(request: ReceiverContext, enc: Uint8Array, label: string) {
    this.request = request;
    const prk = extract(sha256, request.export(utf8(label), 32), concat(enc, this.responseNonce));
    this.#key = expand(sha256, prk, utf8('key'), 32);
    this.#nonce = expand(sha256, prk, utf8('nonce'), 12);
  }

  seal(plaintext: Uint8Array, aad?: Uint8Array): Uint8Array {
    const nonce = nonceAt(this.#nonce, this.#sequence++);
    return chacha20poly1305(this.#key, nonce, aad).encrypt(plaintext);
  }
}

export function refuse(code: ProblemCode, serverTime?: string): Response {
  const details = problem(code, 'request-1', serverTime);
  const headers = { 'content-type': PROBLEM_TYPE };
  return new Response(JSON.stringify(details), { status: details.status, headers });
}
