/** The connection to one edge: signed requests, and keys and recipients that are trusted only because the root signed them. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, FormatError } from '../wire/bytes.ts';
import {
  KEYS_SIGNATURE_HEADER,
  KEYS_TYPE,
  type KeyConfiguration,
  keysSigningInput,
  MODE_HEADER,
  type Mode,
  modeOfKeyId,
  parseKeyConfigurations,
  parseKeysSignature,
} from '../wire/keys.ts';
import { MAX_CLOCK_SKEW_S } from '../wire/limits.ts';
import { PROBLEMS, type ProblemCode } from '../wire/problem.ts';
import { contentDigest, parseByteSequence } from '../wire/signature.ts';
import { EdgeError, TrustError } from './errors.ts';
import {
  edgeSigningKey,
  listHolds,
  type TrustedList,
  TrustedLists,
  verifyEd25519,
} from './recipients.ts';
import { type Identity, signRequest } from './signing.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface EdgeOptions {
  /** Where the edge is reached, e.g. `https://edge.example`. */
  url: string;
  /** Host and port as the edge is configured, which requests sign; by default those of `url`. */
  authority?: string;
  /** Division code of the city, e.g. 520100. */
  city: number;
  /** The root's Ed25519 public key (32 octets), from a trusted place: never from the edge itself. */
  rootKey: Uint8Array;
  /** Lists already known, so that a step back is noticed. */
  lists?: TrustedLists;
  /** What the edge must be: an edge of the other kind is refused. production unless given. */
  mode?: Mode;
  fetch?: Fetch;
  /** The clock, ms since 1970. */
  now?: () => number;
}

export interface EdgeRequest {
  method: 'GET' | 'POST';
  path: string;
  /** With its question mark; empty when there is none. */
  query?: string;
  /** Lower-case names. */
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** No `content-digest`: a stream's body is not known when its head is signed. */
  undigested?: boolean;
  /**
   * Content type of a good answer. One of another type is an error, whatever its status; one of this type is not, for a
   * sealed answer says itself what became of the record, and its status only repeats it.
   */
  answerType: string;
  /** Who signs; left out for what anyone may ask. */
  identity?: Identity;
  signal?: AbortSignal;
}

const LIST_TYPE = 'application/octet-stream';
/** Milliseconds for which keys and recipients are used without asking again. */
const FRESH_MS = 5 * 60_000;
/** Octets of the largest answer that is read into memory as a whole: far above every list, key and problem. */
const MAX_ANSWER_BYTES = 256 * 1024;

export class EdgeClient {
  readonly city: number;
  /** Every list seen, all signed by the pinned root. */
  readonly lists: TrustedLists;
  readonly now: () => number;
  readonly mode: Mode;
  readonly #url: string;
  readonly #authority: string;
  readonly #fetch: Fetch;
  #recipients: { list: TrustedList; atMs: number } | undefined;
  #key: { key: KeyConfiguration; atMs: number; notAfter: number } | undefined;
  #keysVersion = 0;

  constructor(options: EdgeOptions) {
    const url = new URL(options.url);
    this.#url = url.origin;
    this.#authority = options.authority ?? url.host;
    this.city = options.city;
    this.mode = options.mode ?? 'production';
    this.lists = options.lists ?? new TrustedLists(options.rootKey);
    this.#fetch = options.fetch ?? ((target, init) => fetch(target, init));
    this.now = options.now ?? Date.now;
  }

  /**
   * The recipient list now in force, verified.
   * @throws TrustError when it is not signed by the root, does not hold now, or is a step back
   * @throws EdgeError
   */
  async recipients(): Promise<TrustedList> {
    const now = this.now();
    const cached = this.#recipients;
    if (cached && now - cached.atMs < FRESH_MS && listHolds(cached.list.list, now)) {
      return cached.list;
    }
    const { response } = await this.send({
      method: 'GET',
      path: '/v1/recipients',
      answerType: LIST_TYPE,
    });
    const list = this.lists.add(await readAll(response));
    const latest = this.lists.latest as TrustedList;
    if (list.list.version < latest.list.version) throw new TrustError('list_step_back');
    if (!holds(list.list, now)) throw new TrustError('list_not_valid');
    this.#recipients = { list, atMs: now };
    return list;
  }

