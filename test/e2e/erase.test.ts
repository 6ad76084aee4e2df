/** Lawful erasure on the real service: who may, what goes, what remains. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeClient, type Fetch } from '../../client/edge.ts';
import { eraseRecords, verifyErasure } from '../../client/erase.ts';
import type { GeneratedLine } from '../../client/generate/day.ts';
import { verifyManifest } from '../../client/manifest.ts';
import { pull } from '../../client/pull.ts';
import type { Identity } from '../../client/signing.ts';
import { submitRecord } from '../../client/submit.ts';
import { openWorkspace, type Workspace } from '../../client/workspace.ts';
import { concat } from '../../wire/bytes.ts';
import { ERASE_TYPE, ERASURE_TYPE, encodeErase, parseErasure } from '../../wire/erase.ts';
import { encodeLookup, LOOKUP_TYPE, PULL_TYPE } from '../../wire/pull.ts';
import { encodeRecord, uuidBytes, uuidText } from '../../wire/record.ts';
import { Desk, ndjson, recordAt, run } from '../support/officer.ts';

const PARCELS = 60;
/** Milliseconds after which the index table is filled, and some for the filling. */
const FILLED_MS = 12_000;

const desk = new Desk();
const city = desk.at('city');
let lines: GeneratedLine[];
let workspace: Workspace;
let url: string;
let sentAt: number;
/** Sealed full views by record id. */
const sealed = new Map<string, Uint8Array>();

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const client = (fetch?: Fetch) => {
  const { city: code, rootKey } = workspace;
  return new EdgeClient({ url, city: code, rootKey, ...(fetch && { fetch }) });
};
const enterpriseOf = (slug: string) => workspace.enterprise(slug).identity.id;

/** Sends an erasure's body as any party. */
async function post(identity: Identity, body: Uint8Array<ArrayBuffer>, type = ERASE_TYPE) {
  const answerType = ERASURE_TYPE;
  const headers = { 'content-type': type };
  const path = '/v1/erase';
  return client().send({ method: 'POST', path, headers, body, answerType, identity });
}

beforeAll(async () => {
  await run('init', '--dir', city);
  lines = await desk.generate('day', PARCELS, 1, '3');
  workspace = openWorkspace(city);
  url = await desk.serve(city);
  const sent = await run('stream', desk.at('day'), '--dir', city);
  expect(sent).toMatchObject({ code: 0, stored: PARCELS });
  sentAt = Date.now();
  await pull(client(), workspace.regulator().identity, {
    onParcel: (parcel, { id }) => {
      sealed.set(uuidText(id), parcel.slice());
    },
  });
  expect(sealed.size).toBe(PARCELS);
}, 60_000);
afterAll(() => desk.close());

