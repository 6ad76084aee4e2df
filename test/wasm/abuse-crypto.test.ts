/** Hostile ciphertext, streams, points and suites, at the module's border. Numbers are those of docs/abuse-cases.md. */
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, ExportOnly, HkdfSha256 } from '@hpke/core';
import { x25519 } from '@noble/curves/ed25519.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PartyBinding } from '../../wasm/host/session.ts';
import { parseResults } from '../../wire/answer.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, u16 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { encapsulationInfo, encodeHeader, FINAL_AAD, SINGLE, STREAM } from '../../wire/envelope.ts';
import { parseParcel } from '../../wire/parcel.ts';
import { buffer } from '../support/hpke.ts';
import { cbor, recipient, record, sender, uuid7 } from '../support/rules.ts';
import { describeVectors, fromHex, toHex } from '../support/vectors.ts';
import { loadModule } from '../support/wasm.ts';
import { KEY_ID, NOW, opened, randomParty, TestEdge } from '../twin/edge.ts';
import { exchangeOf, sealAt } from '../twin/hpke.ts';

const edge = new TestEdge(loadModule());
const { session } = edge;
const party: PartyBinding = randomParty();
const valid = cbor(record());
/** A record of some 1 kB. */
const large = cbor(
  record([
    [7, sender([[6, '貴'.repeat(199)]])],
    [11, recipient([[6, '陽'.repeat(90)]])],
  ]),
);

beforeAll(() => {
  edge.startEpochs(party);
});

/** The next valid submission still succeeds. */
function expectUnharmed(): void {
  expect(session.openSingle(edge.single(party, valid).body, party, NOW).status).toBe('ok');
}

describe('abuse case 3: ciphertext cut at every octet, each single bit flipped', () => {
  it('a single submission of 1 kB', () => {
    expect(large.length).toBeGreaterThan(900);
    const { body } = edge.single(party, large);
    expect(session.openSingle(body, party, NOW).status).toBe('ok');
    const statuses = new Set<string>();
    for (let length = 7; length < body.length; length++) {
      statuses.add(session.openSingle(body.subarray(0, length), party, NOW).status);
    }
    // Behind the header: enc, ciphertext, tag.
    for (let bit = 7 * 8; bit < body.length * 8; bit++) {
      statuses.add(session.openSingle(flipped(body, bit), party, NOW).status);
    }
    expect([...statuses]).toEqual(['decrypt_failed']);
    for (let length = 0; length < 7; length++) {
      expect(session.openSingle(body.subarray(0, length), party, NOW).status).not.toBe('ok');
    }
    for (let bit = 0; bit < 7 * 8; bit++) {
      const { status } = session.openSingle(flipped(body, bit), party, NOW);
      expect(status).toBe(bit < 8 ? 'unknown_key' : 'unsupported_suite');
    }
    expectUnharmed();
  });

  it('a chunk of 1 kB', () => {
    const stream = edge.stream(party);
    const { request } = opened(session.openStream(stream.head, party, NOW));
    const chunk = stream.seal(0, large);
    const statuses = new Set<string>();
    for (let length = 0; length < chunk.length; length++) {
      statuses.add(session.openChunk(request, chunk.subarray(0, length), false, NOW).status);
    }
    for (let bit = 0; bit < chunk.length * 8; bit++) {
      statuses.add(session.openChunk(request, flipped(chunk, bit), false, NOW).status);
    }
    expect([...statuses]).toEqual(['decrypt_failed']);
    expect(session.openChunk(request, chunk, false, NOW).status).toBe('ok');
  });

  it('a sealed context', () => {
    const stream = edge.stream(party);
    const { request } = opened(session.openStream(stream.head, party, NOW));
    const chunk = stream.seal(0, valid);
    const statuses = new Set<string>();
    for (let bit = 0; bit < request.length * 8; bit++) {
      statuses.add(session.openChunk(flipped(request, bit), chunk, false, NOW).status);
    }
    expect([...statuses]).toEqual(['decrypt_failed']);
  });
});

