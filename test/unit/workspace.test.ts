import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64url, toHex } from '../../client/encoding.ts';
import { keyPair } from '../../client/hpke.ts';
import { verifyEd25519 } from '../../client/recipients.ts';
import { createWorkspace, openWorkspace, type Workspace } from '../../client/workspace.ts';
import {
  certificateSigningInput,
  LIST_KIND,
  parseCertificate,
  parseSignedList,
  validEntries,
} from '../../wire/recipients.ts';
import { uuidBytes } from '../../wire/record.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const DAY_MS = 86_400_000;
const enterprises = [
  { slug: 'sf', name: '顺丰速运贵阳分公司', id: 'f7b7032a-5505-4ca5-8e13-fa93f1664da5' },
  { slug: 'zto-3', name: '中通', id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' },
];

let dir: string;
let workspace: Workspace;

beforeAll(async () => {
  dir = join(mkdtempSync(join(tmpdir(), 'sealpost-')), 'workspace');
  workspace = await createWorkspace(dir, {
    ...{ city: 520100, node: 'gy-1', authority: '127.0.0.1:8787', enterprises, now: NOW },
  });
});
afterAll(() => rmSync(join(dir, '..'), { recursive: true }));

function files(folder = dir): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

describe('a workspace', () => {
  it('opens as it was made', () => {
    const opened = openWorkspace(dir);
    expect([opened.city, opened.node, opened.authority]).toEqual([
      520100,
      'gy-1',
      '127.0.0.1:8787',
    ]);
    expect(opened.rootKey).toEqual(workspace.rootKey);
    expect(opened.enterprises()).toEqual(['sf', 'zto-3']);
    expect(opened.enterprise('sf').identity.id).toEqual(uuidBytes(enterprises[0]?.id as string));
    expect(opened.enterpriseNames().get('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')).toBe('中通');
    expect(opened.pullState()).toBeUndefined();
  });

  it('is never made over another one', async () => {
    const again = createWorkspace(dir, { city: 1, node: 'n', authority: 'a', enterprises: [] });
    await expect(again).rejects.toMatchObject({ code: 'exists' });
  });

  it('keeps private keys to its owner', () => {
    const secret = files().filter((path) =>
      /privateKey|signingKey|"key"/.test(readFileSync(path, 'utf8')),
    );
    expect(secret.length).toBe(2 + 1 + 4 + 1 + 2);
    for (const path of secret) expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const folder of ['', 'offline', 'edge', 'regulator', 'enterprises', 'data', 'run']) {
      expect(statSync(join(dir, folder)).mode & 0o777).toBe(0o700);
    }
  });

  it('holds a list that the root signed, for both readers, the edge and the delegate', () => {
    const list = workspace.lists().latest?.list;
    if (list === undefined) throw new Error('no list');
    expect(list.version).toBe(1);
    expect(list.notAfter - NOW).toBeLessThanOrEqual(30 * DAY_MS);
    const valid = (kind: number) => validEntries(list, kind, 520100, NOW).map((e) => e.publicKey);
    const readers = workspace.regulator().recipientKeys.map(({ publicKey }) => publicKey);
    expect(valid(LIST_KIND.FULL_VIEW)).toEqual(readers);
    const secrets = JSON.parse(readFileSync(workspace.paths.secrets, 'utf8'));
    const signer = ed25519.getPublicKey(fromBase64url(secrets.signingKey));
    expect(valid(LIST_KIND.EDGE_SIGNING)).toEqual([signer]);
    expect(valid(LIST_KIND.DELEGATE)).toHaveLength(1);
    expect(validEntries(list, LIST_KIND.DELEGATE, 440300, NOW)).toHaveLength(0);
  });

  it('gives the edge a key of 90 days and an index key a month', () => {
    const secrets = JSON.parse(readFileSync(workspace.paths.secrets, 'utf8'));
    const [key] = secrets.edgeKeys;
    expect([key.id, key.notAfter - key.notBefore, NOW - key.notBefore]).toEqual([
      1,
      90 * DAY_MS,
      3_600_000,
    ]);
    expect(keyPair(fromBase64url(key.privateKey)).publicKey).toHaveLength(32);
    const months = secrets.indexKeys as { version: number; fromMs: number; untilMs: number }[];
    expect(months).toHaveLength(15);
    expect(months[0]).toMatchObject({
      version: 26 * 12 + 10,
      fromMs: Date.UTC(2026, 9),
      untilMs: Date.UTC(2026, 10),
    });
    months.slice(1).forEach((month, i) => {
      expect(month.fromMs).toBe(months[i]?.untilMs);
    });
    expect(workspace.regulator().indexKeys.map(({ version }) => version)).toEqual(
      months.map(({ version }) => version),
    );
  });

  it('tells the control store who takes part, with certificates by the delegate', () => {
    const text = readFileSync(workspace.paths.control, 'utf8');
    expect(text).not.toContain('privateKey');
    const { parties, recipientList } = JSON.parse(text);
    expect(fromBase64url(recipientList)).toEqual(
      new Uint8Array(readFileSync(workspace.paths.recipientList)),
    );
    expect(parties.map(({ kind }: { kind: string }) => kind)).toEqual([
      'regulator',
      'erasure',
      'enterprise',
      'enterprise',
    ]);
    const { list } = parseSignedList(fromBase64url(recipientList));
    const [delegate] = validEntries(list, LIST_KIND.DELEGATE, 520100, NOW);
    for (const { slug, name } of enterprises) {
      const desk = workspace.enterprise(slug);
      const party = parties.find((one: { name: string }) => one.name === name);
      expect(fromBase64url(party.id)).toEqual(desk.identity.id);
      expect(sha256(fromBase64url(party.keys[0].publicKey))).toEqual(desk.identity.signer.keyid);
      const { certificate, body, signature } = parseCertificate(fromBase64url(party.certificate));
      expect(certificate.publicKey).toEqual(desk.recipientKeys[0]?.publicKey);
      expect(certificate.enterprise).toEqual(desk.identity.id);
      const signer = delegate?.publicKey as Uint8Array;
      expect(certificate.delegate).toEqual(sha256(signer));
      expect(verifyEd25519(signature, certificateSigningInput(body), signer)).toBe(true);
    }
  });

  it('keeps lists and the state of pulls', () => {
    const state = { city: 520100, view: 'full' as const, writers: [] };
    workspace.keepPullState(state);
    expect(workspace.pullState()).toEqual(state);
    const lists = workspace.lists();
    workspace.keepLists(lists);
    expect(openWorkspace(dir).lists().all()).toHaveLength(1);
  });

  it('names what is wrong with a file, and not what is in it', () => {
    expect(() => workspace.enterprise('../offline/root')).toThrow('unknown_enterprise');
    expect(() => openWorkspace(join(dir, 'nowhere'))).toThrow('missing');
    const key = toHex(crypto.getRandomValues(new Uint8Array(16)));
    writeFileSync(workspace.paths.enterprise('zto-3'), `{"signingKey": "${key}`);
    const read = () => workspace.enterprise('zto-3');
    expect(read).toThrow('malformed');
    expect(read).not.toThrow(key);
  });
});
