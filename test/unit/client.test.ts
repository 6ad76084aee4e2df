import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EdgeClient } from '../../client/edge.ts';
import { fromBase64url, fromHex, toBase64url, toHex } from '../../client/encoding.ts';
import { signList, TrustedLists } from '../../client/recipients.ts';
import { submitRecord } from '../../client/submit.ts';
import { encodeResult } from '../../wire/answer.ts';
import { concat, u16 } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS, WARNINGS } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { encodeRecord, uuidBytes } from '../../wire/record.ts';
import { byteSequence, ENCAPSULATION_HEADER } from '../../wire/signature.ts';
import { FakeEdge, type Handler, refuse } from '../support/fake-edge.ts';
import { CITY, DAY_MS, edgeEntry, makeWorld, random, signingPair } from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const quick = { firstDelayMs: 1 };

/** Answers single submissions with the outcome that `judge` gives. */
function answering(
  edge: FakeEdge,
  judge: (cbor: Uint8Array) => {
    outcome: number;
    field?: number;
    code?: number;
    masked?: Uint8Array;
  },
): Handler {
  return async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    const head = body.subarray(0, 39);
    expect(request.headers.get(ENCAPSULATION_HEADER)).toBe(byteSequence(head));
    const context = edge.receive(SINGLE, head);
    const cbor = context.request.open(body.subarray(39));
    const { outcome, field = 0, code = 0, masked = new Uint8Array(0) } = judge(cbor);
    const result = encodeResult({
      ...{ place: 0, id: uuidBytes(record.id), outcome, field, code },
      ...{ warnings: 1 << WARNINGS.WAYBILL_FORM, ruleset: 20261101 },
    });
    const padded = new Uint8Array(320);
    padded.set(concat(u16(masked.length), masked));
    const sealed = context.seal(concat(result, padded));
    const status = outcome === OUTCOMES.REFUSED ? 422 : 200;
    const headers = { 'content-type': SINGLE.responseType };
    return new Response(concat(context.responseNonce, sealed), { status, headers });
  };
}

const record = validRecord(NOW);

describe('texts of bytes', () => {
  it('read back as written, as other programs write them', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const own = new Uint8Array(bytes);
        expect(toHex(own)).toBe(Buffer.from(own).toString('hex'));
        expect(toBase64url(own)).toBe(Buffer.from(own).toString('base64url'));
        expect(fromHex(toHex(own).toUpperCase())).toEqual(own);
        expect(fromBase64url(toBase64url(own))).toEqual(own);
      }),
    );
  });

  it.each(['a', '0g', ' 00'])('%j is not hexadecimal', (text) => {
    expect(() => fromHex(text)).toThrow('not hexadecimal');
  });

  it.each(['a', 'AA==', 'A+A/', 'A A'])('%j is not base64url', (text) => {
    expect(() => fromBase64url(text)).toThrow('not base64url');
  });
});

