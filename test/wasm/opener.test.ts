/**
 * Opening in the module: what its own edge sealed, what another library sealed, what was changed on the way, and what is left in
 * memory after each call.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import {
  MAX_OPEN_PARCELS,
  OPEN_TABLE_BYTES,
  OUT_BYTES,
  PARCEL_MALFORMED,
  PARCEL_NO_EPOCH,
  PARCEL_OPENED,
  PARCEL_OTHER_EPOCH,
  PARCEL_PADDING,
  PARCEL_SEALED,
  RECORD_MALFORMED,
  RECORD_OTHER_ID,
} from '../../wasm/host/abi.gen.ts';
import { PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { type EpochHandle, ParcelOpener, type WrappedEpoch } from '../../wasm/host/opener.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat, equalBytes, u16, utf8 } from '../../wire/bytes.ts';
import { EPOCH_COMMIT_LABEL, encodeEpoch, parseEpoch, wrapInfo } from '../../wire/epoch.ts';
import { MAX_CHUNK_BYTES } from '../../wire/limits.ts';
import {
  PARCEL_AT,
  PARCEL_KEY_LABEL,
  parcelNonce,
  parseParcel,
  VIEW_MASKED,
} from '../../wire/parcel.ts';
import { decodeMasked, uuidText } from '../../wire/record.ts';
import { type FakeEpoch, makeEpoch, makeWorld, random, sealParcel } from '../support/fake-store.ts';
import { cbor, record, uuid7 } from '../support/rules.ts';
import { loadModule } from '../support/wasm.ts';
import { NOW, opened, randomParty, recordMemories, TestEdge } from '../twin/edge.ts';
import { received } from '../twin/hpke.ts';
import { findAny, fragments, keyForms, keystream } from '../twin/needles.ts';

const SLACK_MS = 120_000;
const FILES = [RELAXED_FILE, PLAIN_FILE];
const world = makeWorld(NOW);
const [reader] = world.readers as [(typeof world.readers)[0]];
const opener = new ParcelOpener(loadModule(), SLACK_MS);

/** An epoch as the module takes it, for the holder of a private key. */
function wrapFor(header: Uint8Array, privateKey: Uint8Array): WrappedEpoch {
  const publicKey = x25519.getPublicKey(privateKey);
  const { params, commit, wraps } = parseEpoch(header);
  const wrap = wraps.find(({ recipient }) => equalBytes(recipient, sha256(publicKey)));
  if (wrap === undefined) throw new Error('not a reader');
  return { privateKey, publicKey, enc: wrap.enc, sealed: wrap.sealed, params, commit };
}

function handleOf(header: Uint8Array, privateKey = reader.privateKey, by = opener): EpochHandle {
  const handle = by.openEpoch(wrapFor(header, privateKey));
  if (typeof handle === 'string') throw new Error(handle);
  return handle;
}

/** Opens all of them, however many calls that takes. */
function openEvery(parcels: readonly Uint8Array[], handle: EpochHandle, by = opener) {
  const results: { status: number; cbor: Uint8Array }[] = [];
  while (results.length < parcels.length) {
    const block = by.open(handle, parcels, results.length);
    expect(block.count).toBeGreaterThan(0);
    for (let i = 0; i < block.count; i++) {
      results.push({ status: block.status(i), cbor: block.cbor(i) });
    }
  }
  return results;
}

/** CBOR of a record of so many octets, at least, and its id. */
function recordOf(octets = 0) {
  const id = random(16);
  const make = (outlet: string) => {
    return cbor(
      record([
        [1, id],
        [5, outlet],
      ]),
    );
  };
  const bare = make('').length;
  return { id: uuidText(id), bytes: make('X'.repeat(Math.max(6, octets - bare))) };
}

function sealed(epoch: FakeEpoch, octets = 0, changes: Parameters<typeof sealParcel>[4] = {}) {
  const { id, bytes } = recordOf(octets);
  return { parcel: sealParcel(world, epoch, id, bytes, changes), bytes };
}

