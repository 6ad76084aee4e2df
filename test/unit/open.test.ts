import { describe, expect, it } from 'vitest';
import { OpenError } from '../../client/errors.ts';
import { generateKeyPair } from '../../client/hpke.ts';
import { Opener } from '../../client/open.ts';
import { csvHeader, csvLines, ndjsonLine } from '../../client/output.ts';
import { signList, TrustedLists } from '../../client/recipients.ts';
import { FULL_PARCEL_AAD_BYTES, VIEW_MASKED } from '../../wire/parcel.ts';
import { encodeRecord, uuidBytes, uuidText } from '../../wire/record.ts';
import {
  CITY,
  DAY_MS,
  edgeEntry,
  makeEpoch,
  makeWorld,
  random,
  sealParcel,
  signingPair,
} from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const world = makeWorld(NOW);
const record = validRecord(NOW);
const cbor = encodeRecord(record);

function openerFor(keys = world.readers, lists: Uint8Array[] = [world.signedList]): Opener {
  const trusted = new TrustedLists(world.root.publicKey);
  for (const list of lists) trusted.add(list);
  return new Opener(trusted, keys);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof OpenError) return error.code;
    throw error;
  }
  return 'opened';
}

describe('opening', () => {
  it('opens a full view for each reader', () => {
    for (const reader of world.readers) {
      const [opener, epoch] = [openerFor([reader]), makeEpoch(world)];
      expect(opener.addEpoch(epoch.header)).toEqual([]);
      const opened = opener.open(sealParcel(world, epoch, record.id, cbor), {
        ...{ id: uuidBytes(record.id), enterprise: world.enterprise, city: CITY, view: 1 },
      });
      expect(opened).toEqual({
        ...{ id: record.id, enterprise: uuidText(world.enterprise), city: CITY, view: 'full' },
        ...{ acceptedAt: new Date(NOW + 5).toISOString(), flags: [], record },
      });
    }
  });

  it('opens a masked view for its enterprise', () => {
    const own = generateKeyPair();
    const epoch = makeEpoch(world, {
      view: VIEW_MASKED,
      audience: world.enterprise,
      wrapTo: [own],
    });
    const opener = openerFor([own]);
    opener.addEpoch(epoch.header);
    const opened = opener.open(sealParcel(world, epoch, record.id, cbor));
    expect(opened.view).toBe('masked');
    expect(opened.record).toMatchObject({ id: record.id, waybill: record.waybill });
  });

  it.each([0, 190, 191, 446, 447, 958, 959, 1982, 1983])(
    'takes the padding off a record of about %i octets',
    (target) => {
      const [opener, epoch] = [openerFor(), makeEpoch(world)];
      opener.addEpoch(epoch.header);
      const padded = validRecord(NOW, { outlet: 'x'.repeat(Math.max(0, target - cbor.length)) });
      const sealed = sealParcel(world, epoch, padded.id, encodeRecord(padded));
      expect(opener.open(sealed).record).toEqual(padded);
    },
  );

  it('refuses every change of a stored parcel', () => {
    const [opener, epoch] = [openerFor(), makeEpoch(world)];
    opener.addEpoch(epoch.header);
    const parcel = sealParcel(world, epoch, record.id, cbor);
    for (let at = 0; at < parcel.length; at++) {
      const changed = parcel.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(codeOf(() => opener.open(changed))).toMatch(/^parcel_/);
    }
    for (let length = 0; length < parcel.length; length += 7) {
      expect(codeOf(() => opener.open(parcel.subarray(0, length)))).toBe('parcel_malformed');
    }
  });

  it('case 7: refuses a row whose readable columns are those of another', () => {
    const [opener, epoch] = [openerFor(), makeEpoch(world)];
    opener.addEpoch(epoch.header);
    const other = validRecord(NOW);
    const [first, second] = [record, other].map((one) =>
      sealParcel(world, epoch, one.id, encodeRecord(one)),
    ) as [Uint8Array, Uint8Array];
    const head = second.subarray(0, FULL_PARCEL_AAD_BYTES);
    const swapped = Uint8Array.of(...head, ...first.subarray(FULL_PARCEL_AAD_BYTES));
    expect(codeOf(() => opener.open(swapped))).toBe('parcel_sealed');
    for (const row of [{ id: random(16) }, { enterprise: random(16) }, { city: 1 }, { view: 2 }]) {
      expect(codeOf(() => opener.open(first, row))).toBe('parcel_other_row');
    }
  });

  it.each([
    ['parcel_padding', { padding: 1 }],
    ['parcel_other_epoch', { city: 440300 }],
    ['parcel_other_epoch', { view: VIEW_MASKED }],
    ['parcel_other_epoch', { acceptedMs: NOW + 20 * 60_000 }],
    ['parcel_other_epoch', { acceptedMs: NOW - 10 * 60_000 }],
    ['parcel_no_epoch', { epochId: random(16) }],
    ['record_other_id', { id: random(16) }],
  ] as const)('refuses with %s what was sealed with %o', (code, changes) => {
    const [opener, epoch] = [openerFor(), makeEpoch(world)];
    opener.addEpoch(epoch.header);
    expect(codeOf(() => opener.open(sealParcel(world, epoch, record.id, cbor, changes)))).toBe(
      code,
    );
  });

  it('case 7: refuses a masked row moved to another enterprise', () => {
    const own = generateKeyPair();
    const epoch = makeEpoch(world, {
      view: VIEW_MASKED,
      audience: world.enterprise,
      wrapTo: [own],
    });
    const opener = openerFor([own]);
    opener.addEpoch(epoch.header);
    const moved = sealParcel(world, epoch, record.id, cbor, { enterprise: random(16) });
    expect(codeOf(() => opener.open(moved))).toBe('parcel_other_epoch');
  });

  it('opens many, of epochs that come and go, and says of each what it says of it alone', () => {
    const opener = openerFor();
    const [first, second, unknown] = [makeEpoch(world), makeEpoch(world), makeEpoch(world)];
    for (const { header } of [first, second]) opener.addEpoch(header);
    const epochs = [first, first, second, first, unknown, second, second, first];
    const parcels = Array.from({ length: 700 }, (_, i) => {
      const epoch = epochs[(i >> (i % 5)) % epochs.length] as typeof first;
      const one = validRecord(NOW);
      const bytes = sealParcel(world, epoch, one.id, encodeRecord(one));
      const last = bytes.length - 1;
      const row = { id: uuidBytes(one.id), enterprise: world.enterprise, city: CITY, view: 1 };
      if (i % 11 === 3) return { bytes: bytes.subarray(0, last), row };
      if (i % 11 === 5) bytes[last] = (bytes[last] as number) ^ 1;
      if (i % 11 === 7) row.city++;
      if (i % 11 === 9) row.id = random(16);
      return i % 11 === 8 ? { bytes } : { bytes, row };
    });
    const outcome = (open: () => unknown) => {
      const code = codeOf(open);
      return code === 'opened' ? open() : code;
    };
    const alone = parcels.map(({ bytes, row }) => outcome(() => opener.open(bytes, row)));
    const together = opener.openAll(parcels);
    expect(together.map((one) => (one instanceof OpenError ? one.code : one))).toEqual(alone);
    const codes = new Set(alone.filter((one) => typeof one === 'string'));
    expect([...codes].sort()).toEqual([
      ...['parcel_malformed', 'parcel_no_epoch', 'parcel_other_row', 'parcel_sealed'],
    ]);
    for (const [i, cbor] of opener.openCbor(parcels).entries()) {
      const { record: whole } = alone[i] as { record?: typeof record };
      if (cbor instanceof OpenError) expect(cbor.code).toBe(alone[i]);
      else expect(cbor).toEqual(encodeRecord(whole as typeof record));
    }
    expect(opener.openAll([])).toEqual([]);
  });

  it.each([4_449, 65_536 + 600, 300_000])(
    'refuses %i octets at their own place, whatever they hold',
    (length) => {
      const [opener, epoch] = [openerFor(), makeEpoch(world)];
      opener.addEpoch(epoch.header);
      const parcels = [0, 1, 2].map(() => {
        const one = validRecord(NOW);
        const bytes = sealParcel(world, epoch, one.id, encodeRecord(one));
        return { one, bytes, row: { id: uuidBytes(one.id) } };
      });
      const [first, second, third] = parcels as [
        (typeof parcels)[0],
        (typeof parcels)[0],
        (typeof parcels)[0],
      ];
      // Such a length, cut to two octets, would make the rest of it parcels of their own.
      const long = new Uint8Array(length);
      long.set(first.bytes);
      long.set([second.bytes.length >> 8, second.bytes.length & 255], first.bytes.length);
      long.set(second.bytes, first.bytes.length + 2);
      const rows = [{ bytes: long, row: first.row }, third];
      const [refused, opened] = opener.openAll(rows);
      expect((refused as OpenError).code).toBe('parcel_malformed');
      expect(opened).toMatchObject({ id: third.one.id });
    },
  );

  it('never repeats what a malformed record holds', () => {
    const [opener, epoch] = [openerFor(), makeEpoch(world)];
    opener.addEpoch(epoch.header);
    const secret = Uint8Array.of(0x6b, ...new TextEncoder().encode('13800138000'));
    const parcel = sealParcel(world, epoch, record.id, secret);
    expect(() => opener.open(parcel)).toThrow('does not open: record_malformed');
  });
});

