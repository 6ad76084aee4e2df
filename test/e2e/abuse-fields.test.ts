/** Abuse of the fields that carry signatures: 738 structured fields that must not parse; and the samples of RFC 9421. */
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { utf8 } from '../../wire/bytes.ts';
import { verifySignature } from '../../worker/src/auth.ts';
import {
  expectUndisturbed,
  PARCELS,
  RawConnection,
  requestHead,
  SINGLE_TYPE,
  sealedSingle,
  signedSingle,
} from '../support/abuse.ts';
import { rawPublicKey, signedHeaders } from '../support/independent-client.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { describeVectors } from '../support/vectors.ts';

interface FieldCase {
  name: string;
  /** Lines of one header. */
  raw: string[];
  must_fail?: boolean;
}

type Header = readonly [name: string, value: string];

let service: TestService;
let before = 0;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

describeVectors<Record<string, FieldCase[]>>('structured_fields.json', (suite) => {
  const cases = Object.values(suite)
    .flat()
    .filter((one) => one.must_fail);

  /** Statuses by how often they came; each of the cases is sent once. */
  async function statuses(
    request: (raw: string[]) => Promise<Buffer>,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const left = [...cases];
    const work = async () => {
      const connection = new RawConnection(service);
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        connection.send(await request(next.raw));
        const response = await connection.answer();
        const told = response?.headers.get('content-type') === 'application/problem+json';
        const problem = told ? await response.json() : { code: 'not HTTP' };
        const { code } = problem as { code: string };
        const key = `${response?.status} ${code}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        // What is no HTTP ends the connection.
        if (!told) connection.close();
      }
      connection.close();
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return counts;
  }

  const lines = (name: string, raw: string[]) => raw.map((value): Header => [name, value]);

  it('abuse case 22: has 738 cases that must fail', () => {
    expect(cases).toHaveLength(738);
  });

  it.each(['signature-input', 'signature'])(
    'abuse case 22: each of them as %s is refused, never an error',
    async (name) => {
      const counts = await statuses(async (raw) => {
        const headers = signedHeaders(service.url, service.regulator, {
          ...{ method: 'GET', path: '/v1/pull' },
        });
        const others = Object.entries(headers).filter(([other]) => other !== name);
        return requestHead('GET', '/v1/pull', service, [...others, ...lines(name, raw)]);
      });
      expect([...counts.keys()].sort()).toEqual(['400 not HTTP', '401 signature_invalid']);
      // Octets that HTTP itself has no place for: NUL, CR, LF.
      expect(counts.get('400 not HTTP')).toBeLessThan(40);
      await expectUndisturbed(service, before++);
    },
  );

  it('abuse case 22: each of them, rightly signed, as sealpost-encapsulation is refused, never an error', async () => {
    const { body } = await sealedSingle(service);
    const counts = await statuses(async (raw) => {
      const value = raw.map((line) => line.trim()).join(', ');
      const headers = signedSingle(service, service.a, body, {
        head: undefined,
        headers: { 'content-type': SINGLE_TYPE, 'sealpost-encapsulation': value },
      });
      const { 'sealpost-encapsulation': _, ...others } = headers;
      const all: Header[] = [
        ...Object.entries(others),
        ...lines('sealpost-encapsulation', raw),
        ['content-length', String(body.length)],
      ];
      return Buffer.concat([requestHead('POST', PARCELS, service, all), body]);
    });
    expect([...counts.keys()].sort()).toEqual(['400 not HTTP', '401 signature_invalid']);
    expect(counts.get('400 not HTTP')).toBeLessThan(40);
    await expectUndisturbed(service, before++);
  });
});

interface Samples {
  keys: Record<string, Record<string, string>>;
  cases: { title: string; alg: string; keyid: string; signature_base: string; signature: string }[];
}

describeVectors<Samples>('http_sig_rfc9421_b2.json', ({ keys, cases }) => {
  const ALGORITHMS = { ed25519: 'ed25519', 'ecdsa-p256-sha256': 'ecdsa-p256' } as const;
  const ours = cases.filter(({ alg }) => Object.hasOwn(ALGORITHMS, alg));

  it('abuse case 24: has samples of both algorithms that are ours', () => {
    expect(ours.map(({ alg }) => alg).sort()).toEqual(['ecdsa-p256-sha256', 'ed25519']);
  });

  it.each(ours)(
    'abuse case 24: RFC 9421 B.2, $alg: verifies, and nothing near it does',
    async (sample) => {
      const { kty, crv, x, y } = keys[sample.keyid] ?? {};
      const jwk = { kty, crv, x, ...(y && { y }) };
      const algorithm = ALGORITHMS[sample.alg as keyof typeof ALGORITHMS];
      const key = {
        algorithm,
        publicKey: new Uint8Array(rawPublicKey(createPublicKey({ key: jwk, format: 'jwk' }))),
      };
      const signature = new Uint8Array(
        Buffer.from(sample.signature.split(':')[1] as string, 'base64'),
      );
      const base = utf8(sample.signature_base);
      expect(await verifySignature(key, signature, base)).toBe(true);
      for (const at of [0, 20, base.length - 1]) {
        const changed = base.slice();
        changed[at] = (changed[at] as number) ^ 1;
        expect(await verifySignature(key, signature, changed)).toBe(false);
      }
      for (let at = 0; at < signature.length; at++) {
        const changed = signature.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
        expect(await verifySignature(key, changed, base)).toBe(false);
      }
      const other = algorithm === 'ed25519' ? 'ecdsa-p256' : 'ed25519';
      expect(await verifySignature({ ...key, algorithm: other }, signature, base)).toBe(false);
    },
  );
});
