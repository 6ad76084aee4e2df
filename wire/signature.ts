/**
 * Request signatures: HTTP Message Signatures (RFC 9421) in one fixed form. Which components are covered follows from the
 * request alone, so that nobody can leave one out.
 */
import {
  type InnerList,
  type Item,
  parseDictionary,
  parseItem,
  serializeByteSequence,
  serializeDictionary,
  serializeInnerList,
  serializeString,
} from 'structured-headers';
import { FormatError } from './bytes.ts';

export const SIGNATURE_TAG = 'sealpost-v1';
/** A structured-field byte sequence of hdr ‖ enc: ties the signature to the encapsulation (39 octets). */
export const ENCAPSULATION_HEADER = 'sealpost-encapsulation';
const LABEL = 'sealpost';

/** What of a request is signed. Header names are lower case. */
export interface SignableRequest {
  method: string;
  /** Host and port as the edge is configured, never the Host header. */
  authority: string;
  path: string;
  /** With its question mark; empty when there is none. */
  query: string;
  header(name: string): string | null | undefined;
}

export interface SignatureParams {
  /** Seconds since 1970. */
  created: number;
  expires: number;
  nonce: string;
  /** SHA-256 of the public key, base64url without padding. */
  keyid: string;
}

/** Component identifiers (RFC 9421 section 2) that must be covered, in this order. */
export function coveredComponents(request: SignableRequest): string[] {
  return [
    '@method',
    '@authority',
    '@path',
    ...(request.query === '' ? [] : ['@query']),
    ...['content-type', 'content-digest', ENCAPSULATION_HEADER].filter(
      (name) => request.header(name) != null,
    ),
  ];
}

/** The value of `@signature-params` (RFC 9421 section 2.3). */
export function signatureInput(request: SignableRequest, params: SignatureParams): InnerList {
  return [
    coveredComponents(request).map((name): Item => [name, new Map()]),
    new Map<string, number | string>([
      ['created', params.created],
      ['expires', params.expires],
      ['nonce', params.nonce],
      ['keyid', params.keyid],
      ['tag', SIGNATURE_TAG],
    ]),
  ];
}

/** The signature base (RFC 9421 section 2.5). @throws FormatError when a covered header is absent */
export function signatureBase(request: SignableRequest, params: SignatureParams): string {
  const input = signatureInput(request, params);
  const lines = coveredComponents(request).map(
    (name) => `${serializeString(name)}: ${componentValue(request, name)}`,
  );
  return [...lines, `"@signature-params": ${serializeInnerList(input)}`].join('\n');
}

/** The two headers that carry a signature (RFC 9421 section 4). */
export function signatureHeaders(
  request: SignableRequest,
  params: SignatureParams,
  signature: Uint8Array,
): { 'signature-input': string; signature: string } {
  return {
    'signature-input': serializeDictionary(new Map([[LABEL, signatureInput(request, params)]])),
    signature: serializeDictionary(new Map([[LABEL, [signature, new Map()] as Item]])),
  };
}

/**
 * Reads the one signature of a request and checks that it covers exactly what it must.
 * @throws FormatError for anything else than one signature in our form
 */
export function parseSignature(request: SignableRequest): {
  params: SignatureParams;
  signature: Uint8Array;
} {
  const input = onlyMember(request.header('signature-input'));
  const [signature] = onlyMember(request.header('signature')) as Item;
  if (!Array.isArray(input[0]) || !(signature instanceof ArrayBuffer)) throw new FormatError();
  const params = paramsOf(input as InnerList);
  // Equal text means: the same components, none with parameters, the same parameters in the same order, our tag.
  const expected = serializeInnerList(signatureInput(request, params));
  if (serializeInnerList(input as InnerList) !== expected) throw new FormatError();
  return { params, signature: new Uint8Array(signature) };
}

function paramsOf([, params]: InnerList): SignatureParams {
  const [created, expires] = [params.get('created'), params.get('expires')];
  const [nonce, keyid] = [params.get('nonce'), params.get('keyid')];
  if (!Number.isSafeInteger(created) || !Number.isSafeInteger(expires)) throw new FormatError();
  if (typeof nonce !== 'string' || typeof keyid !== 'string') throw new FormatError();
  return { created: created as number, expires: expires as number, nonce, keyid };
}

function onlyMember(header: string | null | undefined): Item | InnerList {
  if (header == null) throw new FormatError();
  const members = attempt(() => parseDictionary(header));
  const member = members.get(LABEL);
  if (members.size !== 1 || member === undefined) throw new FormatError();
  return member;
}

function componentValue(request: SignableRequest, name: string): string {
  switch (name) {
    case '@method':
      return request.method;
    case '@authority':
      return request.authority;
    case '@path':
      return request.path;
    case '@query':
      return request.query;
    default: {
      const value = request.header(name);
      if (value == null) throw new FormatError();
      return value.trim();
    }
  }
}

/** `Content-Digest` (RFC 9530) with SHA-256. */
export function contentDigest(sha256: Uint8Array): string {
  return serializeDictionary(new Map([['sha-256', [sha256, new Map()] as Item]]));
}

/** Value of a byte-sequence header such as ENCAPSULATION_HEADER. */
export function byteSequence(bytes: Uint8Array): string {
  return serializeByteSequence(bytes as Uint8Array<ArrayBuffer>);
}

/** @throws FormatError when the header is absent or not a byte sequence */
export function parseByteSequence(header: string | null | undefined): Uint8Array {
  if (header == null) throw new FormatError();
  const [value] = attempt(() => parseItem(header));
  if (!(value instanceof ArrayBuffer)) throw new FormatError();
  return new Uint8Array(value);
}

/** The parser's own errors quote the input; ours do not. */
function attempt<T>(parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new FormatError();
  }
}
