import { describe, expect, it } from 'vitest';
import { parsePadded, parseResults, parseSingleAnswer, parseSummary } from '../../wire/answer.ts';
import { concat, FormatError, Reader, u16, u32, u64 } from '../../wire/bytes.ts';
import { encodeHeader, parseHeader } from '../../wire/envelope.ts';
import { encodeEpoch, encodeParams, parseEpoch } from '../../wire/epoch.ts';
import { encodeKeysStatement, parseKeysSignature } from '../../wire/keys.ts';
import { BUCKETS, parseParcel } from '../../wire/parcel.ts';
import { encodePolicyBody, parseSignedPolicy } from '../../wire/policy.ts';
import {
  encodeCommit,
  encodeEndBody,
  encodeFrame,
  encodeLookup,
  parseCommit,
  parseCursor,
  parseEnd,
  parseFrameHead,
  parseLookup,
} from '../../wire/pull.ts';
import {
  ALGORITHM_ED25519,
  encodeCertificateBody,
  encodeListBody,
  LIST_KIND,
  parseCertificate,
  parseSignedList,
} from '../../wire/recipients.ts';

const fixed = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe('every cut is a FormatError', () => {
  const header = encodeEpoch(
    encodeParams({
      ...{ view: 1, epoch: fixed(16), audience: fixed(16), city: 1, startMs: 1, endMs: 2 },
      ...{ listVersion: 1, listHash: fixed(32) },
    }),
    fixed(32),
    concat(fixed(32), u16(80), fixed(80)),
    fixed(32),
    fixed(64),
  );
  const heads = [{ writer: 1, sequence: 1, head: fixed(32) }];
  const end = encodeEndBody({
    ...{ request: fixed(32), city: 1, view: 1, more: false, rows: 1, digest: fixed(32) },
    ...{ start: new Map([[1, 1]]), end: new Map([[1, 2]]), heads },
  });
  const receipts = [{ id: fixed(16), contentTag: fixed(16), state: 0, parcel: fixed(9) }];
  const commit = encodeCommit({
    ...{
      writer: 1,
      sequence: 1,
      committedMs: 1,
      enterprise: fixed(16),
      previous: fixed(32),
      receipts,
    },
  });
  const parcel = concat(
    ...[new TextEncoder().encode('SPP1'), u16(3), u16(1), Uint8Array.of(1, 0)],
    fixed(16),
    u64(5),
    ...[fixed(32), u64(7), u32(1), u16(1), fixed(64), fixed(BUCKETS[0] + 16)],
  );
  const list = {
    ...{ version: 1, notBefore: 1, notAfter: 2 },
    entries: [
      {
        ...{ kind: LIST_KIND.EDGE_SIGNING, algorithm: ALGORITHM_ED25519, city: 1 },
        ...{ notBefore: 1, notAfter: 2, publicKey: fixed(32) },
      },
    ],
  };
  const keysSignature = concat(
    encodeKeysStatement({ version: 1, city: 1, notBefore: 1, notAfter: 2, signer: fixed(32) }),
    fixed(64),
  );
  const term = { notBefore: 1, notAfter: 3, enforcedFrom: 2 };
  const policy = concat(encodePolicyBody({ city: 1, version: 1, ...term }), fixed(64));
  const certificate = encodeCertificateBody({
    ...{ city: 1, enterprise: fixed(16), notBefore: 1, notAfter: 2 },
    ...{ publicKey: fixed(32), delegate: fixed(32) },
  });

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['epoch', header, parseEpoch],
    ['end', concat(end, fixed(96)), parseEnd],
    ['commit', commit, parseCommit],
    ['parcel', parcel, parseParcel],
    ['recipient list', concat(encodeListBody(list), fixed(64)), parseSignedList],
    ['certificate', concat(certificate, fixed(64)), parseCertificate],
    ['city policy', policy, parseSignedPolicy],
    ['keys signature', keysSignature, parseKeysSignature],
    ['summary', concat(Uint8Array.of(1), fixed(24)), parseSummary],
    ['header', encodeHeader(1), parseHeader],
    ['frame head', encodeFrame(1, new Uint8Array(9)).slice(0, 5), parseFrameHead],
  ])('%s', (_, whole, parse) => {
    expect(() => parse(whole)).not.toThrow();
    for (let length = 0; length < whole.length; length++) {
      expect(() => parse(whole.slice(0, length))).toThrow(FormatError);
    }
  });

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['epoch', header, parseEpoch],
    ['end', concat(end, fixed(96)), parseEnd],
    ['commit', commit, parseCommit],
    ['parcel', parcel, parseParcel],
    ['city policy', policy, parseSignedPolicy],
    ['keys signature', keysSignature, parseKeysSignature],
    ['summary', concat(Uint8Array.of(1), fixed(24)), parseSummary],
  ])('and nothing may follow a whole %s', (_, whole, parse) => {
    expect(() => parse(concat(whole, new Uint8Array(1)))).toThrow(FormatError);
  });

  it('of results, lookups, cursors, padding and single answers', () => {
    expect(() => parseResults(fixed(33))).toThrow(FormatError);
    expect(() =>
      parseLookup(encodeLookup({ fromDay: 1, toDay: 2, indexes: [fixed(16)] }).slice(0, -1)),
    ).toThrow(FormatError);
    expect(() => parseCursor(Uint8Array.of(1))).toThrow(FormatError);
    expect(() => parseCursor(Uint8Array.of(2, 1, 1, 1))).toThrow(FormatError);
    expect(() => parsePadded(Uint8Array.of(0, 3, 1, 2))).toThrow(FormatError);
    expect(() => parsePadded(Uint8Array.of(0, 1, 1, 0, 1))).toThrow(FormatError);
    expect(parsePadded(Uint8Array.of(0, 1, 7, 0, 0))).toEqual(Uint8Array.of(7));
    expect(() => parseSingleAnswer(fixed(31))).toThrow(FormatError);
  });

  it('or of what is out of range', () => {
    expect(() => parseSummary(concat(Uint8Array.of(2), fixed(20)))).toThrow(FormatError);
    expect(() => parseFrameHead(Uint8Array.of(1, 0xff, 0, 0, 0))).toThrow(FormatError);
    expect(() => new Reader(concat(u32(0x20_0000), u32(0))).u64()).toThrow(FormatError);
    const kind = encodeListBody({
      ...list,
      entries: [{ ...(list.entries[0] as (typeof list.entries)[0]), kind: 9 }],
    });
    expect(() => parseSignedList(concat(kind, fixed(64)))).toThrow(FormatError);
  });
});
