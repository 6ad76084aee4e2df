import { describe, expect, it } from 'vitest';
import { FormatError } from '../../wire/bytes.ts';
import {
  contentDigest,
  parseByteSequence,
  parseSignature,
  type SignableRequest,
  signatureBase,
  signatureHeaders,
} from '../../wire/signature.ts';

const fixed = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe('signatures', () => {
  const request = (headers: Record<string, string>): SignableRequest => ({
    ...{ method: 'POST', authority: 'edge.test', path: '/v1/lookup', query: '' },
    header: (name) => headers[name],
  });
  const params = { created: 1, expires: 2, nonce: 'n', keyid: 'k' };
  const digest = contentDigest(new Uint8Array(32));
  const covered = { 'content-type': 'a/b', 'content-digest': digest };

  it('have the base of RFC 9421 section 2.5', () => {
    expect(signatureBase(request(covered), params)).toBe(
      [
        '"@method": POST',
        '"@authority": edge.test',
        '"@path": /v1/lookup',
        '"content-type": a/b',
        `"content-digest": sha-256=:${Buffer.alloc(32).toString('base64')}:`,
        '"@signature-params": ("@method" "@authority" "@path" "content-type" "content-digest");created=1;expires=2;nonce="n";keyid="k";tag="sealpost-v1"',
      ].join('\n'),
    );
  });

  it('read back as written, and cover exactly what they must', () => {
    const made = signatureHeaders(request(covered), params, fixed(64));
    const whole = { ...covered, ...made };
    expect(parseSignature(request(whole)).params).toEqual(params);
    const changes: Record<string, string>[] = [
      { ...made, 'content-type': 'a/b' },
      { ...whole, 'sealpost-encapsulation': ':AA==:' },
      { ...whole, 'signature-input': made['signature-input'].replace('sealpost-v1', 'other') },
      { ...whole, 'signature-input': made['signature-input'].replace(' "content-digest"', '') },
      { ...whole, 'signature-input': made['signature-input'].replace('"@path"', '"@path";req') },
      { ...whole, 'signature-input': `${made['signature-input']}, other=()` },
      { ...whole, signature: 'sealpost="text"' },
      { ...whole, signature: 'other=:AA==:' },
    ];
    for (const change of changes) {
      expect(() => parseSignature(request(change))).toThrow(FormatError);
    }
    expect(() => parseSignature({ ...request(whole), query: '?x' })).toThrow(FormatError);
  });

  it.each([undefined, '', ':', ':A:', '"AA"', ':AA==:, :AA==:', '?1'])(
    '%s is no byte sequence',
    (text) => {
      expect(() => parseByteSequence(text)).toThrow(FormatError);
    },
  );
});