describe('epochs', () => {
  it.each([
    ['by a key that no list names', { signer: signingPair() }, 'epoch_signer'],
    ['of another city', { city: 440300 }, 'epoch_signer'],
    [
      'before the list held',
      { startMs: NOW - 2 * DAY_MS, endMs: NOW - 2 * DAY_MS + 1 },
      'epoch_list_expired',
    ],
    [
      'after the list held',
      { startMs: NOW + 20 * DAY_MS, endMs: NOW + 20 * DAY_MS + 1 },
      'epoch_list_expired',
    ],
    ['of a known version with other content', { listHash: random(32) }, 'epoch_list_mismatch'],
    ['that is too long', { endMs: NOW + 16 * 60_000 }, 'epoch_times'],
    ['that ends before it begins', { endMs: NOW - 1 }, 'epoch_times'],
    ['of the full view for one enterprise', { audience: random(16) }, 'epoch_audience'],
    ['of the masked view for all', { view: VIEW_MASKED }, 'epoch_audience'],
    ['of no known view', { view: 3 }, 'epoch_audience'],
    ['wrapped to others', { wrapTo: [generateKeyPair()] }, 'epoch_not_for_us'],
    ['with another commitment', { commit: random(32) }, 'epoch_commit'],
  ] as const)('refuses one %s', (_, changes, code) => {
    const [opener, epoch] = [openerFor(), makeEpoch(world, changes)];
    expect(codeOf(() => opener.addEpoch(epoch.header))).toBe(code);
    expect(codeOf(() => opener.open(sealParcel(world, epoch, record.id, cbor)))).toMatch(
      /^parcel_/,
    );
  });

  it('refuses every change of a header', () => {
    const { header } = makeEpoch(world);
    for (let at = 0; at < header.length; at += 3) {
      const changed = header.slice();
      changed[at] = (changed[at] as number) ^ 0x80;
      expect(codeOf(() => openerFor().addEpoch(changed))).toMatch(/^epoch_/);
    }
  });

  it('case 2: refuses an epoch that a writer of the store wrapped to the real keys', () => {
    const [opener, forger] = [openerFor(), signingPair()];
    const epoch = makeEpoch(world, { signer: forger });
    expect(codeOf(() => opener.addEpoch(epoch.header))).toBe('epoch_signer');
    // Named as the real signer, the signature does not fit.
    const named = epoch.header.slice();
    named.set(makeEpoch(world).header.subarray(-96, -64), named.length - 96);
    expect(codeOf(() => opener.addEpoch(named))).toBe('epoch_signature');
  });

  it('refuses a second epoch under a known id, and takes the same one again', () => {
    const [opener, epoch] = [openerFor(), makeEpoch(world)];
    opener.addEpoch(epoch.header);
    expect(codeOf(() => opener.addEpoch(epoch.header))).toBe('opened');
    const twin = makeEpoch(world, { epoch: epoch.params.epoch });
    expect(codeOf(() => opener.addEpoch(twin.header))).toBe('epoch_conflict');
    expect(opener.open(sealParcel(world, epoch, record.id, cbor)).id).toBe(record.id);
  });

  it('flags a list that it has not seen, if another one certifies the signer', () => {
    const epoch = makeEpoch(world, { listVersion: 9, listHash: random(32) });
    expect(openerFor().addEpoch(epoch.header)).toEqual(['list_unknown']);
    expect(codeOf(() => openerFor(world.readers, []).addEpoch(epoch.header))).toBe(
      'epoch_list_expired',
    );
  });

  it('flags a step back to an older list', () => {
    const newer = signList({ ...world.list, version: 4 }, world.root.privateKey);
    const opener = openerFor(world.readers, [world.signedList, newer]);
    const hash = new TrustedLists(world.root.publicKey).add(newer).hash;
    const fourth = makeEpoch(world, { listVersion: 4, listHash: hash });
    const later = { startMs: NOW + 3_600_000, endMs: NOW + 3_600_001 };
    expect(opener.addEpoch(fourth.header)).toEqual([]);
    expect(opener.addEpoch(makeEpoch(world).header)).toEqual([]);
    expect(opener.addEpoch(makeEpoch(world, later).header)).toEqual(['list_step_back']);
  });

  it('refuses a signing key outside its own term', () => {
    const entries = [edgeEntry(world.edge, { notBefore: NOW - DAY_MS, notAfter: NOW })];
    const list = signList({ ...world.list, version: 5, entries }, world.root.privateKey);
    const { hash } = new TrustedLists(world.root.publicKey).add(list);
    const epoch = makeEpoch(world, { listVersion: 5, listHash: hash });
    expect(codeOf(() => openerFor(world.readers, [list]).addEpoch(epoch.header))).toBe(
      'epoch_signer',
    );
  });
});

