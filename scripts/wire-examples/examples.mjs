/** The worked examples of docs/wire-format.md, computed by its text. Octet strings are Buffers. */
import {
  AUTHORITY,
  CITY,
  DAY,
  draws,
  EDGE_KEY_ID,
  enterprise,
  INDEX_VERSION,
  indexed,
  indexKey,
  keys,
  masked,
  NOW,
  RULE_SET,
  records,
} from './inputs.mjs';
import {
  expand,
  extract,
  fixed,
  hmac,
  hpkeSender,
  join,
  nonceAt,
  seal,
  sha256,
  sign,
  u8,
  u16,
  u32,
  u64,
  varint,
  zeros,
} from './primitives.mjs';

const NONE = zeros(0);
const SUITE = join(u16(0x0020), u16(0x0001), u16(0x0003));
const BUCKETS = [320, 448];

/** All examples, each an object of named octet strings and texts. */
export async function workedExamples() {
  const recipientList = makeRecipientList();
  const certificate = makeCertificate();
  const keyConfiguration = makeKeyConfiguration();
  const submission = await makeSubmission();
  const stream = await makeStream();
  const indexes = makeIndexes();
  const epochs = {
    full: await makeEpoch(1, zeros(16), [keys.recipient1, keys.recipient2], recipientList),
    masked: await makeEpoch(2, enterprise, [keys.enterpriseReader], recipientList),
  };
  const parcels = {
    full: makeParcel(epochs.full, 1, 1, records.a.cbor, indexes),
    masked: makeParcel(epochs.masked, 2, 0, masked),
  };
  const submissionSignature = signSubmission(submission);
  const pullSignature = signPull();
  const commit = makeCommit(parcels.full, indexes);
  const end = makeEnd(pullSignature, epochs.full, commit);
  return {
    ...{ recipientList, certificate, keyConfiguration, submission, stream, indexes },
    ...{ epochs, parcels, submissionSignature, pullSignature, commit, end },
  };
}

/** Section 8. */
function makeRecipientList() {
  const [notBefore, notAfter] = [u64(NOW - DAY), u64(NOW + 20 * DAY)];
  const entry = (kind, algorithm, city, key) =>
    join(u8(kind), u16(algorithm), u32(city), notBefore, notAfter, key.publicKey);
  const head = join('SPL1', u32(3), notBefore, notAfter, u16(4));
  const entries = [
    entry(1, 0x0020, 0, keys.recipient1),
    entry(1, 0x0020, 0, keys.recipient2),
    entry(2, 0x00ed, CITY, keys.edgeSigning),
    entry(3, 0x00ed, CITY, keys.delegate),
  ];
  const body = join(head, ...entries);
  const signature = sign(keys.root, 'sealpost recipient list v1\0', body);
  return { head, entries, signature, list: join(body, signature), hash: sha256(body) };
}

/** Section 8. */
function makeCertificate() {
  const term = [u64(NOW - DAY), u64(NOW + 300 * DAY)];
  const { publicKey } = keys.enterpriseReader;
  const body = join('SPC1', u32(CITY), enterprise, ...term, publicKey, keys.delegate.keyId);
  const signature = sign(keys.delegate, 'sealpost enterprise key v1\0', body);
  return { body, signature, certificate: join(body, signature) };
}

/** Section 2. */
function makeKeyConfiguration() {
  const suites = join(u16(4), SUITE.subarray(2));
  const one = join(u8(EDGE_KEY_ID), SUITE.subarray(0, 2), keys.edge.publicKey, suites);
  const body = join(u16(one.length), one);
  const term = [u64(NOW - 600_000), u64(NOW + 3_000_000)];
  const statement = join(u32(1), u32(CITY), ...term, keys.edgeSigning.keyId);
  const signature = sign(keys.edgeSigning, 'sealpost keys v1\0', statement, sha256(body));
  const header = byteSequence(join(statement, signature));
  return { body, statement, signature, header };
}

/** Encapsulation, sections 3 and 4. */
async function encapsulate(ephemeral, label) {
  const hdr = join(u8(EDGE_KEY_ID), SUITE);
  const info = join(`${label}\0`, hdr, u8(1), enterprise, zeros(16));
  const context = await hpkeSender(keys.edge.publicKey, ephemeral.privateKey, info);
  return { hdr, info, context, enc: context.enc };
}

/** Keys of an answer, section 3. */
async function answerKeys(context, label, draw) {
  const responseNonce = draw.subarray(0, 32);
  const secret = await context.export(label);
  const prk = extract(join(context.enc, responseNonce), secret);
  return { responseNonce, secret, prk, key: expand(prk, 'key'), nonce: expand(prk, 'nonce', 12) };
}