describe('abuse case 4: positions of a stream', () => {
  it('are not taken twice, skipped, or in another order; what came before stays', () => {
    const stream = edge.stream(party);
    const chunks = [0, 1, 2, 3].map((position) => stream.seal(position, valid));
    const [first, second, third] = chunks as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const start = opened(session.openStream(stream.head, party, NOW)).request;
    for (const wrong of [second, third]) {
      expect(session.openChunk(start, wrong, false, NOW).status).toBe('decrypt_failed');
    }
    const one = opened(session.openChunk(start, first, false, NOW));
    expect(parseBatch(one.batch).count).toBe(1);
    for (const wrong of [first, third]) {
      expect(session.openChunk(one.request, wrong, false, NOW).status).toBe('decrypt_failed');
    }
    const two = opened(session.openChunk(one.request, second, false, NOW));
    expect(session.openChunk(two.request, second, false, NOW).status).toBe('decrypt_failed');
    expect(session.openChunk(two.request, third, false, NOW).status).toBe('ok');
  });

  it('never lead to two parcels under one key and position, even when the host plays a context again', () => {
    const stream = edge.stream(party);
    const { request } = opened(session.openStream(stream.head, party, NOW));
    const seen = new Set<string>();
    let parcels = 0;
    for (let again = 0; again < 50; again++) {
      const other = cbor(record([[1, uuid7(NOW - again)]]));
      const { batch } = opened(
        session.openChunk(request, stream.seal(0, concat(other, valid)), false, NOW),
      );
      const { records } = parseBatch(batch);
      for (const bytes of records.flatMap(({ full, masked }) => [full, masked])) {
        const { epoch, sequence } = parseParcel(bytes);
        seen.add(`${toHex(epoch)} ${sequence}`);
        parcels++;
      }
    }
    expect(parcels).toBe(200);
    expect(seen.size).toBe(parcels);
  });
});

describe('abuse case 5: points of low order, and encodings that are not canonical', () => {
  const info = (hdr = encodeHeader(KEY_ID)) =>
    encapsulationInfo(SINGLE.requestLabel, hdr, party.enterprise, party.device);

  /** Sealed by somebody who knows the Diffie-Hellman result, as everybody does of these points. */
  const sealedFor = (enc: Uint8Array, dh: Uint8Array) =>
    concat(
      encodeHeader(KEY_ID),
      enc,
      sealAt(exchangeOf(dh, enc, edge.publicKey, info()), 0, valid),
    );

  describeVectors<{
    testGroups: { tests: { tcId: number; public: string; flags: string[] }[] }[];
  }>('wycheproof_x25519.json', ({ testGroups }) => {
    const zeros = testGroups
      .flatMap(({ tests }) => tests)
      .filter(({ flags }) => flags.includes('ZeroSharedSecret'));

    it('there are 31 of them', () => {
      expect(zeros.length).toBe(31);
    });

    it.each(zeros)('case $tcId: refused, though its message is well sealed', (point) => {
      const enc = fromHex(point.public);
      const body = sealedFor(enc, new Uint8Array(32));
      expect(session.openSingle(body, party, NOW).status).toBe('decrypt_failed');
      const head = body.subarray(0, 39);
      expect(session.openStream(head, party, NOW).status).toBe('decrypt_failed');
    });
  });

  it('the top bit of a point is not part of it (RFC 7748 section 5), but of what HPKE binds', () => {
    const ephemeral = crypto.getRandomValues(new Uint8Array(32));
    const enc = x25519.getPublicKey(ephemeral);
    const other = enc.slice();
    other[31] = (other[31] as number) | 0x80;
    const dh = x25519.getSharedSecret(ephemeral, edge.publicKey);
    expect(session.openSingle(sealedFor(other, dh), party, NOW).status).toBe('ok');
    const mixed = concat(encodeHeader(KEY_ID), other, sealedFor(enc, dh).subarray(39));
    expect(session.openSingle(mixed, party, NOW).status).toBe('decrypt_failed');
  });

  it('a point above the prime is taken modulo the prime (RFC 7748 section 5)', () => {
    // p + 9: the base point, with which the result is the public key itself.
    const enc = new Uint8Array(32).fill(0xff);
    enc[0] = 0xf6;
    enc[31] = 0x7f;
    const body = sealedFor(enc, edge.publicKey);
    expect(session.openSingle(body, party, NOW).status).toBe('ok');
  });
});