describe.each(FILES)('%s opens', (file) => {
  const by = new ParcelOpener(loadModule(file), SLACK_MS);

  it('what the edge of the same module sealed, for every reader', () => {
    const party = randomParty();
    const edge = new TestEdge(loadModule(file));
    const { full, masked } = edge.startEpochs(party);
    const stream = edge.stream(party);
    const { request } = opened(edge.session.openStream(stream.head, party, NOW));
    const records = Array.from({ length: 30 }, (_, i) => {
      const id = uuid7(NOW);
      id[15] = i;
      return cbor(record([[1, id]]));
    });
    const chunk = concat(...records);
    expect(chunk.length).toBeLessThan(MAX_CHUNK_BYTES);
    const { batch } = opened(edge.session.openChunk(request, stream.seal(0, chunk), false, NOW));
    const parcels = parseBatch(batch).records;
    expect(parcels).toHaveLength(30);
    const header = ({ params, commit, wraps }: typeof full) =>
      encodeEpoch(params, commit, wraps, new Uint8Array(32), new Uint8Array(64));
    const whole = parcels.map((each) => each.full);
    for (const key of edge.keys.regulators) {
      const results = openEvery(whole, handleOf(header(full), key, by), by);
      expect(results.map((result) => result.status)).toEqual(records.map(() => PARCEL_OPENED));
      expect(results.map((result) => new Uint8Array(result.cbor))).toEqual(records);
    }
    const company = handleOf(header(masked), edge.keys.company, by);
    const views = parcels.map((each) => each.masked);
    const results = openEvery(views, company, by);
    expect(results.map((result) => result.status)).toEqual(views.map(() => PARCEL_OPENED));
    const seen = results.map((result) => decodeMasked(result.cbor));
    expect(new Set(seen.map(({ id }) => id)).size).toBe(30);
    expect(seen.every(({ sender }) => sender?.docNumber?.includes('*'))).toBe(true);
  });

  it.each([1, 15, 16, 17, 255, 256, 257, 600])('%i that another library sealed', (count) => {
    const epoch = makeEpoch(world);
    const made = Array.from({ length: count }, () => sealed(epoch));
    const handle = handleOf(epoch.header, reader.privateKey, by);
    const results = openEvery(
      made.map(({ parcel }) => parcel),
      handle,
      by,
    );
    expect(results.every(({ status }) => status === PARCEL_OPENED)).toBe(true);
    expect(results.map((result) => new Uint8Array(result.cbor))).toEqual(
      made.map(({ bytes }) => bytes),
    );
  });

  it('every bucket, filled to its last octet and one less, mixed', () => {
    const epoch = makeEpoch(world);
    const lengths = [448, 960, 1984, 4096].flatMap((size) => [size - 3, size - 2, size - 1]);
    const made = [...lengths, ...lengths.toReversed()].map((octets) => sealed(epoch, octets));
    const handle = handleOf(epoch.header, reader.privateKey, by);
    const results = openEvery(
      made.map(({ parcel }) => parcel),
      handle,
      by,
    );
    expect(results.map((result) => new Uint8Array(result.cbor))).toEqual(
      made.map(({ bytes }) => bytes),
    );
  });

  it('only the good ones among others', () => {
    const epoch = makeEpoch(world);
    const made = Array.from({ length: 100 }, () => sealed(epoch));
    const parcels = made.map(({ parcel }, i) => {
      if (i % 3 !== 1) return parcel;
      const changed = parcel.slice();
      const at = i % 2 === 0 ? parcel.length - 1 : 200;
      changed[at] = (changed[at] as number) ^ 0x10;
      return changed;
    });
    const results = openEvery(parcels, handleOf(epoch.header, reader.privateKey, by), by);
    for (const [i, { status, cbor: bytes }] of results.entries()) {
      expect(status).toBe(i % 3 === 1 ? PARCEL_SEALED : PARCEL_OPENED);
      expect(new Uint8Array(bytes)).toEqual(i % 3 === 1 ? new Uint8Array(0) : made[i]?.bytes);
    }
  });
});

it('more of the largest than one call holds', () => {
  const epoch = makeEpoch(world);
  const made = Array.from({ length: 130 }, () => sealed(epoch, 4000));
  const parcels = made.map(({ parcel }) => parcel);
  const handle = handleOf(epoch.header);
  const first = opener.open(handle, parcels);
  expect(first.count).toBe(Math.floor((OUT_BYTES - OPEN_TABLE_BYTES) / (2 + 144 + 4288 + 16)));
  expect(openEvery(parcels, handle).map(({ cbor: bytes }) => new Uint8Array(bytes))).toEqual(
    made.map(({ bytes }) => bytes),
  );
  expect(opener.open(handle, parcels, 10, 12).count).toBe(2);
});