describe('who may erase', () => {
  const body = () => {
    const { enterprise, id } = recordAt(lines, 0);
    return encodeErase({ enterprise: enterpriseOf(enterprise), ids: [uuidBytes(id)] });
  };

  it('is nobody but the party for it: not the enterprise itself, not the regulator', async () => {
    const own = workspace.enterprise(recordAt(lines, 0).enterprise).identity;
    for (const identity of [own, workspace.regulator().identity]) {
      await expect(post(identity, body())).rejects.toMatchObject({
        code: 'forbidden',
        status: 403,
      });
    }
    const pulled = await run('pull', '--dir', city, '--out', desk.at('before.ndjson'));
    expect(pulled).toMatchObject({ parcels: PARCELS, erased: 0 });
  });

  it('and that party may do nothing else', async () => {
    const { identity } = workspace.erasure();
    const lookup = encodeLookup({ fromDay: 0, toDay: 1, indexes: [random(16)] });
    for (const request of [
      { method: 'GET' as const, path: '/v1/pull' },
      {
        ...{ method: 'POST' as const, path: '/v1/lookup', body: lookup },
        headers: { 'content-type': LOOKUP_TYPE },
      },
    ]) {
      const sent = client().send({ ...request, answerType: PULL_TYPE, identity });
      await expect(sent).rejects.toMatchObject({ code: 'forbidden', status: 403 });
    }
    const cbor = encodeRecord(recordAt(lines, 0).record);
    const submitted = submitRecord(client(), identity, cbor);
    await expect(submitted).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  });

  it('and only once with one signature', async () => {
    let sent: [string, RequestInit] | undefined;
    const edge = client((target, init) => {
      if (target.endsWith('/v1/erase')) sent = [target, init];
      return fetch(target, init);
    });
    const nobody = [random(16), [random(16)]] as const;
    await eraseRecords(edge, workspace.erasure().identity, ...nobody);
    const [target, init] = sent as [string, RequestInit];
    const again = await fetch(target, init);
    expect(again.status).toBe(401);
    expect(await again.json()).toMatchObject({ code: 'replayed' });
  });

  it.each([
    ['no id', concat(encodeErase({ enterprise: random(16), ids: [] })), 'malformed_request'],
    [
      'half an id',
      concat(encodeErase({ enterprise: random(16), ids: [random(8)] })),
      'malformed_request',
    ],
    ['another magic', concat(random(36)), 'malformed_request'],
    [
      'more ids than one request may have',
      encodeErase({ enterprise: random(16), ids: Array.from({ length: 1_001 }, () => random(16)) }),
      'too_large',
    ],
  ])('with %s is refused', async (_, bytes, code) => {
    await expect(post(workspace.erasure().identity, bytes)).rejects.toMatchObject({ code });
  });

  it('with another content type is refused', async () => {
    const sent = post(workspace.erasure().identity, body(), 'application/octet-stream');
    await expect(sent).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('an erasure', () => {
  it('answers for what is not there, and for an enterprise that is not known, alike', async () => {
    const { enterprise, id } = recordAt(lines, 0);
    const other = workspace.enterprises().find((slug) => slug !== enterprise);
    const { identity } = workspace.erasure();
    const answers = await Promise.all(
      [
        [enterpriseOf(enterprise), random(16)], // unknown id
        [enterpriseOf(other as string), uuidBytes(id)], // somebody else's
        [random(16), uuidBytes(id)], // unknown enterprise
      ].map(async ([whose, which]) => {
        const [answer] = await eraseRecords(client(), identity, whose as Uint8Array, [
          which as Uint8Array,
        ]);
        return answer;
      }),
    );
    for (const answer of answers) {
      expect(answer?.items.map(({ id: _, ...item }) => item)).toEqual([{ state: 'not_found' }]);
      expect(answer?.receipt.length).toBe(answers[0]?.receipt.length);
    }
    const pulled = await run('pull', '--dir', city, '--all', '--out', desk.at('still.ndjson'));
    expect(pulled).toMatchObject({ parcels: PARCELS, erased: 0 });
  });

  it('keeps a receipt that the edge signed, and who asked in which case', async () => {
    const { enterprise, id } = recordAt(lines, 0);
    const args = ['erase', '--dir', city, '--enterprise', enterprise, '--case', '2026-0117'];
    const report = await run(...args, '--id', id);
    expect(report).toMatchObject({ code: 0, erased: 1, erasedBefore: 0, notFound: 0 });
    const [folder] = report.receipts;
    const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    }
    const lists = openWorkspace(city).lists();
    const receipt = verifyErasure(read('receipt.bin'), lists, workspace.city);
    expect(receipt?.items).toMatchObject([{ id: uuidBytes(id), state: 1 }]);
    expect(verifyErasure(read('receipt.bin'), lists, 440300)).toBeUndefined();
    const forged = read('receipt.bin');
    forged[60] = (forged[60] as number) ^ 1;
    expect(verifyErasure(forged, lists, workspace.city)).toBeUndefined();

    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ case: '2026-0117', items: [{ id, state: 'erased' }] });
    const digest = Buffer.from(sha256(read('receipt.bin'))).toString('hex');
    expect(manifest.receipt.sha256).toBe(digest);
    const { keyid } = workspace.erasure().identity.signer;
    expect(verifyManifest(read('manifest.json'), read('manifest.sig'), keyid)).toBe(true);
    expect(verifyManifest(read('receipt.bin'), read('manifest.sig'), keyid)).toBe(false);

    // Asking again tells when it was.
    const again = await run(...args, '--id', id);
    expect(again).toMatchObject({ code: 0, erased: 0, erasedBefore: 1 });
    expect(again.items[0].erasedAt).toBe(report.items[0].erasedAt);
  });

  it('leaves the receipt of a record: pulls tell it, and it is never stored anew', async () => {
    const { enterprise, id, phone, record } = recordAt(lines, 0);
    const out = desk.at('erased.ndjson');
    const pulled = await run('pull', '--dir', city, '--all', '--out', out);
    expect(pulled).toMatchObject({ code: 0, parcels: PARCELS - 1, opened: PARCELS - 1, erased: 1 });
    expect(ndjson(out).map((line) => line.id)).not.toContain(id);
    const found = await run('lookup', '--dir', city, '--phone', phone);
    expect(found.matches.map((match: { id: string }) => match.id)).not.toContain(id);

    const path = desk.at('again.ndjson');
    writeFileSync(path, `${JSON.stringify(record)}\n`);
    const same = await run('submit', path, '--dir', city, '--enterprise', enterprise);
    expect(same.results).toMatchObject([{ id, outcome: 'DUPLICATE' }]);
    writeFileSync(path, `${JSON.stringify({ ...record, outlet: `${record.outlet}1` })}\n`);
    const other = await run('submit', path, '--dir', city, '--enterprise', enterprise);
    expect(other.results).toMatchObject([{ id, outcome: 'CONFLICT' }]);
    const after = await run('pull', '--dir', city, '--all', '--out', desk.at('after.ndjson'));
    expect(after).toMatchObject({ parcels: PARCELS - 1, erased: 1 });
  });

  it('takes ids from a file, a thousand at a time, and tells those that it did not find', async () => {
    const { enterprise } = recordAt(lines, 0);
    const own = lines
      .filter((line) => line.enterprise === enterprise)
      .map(({ record }) => record.id);
    const unknown = Array.from({ length: 1_000 }, () => uuidText(random(16)));
    writeFileSync(desk.at('ids.txt'), [...own, '', ...unknown, own[0]].join('\n'));
    const args = ['erase', '--dir', city, '--enterprise', enterprise, '--case', 'x'];
    const report = await run(...args, '--ids', desk.at('ids.txt'));
    expect(report).toMatchObject({ code: 1, erased: own.length - 1, notFound: 1_000 });
    expect(report.receipts).toHaveLength(2);
    const counts = report.receipts.map((folder: string) => {
      const bytes = new Uint8Array(readFileSync(join(folder, 'receipt.bin')));
      return parseErasure(bytes).receipt.items.length;
    });
    expect(counts).toEqual([1_000, own.length]);
    writeFileSync(desk.at('bad.txt'), `${own[0]}\nnot an id\n`);
    const bad = await run(...args, '--ids', desk.at('bad.txt'));
    expect(bad).toMatchObject({ code: 1, error: 'bad_id' });
    expect(bad.problem[1]).toContain('number 2');
    for (const missing of [args.slice(0, -2), args, args.slice(0, 3)]) {
      expect(await run(...missing)).toMatchObject({ code: 2, error: 'usage' });
    }
  });

  it('takes the entries out of the index table, and the ciphertext out of the file', async () => {
    await new Promise((resolve) => setTimeout(resolve, sentAt + FILLED_MS - Date.now()));
    const gone = lines.slice(0, 40).filter(({ record }) => sealed.has(record.id));
    const bySlug = Map.groupBy(gone, ({ enterprise }) => enterprise);
    for (const [slug, some] of bySlug) {
      const ids = some.flatMap(({ record }) => ['--id', record.id]);
      const args = ['erase', '--dir', city, '--enterprise', slug, '--case', 'x', ...ids];
      expect(await run(...args)).toMatchObject({ code: 0, notFound: 0 });
    }
    await desk.stop(city);

    const folder = join(city, 'data', 'd1');
    const file = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
    const bytes = readFileSync(join(folder, file as string));
    const erased = new Set(gone.map(({ record }) => record.id));
    const { enterprise } = recordAt(lines, 0);
    for (const { record, enterprise: slug } of lines) {
      if (slug === enterprise) erased.add(record.id);
    }
    const database = new DatabaseSync(join(folder, file as string), { readOnly: true });
    // SQLite keeps a copy of a table's very first page, with the beginnings of some batches, when the table outgrows it.
    const first = database.prepare('SELECT id FROM receipts WHERE position <= 4').all();
    const copied = new Set(first.map(({ id }) => uuidText(id as Uint8Array)));
    for (const [id, parcel] of sealed) {
      if (copied.has(id)) continue;
      expect(
        pieces(parcel).some((piece) => bytes.includes(piece)),
        id,
      ).toBe(!erased.has(id));
    }
    const rows = database.prepare('SELECT id FROM keyed_index').all() as { id: Uint8Array }[];
    const indexed = new Set(rows.map(({ id }) => uuidText(id)));
    const receipts = database
      .prepare('SELECT id, length(content_tag) AS tag FROM receipts WHERE erased_ms IS NOT NULL')
      .all() as { id: Uint8Array; tag: number }[];
    database.close();
    for (const id of sealed.keys()) expect(indexed.has(id), id).toBe(!erased.has(id));
    expect(new Set(receipts.map(({ id }) => uuidText(id)))).toEqual(erased);
    expect(receipts.every(({ tag }) => tag === 16)).toBe(true);
  });
});

/** Pieces of a parcel's ciphertext: a batch is longer than a page, so a parcel may lie on two, which need not be neighbours. */
function pieces(parcel: Uint8Array): Buffer[] {
  const ciphertext = Buffer.from(parcel.subarray(144));
  return Array.from({ length: Math.floor(ciphertext.length / 32) }, (_, i) =>
    ciphertext.subarray(32 * i, 32 * (i + 1)),
  );
}