describe('abuse case 6: downgrade', () => {
  it('to any other KEM, KDF or AEAD', () => {
    const { body } = edge.single(party, valid);
    for (const [at, ours] of [
      [1, 0x0020],
      [3, 0x0001],
      [5, 0x0003],
    ] as const) {
      for (let id = 0; id < 0x1_0000; id += id < 0x40 || id > 0xfff0 ? 1 : 97) {
        if (id === ours) continue;
        const changed = concat(body.subarray(0, at), u16(id), body.subarray(at + 2));
        expect(session.openSingle(changed, party, NOW).status).toBe('unsupported_suite');
        expect(session.openStream(changed.subarray(0, 39), party, NOW).status).toBe(
          'unsupported_suite',
        );
      }
    }
  });

  it('the header is bound: what was sealed under another one does not open under ours', () => {
    const ours = encodeHeader(KEY_ID);
    const others = [
      concat(ours.subarray(0, 5), u16(0x0001)),
      concat(ours.subarray(0, 5), u16(0xffff)),
      concat(ours.subarray(0, 3), u16(0x0003), ours.subarray(5)),
      encodeHeader(KEY_ID + 1),
    ];
    for (const hdr of others) {
      const info = encapsulationInfo(SINGLE.requestLabel, hdr, party.enterprise, party.device);
      const ephemeral = crypto.getRandomValues(new Uint8Array(32));
      const dh = x25519.getSharedSecret(ephemeral, edge.publicKey);
      const made = exchangeOf(dh, x25519.getPublicKey(ephemeral), edge.publicKey, info);
      const body = concat(ours, made.enc, sealAt(made, 0, valid));
      expect(session.openSingle(body, party, NOW).status).toBe('decrypt_failed');
    }
  });

  it('one key under two ids: the id is bound', () => {
    session.setEdgeKey(KEY_ID + 1, edge.keys.edgePrivate, NOW - 1000, NOW + 86_400_000);
    const { body } = edge.single(party, valid);
    const moved = concat(Uint8Array.of(KEY_ID + 1), body.subarray(1));
    expect(session.openSingle(moved, party, NOW).status).toBe('decrypt_failed');
    expect(session.openSingle(body, party, NOW).status).toBe('ok');
  });

  it('a single for a stream, and a stream for a single', () => {
    const single = edge.single(party, valid);
    const stream = edge.stream(party);
    const crossed = opened(session.openStream(single.body.subarray(0, 39), party, NOW));
    const chunk = single.body.subarray(39);
    expect(session.openChunk(crossed.request, chunk, false, NOW).status).toBe('decrypt_failed');
    const body = concat(stream.head, stream.seal(0, valid));
    expect(session.openSingle(body, party, NOW).status).toBe('decrypt_failed');
  });

  it.each(['psk', 'auth', 'auth_psk', 'export-only'])('to the mode %s', async (mode) => {
    const aead = mode === 'export-only' ? new ExportOnly() : new Chacha20Poly1305();
    const suite = new CipherSuite({
      ...{ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead },
    });
    const hdr = encodeHeader(KEY_ID);
    const info = encapsulationInfo(SINGLE.requestLabel, hdr, party.enterprise, party.device);
    const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(edge.publicKey));
    const senderKey = mode.startsWith('auth') ? await suite.kem.generateKeyPair() : undefined;
    const psk = { id: buffer(new Uint8Array(4)), key: buffer(new Uint8Array(32).fill(1)) };
    const context = await suite.createSenderContext({
      ...{ recipientPublicKey, info: buffer(info), senderKey },
      psk: mode.endsWith('psk') ? psk : undefined,
    });
    // Export-only seals nothing: what is left is a guess.
    const sealed =
      mode === 'export-only'
        ? new Uint8Array(60)
        : new Uint8Array(await context.seal(buffer(valid)));
    const body = concat(hdr, new Uint8Array(context.enc), sealed);
    expect(session.openSingle(body, party, NOW).status).toBe('decrypt_failed');
  });
});