describe('a parcel is refused', () => {
  const epoch = makeEpoch(world);
  const handle = handleOf(epoch.header);
  const status = (parcel: Uint8Array, by = handle) => openEvery([parcel], by)[0]?.status;

  it('for every octet that is changed, and every length', () => {
    const { parcel } = sealed(epoch);
    const changed = Array.from({ length: parcel.length }, (_, at) => {
      return parcel.map((octet, i) => (i === at ? octet ^ 1 : octet));
    });
    for (const result of openEvery(changed, handle)) {
      expect(result.status).not.toBe(PARCEL_OPENED);
      expect(result.cbor).toHaveLength(0);
    }
    const cuts = Array.from({ length: parcel.length }, (_, length) => parcel.subarray(0, length));
    for (const { status: cut } of openEvery([...cuts, concat(parcel, Uint8Array.of(0))], handle)) {
      expect(cut).toBe(PARCEL_MALFORMED);
    }
    expect(status(parcel)).toBe(PARCEL_OPENED);
  });

  it.each([
    ['of another city', PARCEL_OTHER_EPOCH, { city: 440300 }],
    ['of another view', PARCEL_OTHER_EPOCH, { view: VIEW_MASKED }],
    ['of no view', PARCEL_MALFORMED, { view: 3 }],
    ['of another epoch', PARCEL_NO_EPOCH, { epochId: random(16) }],
    ['padded with ones', PARCEL_PADDING, { padding: 1 }],
    ['with another id inside', RECORD_OTHER_ID, { id: random(16) }],
    ['at the first moment', PARCEL_OPENED, { acceptedMs: NOW - SLACK_MS }],
    ['before it', PARCEL_OTHER_EPOCH, { acceptedMs: NOW - SLACK_MS - 1 }],
    ['at the last moment', PARCEL_OPENED, { acceptedMs: NOW + 900_000 + SLACK_MS }],
    ['after it', PARCEL_OTHER_EPOCH, { acceptedMs: NOW + 900_000 + SLACK_MS + 1 }],
  ] as const)('or opened %s', (_, expected, changes) => {
    expect(status(sealed(epoch, 0, changes).parcel)).toBe(expected);
  });

  it('when its times or its position are no number of JavaScript', () => {
    const { parcel } = sealed(epoch);
    for (const at of [PARCEL_AT.sequence, PARCEL_AT.acceptedMs]) {
      const changed = parcel.slice();
      changed[at + 1] = 0x20;
      expect(status(changed)).toBe(PARCEL_MALFORMED);
    }
  });

  it('when it is not of the enterprise whose masked views the epoch holds', () => {
    const masked = makeEpoch(world, { view: VIEW_MASKED, audience: world.enterprise });
    const by = handleOf(masked.header);
    expect(status(sealed(masked).parcel, by)).toBe(PARCEL_OPENED);
    const other = sealed(masked, 0, { enterprise: random(16) }).parcel;
    expect(status(other, by)).toBe(PARCEL_OTHER_EPOCH);
  });

  const whole = (octets: number[], size = 448) =>
    concat(Uint8Array.from(octets), new Uint8Array(size - octets.length));
  const id = new Uint8Array(16).fill(7);
  it.each([
    ['a length past its bucket', PARCEL_PADDING, whole([0x01, 0xbf])],
    ['the greatest length', PARCEL_PADDING, whole([0xff, 0xff])],
    ['nothing', RECORD_MALFORMED, whole([0, 0])],
    [
      'the head of a record alone',
      RECORD_MALFORMED,
      whole([0, 18, 0xa7, 1, 0x50, ...id.subarray(1)]),
    ],
    ['no map', RECORD_MALFORMED, whole([0, 19, 0x87, 1, 0x50, ...id])],
    ['an empty map', RECORD_MALFORMED, whole([0, 19, 0xa0, 1, 0x50, ...id])],
    ['another first key', RECORD_MALFORMED, whole([0, 19, 0xa7, 2, 0x50, ...id])],
    ['a longer id', RECORD_MALFORMED, whole([0, 19, 0xa7, 1, 0x51, ...id])],
    ['a record as far as the module looks', PARCEL_OPENED, whole([0, 19, 0xa7, 1, 0x50, ...id])],
  ] as const)('or opened when it holds %s', (_, expected, plaintext) => {
    const { parcel } = sealed(epoch, 0, { id });
    const { aad, ...rest } = parseParcel(parcel);
    const nonce = parcelNonce({ aad, ...rest });
    const text = chacha20poly1305(epoch.parcelKey, nonce, aad).encrypt(plaintext);
    expect(status(concat(aad, text))).toBe(expected);
  });
});