function result({ place, record, outcome, field = 0, code = 0 }) {
  const judgement = [u8(outcome), u8(field), u16(code), u32(0), u32(RULE_SET)];
  return join(u32(place), record.id, ...judgement);
}

/** `length (2) ‖ value ‖ zeros` up to a size. */
function pad(value, size) {
  return join(u16(value.length), value, zeros(size - 2 - value.length));
}

/** Section 3. */
async function makeSubmission() {
  const { hdr, info, context, enc } = await encapsulate(
    keys.submission,
    'message/sealpost-parcel request',
  );
  const ciphertext = await context.seal(NONE, records.a.cbor);
  const label = 'message/sealpost-parcel response';
  const { key, nonce, ...derived } = await answerKeys(context, label, draws.answer);
  const stored = result({ place: 0, record: records.a, outcome: 1 });
  const plaintext = join(stored, pad(masked, BUCKETS[0]));
  const sealed = seal(key, nonce, NONE, plaintext);
  return {
    ...{ hdr, enc, info, ciphertext, body: join(hdr, enc, ciphertext) },
    answer: {
      ...{ ...derived, key, nonce, result: stored, plaintext, ciphertext: sealed },
      body: join(derived.responseNonce, sealed),
    },
  };
}

/** Section 4: records A and B in the first chunk, record C in the final one. */
async function makeStream() {
  const { hdr, info, context, enc } = await encapsulate(
    keys.stream,
    'message/sealpost-parcel chunked request',
  );
  const first = await context.seal(NONE, join(records.a.cbor, records.b.cbor));
  const final = await context.seal(Buffer.from('final'), records.c.cbor);
  const chunks = [join(varint(first.length), first), join(varint(0), final)];

  const label = 'message/sealpost-parcel chunked response';
  const { key, nonce, ...derived } = await answerKeys(context, label, draws.streamAnswer);
  const results = [
    join(
      result({ place: 0, record: records.a, outcome: 2 }),
      result({ place: 1, record: records.b, outcome: 4, field: 0x72, code: 22 }),
    ),
    result({ place: 256, record: records.c, outcome: 1 }),
  ];
  const summary = join(u8(1), ...[1, 1, 0, 1, 0, 0].map(u32));
  const sealed = results.map((plaintext, i) => seal(key, nonceAt(nonce, i), NONE, plaintext));
  const last = seal(key, nonceAt(nonce, 2), Buffer.from('final'), summary);
  const answers = [...sealed.map((chunk) => join(varint(chunk.length), chunk)), join(u8(0), last)];
  return {
    ...{ hdr, enc, info, chunks, body: join(hdr, enc, ...chunks) },
    answer: {
      ...{ ...derived, key, nonce, results, summary, chunks: answers },
      body: join(derived.responseNonce, ...answers),
    },
  };
}

/** Section 9. */
function makeIndexes() {
  const prk = extract(Buffer.from('sealpost index v1'), indexKey);
  const entries = Object.entries(indexed).map(([purpose, value]) => {
    const key = expand(prk, join(`${purpose}\0`, u32(CITY), u16(INDEX_VERSION)));
    return [purpose, { value, key, index: hmac(key, value).subarray(0, 16) }];
  });
  return Object.fromEntries(entries);
}

/** Section 7. The edge makes an epoch's random values of one draw; how is its own matter. */
async function makeEpoch(view, audience, readers, { hash }) {
  const prk = extract(NONE, view === 1 ? draws.fullEpoch : draws.maskedEpoch);
  const random = (name, ordinal, length) => expand(prk, join(name, u32(ordinal)), length);
  const epoch = random('epoch id', 0, 16);
  const contentKey = random('content key', 0, 32);
  const term = [u64(NOW), u64(NOW + 900_000)];
  const about = [epoch, audience, u32(CITY), ...term, u32(3), hash];
  const p = join('SPE1', u16(3), u8(view), u8(0), ...about);
  const commit = expand(contentKey, join('sealpost epoch commit v1', p));
  const parcelKey = expand(contentKey, join('sealpost parcel key v1', p));
  const sorted = [...readers].sort((a, b) => Buffer.compare(a.keyId, b.keyId));
  const wraps = [];
  for (const [i, reader] of sorted.entries()) {
    const info = join('sealpost epoch wrap v1\0', SUITE, reader.keyId);
    const ephemeral = random('ephemeral', i, 32);
    const context = await hpkeSender(reader.publicKey, ephemeral, info);
    const sealed = await context.seal(join(p, commit), contentKey);
    const wrap = join(reader.keyId, u16(0x50), context.enc, sealed);
    wraps.push({ reader: reader.name, ephemeral, wrap });
  }
  const all = join(...wraps.map(({ wrap }) => wrap));
  const signature = sign(keys.edgeSigning, 'sealpost epoch v1\0', p, commit, sha256(all));
  const { keyId } = keys.edgeSigning;
  const header = join(p, commit, u16(all.length), all, keyId, signature);
  return { epoch, contentKey, p, commit, parcelKey, wraps, signature, header };
}

