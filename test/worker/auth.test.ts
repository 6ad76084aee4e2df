import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import type { KeyAlgorithm } from '../../db/control.ts';
import { utf8 } from '../../wire/bytes.ts';
import {
  contentDigest,
  type SignableRequest,
  type SignatureParams,
  signatureBase,
  signatureHeaders,
} from '../../wire/signature.ts';
import { type AuthParts, authenticate, checkDigest, useNonce } from '../../worker/src/auth.ts';

const NOW = 1_800_000_000;
const AUTHORITY = 'edge.example:8443';
const BODY = utf8('a body');

const edwards = ed25519.keygen();
const nist = { ...p256.keygen(), publicKey: new Uint8Array() };
nist.publicKey = p256.getPublicKey(nist.secretKey, false);
const signEdwards = (base: Uint8Array) => ed25519.sign(base, edwards.secretKey);
const signNist = (base: Uint8Array) => p256.sign(base, nist.secretKey, { lowS: false });

interface Case {
  algorithm?: KeyAlgorithm;
  publicKey?: Uint8Array;
  sign?: (base: Uint8Array) => Uint8Array;
  params?: Partial<SignatureParams>;
  /** What the client signs, where it differs from what arrives. */
  signs?: Partial<SignableRequest>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** Changes the headers of the signed request. */
  change?: (headers: Headers) => void;
  nowMs?: number;
}

/** Signs a request, registers its key, and has it verified. */
async function verified(given: Case) {
  const publicKey = given.publicKey ?? edwards.publicKey;
  const keyid = sha256(publicKey);
  const headers = new Headers({
    'content-type': 'text/plain',
    'content-digest': contentDigest(sha256(BODY)),
    ...given.headers,
  });
  const params = {
    ...{ created: NOW, expires: NOW + 60, nonce: 'n-1' },
    keyid: btoa(String.fromCharCode(...keyid))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .slice(0, 43),
    ...given.params,
  };
  const signable: SignableRequest = {
    ...{ method: 'POST', authority: AUTHORITY, path: '/v1/lookup', query: '?a=b' },
    header: (name) => headers.get(name),
    ...given.signs,
  };
  const signature = (given.sign ?? signEdwards)(utf8(signatureBase(signable, params)));
  for (const [name, value] of Object.entries(signatureHeaders(signable, params, signature))) {
    headers.set(name, value);
  }
  given.change?.(headers);
  const party = { id: new Uint8Array(16), kind: 'regulator' as const, name: '', active: true };
  const key = { keyid, party: party.id, algorithm: given.algorithm ?? 'ed25519', publicKey };
  const used = new Set<string>();
  const findSigner: AuthParts['signers']['findSigner'] = async (id) =>
    String(id) === String(keyid) ? { party, key: { ...key, active: true } } : undefined;
  const parts: AuthParts = {
    authority: AUTHORITY,
    clock: () => given.nowMs ?? NOW * 1000,
    signers: { findSigner },
    control: {
      findSigner,
      useNonce: async (_keyid, nonce, expiresMs) => {
        expect(expiresMs).toBe((NOW + 121) * 1000);
        const size = used.size;
        return used.add(nonce).size > size;
      },
    },
  };
  const url = 'http://other.example/v1/lookup?a=b';
  const request = { method: 'POST', url, headers };
  const signer = await authenticate(parts, request);
  await checkDigest(request, given.body ?? BODY);
  return { parts, signer };
}