describe('recipient lists', () => {
  const lists = () => new TrustedLists(world.root.publicKey);

  it('takes only what the root has signed', () => {
    const foreign = signList(world.list, signingPair().privateKey);
    expect(() => lists().add(foreign)).toThrow('list_signature');
    const changed = world.signedList.slice();
    changed[30] = (changed[30] as number) ^ 1;
    expect(() => lists().add(changed)).toThrow(/list_/);
    expect(() => lists().add(world.signedList.subarray(0, 50))).toThrow('list_malformed');
  });

  it('refuses a version that it knows with other content', () => {
    const trusted = lists();
    trusted.add(world.signedList);
    trusted.add(world.signedList);
    const other = signList({ ...world.list, entries: [] }, world.root.privateKey);
    expect(() => trusted.add(other)).toThrow('list_conflict');
  });

  it('refuses a term of more than 30 days', () => {
    const long = { ...world.list, notAfter: world.list.notBefore + 30 * DAY_MS + 1 };
    expect(() => lists().add(signList(long, world.root.privateKey))).toThrow('list_malformed');
  });
});

describe('output', () => {
  const [opener, epoch] = [openerFor(), makeEpoch(world)];
  opener.addEpoch(epoch.header);
  const formula = validRecord(NOW, { outlet: '=1+1' });
  const opened = [record, formula].map((one) =>
    opener.open(sealParcel(world, epoch, one.id, encodeRecord(one))),
  );
  const options = { enterpriseName: () => '顺丰, "贵阳"' };

  it('writes one JSON object a line', () => {
    const line = ndjsonLine(opened[0] as (typeof opened)[0], options);
    expect(line.endsWith('\n')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({
      id: record.id,
      record,
      enterpriseName: '顺丰, "贵阳"',
    });
  });

  it('writes CSV that a spreadsheet reads and does not run', () => {
    const lines = (csvHeader({ bom: true }) + csvLines(opened, options)).split('\n');
    expect(lines[0]).toMatch(/^\ufeffid,enterprise,enterpriseName,.*sender\.docNumber/);
    expect(lines[1]).toContain('"顺丰, ""贵阳"""');
    expect(lines[1]).toContain(record.sender?.docNumber);
    expect(lines[2]).toContain("'=1+1");
    expect(csvLines(opened, { exact: true })).not.toContain("'=1+1");
    const columns = (line: string) => line.replaceAll(/"(""|[^"])*"/g, 'x').split(',').length;
    expect(columns(lines[1] as string)).toBe(columns(lines[0] as string));
  });
});
