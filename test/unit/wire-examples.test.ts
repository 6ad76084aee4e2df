/**
 * The worked examples of docs/wire-format.md. They are computed without any of our code; here the client and the module
 * make and open the same octets. What they draw at random is given to them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EdgeClient } from '../../client/edge.ts';
import { keyPair } from '../../client/hpke.ts';
import { keyedIndexes } from '../../client/indexes.ts';
import { loadSender, parcelOpener } from '../../client/module.ts';
import { Opener } from '../../client/open.ts';
import { type PulledRow, pull } from '../../client/pull.ts';
import { signCertificate, signList, TrustedLists } from '../../client/recipients.ts';
import { ed25519Signer, type Identity } from '../../client/signing.ts';
import { submitRecord } from '../../client/submit.ts';
import { checkRecord, ruleset } from '../../wasm/host/check.ts';
import { Primitives } from '../../wasm/host/primitives.ts';
import { Session } from '../../wasm/host/session.ts';
import { parseResults, parseSummary } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, u32, utf8 } from '../../wire/bytes.ts';
import { OUTCOMES, REFUSALS } from '../../wire/codes.ts';
import {
  encapsulationInfo,
  encodeHeader,
  FINAL_AAD,
  frameChunk,
  NO_DEVICE,
  SINGLE,
  STREAM,
} from '../../wire/envelope.ts';
import { encodeEpoch, NATIONAL } from '../../wire/epoch.ts';
import { INDEX_PURPOSES } from '../../wire/indexes.ts';
import {
  encodeKeyConfigurations,
  encodeKeysStatement,
  KEYS_SIGNATURE_HEADER,
  KEYS_TYPE,
  parseKeysSignature,
} from '../../wire/keys.ts';
import { VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';
import { chainInput, PULL_TYPE, parseCommit } from '../../wire/pull.ts';
import { parseCertificate, parseSignedList } from '../../wire/recipients.ts';
import { decodeMasked, decodeRecord, encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import { parseByteSequence } from '../../wire/signature.ts';
import { AnswerOpener } from '../support/encapsulation.ts';
import { setupSender } from '../support/noble-hpke.ts';
import { fromHex, toHex } from '../support/vectors.ts';
import { loadModule } from '../support/wasm.ts';
import vectors from '../vectors/wire-examples.json' with { type: 'json' };

const { inputs, records, submission, stream, indexes, epochs, parcels, commit, end } = vectors;
const { city, now, keys, authority } = inputs;
const enterprise = fromHex(inputs.enterprise);
const secret = (name: keyof typeof keys) => fromHex(keys[name].privateKey);
const publicOf = (name: keyof typeof keys) => fromHex(keys[name].publicKey);
const recordOf = (name: keyof typeof records) => records[name].json as ParcelRecord;

// An instance draws its key when it starts: not in the middle of what is drawn here.
parcelOpener();

/** What our own next draws of random octets will give, in their order. What libraries draw, to blind, stays random. */
function draw(...values: string[]): void {
  const queue = values.map(fromHex);
  const random = crypto.getRandomValues.bind(crypto);
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (new Error().stack?.includes('node_modules/@noble')) return random(array);
    (array as unknown as Uint8Array).set(queue.shift() as Uint8Array);
    return array;
  });
}

/** The nonce of a signature, in hexadecimal: it is drawn, too. */
function nonceOf({ base }: { base: string }): string {
  const nonce = /nonce="([^"]*)"/.exec(base)?.[1] as string;
  return Buffer.from(nonce, 'base64url').toString('hex');
}

afterEach(() => vi.restoreAllMocks());

it('are computed by nothing of ours', () => {
  const folder = new URL('../../scripts/wire-examples/', import.meta.url);
  const imports = readdirSync(folder).flatMap((name) =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, from]) => from as string,
    ),
  );
  const local = imports.filter((from) => from.startsWith('.'));
  expect(local.filter((from) => !/^\.\/[a-z]+\.mjs$/.test(from))).toEqual([]);
  expect(new Set(imports.filter((from) => !from.startsWith('.')))).toEqual(
    new Set(['node:crypto', '@hpke/core', '@hpke/chacha20poly1305', 'cborg']),
  );
});

describe('records', () => {
  const instance = new WebAssembly.Instance(loadModule());

  it.each([
    ['a', 0, 0],
    ['b', REFUSALS.BAD_CHECK, 0x72],
    ['c', 0, 0],
  ] as const)('%s', (name, refusal, field) => {
    const cbor = fromHex(records[name].cbor);
    expect(toHex(encodeRecord(recordOf(name)))).toBe(records[name].cbor);
    expect(decodeRecord(cbor)).toEqual(recordOf(name));
    expect(checkRecord(instance, cbor, now)).toMatchObject({ refusal, field, warnings: 0 });
  });

  it('masked', () => {
    const { masked } = checkRecord(instance, fromHex(records.a.cbor), now);
    expect(toHex(masked)).toBe(vectors.masked);
  });
});

