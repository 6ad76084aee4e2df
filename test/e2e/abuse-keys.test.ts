/** Abuse of keys: those of another party, of another algorithm, of small order, on the real service. */
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  distinct,
  expectRefusal,
  expectUndisturbed,
  inParallel,
  PARCELS,
  post,
  sealedSingle,
  signedSingle,
} from '../support/abuse.ts';
import {
  keyId,
  rawPublicKey,
  sha256,
  signedHeaders,
  type Tampering,
} from '../support/independent-client.ts';
import { startTestService, type TestParty, type TestService } from '../support/service.ts';

/** Points of order 1, 2, 4, 4, 8, 8, 8, 8 on the curve of Ed25519, and the encodings of the first that are not canonical. */
const LOW_ORDER = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  `ee${'ff'.repeat(30)}7f`,
  `01${'00'.repeat(30)}80`,
].map((hex) => Buffer.from(hex, 'hex'));

let service: TestService;

beforeAll(async () => {
  const keys = LOW_ORDER.map((publicKey) => ({ algorithm: 'ed25519' as const, publicKey }));
  service = await startTestService({ keys });
});

afterAll(() => service.stop());

function pullHeaders(tampering: Tampering = {}): Record<string, string> {
  const request = { method: 'GET', path: '/v1/pull' };
  return signedHeaders(service.url, service.regulator, request, tampering);
}

const sendPull = (headers: Record<string, string>) => fetch(`${service.url}/v1/pull`, { headers });

/** A submission with this tampering, by this party. */
async function sendSingle(tampering: Tampering, party: TestParty): Promise<Response> {
  const { body } = await sealedSingle(service);
  return post(service, PARCELS, signedSingle(service, party, body, {}, tampering), body);
}

/** The headers of a pull, with octets of our choice for a signature. */
function forged(keyid: Buffer, signature: (base: Buffer) => Buffer): Record<string, string> {
  const headers = pullHeaders({ keyid: keyid.toString('base64url') });
  const params = headers['signature-input']?.replace('sealpost=', '');
  const authority = new URL(service.url).host;
  const base = `"@method": GET\n"@authority": ${authority}\n"@path": /v1/pull\n"@signature-params": ${params}`;
  return {
    ...headers,
    signature: `sealpost=:${signature(Buffer.from(base)).toString('base64')}:`,
  };
}

it('abuse case 24: a signature of the other curve under a registered key id', async () => {
  const { a, b } = service;
  for (const [signer, named] of [
    [a, b],
    [b, a],
  ] as const) {
    const keyid = keyId(named.publicKey).toString('base64url');
    await expectRefusal(
      await sendSingle({ keyid }, { ...signer, id: named.id }),
      401,
      'signature_invalid',
    );
  }
  const fresh = generateKeyPairSync('ed25519');
  const stranger = { ...a, ...fresh };
  const keyid = keyId(a.publicKey).toString('base64url');
  await expectRefusal(await sendSingle({ keyid }, stranger), 401, 'signature_invalid');
  await expectRefusal(await sendSingle({}, stranger), 401, 'signature_invalid');
});

it('abuse case 24: an HMAC whose key is the public key', async () => {
  for (const { publicKey } of [service.regulator, service.b]) {
    const raw = rawPublicKey(publicKey);
    const mac = (algorithm: string) => (base: Buffer) =>
      createHmac(algorithm, raw).update(base).digest();
    for (const algorithm of ['sha256', 'sha512']) {
      const headers = forged(keyId(publicKey), mac(algorithm));
      await expectRefusal(await sendPull(headers), 401, 'signature_invalid');
    }
  }
});

it('abuse case 24: a key of small order, for which a signature fits every message', async () => {
  // The attack is real: a verifier that does not look at the key takes it.
  const fits = Buffer.concat([LOW_ORDER[0] as Buffer, Buffer.alloc(32)]);
  const message = randomBytes(100);
  expect(ed25519.verify(fits, message, LOW_ORDER[0] as Buffer, { zip215: true })).toBe(true);
  const pairs = LOW_ORDER.flatMap((key) => LOW_ORDER.map((point) => [key, point] as const));
  const shapes = await inParallel(pairs, async ([key, point]) => {
    const headers = forged(sha256(key), () => Buffer.concat([point, Buffer.alloc(32)]));
    return expectRefusal(await sendPull(headers), 401, 'signature_invalid');
  });
  expect(distinct(shapes)).toBe(1);
});

it('abuse case 24: an Ed25519 signature whose S is not reduced, and signatures of other lengths', async () => {
  const headers = pullHeaders();
  const signature = Buffer.from(headers.signature?.split(':')[1] ?? '', 'base64');
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
  const added = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  const others = [
    Buffer.concat([signature.subarray(0, 32), added]),
    Buffer.concat([signature, Buffer.of(0)]),
    signature.subarray(0, 63),
    Buffer.alloc(64),
    randomBytes(1024),
  ];
  for (const other of others) {
    const changed = { ...headers, signature: `sealpost=:${other.toString('base64')}:` };
    await expectRefusal(await sendPull(changed), 401, 'signature_invalid');
  }
  expect((await sendPull(headers)).status).toBe(200);
  await expectUndisturbed(service, 0);
});