/** Section 6. */
function makeParcel({ epoch, parcelKey }, view, bucket, cbor, indexes) {
  const named = ['document', 'waybill', 'sender phone', 'recipient phone'];
  const about = [epoch, u64(0), enterprise, records.a.id, u64(NOW), u32(CITY), u16(INDEX_VERSION)];
  const aad = join(
    ...['SPP1', u16(3), u16(1), u8(view), u8(bucket), ...about],
    ...(indexes ? named.map((purpose) => indexes[purpose].index) : []),
  );
  const nonce = join(zeros(4), u64(0));
  const plaintext = pad(cbor, BUCKETS[bucket]);
  const ciphertext = seal(parcelKey, nonce, aad, plaintext);
  return { aad, nonce, plaintext, ciphertext, parcel: join(aad, ciphertext) };
}

/** Section 5. */
function signRequest(key, nonceName, lines) {
  const components = `(${lines.map(([name]) => `"${name}"`).join(' ')})`;
  const params = [
    components,
    `created=${NOW / 1000}`,
    `expires=${NOW / 1000 + 120}`,
    `nonce="${fixed(nonceName, 16).toString('base64url')}"`,
    `keyid="${key.keyId.toString('base64url')}"`,
    'tag="sealpost-v1"',
  ].join(';');
  const base = [
    ...lines.map(([name, value]) => `"${name}": ${value}`),
    `"@signature-params": ${params}`,
  ].join('\n');
  const signature = sign(key, base);
  const headers = {
    'signature-input': `sealpost=${params}`,
    signature: `sealpost=${byteSequence(signature)}`,
  };
  return { base, signature, headers };
}

function signSubmission({ body, hdr, enc }) {
  return signRequest(keys.enterpriseSigning, 'nonce of the submission', [
    ['@method', 'POST'],
    ['@authority', AUTHORITY],
    ['@path', '/v1/parcels'],
    ['content-type', 'message/sealpost-parcel-req'],
    ['content-digest', `sha-256=${byteSequence(sha256(body))}`],
    ['sealpost-encapsulation', byteSequence(join(hdr, enc))],
  ]);
}

function signPull() {
  return signRequest(keys.regulatorSigning, 'nonce of the pull', [
    ['@method', 'GET'],
    ['@authority', AUTHORITY],
    ['@path', '/v1/pull'],
  ]);
}

const byteSequence = (octets) => `:${octets.toString('base64')}:`;

/** Section 10: the first commit of writer 1. */
function makeCommit({ parcel }, indexes) {
  const [writer, sequence, previous, count] = [u32(1), u64(1), zeros(32), u32(1)];
  const head = join(writer, sequence, u64(NOW + 5), enterprise, previous, count);
  const receipts = join(records.a.id, indexes.content.index);
  const parcelHead = join(u8(0), u16(parcel.length));
  const chained = [previous, u32(CITY), enterprise, writer, sequence, count, sha256(receipts)];
  return {
    ...{ head, receipts, parcelHead, body: join(head, receipts, parcelHead, parcel) },
    chainHead: sha256('sealpost chain v1\0', ...chained),
  };
}

/** Section 10: everything that the pull answers. */
function makeEnd(pullSignature, { header }, commit) {
  const frame = (type, body) => join(u8(type), u32(body.length), body);
  const before = join(frame(1, header), frame(2, commit.body));
  const request = sha256(pullSignature.signature);
  const digest = sha256(before);
  const endCursor = join(varint(1), varint(1));
  const cursors = [u32(0), u32(endCursor.length), endCursor];
  const heads = [u32(1), u32(1), u64(1), commit.chainHead];
  const scope = [u32(CITY), u8(1), u8(0), u64(1)];
  const body = join('SPX1', request, ...scope, digest, ...cursors, ...heads);
  const signature = sign(keys.edgeSigning, 'sealpost pull end v1\0', body);
  const end = frame(127, join(body, keys.edgeSigning.keyId, signature));
  return { request, digest, body, signature, frames: join(before, end) };
}
