import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeResult, parseResults } from '../../wire/answer.ts';
import {
  compareBytes,
  concat,
  FormatError,
  Reader,
  u16,
  u32,
  u64,
  varint,
} from '../../wire/bytes.ts';
import { encapsulationInfo, encodeHeader, frameChunk, parseHeader } from '../../wire/envelope.ts';
import { type EpochParams, encodeEpoch, encodeParams, parseEpoch } from '../../wire/epoch.ts';
import {
  encodeKeyConfigurations,
  encodeKeysStatement,
  parseKeyConfigurations,
  parseKeysSignature,
} from '../../wire/keys.ts';
import {
  encodeCommit,
  encodeCursor,
  encodeEndBody,
  encodeFrame,
  encodeLookup,
  encodeParcels,
  parseCommit,
  parseCursor,
  parseEnd,
  parseFrameHead,
  parseLookup,
  parseParcels,
} from '../../wire/pull.ts';
import {
  ALGORITHM_ED25519,
  encodeCertificateBody,
  encodeListBody,
  LIST_KIND,
  parseCertificate,
  parseSignedList,
} from '../../wire/recipients.ts';
import { decodeRecord, encodeRecord, uuidBytes, uuidText } from '../../wire/record.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));
const some = (max: number) => fc.uint8Array({ maxLength: max }).map((b) => new Uint8Array(b));
const n8 = fc.integer({ min: 0, max: 0xff });
const n16 = fc.integer({ min: 0, max: 0xffff });
const n32 = fc.integer({ min: 0, max: 0xffff_ffff });
const n53 = fc.maxSafeNat();
const fixed = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe('integers', () => {
  it('read back as written', () => {
    fc.assert(
      fc.property(n16, n32, n53, (a, b, c) => {
        const reader = new Reader(concat(u16(a), u32(b), u64(c), varint(c), varint(b), varint(a)));
        expect([reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c]);
        expect([reader.varint(), reader.varint(), reader.varint()]).toEqual([c, b, a]);
        reader.end();
      }),
    );
  });

  // RFC 9000 appendix A.1.
  it.each([
    [[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652n],
    [[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333n],
    [[0x7b, 0xbd], 15_293n],
    [[0x25], 37n],
  ])('varint %j is %i', (encoded, value) => {
    const read = () => new Reader(Uint8Array.from(encoded)).varint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) expect(read).toThrow(FormatError);
    else expect(read()).toBe(Number(value));
  });

  it.each([[[0x40, 0x25]], [[0x80, 0, 0, 1]], [[0xc0, 0, 0, 0, 0, 0, 0, 1]]])(
    'varint %j is not the shortest form',
    (encoded) => {
      expect(() => new Reader(Uint8Array.from(encoded)).varint()).toThrow(FormatError);
    },
  );

  it('have an order', () => {
    fc.assert(
      fc.property(some(4), some(4), (a, b) => {
        const text = (x: Uint8Array) => Buffer.from(x).toString('hex');
        expect(Math.sign(compareBytes(a, b))).toBe(
          text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0,
        );
      }),
    );
  });
});

const params: fc.Arbitrary<EpochParams> = fc.record({
  ...{ view: n8, epoch: bytes(16), audience: bytes(16), city: n32 },
  ...{ startMs: n53, endMs: n53, listVersion: n32, listHash: bytes(32) },
});

describe('every format reads back as written', () => {
  const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void) =>
    fc.assert(fc.property(arbitrary, property), { numRuns: 60 });

  it('headers of encapsulations', () => {
    check(n8, (keyId) => {
      expect(parseHeader(encodeHeader(keyId))).toEqual({ keyId, kem: 0x20, kdf: 1, aead: 3 });
    });
  });

  it('results', () => {
    const result = fc.record({
      ...{
        place: n32,
        id: bytes(16),
        outcome: n8,
        field: n8,
        code: n16,
        warnings: n32,
        ruleset: n32,
      },
    });
    check(fc.array(result, { maxLength: 5 }), (results) => {
      expect(parseResults(concat(...results.map(encodeResult)))).toEqual(results);
    });
  });

  it('epochs', () => {
    const wrap = fc.record({ recipient: bytes(32), enc: bytes(32), sealed: bytes(48) });
    check(
      fc.tuple(params, bytes(32), fc.array(wrap, { maxLength: 4 }), bytes(32), bytes(64)),
      (all) => {
        const [own, commit, wraps, signer, signature] = all;
        const packed = wraps.map((w) => concat(w.recipient, u16(80), w.enc, w.sealed));
        const header = encodeEpoch(encodeParams(own), commit, concat(...packed), signer, signature);
        expect(parseEpoch(header)).toMatchObject({ ...own, commit, wraps, signer, signature });
      },
    );
  });

  it('key configurations', () => {
    const key = fc.record({ keyId: n8, publicKey: bytes(32) });
    check(fc.array(key, { maxLength: 4 }), (keys) => {
      expect(parseKeyConfigurations(encodeKeyConfigurations(keys))).toEqual(keys);
    });
    const statement = fc.record({
      version: n32,
      city: n32,
      notBefore: n53,
      notAfter: n53,
      signer: bytes(32),
    });
    check(fc.tuple(statement, bytes(64)), ([own, signature]) => {
      const encoded = concat(encodeKeysStatement(own), signature);
      expect(parseKeysSignature(encoded)).toMatchObject({ statement: own, signature });
    });
  });

  it('configurations of other suites are passed over', () => {
    const other = Uint8Array.of(0, 5, 9, 0, 0x10, 0, 1);
    const own = encodeKeyConfigurations([{ keyId: 1, publicKey: fixed(32) }]);
    expect(parseKeyConfigurations(concat(other, own))).toHaveLength(1);
  });

  it('cursors, lookups, frames and parcels of frames', () => {
    check(fc.uniqueArray(fc.tuple(n32, n53), { selector: ([writer]) => writer }), (pairs) => {
      const cursor = new Map(pairs);
      const sorted = new Map(pairs.toSorted(([a], [b]) => a - b));
      expect([...parseCursor(encodeCursor(cursor))]).toEqual([...sorted]);
    });
    check(fc.record({ fromDay: n32, toDay: n32, indexes: fc.array(bytes(16)) }), (lookup) => {
      expect(parseLookup(encodeLookup(lookup))).toEqual(lookup);
    });
    check(fc.tuple(n8, some(50)), ([type, body]) => {
      expect(parseFrameHead(encodeFrame(type, body).subarray(0, 5))).toEqual({
        type,
        length: body.length,
      });
    });
    check(fc.array(some(50)), (parcels) => {
      expect(parseParcels(encodeParcels(parcels))).toEqual(parcels);
    });
  });

  it('commits', () => {
    const receipt = fc
      .record({ id: bytes(16), contentTag: bytes(16), parcel: some(40) })
      .map((own) => ({ ...own, state: own.parcel.length > 0 ? 0 : 1 }));
    const commit = fc.record({
      ...{
        writer: n32,
        sequence: n53,
        committedMs: n53,
        enterprise: bytes(16),
        previous: bytes(32),
      },
      receipts: fc.array(receipt, { maxLength: 5 }),
    });
    check(commit, (own) => {
      expect(parseCommit(encodeCommit(own))).toEqual(own);
    });
  });

  it('ends of pulls', () => {
    const cursor = fc.constant(
      new Map([
        [1, 2],
        [7, 900],
      ]),
    );
    const end = fc.record({
      ...{
        request: bytes(32),
        city: n32,
        view: n8,
        more: fc.boolean(),
        rows: n53,
        digest: bytes(32),
      },
      ...{ start: cursor, end: cursor },
      heads: fc.array(fc.record({ writer: n32, sequence: n53, head: bytes(32) }), { maxLength: 4 }),
    });
    check(fc.tuple(end, bytes(32), bytes(64)), ([own, signer, signature]) => {
      const parsed = parseEnd(concat(encodeEndBody(own), signer, signature));
      expect(parsed).toMatchObject({ end: own, signer, signature, body: encodeEndBody(own) });
    });
  });

  it('recipient lists and certificates', () => {
    const entry = fc.record({
      ...{ kind: fc.constant(LIST_KIND.DELEGATE), algorithm: fc.constant(ALGORITHM_ED25519) },
      ...{ city: n32, notBefore: n53, notAfter: n53, publicKey: bytes(32) },
    });
    const list = fc.record({
      version: n32,
      notBefore: n32,
      entries: fc.array(entry, { maxLength: 5 }),
    });
    check(fc.tuple(list, bytes(64)), ([own, signature]) => {
      const whole = { ...own, notAfter: own.notBefore + 1000 };
      expect(parseSignedList(concat(encodeListBody(whole), signature))).toMatchObject({
        list: whole,
        signature,
      });
    });
    const certificate = fc.record({
      ...{ city: n32, enterprise: bytes(16), notBefore: n53, notAfter: n53 },
      ...{ publicKey: bytes(32), delegate: bytes(32) },
    });
    check(fc.tuple(certificate, bytes(64)), ([own, signature]) => {
      const parsed = parseCertificate(concat(encodeCertificateBody(own), signature));
      expect(parsed).toMatchObject({ certificate: own, signature });
    });
  });

  it('records', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    check(fc.tuple(text, text, fc.boolean()), ([name, address, guarded]) => {
      const base = validRecord(NOW);
      const person = { docType: 'RESIDENT' as const, docNumber: '1', name, phone: '2' };
      const record = {
        ...base,
        recipient: { ...base.recipient, name, address, division: '010203' },
        ...(guarded ? { guardian: person, photos: ['ab'.repeat(32)], replaces: base.id } : {}),
      };
      expect(decodeRecord(encodeRecord(record))).toEqual(record);
    });
    check(bytes(16), (id) => {
      expect(uuidBytes(uuidText(id))).toEqual(id);
    });
  });
});

describe('chunks and info', () => {
  it('frame the final chunk with a zero', () => {
    expect(frameChunk(Uint8Array.of(9), true)).toEqual(Uint8Array.of(0, 9));
    expect(frameChunk(new Uint8Array(64), false).subarray(0, 2)).toEqual(Uint8Array.of(0x40, 64));
  });

  it('bind label, header and party', () => {
    const info = encapsulationInfo(
      'l',
      encodeHeader(3),
      new Uint8Array(16).fill(4),
      new Uint8Array(16).fill(5),
    );
    expect(Buffer.from(info).toString('hex')).toBe(
      `6c000300200001000301${'04'.repeat(16)}${'05'.repeat(16)}`,
    );
  });
});