describe('what is signed', () => {
  it('the recipient list', () => {
    const { list } = vectors.recipientList;
    expect(toHex(signList(parseSignedList(fromHex(list)).list, secret('root')))).toBe(list);
    const trusted = new TrustedLists(publicOf('root')).add(fromHex(list));
    expect(toHex(trusted.hash)).toBe(vectors.recipientList.hash);
    expect(trusted.list.entries.map(({ publicKey }) => toHex(publicKey))).toEqual(
      (['recipient1', 'recipient2', 'edgeSigning', 'delegate'] as const).map(
        (name) => keys[name].publicKey,
      ),
    );
  });

  it('the certificate', () => {
    const { certificate } = vectors.certificate;
    const parsed = parseCertificate(fromHex(certificate)).certificate;
    expect(parsed).toMatchObject({ city, enterprise, publicKey: publicOf('enterpriseReader') });
    expect(toHex(signCertificate(parsed, secret('delegate')))).toBe(certificate);
  });

  it('the key configuration', () => {
    const { body, statement, header } = vectors.keyConfiguration;
    const configuration = { keyId: inputs.edgeKeyId, publicKey: publicOf('edge') };
    expect(toHex(encodeKeyConfigurations([configuration]))).toBe(body);
    const parsed = parseKeysSignature(parseByteSequence(header)).statement;
    expect(parsed).toMatchObject({ version: 1, city, signer: fromHex(keys.edgeSigning.keyId) });
    expect(toHex(encodeKeysStatement(parsed))).toBe(statement);
  });
});

