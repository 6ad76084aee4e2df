/** The edge's app in one piece, with the shipped module, around stores in memory and a clock that tests set. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Party, PartyKey } from '../../db/control.ts';
import { Session } from '../../wasm/host/session.ts';
import { parseBatch } from '../../wire/batch.ts';
import { concat } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { KEM_X25519 } from '../../wire/envelope.ts';
import {
  ALGORITHM_ED25519,
  encodeListBody,
  LIST_KIND,
  type ListEntry,
  listSigningInput,
} from '../../wire/recipients.ts';
import { createApp } from '../../worker/src/app.ts';
import type { Deps } from '../../worker/src/deps.ts';
import type { RawEnv } from '../../worker/src/env.ts';
import { KeyDirectory } from '../../worker/src/keys.ts';
import { ed25519Signer } from '../../worker/src/pipeline/ed25519.ts';
import { EpochKeeper } from '../../worker/src/pipeline/epochs.ts';
import { Gate } from '../../worker/src/pipeline/gate.ts';
import { InFlight } from '../../worker/src/pipeline/in-flight.ts';
import { PULL_LIMITS } from '../../worker/src/pipeline/limits.ts';
import { PolicyKeeper } from '../../worker/src/pipeline/policy.ts';
import { RecipientKeeper } from '../../worker/src/pipeline/recipients.ts';

export const CITY = 520100;
export const AUTHORITY = 'edge.example';
const DAY_MS = 86_400_000;

/** What was appended: headers of the epochs beside the batch. */
export interface Appended {
  enterprise: Uint8Array;
  epochs: Uint8Array[];
  batch: Uint8Array;
}

/** @param indexEndMs from then on the index key is another one, of version 2 */
export async function makeEdge(
  module: WebAssembly.Module,
  startMs = Date.now(),
  indexEndMs = startMs + 10 * DAY_MS,
) {
  const clock = { now: startMs };
  const [root, signing, delegate] = [ed25519.keygen(), ed25519.keygen(), ed25519.keygen()];
  const [reader, edgeKey] = [x25519.keygen(), x25519.keygen()];
  const signers = new Map<string, { party: Party; key: PartyKey }>();
  const appended: Appended[] = [];
  const term = { notBefore: startMs - DAY_MS, notAfter: startMs + 20 * DAY_MS };

  const entries = (): ListEntry[] => [
    entry(LIST_KIND.FULL_VIEW, reader.publicKey, term),
    entry(LIST_KIND.EDGE_SIGNING, signing.publicKey, term),
    entry(LIST_KIND.DELEGATE, delegate.publicKey, term),
  ];
  const store = {
    list: undefined as Uint8Array | undefined,
    certificate: undefined as Uint8Array | undefined,
    policy: undefined as Uint8Array | undefined,
    /** Takes the place of the writer when set. */
    append: undefined as ((batch: Uint8Array) => Promise<Uint8Array>) | undefined,
  };
  /** Puts a list into the store, signed by the root. */
  const putList = (version: number, list = entries(), times = term) => {
    const body = encodeListBody({ version, ...times, entries: list });
    store.list = concat(body, ed25519.sign(listSigningInput(body), root.secretKey));
  };
  putList(1);

  /** How often the store was asked. */
  const asked = { certificates: 0 };
  const nonces = new Set<string>();
  const control = {
    findSigner: async (keyid: Uint8Array) => signers.get(String(keyid)),
    useNonce: async (keyid: Uint8Array, nonce: string) => {
      const [name, size] = [`${keyid} ${nonce}`, nonces.size];
      return nonces.add(name).size > size;
    },
    recipientList: async () => store.list,
    cityPolicy: async () => store.policy,
    certificate: async () => {
      asked.certificates++;
      return store.certificate;
    },
  };
  /** Registers a key. */
  const register = (key: Pick<PartyKey, 'algorithm' | 'publicKey'>, kind: Party['kind']) => {
    const id = crypto.getRandomValues(new Uint8Array(16));
    const keyid = sha256(key.publicKey);
    signers.set(String(keyid), {
      party: { id, kind, name: '', active: true },
      key: { ...key, keyid, party: id, active: true },
    });
    return { id, keyid };
  };

  const session = new Session(module, CITY, (fresh) => {
    fresh.setEdgeKey(1, edgeKey.secretKey, 0, startMs + 20 * DAY_MS);
    const ends = [0, indexEndMs, startMs + 20 * DAY_MS] as const;
    for (const version of [1, 2] as const) {
      const period = { version, fromMs: ends[version - 1] as number, untilMs: ends[version] };
      fresh.setIndexKey(period, new Uint8Array(32).fill(version - 1));
    }
  });
  const now = () => clock.now;
  const signer = await ed25519Signer(signing.secretKey);
  const recipients = new RecipientKeeper(control, { rootKey: root.publicKey, minVersion: 1 });
  const policies = new PolicyKeeper(control, CITY);
  const epochs = new EpochKeeper({ session, recipients, policies, control, signer, city: CITY });
  const seen = new Set<string>();
  const deps: Deps = {
    mode: 'production',
    clock: now,
    patience: { bodyDeadlineMs: 1_000, streamIdleMs: 1_000 },
    auth: { control, signers: control, authority: AUTHORITY, clock: now },
    keys: new KeyDirectory(CITY, signer, [
      { id: 1, publicKey: edgeKey.publicKey, notBefore: 0, notAfter: startMs + 20 * DAY_MS },
    ]),
    recipients,
    ingest: {
      ...{ session, epochs, inFlight: new InFlight(), clock: now },
      append: async (enterprise, headers, batch) => {
        if (store.append) return store.append(batch);
        appended.push({ enterprise, epochs: headers, batch });
        return outcomesOf(batch, seen);
      },
    },
    pull: { store: undefined as never, signer, city: CITY, gate: new Gate(PULL_LIMITS, now) },
    erasure: { store: undefined as never, signer, city: CITY },
  };
  const app = createApp(async () => deps);
  return {
    ...{ clock, store, asked, deps, session, appended, register, putList, entries, term },
    signingKey: signing.publicKey,
    rootKey: root.publicKey,
    readerKey: { privateKey: reader.secretKey, publicKey: reader.publicKey },
    delegateKey: delegate.secretKey,
    edgeKey: { keyId: 1, publicKey: edgeKey.publicKey },
    fetch: async (path: string, init?: RequestInit) =>
      app.fetch(new Request(`https://other.example${path}`, init as never), {} as RawEnv),
  };
}

export type Edge = Awaited<ReturnType<typeof makeEdge>>;

export function entry(
  kind: number,
  publicKey: Uint8Array,
  term: { notBefore: number; notAfter: number },
): ListEntry {
  const algorithm = kind === LIST_KIND.FULL_VIEW ? KEM_X25519 : ALGORITHM_ED25519;
  return { kind, algorithm, city: 0, ...term, publicKey };
}

function outcomesOf(batch: Uint8Array, seen: Set<string>): Uint8Array {
  return Uint8Array.from(parseBatch(batch).records, ({ id }) => {
    const { size } = seen;
    return seen.add(String(id)).size > size ? OUTCOMES.STORED : OUTCOMES.DUPLICATE;
  });
}