  /**
   * The key to seal to, with its configuration verified: signed by a key that the recipient list certifies for this city.
   * @throws TrustError, EdgeError
   */
  async keys(): Promise<KeyConfiguration> {
    const now = this.now();
    const cached = this.#key;
    if (cached && now - cached.atMs < FRESH_MS && now < cached.notAfter) return cached.key;
    const { list } = await this.recipients();
    const { response } = await this.send({
      method: 'GET',
      path: '/v1/keys',
      answerType: KEYS_TYPE,
    });
    const body = await readAll(response);
    const { statement, statementBytes, signature } = trusted(() =>
      parseKeysSignature(parseByteSequence(response.headers.get(KEYS_SIGNATURE_HEADER))),
    );
    const signer = edgeSigningKey(list, statement.signer, this.city, now);
    if (signer === undefined) throw new TrustError('keys_signer');
    const signed = keysSigningInput(statementBytes, sha256(body));
    if (!verifyEd25519(signature, signed, signer)) throw new TrustError('keys_signature');
    if (statement.city !== this.city) throw new TrustError('keys_other_city');
    if (!holds(statement, now)) throw new TrustError('keys_not_valid');
    if (statement.version < this.#keysVersion) throw new TrustError('keys_step_back');
    const [key] = trusted(() => parseKeyConfigurations(body));
    if (key === undefined) throw new TrustError('no_key');
    // The id is signed, as the header of an answer is not.
    if (modeOfKeyId(key.keyId) !== this.mode) throw new TrustError('other_mode');
    this.#keysVersion = statement.version;
    this.#key = { key, atMs: now, notAfter: statement.notAfter };
    return key;
  }

  /** Forgets the key and the recipients, so that the next use asks for them: the edge did not know the key. */
  forgetKeys(): void {
    this.#key = undefined;
    this.#recipients = undefined;
  }

  /**
   * Sends a request, signed if it has an identity.
   * @returns the answer, its body unread, and the request's signature
   * @throws EdgeError for every answer of another type, and when none comes
   * @throws TrustError `other_mode`
   */
  async send(request: EdgeRequest): Promise<{ response: Response; signature: Uint8Array }> {
    const { method, path, body, query = '' } = request;
    const headers: Record<string, string> = { ...request.headers };
    if (body instanceof Uint8Array && !request.undigested) {
      headers['content-digest'] = contentDigest(sha256(body));
    }
    const signed = request.identity && {
      ...(await signRequest(
        { method, path, query, authority: this.#authority, header: (name) => headers[name] },
        request.identity.signer,
        this.now(),
      )),
    };
    const init: RequestInit & { duplex?: 'half' } = {
      method,
      headers: { ...headers, ...signed?.headers },
      // A redirect would hand the signed request to somebody else.
      redirect: 'error',
      ...(body === undefined ? {} : { body }),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    const response = await this.#fetch(this.#url + path + query, init).catch((cause: unknown) => {
      throw request.signal?.aborted
        ? request.signal.reason
        : new EdgeError('unreachable', { cause });
    });
    if (response.headers.get('content-type') !== request.answerType) throw await refusal(response);
    if ((response.headers.get(MODE_HEADER) ?? 'production') !== this.mode) {
      await response.body?.cancel();
      throw new TrustError('other_mode');
    }
    return { response, signature: signed?.signature ?? new Uint8Array(0) };
  }
}

/** Clocks differ: what begins within the skew that the edge allows counts as begun. */
function holds(period: { notBefore: number; notAfter: number }, now: number): boolean {
  return period.notBefore <= now + MAX_CLOCK_SKEW_S * 1000 && now < period.notAfter;
}

function trusted<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) throw new TrustError('keys_malformed');
    throw error;
  }
}

/** Problem details (RFC 9457) as an error. What is not of the protocol's form is not passed on. */
async function refusal(response: Response): Promise<EdgeError> {
  const { status } = response;
  try {
    const problem = JSON.parse(new TextDecoder().decode(await readAll(response))) as {
      code?: unknown;
      requestId?: unknown;
      serverTime?: unknown;
    };
    const code = String(problem.code);
    if (!Object.hasOwn(PROBLEMS, code)) return new EdgeError('bad_answer', { status });
    const requestId = /^[\w-]{1,64}$/.test(String(problem.requestId))
      ? String(problem.requestId)
      : '';
    const serverMs = Date.parse(String(problem.serverTime));
    return new EdgeError(code as ProblemCode, {
      ...{ status, requestId },
      ...(Number.isNaN(serverMs) ? {} : { serverMs }),
    });
  } catch {
    return new EdgeError('bad_answer', { status });
  }
}

/** The whole body of a small answer. @throws EdgeError `bad_answer` over `limit` octets, `unreachable` when it breaks off */
export async function readAll(
  response: Response,
  limit: number = MAX_ANSWER_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of readBody(response)) {
    parts.push(part);
    length += part.length;
    if (length > limit) throw new EdgeError('bad_answer', { status: response.status });
  }
  return concat(...parts);
}

/** The parts of a body as they come. @throws EdgeError `unreachable` when it breaks off */
export async function* readBody(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    while (true) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new EdgeError('unreachable', { status: response.status, cause });
      });
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    // Leaving early must not keep the connection busy with the rest.
    await reader.cancel().catch(() => undefined);
  }
}
