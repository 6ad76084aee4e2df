/** Two years of monthly renewals of one workspace. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64url } from '../../client/encoding.ts';
import { endings, workspaceEnds } from '../../client/expiry.ts';
import { keysForCommits } from '../../client/indexes.ts';
import { verifyEd25519 } from '../../client/recipients.ts';
import { createWorkspace, type Workspace } from '../../client/workspace.ts';
import { renewWorkspace } from '../../client/workspace-renew.ts';
import {
  certificateSigningInput,
  listSigningInput,
  parseCertificate,
  parseSignedList,
} from '../../wire/recipients.ts';

const START = Date.UTC(2026, 10, 20, 9);
const DAY_MS = 86_400_000;

let workspace: Workspace;
beforeAll(async () => {
  workspace = await createWorkspace(join(mkdtempSync(join(tmpdir(), 'sealpost-')), 'workspace'), {
    ...{ city: 520100, node: 'gy-1', authority: '127.0.0.1:8787', now: START },
    enterprises: [{ slug: 'sf', name: '顺丰', id: 'f7b7032a-5505-4ca5-8e13-fa93f1664da5' }],
  });
});
afterAll(() => rmSync(join(workspace.dir, '..'), { recursive: true }));

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

interface Key {
  id: number;
  notBefore: number;
  notAfter: number;
}

interface Index {
  version: number;
  fromMs: number;
  untilMs: number;
  key: string;
}

describe('monthly renewals', () => {
  it('keep everything going that ends, within what an edge holds', () => {
    const { control, secrets, recipientList, indexKeys, delegate } = workspace.paths;
    const delegateKey = ed25519.getPublicKey(fromBase64url(json(delegate).privateKey));
    let now = START;
    for (let version = 2; version <= 30; version++) {
      now += 25 * DAY_MS;
      expect(renewWorkspace(workspace, { now })).toMatchObject({ version, certificates: 1 });

      const stored = json(control);
      const bytes = new Uint8Array(readFileSync(recipientList));
      expect(fromBase64url(stored.recipientList)).toEqual(bytes);
      const { list, body, signature } = parseSignedList(bytes);
      expect(verifyEd25519(signature, listSigningInput(body), workspace.rootKey)).toBe(true);
      expect([list.version, list.notBefore < now, list.entries.length]).toEqual([version, true, 4]);

      const { certificate } = stored.parties.find((party: object) => 'certificate' in party);
      const certified = parseCertificate(fromBase64url(certificate));
      const input = certificateSigningInput(certified.body);
      expect(verifyEd25519(certified.signature, input, delegateKey)).toBe(true);
      expect(certified.certificate.notAfter).toBeGreaterThan(now + 300 * DAY_MS);

      const edge: { edgeKeys: Key[]; indexKeys: Index[] } = json(secrets);
      expect(edge.edgeKeys.length).toBeLessThanOrEqual(3);
      expect(new Set(edge.edgeKeys.map(({ id }) => id)).size).toBe(edge.edgeKeys.length);
      const [newest] = [...edge.edgeKeys].sort((a, b) => b.notBefore - a.notBefore);
      expect(newest?.notAfter).toBeGreaterThan(now + 40 * DAY_MS);
      expect(edge.indexKeys.length).toBeLessThanOrEqual(18);
      // The regulator keeps them all; the edge has those that ids of now can have, the same ones.
      const regulators: Index[] = json(indexKeys);
      expect(regulators.map((key) => key.version)).toEqual(
        regulators.map((_, i) => (regulators[0] as Index).version + i),
      );
      for (const key of edge.indexKeys) expect(regulators).toContainEqual(key);
      const of = (keys: Index[]) =>
        keysForCommits(
          keys.map(({ key, ...period }) => ({ ...period, key: fromBase64url(key) })),
          now + 7 * DAY_MS,
          now + 30 * DAY_MS,
        ).map((key) => key.version);
      expect(of(edge.indexKeys)).toEqual(of(regulators));
      expect(endings(workspaceEnds(workspace), now)).toEqual([]);
    }
    // Nobody renewed after that.
    const ends = workspaceEnds(workspace);
    expect(endings(ends, now + 20 * DAY_MS).map(({ what }) => what)).toEqual(['recipient_list']);
    const late = endings(ends, now + 400 * DAY_MS);
    expect(late.map(({ what, daysLeft }) => [what, daysLeft])).toContainEqual(['certificates', 0]);
  });

  it('leave what they are to change untouched without the offline keys', () => {
    const { root, control, recipientList, secrets } = workspace.paths;
    const before = [control, recipientList, secrets].map((path) => readFileSync(path));
    const key = readFileSync(root, 'utf8');
    rmSync(root);
    expect(() => renewWorkspace(workspace)).toThrow('missing');
    writeFileSync(root, '{"privateKey":"AAAA"}');
    expect(() => renewWorkspace(workspace)).toThrow('malformed');
    writeFileSync(root, key);
    expect([control, recipientList, secrets].map((path) => readFileSync(path))).toEqual(before);
  });
});