describe('abuse case 15: chunks', () => {
  type Stream = ReturnType<TestEdge['stream']>;
  interface Part {
    sealed: Uint8Array;
    final: boolean;
  }
  const EMPTY = new Uint8Array(0);
  const full = concat(...Array.from({ length: 40 }, () => valid));
  const part = (stream: Stream, position: number, plaintext: Uint8Array, final = false): Part => ({
    ...{ sealed: stream.seal(position, plaintext, final), final },
  });

  /** As the host delivers a body: in order, until one does not open. */
  function deliver(head: Uint8Array, parts: Part[], by = party) {
    const start = session.openStream(head, by, NOW);
    let records = 0;
    if (start.status !== 'ok') return { complete: false, records };
    let { request } = start;
    for (const { sealed, final } of parts) {
      const result = session.openChunk(request, sealed, final, NOW);
      if (result.status !== 'ok') return { complete: false, records };
      request = result.request;
      const outcomes = parseResults(result.drafts).map(({ outcome }) => outcome);
      records += outcomes.filter((outcome) => outcome === OUTCOMES.STORED).length;
      if (final) return { complete: true, records };
    }
    return { complete: false, records };
  }

  const flip = ({ sealed, final }: Part, at = 3): Part => ({
    ...{ sealed: flipped(sealed, at * 8), final },
  });
  const cut = ({ sealed, final }: Part, octets: number): Part => ({
    ...{ sealed: sealed.subarray(0, Math.max(0, sealed.length - octets)), final },
  });
  const append = ({ sealed, final }: Part, more: Uint8Array): Part => ({
    ...{ sealed: concat(sealed, more), final },
  });

  interface Case {
    head?: (stream: Stream) => Uint8Array;
    by?: PartyBinding;
    parts: (stream: Stream) => Part[];
    complete: boolean;
    /** Records of the chunks that opened before: the longest valid prefix. */
    records: number;
  }
  const one = (stream: Stream) => [part(stream, 0, valid, true)];
  const ends = (s: Stream, plaintext: Uint8Array, position = 1) =>
    part(s, position, plaintext, true);
  const whole = (stream: Stream) => [part(stream, 0, full), ends(stream, valid)];
  const counted = (chunks: number): Case => ({
    parts: (s) => [
      ...Array.from({ length: chunks }, (_, i) => part(s, i, valid)),
      part(s, chunks, valid, true),
    ],
    ...{ complete: true, records: chunks + 1 },
  });
  const accepted = (parts: Case['parts'], records: number): Case => ({
    ...{ parts, complete: true, records },
  });
  const refused = (parts: Case['parts'], records = 0, more: Partial<Case> = {}): Case => ({
    ...{ parts, complete: false, records, ...more },
  });

  /** For each case of the public suite of chunked encryption, the same done to a stream of ours. */
  const MODEL: Record<string, Case> = {
    'empty message': accepted((s) => [part(s, 0, EMPTY, true)], 0),
    'short message, single chunk': accepted(one, 1),
    'full chunk followed by short chunk': accepted(whole, 41),
    'two full chunks followed by empty terminating chunk': accepted(
      (s) => [part(s, 0, full), part(s, 1, full), ends(s, EMPTY, 2)],
      80,
    ),
    'two full chunks followed by short chunk': accepted(
      (s) => [part(s, 0, full), part(s, 1, full), ends(s, valid, 2)],
      81,
    ),
    'full chunk followed by empty terminating chunk': accepted(
      (s) => [part(s, 0, full), ends(s, EMPTY)],
      40,
    ),
    '256 full chunks plus short chunk, tests counter rollover past 0xFF': counted(256),
    '257 full chunks plus short chunk, tests counter rollover past 0xFF': counted(257),
    'short message with non-empty context string': accepted(one, 1),
    'short message with context containing a null byte': accepted(one, 1),
    'single chunk with flipped ciphertext bit': refused((s) => one(s).map((p) => flip(p))),
    'full chunk followed by corrupted short chunk': refused(
      (s) => [part(s, 0, full), flip(ends(s, valid))],
      40,
    ),
    'two full chunks with empty terminator, second chunk corrupted': refused(
      (s) => [part(s, 0, full), flip(part(s, 1, full)), ends(s, EMPTY, 2)],
      40,
    ),
    'full chunk followed by empty terminating chunk with corrupted tag': refused(
      (s) => [part(s, 0, full), flip(ends(s, EMPTY))],
      40,
    ),
    'corrupted first chunk followed by valid short chunk': refused((s) => [
      flip(part(s, 0, full)),
      ends(s, valid),
    ]),
    'single chunk truncated to remove authentication tag': refused((s) =>
      one(s).map((p) => cut(p, 16)),
    ),
    'payload shorter than one authentication tag': refused(() => [
      { sealed: new Uint8Array(12), final: true },
    ]),
    // What follows the final chunk is read as part of it: it goes to the end of the body.
    'valid chunk followed by 20 trailing bytes': refused((s) =>
      one(s).map((p) => append(p, new Uint8Array(20))),
    ),
    'valid chunk followed by 12 trailing bytes': refused((s) =>
      one(s).map((p) => append(p, new Uint8Array(12))),
    ),
    'header only, no encrypted chunks': refused(() => []),
    // Our commitment is enc, which the key schedule binds.
    'valid ciphertext with wrong commitment': refused(one, 0, {
      head: ({ head }) => flipped(head, 20 * 8),
    }),
    'valid ciphertext decrypted with wrong key': refused(
      () => one(new TestEdge(loadModule()).stream(party)),
      0,
    ),
    'valid ciphertext encrypted with too-short key': refused(one, 0, {
      head: ({ head }) => concat(head.subarray(0, 38), Uint8Array.of(0)),
    }),
    'valid ciphertext encrypted with too-long key': refused(one, 0, {
      head: ({ head }) => concat(head.subarray(0, 7), Uint8Array.of(1), head.subarray(7, 38)),
    }),
    'valid ciphertext decrypted with wrong context': refused(one, 0, { by: randomParty() }),
    'valid ciphertext with corrupted salt': refused(one, 0, {
      head: ({ head }) => flipped(head, 38 * 8),
    }),
    'zero-length ciphertext, too short for header': refused(() => []),
    'only salt, no commitment': refused(() => [{ sealed: EMPTY, final: true }]),
    'salt and partial commitment (40 of 56 header bytes)': refused(() => [
      { sealed: EMPTY, final: false },
    ]),
    'too short to contain even the salt': refused(() => []),
    'full chunk without terminating empty chunk': refused((s) => [part(s, 0, full)], 40),
    'full chunk followed by second chunk truncated mid-body': refused(
      (s) => [part(s, 0, full), cut(ends(s, full), 4_000)],
      40,
    ),
    'two full chunks plus short final chunk, chunks 0 and 1 swapped': refused((s) => [
      part(s, 1, full),
      part(s, 0, full),
      ends(s, valid, 2),
    ]),
    'chunk 0 duplicated in place of chunk 1, followed by short final chunk': refused(
      (s) => [part(s, 0, full), part(s, 0, full), ends(s, valid, 2)],
      40,
    ),
    'valid full chunk and short final chunk followed by extra encrypted chunk': refused(
      (s) => [part(s, 0, full), append(ends(s, valid), s.seal(2, valid))],
      40,
    ),
  };

  function expectCase({ head, by, parts, complete, records }: Case): void {
    const stream = edge.stream(party);
    const end = deliver(head?.(stream) ?? stream.head, parts(stream), by);
    expect(end).toEqual({ complete, records });
  }

  describeVectors<{ testGroups: { tests: { tcId: number; comment: string; result: string }[] }[] }>(
    'wycheproof_c2sp_chunked_encryption_aes_256_gcm.json',
    ({ testGroups }) => {
      const cases = testGroups.flatMap(({ tests }) => tests);
      it.each(cases)('as case $tcId: $comment', ({ comment, result }) => {
        const model = MODEL[comment];
        expect(model?.complete).toBe(result === 'valid');
        expectCase(model as Case);
      });
    },
  );

  it('of another stream of the same party', () => {
    const [mine, other] = [edge.stream(party), edge.stream(party)];
    expect(deliver(mine.head, [part(other, 0, full), ends(mine, valid)])).toEqual({
      ...{ complete: false, records: 0 },
    });
    expect(deliver(mine.head, [part(mine, 0, full), ends(other, valid)])).toEqual({
      ...{ complete: false, records: 40 },
    });
  });

  it('a middle chunk taken for the last one, and the last for a middle one', () => {
    const stream = edge.stream(party);
    const middle = { sealed: stream.seal(0, valid), final: true };
    expect(deliver(stream.head, [middle]).complete).toBe(false);
    const last = { sealed: stream.seal(0, valid, true), final: false };
    expect(deliver(stream.head, [last])).toEqual({ complete: false, records: 0 });
  });

  it('the final marker under another name', () => {
    const stream = edge.stream(party);
    for (const aad of ['Final', 'final\0', 'fina', 'final ']) {
      const sealed = sealAt(stream, 0, valid, Buffer.from(aad));
      expect(deliver(stream.head, [{ sealed, final: true }]).complete).toBe(false);
    }
    expect(Buffer.from(FINAL_AAD).toString()).toBe('final');
    expect(STREAM.requestLabel).not.toBe(SINGLE.requestLabel);
  });

  it('and after all of that, the next one succeeds', () => {
    expectUnharmed();
  });
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}