describe('an epoch', () => {
  const epoch = makeEpoch(world);
  const wrap = wrapFor(epoch.header, reader.privateKey);

  it.each([
    ['another key', { privateKey: random(32) }, 'wrap'],
    ['another public key', { publicKey: x25519.getPublicKey(random(32)) }, 'wrap'],
    ['a key of low order', { enc: new Uint8Array(32) }, 'wrap'],
    ['a wrap that is cut', { sealed: wrap.sealed.subarray(1) }, 'wrap'],
    ['another wrap', { sealed: wrap.sealed.map((octet) => octet ^ 1) }, 'wrap'],
    ['other parameters', { params: wrap.params.map((octet) => octet ^ 1) }, 'wrap'],
    ['another commitment', { commit: random(32) }, 'wrap'],
  ] as const)('does not open with %s', (_, changes, expected) => {
    expect(opener.openEpoch({ ...wrap, ...changes })).toBe(expected);
  });

  it('does not open when it commits to another key', () => {
    const forged = makeEpoch(world, { commit: random(32) });
    expect(opener.openEpoch(wrapFor(forged.header, reader.privateKey))).toBe('commit');
  });

  it('serves the opener that took it in, and no other', () => {
    const other = new ParcelOpener(loadModule(), SLACK_MS);
    const { parcel } = sealed(epoch);
    const handle = handleOf(epoch.header);
    expect(() => other.open(handle, [parcel])).toThrow('instance');
    const [result] = openEvery([parcel], handle);
    expect(result?.status).toBe(PARCEL_OPENED);
  });
});

describe('afterwards the memory holds', () => {
  const epoch = makeEpoch(world);
  const wrap = wrapFor(epoch.header, reader.privateKey);
  const { secrets } = received(reader.privateKey, wrap.enc, wrapInfo(sha256(reader.publicKey)));
  const aad = concat(wrap.params, wrap.commit);
  const contentKey = chacha20poly1305(secrets.key, secrets.baseNonce, aad).decrypt(wrap.sealed);
  const derived = [EPOCH_COMMIT_LABEL, PARCEL_KEY_LABEL].map((label) =>
    expand(sha256, contentKey, concat(utf8(label), wrap.params), 32),
  ) as [Uint8Array, Uint8Array];
  const [, parcelKey] = derived;
  const keys = [reader.privateKey, contentKey, ...derived, ...Object.values(secrets)];

  function newOpener() {
    const memories: Uint8Array[] = [];
    const by = recordMemories(memories, () => new ParcelOpener(loadModule(), SLACK_MS));
    return { by, memory: memories[0] as Uint8Array };
  }

  it('no key of an epoch, whether it opened or not', () => {
    expect(parcelKey).toEqual(epoch.parcelKey);
    const { by, memory } = newOpener();
    for (const changes of [{}, { commit: random(32) }, { enc: new Uint8Array(32) }]) {
      by.openEpoch({ ...wrap, ...changes });
      expect(findAny(memory, keys.flatMap(keyForms))).toEqual([]);
    }
    const forged = makeEpoch(world, { commit: random(32) });
    by.openEpoch(wrapFor(forged.header, reader.privateKey));
    expect(findAny(memory, [forged.parcelKey, reader.privateKey].flatMap(keyForms))).toEqual([]);
  });

  it('nothing of what was opened, of what did not open, and no key', () => {
    const { by, memory } = newOpener();
    const handle = by.openEpoch(wrap);
    if (typeof handle === 'string') throw new Error(handle);
    const made = [...Array.from({ length: 40 }, () => sealed(epoch)), sealed(epoch, 4000)];
    const forged = made.map(({ parcel }) =>
      parcel.map((octet, i) => (i === 300 ? octet ^ 1 : octet)),
    );
    const wrong = sealed(epoch, 0, { padding: 3 });
    const parcels = [...made.map(({ parcel }) => parcel), ...forged, wrong.parcel];
    const block = by.open(handle, parcels);
    expect([block.count, block.status(0), block.status(41)]).toEqual([
      ...[parcels.length, PARCEL_OPENED, PARCEL_SEALED],
    ]);
    const streams = parcels.flatMap((parcel) => {
      return keystream(epoch.parcelKey, parcelNonce(parseParcel(parcel)));
    });
    const texts = [...made, wrong].flatMap(({ bytes }) => fragments(bytes.subarray(19), 8));
    expect(findAny(memory, [...keys.flatMap(keyForms), ...streams, ...texts])).toEqual([]);
    // The search finds what is there.
    memory.set((made[0] as { bytes: Uint8Array }).bytes.subarray(100, 140), 500_000);
    expect(findAny(memory, texts).length).toBeGreaterThan(0);
  });
});