describe('the client', () => {
  const requests: { path: string; headers: Headers; body: string }[] = [];

  /** An edge that answers as in the examples. */
  function edge(): EdgeClient {
    const answers: Record<string, [string, string, Record<string, string>?]> = {
      '/v1/recipients': ['application/octet-stream', vectors.recipientList.list],
      '/v1/keys': [
        KEYS_TYPE,
        vectors.keyConfiguration.body,
        { [KEYS_SIGNATURE_HEADER]: vectors.keyConfiguration.header },
      ],
      '/v1/parcels': [SINGLE.responseType, submission.answer.body],
      '/v1/pull': [PULL_TYPE, end.frames],
    };
    requests.length = 0;
    return new EdgeClient({
      ...{ url: `http://${authority}`, city, rootKey: publicOf('root'), now: () => now },
      fetch: async (url, { headers, body }) => {
        const path = new URL(url).pathname;
        const sent = toHex((body ?? new Uint8Array()) as Uint8Array);
        requests.push({ path, headers: new Headers(headers), body: sent });
        const [type, answer, more] = answers[path] as [string, string, Record<string, string>?];
        return new Response(fromHex(answer) as Uint8Array<ArrayBuffer>, {
          headers: { 'content-type': type, ...more },
        });
      },
    });
  }

  const identity = (id: Uint8Array, key: keyof typeof keys): Identity => ({
    ...{ id, signer: ed25519Signer(secret(key)) },
  });

  it('submits record A and opens its answer', async () => {
    const sender = identity(enterprise, 'enterpriseSigning');
    // It draws a key of its own, once.
    await loadSender();
    draw(keys.submission.privateKey, nonceOf(vectors.submissionSignature));
    const result = await submitRecord(edge(), sender, recordOf('a'));
    expect(result).toEqual({
      ...{ outcome: 'STORED', id: records.a.json.id, warnings: [], ruleset: inputs.ruleSet },
      masked: decodeMasked(fromHex(vectors.masked)),
    });
    const request = requests.find(({ path }) => path === '/v1/parcels');
    expect(request?.body).toBe(submission.body);
    for (const [name, value] of Object.entries(vectors.submissionSignature.headers)) {
      expect(request?.headers.get(name), name).toBe(value);
    }
  });

  it('seals the stream and opens its answer', () => {
    const hdr = encodeHeader(inputs.edgeKeyId);
    const info = encapsulationInfo(STREAM.requestLabel, hdr, enterprise, NO_DEVICE);
    expect(toHex(info)).toBe(stream.info);
    const context = setupSender(publicOf('edge'), info, keyPair(secret('stream')));
    const [a, b, c] = (['a', 'b', 'c'] as const).map((name) => encodeRecord(recordOf(name))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const first = frameChunk(context.seal(concat(a, b)), false);
    const last = frameChunk(context.seal(c, FINAL_AAD), true);
    expect(toHex(concat(hdr, context.enc, first, last))).toBe(stream.body);

    const { responseNonce, chunks } = stream.answer;
    const opener = new AnswerOpener(context, STREAM.responseLabel, fromHex(responseNonce));
    const sealed = chunks.map((chunk, i) => fromHex(chunk).subarray(i === 0 ? 2 : 1));
    const results = sealed.slice(0, 2).map((chunk) => parseResults(opener.open(chunk)));
    expect(results.flat()).toMatchObject([
      { place: 0, outcome: OUTCOMES.DUPLICATE, code: 0 },
      { place: 1, outcome: OUTCOMES.REFUSED, code: REFUSALS.BAD_CHECK, field: 0x72 },
      { place: 256, outcome: OUTCOMES.STORED, code: 0 },
    ]);
    expect(parseSummary(opener.open(sealed[2] as Uint8Array, true))).toEqual({
      ...{ complete: true, stored: 1, duplicate: 1, conflict: 0, refused: 1, retry: 0 },
      checked: 0,
    });
  });

  it('pulls, proves and opens record A', async () => {
    const regulator = identity(NATIONAL, 'regulatorSigning');
    draw(nonceOf(vectors.pullSignature));
    const client = edge();
    const opener = new Opener(client.lists, [keyPair(secret('recipient2'))]);
    await client.recipients();
    const opened: unknown[] = [];
    const report = await pull(client, regulator, {
      onEpoch: (header) => {
        expect(opener.addEpoch(header)).toEqual([]);
      },
      onParcel: (parcel: Uint8Array, row: PulledRow) => {
        opened.push(opener.open(parcel, row));
      },
    });
    expect(opened).toMatchObject([{ view: 'full', record: recordOf('a') }]);
    expect(report).toMatchObject({ rows: 1, parcels: 1, epochs: 1 });
    expect(report.state.writers).toEqual([
      { writer: 1, sequence: 1, head: commit.chainHead, promised: [] },
    ]);
    const request = requests.find(({ path }) => path === '/v1/pull');
    for (const [name, value] of Object.entries(vectors.pullSignature.headers)) {
      expect(request?.headers.get(name), name).toBe(value);
    }
  });

  it('opens the masked view', () => {
    const lists = new TrustedLists(publicOf('root'));
    lists.add(fromHex(vectors.recipientList.list));
    const opener = new Opener(lists, [keyPair(secret('enterpriseReader'))]);
    expect(opener.addEpoch(fromHex(epochs.masked.header))).toEqual([]);
    expect(opener.open(fromHex(parcels.masked.parcel))).toMatchObject({
      view: 'masked',
      record: decodeMasked(fromHex(vectors.masked)),
    });
  });

  it('computes the keyed indexes and the chain head', () => {
    const key = { version: inputs.indexVersion, fromMs: 0, untilMs: now };
    const values = INDEX_PURPOSES.map((purpose) => ({
      ...{ purpose, value: fromHex(indexes[purpose].value) },
    }));
    const computed = keyedIndexes([{ ...key, key: fromHex(inputs.indexKey) }], city, values);
    expect(computed.map(toHex)).toEqual(INDEX_PURPOSES.map((purpose) => indexes[purpose].index));
    const primitives = new Primitives(new WebAssembly.Instance(loadModule()));
    const digest = primitives.sha256(fromHex(commit.receipts));
    const input = chainInput(parseCommit(fromHex(commit.body)), city, 1, digest);
    expect(toHex(primitives.sha256(input))).toBe(commit.chainHead);
  });
});

describe('the module', () => {
  const primitives = new Primitives(new WebAssembly.Instance(loadModule()));
  const party = { enterprise, device: NO_DEVICE, masked: true };

  /** An edge with both epochs of the examples. @param answers draws that follow */
  function session(...answers: string[]) {
    const { draws } = inputs;
    draw('01'.repeat(64), draws.fullEpoch, draws.maskedEpoch, ...answers);
    const made = new Session(loadModule(), city, (s) => {
      s.setEdgeKey(inputs.edgeKeyId, secret('edge'), 0, now + 1);
      const period = { version: inputs.indexVersion, fromMs: 0, untilMs: now + 1 };
      s.setIndexKey(period, fromHex(inputs.indexKey));
    });
    const common = {
      ...{ startMs: now, endMs: now + 900_000, listVersion: 3 },
      listHash: fromHex(vectors.recipientList.hash),
    };
    const full = made.startEpoch({ ...common, view: VIEW_FULL, audience: NATIONAL }, [
      publicOf('recipient2'),
      publicOf('recipient1'),
    ]);
    const masked = made.startEpoch({ ...common, view: VIEW_MASKED, audience: enterprise }, [
      publicOf('enterpriseReader'),
    ]);
    return { session: made, full, masked };
  }

  /**
   * Part `i` of an answer under the rules of the module: the examples name the rule set of their day, results that of the
   * module, which comes later.
   */
  function answerPart(
    { key, nonce }: { key: string; nonce: string },
    i: number,
    plaintext: string,
    aad = new Uint8Array(),
  ): Uint8Array {
    const now = toHex(u32(ruleset(new WebAssembly.Instance(loadModule()))));
    const text = fromHex(plaintext.replaceAll(toHex(u32(inputs.ruleSet)), now));
    const base = fromHex(nonce);
    base[11] = (base[11] as number) ^ i;
    return primitives.aeadSeal(fromHex(key), base, aad, text);
  }

  it('starts both epochs', () => {
    const { full, masked } = session();
    for (const [made, expected] of [
      [full, epochs.full],
      [masked, epochs.masked],
    ] as const) {
      const signer = fromHex(keys.edgeSigning.keyId);
      const { params, commit, wraps } = made;
      const header = encodeEpoch(params, commit, wraps, signer, fromHex(expected.signature));
      expect(toHex(header)).toBe(expected.header);
    }
  });

  it('opens the submission, seals both parcels, and answers', () => {
    const { session: edge } = session(inputs.draws.answer);
    const opened = edge.openSingle(fromHex(submission.body), party, now);
    if (opened.status !== 'ok') throw new Error(opened.status);
    const batch = parseBatch(opened.batch);
    expect(batch.records.map(({ full }) => toHex(full))).toEqual([parcels.full.parcel]);
    expect(batch.records.map(({ masked }) => toHex(masked))).toEqual([parcels.masked.parcel]);
    expect(toHex(batch.receipts)).toBe(commit.receipts);

    const { answer } = submission;
    const sealed = answerPart(answer, 0, answer.plaintext);
    expect(toHex(edge.answerSingle(opened.context, OUTCOMES.STORED))).toBe(
      toHex(concat(fromHex(answer.responseNonce), sealed)),
    );
  });

  it('opens the stream, and answers', () => {
    const { session: edge } = session(inputs.draws.streamAnswer);
    const { answer, chunks } = stream;
    const opened = edge.openStream(fromHex(stream.body).subarray(0, 39), party, now);
    if (opened.status !== 'ok') throw new Error(opened.status);
    expect(toHex(opened.head)).toBe(answer.responseNonce);

    const [first, last] = chunks as [string, string];
    const one = edge.openChunk(opened.request, fromHex(first).subarray(2), false, now);
    if (one.status !== 'ok') throw new Error(one.status);
    const [a, c] = [OUTCOMES.DUPLICATE, OUTCOMES.STORED].map((outcome) => Uint8Array.of(outcome));
    const results = edge.sealResults(opened.answer, one.drafts, a as Uint8Array);
    const two = edge.openChunk(one.request, fromHex(last).subarray(1), true, now);
    if (two.status !== 'ok') throw new Error(two.status);
    const more = edge.sealResults(results.answer, two.drafts, c as Uint8Array);
    const summary = edge.sealSummary(more.answer, true);

    const [firstResults, lastResults] = answer.results as [string, string];
    expect(toHex(results.sealed)).toBe(toHex(answerPart(answer, 0, firstResults)));
    expect(toHex(more.sealed)).toBe(toHex(answerPart(answer, 1, lastResults)));
    expect(toHex(summary)).toBe(toHex(answerPart(answer, 2, answer.summary, FINAL_AAD)));
  });

  it('seals and derives as a sender does', () => {
    const sender = {
      ephemeralPrivateKey: secret('submission'),
      receiverPublicKey: publicOf('edge'),
      info: fromHex(submission.info),
    };
    const sealed = primitives.hpkeSeal(sender, 0n, new Uint8Array(), fromHex(records.a.cbor));
    expect(toHex(sealed?.enc as Uint8Array)).toBe(submission.enc);
    expect(toHex(sealed?.ciphertext as Uint8Array)).toBe(submission.ciphertext);
    const exported = primitives.hpkeSenderExport(sender, utf8(SINGLE.responseLabel), 32);
    expect(toHex(exported as Uint8Array)).toBe(submission.answer.secret);
  });
});
