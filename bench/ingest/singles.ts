/**
 * Single submissions: sealed and signed beforehand by the SDK, which is given a `fetch` that keeps its requests; sent over kept
 * connections; at the end the SDK opens every answer.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EdgeClient, type Identity, submitRecord } from '../../client/index.ts';
import { authorityAt } from '../../client/service/start.ts';
import type { Workspace } from '../../client/workspace.ts';
import { encodeRecord } from '../../wire/record.ts';
import type { DayLine } from './day.ts';
import type { Answer, Outgoing } from './load.ts';

/** A submission that waits to be sent. */
export interface Single extends Outgoing {
  /** Hands the answer to the SDK; settles with what became of the record. */
  settle(answer: Answer): Promise<string>;
}

/** Seals and signs one submission a record, as the companies of the records. */
export async function prepareSingles(
  workspace: Workspace,
  url: string,
  lines: Iterable<DayLine>,
): Promise<Single[]> {
  const singles: Single[] = [];
  const identities = new Map<string, Identity>();
  let keep: (url: string, init: RequestInit) => Promise<Response>;
  const edge = new EdgeClient({
    url,
    authority: authorityAt(workspace, new URL(url).host),
    ...{ city: workspace.city, rootKey: workspace.rootKey },
    ...{ lists: workspace.lists(), mode: workspace.mode },
    fetch: (target, init) => (init.method === 'POST' ? keep(target, init) : fetch(target, init)),
  });
  for (const { enterprise, record } of lines) {
    const identity = identities.get(enterprise) ?? signingByNode(workspace, enterprise);
    identities.set(enterprise, identity);
    singles.push(
      await new Promise<Single>((resolve, reject) => {
        keep = (target, init) =>
          new Promise((answered) => {
            resolve({
              path: new URL(target).pathname,
              headers: init.headers as Record<string, string>,
              body: init.body as Uint8Array,
              async settle({ status, headers, body }) {
                answered(new Response(new Uint8Array(body), { status, headers }));
                return (await result).outcome;
              },
            });
          });
        const result = submitRecord(edge, identity, encodeRecord(record), { maxAttempts: 1 });
        result.catch(reject);
      }),
    );
  }
  return singles;
}

/** PKCS #8 around an Ed25519 seed (RFC 8410 section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The company's identity, signing with Node's OpenSSL: thousands of signatures are made before anything is timed. */
function signingByNode(workspace: Workspace, slug: string): Identity {
  const { identity } = workspace.enterprise(slug);
  const { signingKey } = JSON.parse(readFileSync(workspace.paths.enterprise(slug), 'utf8')) as {
    signingKey: string;
  };
  const der = Buffer.concat([PKCS8_ED25519, Buffer.from(signingKey, 'base64url')]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    ...identity,
    signer: {
      keyid: identity.signer.keyid,
      sign: (message) => new Uint8Array(sign(null, message, key)),
    },
  };
}
