/** Parts of the officer's tools: erasure on the wire, manifests, what ends when, renewed lists, index keys of a period. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { keyId } from '../../client/drill.ts';
import { endings, urgency } from '../../client/expiry.ts';
import { generateKeyPair } from '../../client/hpke.ts';
import { keysForCommits, uncoveredTimes } from '../../client/indexes.ts';
import { signManifest, verifyManifest } from '../../client/manifest.ts';
import { ed25519Signer } from '../../client/signing.ts';
import { nextList } from '../../client/workspace-renew.ts';
import { concat, FormatError, utf8 } from '../../wire/bytes.ts';
import {
  ERASURE_STATE,
  encodeErase,
  encodeErasureBody,
  MAX_ERASE_BYTES,
  parseErase,
  parseErasure,
} from '../../wire/erase.ts';
import { MAX_ERASE_IDS, MAX_LIST_VALIDITY_MS } from '../../wire/limits.ts';
import { encodeListBody, LIST_KIND, parseSignedList } from '../../wire/recipients.ts';
import { DAY_MS, makeWorld, random } from '../support/fake-store.ts';

const NOW = Date.UTC(2026, 10, 20, 9);

describe('an erasure on the wire', () => {
  const ids = (count: number) => Array.from({ length: count }, () => random(16));

  it('asks for one to a thousand records', () => {
    for (const count of [1, 2, MAX_ERASE_IDS]) {
      const asked = { enterprise: random(16), ids: ids(count) };
      const bytes = encodeErase(asked);
      expect(bytes.length).toBeLessThanOrEqual(MAX_ERASE_BYTES);
      expect(parseErase(bytes)).toEqual(asked);
    }
    const wrong = [
      encodeErase({ enterprise: random(16), ids: [] }),
      encodeErase({ enterprise: random(16), ids: ids(MAX_ERASE_IDS + 1) }),
      encodeErase({ enterprise: random(16), ids: ids(2) }).subarray(0, -1),
      concat(utf8('SPD2'), random(32)),
      new Uint8Array(0),
    ];
    for (const bytes of wrong) expect(() => parseErase(bytes)).toThrow(FormatError);
  });

  it('answers with a receipt that has one state a record', () => {
    const receipt = {
      ...{ request: random(32), city: 520100, enterprise: random(16), atMs: NOW },
      items: Object.values(ERASURE_STATE).map((state, i) => {
        return { id: random(16), state, erasedMs: i * NOW };
      }),
    };
    const body = encodeErasureBody(receipt);
    const bytes = concat(body, random(32), random(64));
    expect(parseErasure(bytes)).toMatchObject({ receipt, body });
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => parseErasure(bytes.subarray(0, cut))).toThrow(FormatError);
    }
    expect(() => parseErasure(concat(bytes, random(1)))).toThrow(FormatError);
    const items = [{ id: random(16), state: 4, erasedMs: 0 }];
    const unknown = concat(encodeErasureBody({ ...receipt, items }), random(96));
    expect(() => parseErasure(unknown)).toThrow(FormatError);
  });
});

describe('a manifest', () => {
  it('passes with the key that signed it, and with no other', async () => {
    const [own, other] = [random(32), random(32)];
    const publicKey = ed25519.getPublicKey(own);
    const manifest = utf8('{"case":"1"}');
    const signature = await signManifest(manifest, ed25519Signer(own), publicKey);
    const keyid = sha256(publicKey);
    expect(verifyManifest(manifest, signature, keyid)).toBe(true);
    expect(verifyManifest(utf8('{"case":"2"}'), signature, keyid)).toBe(false);
    expect(verifyManifest(manifest, signature.subarray(1), keyid)).toBe(false);
    const forged = ed25519.getPublicKey(other);
    const bySomebody = await signManifest(manifest, ed25519Signer(other), forged);
    expect(verifyManifest(manifest, bySomebody, keyid)).toBe(false);
    const mixed = concat(publicKey, bySomebody.subarray(32));
    expect(verifyManifest(manifest, mixed, keyid)).toBe(false);
  });
});

describe('what ends', () => {
  it.each([
    [30, undefined],
    [14.01, undefined],
    [14, 14],
    [8, 14],
    [7, 7],
    [1.5, 7],
    [1, 1],
    [0.1, 1],
    [-3, 1],
  ])('in %s days is warned of as at %s', (days, level) => {
    const [due] = endings([{ what: 'recipient_list', endMs: NOW + days * DAY_MS }], NOW);
    expect(due && urgency(due)).toBe(level);
    if (due) expect(due.daysLeft).toBe(Math.max(0, Math.ceil(days)));
  });
});

describe('the next list', () => {
  const { list } = makeWorld(NOW);
  const readers = list.entries.filter(({ kind }) => kind === LIST_KIND.FULL_VIEW);
  const [first] = readers.map(({ publicKey }) => keyId(publicKey)) as [string];
  const added = generateKeyPair().publicKey;

  it('has the next version and a whole term, and everything that was in it', () => {
    const later = NOW + 15 * DAY_MS;
    const { list: next } = nextList(list, {}, later);
    expect(next.version).toBe(list.version + 1);
    expect(next.notAfter - next.notBefore).toBe(MAX_LIST_VALIDITY_MS);
    expect(next.notBefore).toBeLessThan(later);
    const keys = (entries: typeof list.entries) => entries.map(({ publicKey }) => publicKey);
    expect(keys(next.entries)).toEqual(keys(list.entries));
    for (const entry of next.entries) {
      expect(entry.notAfter).toBeGreaterThan(next.notAfter);
      expect(entry.notBefore).toBe(NOW - DAY_MS);
    }
    const bytes = concat(encodeListBody(next), random(64));
    expect(parseSignedList(bytes).list).toEqual(next);
  });

  it('takes readers in and out, never below two', () => {
    const { list: next, readers: changes } = nextList(
      list,
      { add: [added], remove: [first.slice(0, 8)] },
      NOW,
    );
    const names = next.entries
      .filter(({ kind }) => kind === LIST_KIND.FULL_VIEW)
      .map(({ publicKey }) => keyId(publicKey));
    expect(names).toEqual([keyId(readers[1]?.publicKey as Uint8Array), keyId(added)]);
    expect(changes.map(({ change }) => change)).toEqual(['kept', 'added', 'removed']);
    const wrong = [
      [{ remove: [first] }, 'too_few_readers'],
      [{ remove: ['0123456789abcdef'] }, 'unknown_reader'],
      [{ remove: [''] }, 'ambiguous_reader'],
      [{ add: [added, added] }, 'known_reader'],
      [{ add: [readers[0]?.publicKey as Uint8Array] }, 'known_reader'],
      [{ add: [new Uint8Array(32)] }, 'bad_reader_key'],
    ] as const;
    for (const [options, code] of wrong) {
      expect(() => nextList(list, options, NOW)).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe('index keys of a period', () => {
  const month = (number: number) => Date.UTC(2026, number - 1);
  const keys = [8, 9, 10, 11].map((number) => ({
    ...{ version: number, key: random(32) },
    ...{ fromMs: month(number), untilMs: month(number + 1) },
  }));
  const versions = (fromMs: number, untilMs: number) =>
    keysForCommits(keys, fromMs, untilMs).map(({ version }) => version);

  it('are of the record ids: up to 8 days older than the commit, and a week in the spool', () => {
    const day = (number: number) => [
      month(11) + number * DAY_MS,
      month(11) + (number + 1) * DAY_MS,
    ];
    const at = (number: number) => versions(...(day(number) as [number, number]));
    expect(at(0)).toEqual([10, 11]);
    expect(at(7)).toEqual([10, 11]); // an id of 31 October, committed on 8 November
    expect(at(14)).toEqual([10, 11]); // the same after a week in the spool
    expect(at(15)).toEqual([11]);
    expect(at(-1)).toEqual([10, 11]); // ids may lie two minutes ahead
    expect(versions(month(9), month(11))).toEqual([8, 9, 10, 11]);
  });

  it('that are missing leave times that are told', () => {
    expect(uncoveredTimes(keys, month(9), NOW)).toEqual([]);
    const early = uncoveredTimes(keys, month(8), NOW);
    expect(early).toEqual([{ fromMs: month(8) - 15 * DAY_MS, untilMs: month(8) }]);
    const gap = keys.filter(({ version }) => version !== 10);
    expect(uncoveredTimes(gap, month(9), NOW)).toEqual([{ fromMs: month(10), untilMs: month(11) }]);
    const late = uncoveredTimes(keys.slice(0, 3), month(9), NOW);
    expect(late).toEqual([{ fromMs: month(11), untilMs: NOW + 120_000 }]);
    expect(uncoveredTimes([], month(9), NOW)).toHaveLength(1);
  });
});