describe('a list that the host would not write', () => {
  const epoch = makeEpoch(world);
  const { parcel } = sealed(epoch);
  const first = OPEN_TABLE_BYTES;

  /** Calls the module itself, with the list that `write` leaves in OUT. @returns whether it was taken, and OUT after it */
  function open(
    count: number,
    write: (out: Uint8Array) => void,
    change: (context: Uint8Array) => Uint8Array = (context) => context,
  ) {
    const { exports } = new WebAssembly.Instance(loadModule());
    const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
    const at = (name: string) => (exports[name] as WebAssembly.Global).value as number;
    const run = (name: string, ...parameters: (number | bigint)[]) =>
      (exports[name] as (...parameters: (number | bigint)[]) => number)(...parameters);
    memory.set(random(64), at('RANDOM'));
    run('drawInstanceKey');
    const wrap = wrapFor(epoch.header, reader.privateKey);
    const { privateKey, publicKey, enc, sealed: content, params, commit } = wrap;
    memory.set(concat(privateKey, publicKey, enc, content, params, commit), at('IN'));
    expect(run('openEpoch')).toBe(0);
    const out = memory.subarray(at('OUT'), at('OUT') + OUT_BYTES);
    memory.set(change(out.slice(0, at('SEALED_EPOCH_BYTES'))), at('IN'));
    out.fill(0);
    write(out);
    return { taken: run('openParcels', count, BigInt(SLACK_MS)) === 1, out };
  }

  const one = (out: Uint8Array) => out.set(concat(u16(parcel.length), parcel), first);

  it('is taken as long as it ends in the buffer', () => {
    expect(open(1, one).taken).toBe(true);
    expect(open(MAX_OPEN_PARCELS, one).taken).toBe(true);
    const last = (length: number) => (out: Uint8Array) => {
      // Four of the longest, and what is left.
      for (const i of [0, 1, 2]) out.set(u16(65_535), first + i * 65_537);
      out.set(u16(length), first + 3 * 65_537);
    };
    const left = OUT_BYTES - first - 3 * 65_537 - 2;
    expect(open(4, last(left)).taken).toBe(true);
    for (const [count, length] of [
      [4, left + 1],
      [4, 65_535],
      [5, left],
      [5, left - 1],
    ] as const) {
      const { taken, out } = open(count, last(length));
      expect(taken).toBe(false);
      expect(out.every((octet) => octet === 0)).toBe(true);
    }
  });

  it.each([
    ['more than one call opens', MAX_OPEN_PARCELS + 1, (context: Uint8Array) => context],
    ['as many as can be said', 0xffff_ffff, (context: Uint8Array) => context],
    ['under a forged epoch', 1, (context: Uint8Array) => context.map((octet) => octet ^ 1)],
    ['under none', 1, (context: Uint8Array) => context.fill(0)],
  ] as const)('is not taken with %s', (_, count, change) => {
    const { taken, out } = open(count, one, change);
    expect(taken).toBe(false);
    expect(out.every((octet) => octet === 0)).toBe(true);
  });
});