describe('a signature', () => {
  it('is taken from a registered Ed25519 key', async () => {
    expect((await verified({})).signer).toMatchObject({ party: { kind: 'regulator' } });
  });

  it('is taken from a registered P-256 key', async () => {
    const given: Case = { algorithm: 'ecdsa-p256', publicKey: nist.publicKey, sign: signNist };
    expect((await verified(given)).signer.keyid).toEqual(sha256(nist.publicKey));
  });

  const identity = new Uint8Array(32);
  identity[0] = 1;
  it.each<[string, Case]>([
    ['another method', { signs: { method: 'GET' } }],
    ['another authority', { signs: { authority: 'other.example' } }],
    ['another path', { signs: { path: '/v1/pull' } }],
    ['another query', { signs: { query: '?a=c' } }],
    ['no query', { signs: { query: '' } }],
    ['a key that is not registered', { params: { keyid: 'A'.repeat(43) } }],
    ['a key id of another length', { params: { keyid: 'A'.repeat(42) } }],
    ['an empty nonce', { params: { nonce: '' } }],
    ['a nonce of 129 characters', { params: { nonce: 'n'.repeat(129) } }],
    [
      'a signature by another key',
      { sign: (base) => ed25519.sign(base, ed25519.utils.randomSecretKey()) },
    ],
    ['a P-256 signature under an Ed25519 key', { sign: signNist }],
    [
      'an Ed25519 signature under a P-256 key',
      { algorithm: 'ecdsa-p256', publicKey: nist.publicKey },
    ],
    ['a stored algorithm that is not the key’s', { algorithm: 'ecdsa-p256' }],
    [
      'the signature that fits every message under the point of order 1',
      { publicKey: identity, sign: () => Uint8Array.of(...identity, ...new Uint8Array(32)) },
    ],
    [
      'a label that stands twice',
      { change: (h) => h.set('signature-input', `sealpost=(), ${h.get('signature-input')}`) },
    ],
    [
      'a signature that stands twice',
      { change: (h) => h.set('signature', `sealpost=:AAAA:, ${h.get('signature')}`) },
    ],
    ['an empty signature', { sign: () => new Uint8Array() }],
    ['another body', { body: utf8('b body') }],
    ['a digest without a body', { body: new Uint8Array() }],
    ['a body without a digest', { headers: { 'content-digest': '' } }],
    ['a digest of another kind', { headers: { 'content-digest': 'sha-512=:AAAA:' } }],
    ['a changed content type', { change: (headers) => headers.set('content-type', 'text/html') }],
    [
      'a digest that was added later',
      { headers: {}, change: (headers) => headers.append('content-digest', 'sha-512=:AAAA:') },
    ],
    ['a header that was added later', { change: (h) => h.set('sealpost-encapsulation', ':AAAA:') }],
    [
      'another parameter',
      {
        change: (headers) => {
          const input = headers.get('signature-input') ?? '';
          headers.set('signature-input', `${input};alg="ed25519"`);
        },
      },
    ],
    [
      'a component with a parameter',
      {
        change: (headers) => {
          const input = headers.get('signature-input') ?? '';
          headers.set('signature-input', input.replace('"@path"', '"@path";req'));
        },
      },
    ],
    [
      'a time that is no number',
      {
        change: (headers) => {
          const input = headers.get('signature-input') ?? '';
          headers.set('signature-input', input.replace(`created=${NOW}`, `created="${NOW}"`));
        },
      },
    ],
  ])('with %s is invalid', async (_name, given) => {
    await expect(verified(given)).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  it.each([
    [-121, 'clock_skew'],
    [-120, undefined],
    [120, undefined],
    [121, 'clock_skew'],
  ])('made %i s from now: %s', async (seconds, code) => {
    const outcome = await verified({
      params: { expires: NOW + 500 },
      nowMs: (NOW - seconds) * 1000,
    })
      .then(() => undefined)
      .catch((error) => error.code);
    expect(outcome).toBe(code);
  });

  it('holds up to the second in which it expires', async () => {
    const params = { expires: NOW + 10 };
    await verified({ params, nowMs: (NOW + 10) * 1000 + 999 });
    const late = verified({ params, nowMs: (NOW + 11) * 1000 });
    await expect(late).rejects.toMatchObject({ code: 'clock_skew' });
  });

  it('says nothing of the clock to who did not sign rightly', async () => {
    const wrong = verified({ signs: { method: 'GET' }, nowMs: 0 });
    await expect(wrong).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  it('may have commas and quotes in its nonce', async () => {
    const nonce = 'a, sealpost="b\\c"';
    expect((await verified({ params: { nonce } })).signer.params.nonce).toBe(nonce);
  });

  it('gives its nonce once', async () => {
    const { parts, signer } = await verified({});
    await useNonce(parts, signer);
    await expect(useNonce(parts, signer)).rejects.toMatchObject({ code: 'replayed' });
  });
});