describe('what a client trusts', () => {
  const world = makeWorld(NOW);
  const codeOf = (edge: FakeEdge, client = edge.client()) =>
    client.keys().then(
      () => 'trusted',
      (error) => error.code,
    );
  const listed = (edge: FakeEdge, bytes: Uint8Array) =>
    edge.handlers.set('GET /v1/recipients', () => {
      return new Response(concat(bytes), {
        headers: { 'content-type': 'application/octet-stream' },
      });
    });

  it('is the key that the root, the list and the edge vouch for', async () => {
    const edge = new FakeEdge(world);
    const client = edge.client();
    expect(await client.keys()).toEqual({ keyId: 1, publicKey: edge.key.publicKey });
    await client.keys();
    expect(edge.requests).toHaveLength(2);
    client.forgetKeys();
    await client.keys();
    expect(edge.requests).toHaveLength(4);
  });

  it.each<[string, (edge: FakeEdge) => Response]>([
    ['keys_signer', (edge) => edge.keysAnswer({}, signingPair())],
    ['keys_signer', (edge) => edge.keysAnswer({ signer: random(32) })],
    ['keys_other_city', (edge) => edge.keysAnswer({ city: 440300 })],
    ['keys_not_valid', (edge) => edge.keysAnswer({ notAfter: NOW })],
    ['keys_not_valid', (edge) => edge.keysAnswer({ notBefore: NOW + 121_000 })],
    ['trusted', (edge) => edge.keysAnswer({ notBefore: NOW + 119_000 })],
    ['keys_malformed', (edge) => without(edge.keysAnswer(), 'sealpost-keys-signature')],
    ['bad_answer', (edge) => without(edge.keysAnswer(), 'content-type')],
    ['bad_answer', () => new Response(new Uint8Array(300_000), { status: 502 })],
    ['unavailable', () => refuse('unavailable')],
  ])('ends with %s', async (code, answer) => {
    const edge = new FakeEdge(world);
    edge.handlers.set('GET /v1/keys', () => answer(edge));
    expect(await codeOf(edge)).toBe(code);
  });

  it('is not a configuration that was changed on the way', async () => {
    const edge = new FakeEdge(world);
    edge.handlers.set('GET /v1/keys', async () => {
      const answer = edge.keysAnswer();
      const body = new Uint8Array(await answer.arrayBuffer());
      body[10] = (body[10] as number) ^ 1;
      return new Response(body, { headers: answer.headers });
    });
    expect(await codeOf(edge)).toBe('keys_signature');
  });

  it('is not an older configuration than one already seen', async () => {
    const edge = new FakeEdge(world);
    const client = edge.client();
    edge.handlers.set('GET /v1/keys', () => edge.keysAnswer({ version: 5 }));
    await client.keys();
    client.forgetKeys();
    edge.handlers.set('GET /v1/keys', () => edge.keysAnswer({ version: 4 }));
    expect(await codeOf(edge, client)).toBe('keys_step_back');
  });

  it('is not a list of another root, an expired one, or an older one than is known', async () => {
    const edge = new FakeEdge(world);
    listed(edge, signList(world.list, signingPair().privateKey));
    expect(await codeOf(edge)).toBe('list_signature');
    const [notBefore, notAfter] = [NOW - DAY_MS, NOW];
    listed(edge, signList({ ...world.list, notBefore, notAfter }, world.root.privateKey));
    expect(await codeOf(edge)).toBe('list_not_valid');
    listed(edge, signList({ ...world.list, version: 2 }, world.root.privateKey));
    const lists = new TrustedLists(world.root.publicKey);
    lists.add(world.signedList);
    expect(await codeOf(edge, edge.client({ lists }))).toBe('list_step_back');
    const period = { notBefore: NOW - DAY_MS, notAfter: NOW + DAY_MS };
    const entries = [edgeEntry(world.edge, period, 440300)];
    listed(edge, signList({ ...world.list, entries, version: 7 }, world.root.privateKey));
    expect(await codeOf(edge)).toBe('keys_signer');
  });

  it('is nothing when nobody answers', async () => {
    const options = { url: 'http://127.0.0.1:1', city: CITY, rootKey: world.root.publicKey };
    await expect(new EdgeClient(options).keys()).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a single submission', () => {
  it.each([
    ['STORED', OUTCOMES.STORED],
    ['DUPLICATE', OUTCOMES.DUPLICATE],
    ['CONFLICT', OUTCOMES.CONFLICT],
  ] as const)('is sealed, signed, and answered %s', async (outcome, byte) => {
    const edge = new FakeEdge(makeWorld(NOW));
    const seen: Uint8Array[] = [];
    const judge = (cbor: Uint8Array) => {
      seen.push(cbor);
      return { outcome: byte, masked: outcome === 'CONFLICT' ? new Uint8Array(0) : cbor };
    };
    edge.handlers.set('POST /v1/parcels', answering(edge, judge));
    const result = await submitRecord(edge.client(), edge.identity, record);
    expect(seen).toEqual([encodeRecord(record)]);
    expect(result).toMatchObject({
      outcome,
      id: record.id,
      warnings: ['WAYBILL_FORM'],
      ruleset: 20261101,
    });
    expect(result.masked?.waybill).toBe(outcome === 'CONFLICT' ? undefined : record.waybill);
  });

  it('tells why a record was refused, though the status is an error', async () => {
    const edge = new FakeEdge(makeWorld(NOW));
    const verdict = { outcome: OUTCOMES.REFUSED, field: 0x72, code: REFUSALS.BAD_CHECK };
    edge.handlers.set(
      'POST /v1/parcels',
      answering(edge, () => verdict),
    );
    const result = await submitRecord(edge.client(), edge.identity, encodeRecord(record));
    expect(result).toMatchObject({
      outcome: 'REFUSED',
      code: 'BAD_CHECK',
      field: 'sender.docNumber',
    });
    expect(result).not.toHaveProperty('masked');
  });

  it('is sent again under a new context while the edge cannot take it', async () => {
    const edge = new FakeEdge(makeWorld(NOW));
    const good = answering(edge, () => ({ outcome: OUTCOMES.STORED }));
    const again = answering(edge, () => ({ outcome: OUTCOMES.RETRY }));
    const heads: (string | null)[] = [];
    edge.handlers.set('POST /v1/parcels', (request, signature) => {
      heads.push(request.headers.get(ENCAPSULATION_HEADER));
      if (heads.length === 1) return refuse('unavailable');
      return heads.length === 2 ? again(request, signature) : good(request, signature);
    });
    const result = await submitRecord(edge.client(), edge.identity, record, quick);
    expect(result.outcome).toBe('STORED');
    expect(new Set(heads).size).toBe(3);
  });

  it('asks for the keys again when the edge does not know the one used', async () => {
    const edge = new FakeEdge(makeWorld(NOW));
    const good = answering(edge, () => ({ outcome: OUTCOMES.STORED }));
    let calls = 0;
    edge.handlers.set('POST /v1/parcels', (request, signature) => {
      return calls++ === 0 ? refuse('unknown_key') : good(request, signature);
    });
    await submitRecord(edge.client(), edge.identity, record, quick);
    const keys = edge.requests.filter(({ url }) => url.endsWith('/v1/keys'));
    expect(keys).toHaveLength(2);
  });

  it.each([
    ['forbidden', 1],
    ['signature_invalid', 1],
    ['store_full', 1],
    ['unavailable', 3],
    ['internal', 3],
  ] as const)('ends with %s after %i attempts', async (code, attempts) => {
    const edge = new FakeEdge(makeWorld(NOW));
    edge.handlers.set('POST /v1/parcels', () => refuse(code));
    const pace = { ...quick, maxAttempts: 3 };
    const sent = submitRecord(edge.client(), edge.identity, record, pace);
    await expect(sent).rejects.toMatchObject({ code });
    expect(edge.requests.filter(({ method }) => method === 'POST')).toHaveLength(attempts);
  });

  it('tells the edge’s time when the clocks differ', async () => {
    const edge = new FakeEdge(makeWorld(NOW));
    edge.handlers.set('POST /v1/parcels', () => refuse('clock_skew', new Date(NOW).toISOString()));
    const sent = submitRecord(edge.client(), edge.identity, record, quick);
    await expect(sent).rejects.toMatchObject({ code: 'clock_skew', serverMs: NOW });
  });

  it('believes no answer that does not open', async () => {
    const edge = new FakeEdge(makeWorld(NOW));
    const good = answering(edge, () => ({ outcome: OUTCOMES.STORED }));
    const pace = { ...quick, maxAttempts: 1 };
    for (const at of [0, 31, 32, 60, 399]) {
      edge.handlers.set('POST /v1/parcels', async (request, signature) => {
        const answer = await good(request, signature);
        const body = new Uint8Array(await answer.arrayBuffer());
        body[at] = (body[at] as number) ^ 1;
        return new Response(body, { headers: answer.headers });
      });
      const sent = submitRecord(edge.client(), edge.identity, record, pace);
      await expect(sent).rejects.toMatchObject({ code: 'bad_answer' });
    }
  });
});
function without(response: Response, header: string): Response {
  response.headers.delete(header);
  return response;
}
