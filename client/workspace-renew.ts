/**
 * The renewal: a new version of the recipient list with a new term, and everything else of a workspace that ends (certificates
 * of enterprises, submission key, index keys). It needs the root and the delegate key, which are kept offline.
 */
import { existsSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../wire/bytes.ts';
import { KEM_X25519 } from '../wire/envelope.ts';
import { nextKeyId } from '../wire/keys.ts';
import { MAX_ID_AGE_MS, MAX_LIST_VALIDITY_MS } from '../wire/limits.ts';
import {
  LIST_KIND,
  type ListEntry,
  parseCertificate,
  type RecipientList,
} from '../wire/recipients.ts';
import { keyId } from './drill.ts';
import { fromBase64url, fromHex, toBase64url } from './encoding.ts';
import { isSmallOrder } from './hpke.ts';
import { readBytes, readJson, replaceFile, WorkspaceError } from './keyfile.ts';
import { signCertificate, signList, type TrustedLists } from './recipients.ts';
import {
  BACKDATE_MS,
  CERTIFICATE_VALIDITY_MS,
  MIN_READERS,
  monthlyIndexKeys,
  newEdgeKey,
} from './workspace-create.ts';
import type { Workspace } from './workspace-open.ts';

export type RenewalCode =
  | 'too_few_readers' // fewer than MIN_READERS would be left
  | 'unknown_reader' // no reader of the list has a key id that begins so
  | 'ambiguous_reader' // several have
  | 'known_reader' // the key to be added is in the list
  | 'bad_reader_key' // a file does not hold a recipient key that can be sealed to
  | 'other_root'; // the root key is not the one that everything is trusted from

/** A renewal that can't be. Nothing was changed. */
export class RenewalError extends Error {
  readonly code: RenewalCode;

  constructor(code: RenewalCode) {
    super(`renewal: ${code}`);
    this.name = 'RenewalError';
    this.code = code;
  }
}

export interface RenewalOptions {
  /** X25519 public keys, 32 octets. */
  add?: readonly Uint8Array[];
  /** Beginnings of key ids, hexadecimal. */
  remove?: readonly string[];
  /** ms since 1970. */
  now?: number;
}

export interface Renewal {
  version: number;
  /** ms since 1970. */
  notAfter: number;
  /** Key ids in hexadecimal. */
  readers: { key: string; change: 'kept' | 'added' | 'removed' }[];
  certificates: number;
  /** A new submission key was made: the old one is offered until it ends. */
  edgeKey: boolean;
  indexKeys: number;
}

const DAY_MS = 86_400_000;
/** A submission key that ends within this time gets its successor. Longer than the term of a list: renewals come monthly. */
const EDGE_KEY_AHEAD_MS = 45 * DAY_MS;

/** The list that a workspace's edge is given at its next start, and every one seen. @throws TrustError, WorkspaceError */
export function workspaceLists(workspace: Workspace): TrustedLists {
  const lists = workspace.lists();
  lists.add(readBytes(workspace.paths.recipientList));
  return lists;
}

/**
 * Signs the next version and writes what the edge takes at its next start. The regulator learns of it from the edge.
 * @throws RenewalError, TrustError
 * @throws WorkspaceError `missing` where the offline keys are not
 */
export function renewWorkspace(workspace: Workspace, options: RenewalOptions = {}): Renewal {
  const { now = Date.now() } = options;
  const root = privateKeyOf(workspace.paths.root);
  if (!equalBytes(ed25519.getPublicKey(root), workspace.rootKey)) {
    throw new RenewalError('other_root');
  }
  const delegate = privateKeyOf(workspace.paths.delegate);
  const current = workspaceLists(workspace).latest?.list;
  if (current === undefined) throw new WorkspaceError('missing', workspace.paths.recipientList);
  const { list, readers } = nextList(current, options, now);
  const control = readJson(workspace.paths.control, (raw: ControlFile) => raw);
  const parties = control.parties.map((party) => renewedParty(party, delegate, now));

  const indexKeys = renewIndexKeys(workspace, now);
  const edgeKey = renewSecrets(workspace, now);
  const signed = signList(list, root);
  replaceFile(workspace.paths.recipientList, signed, false);
  // Last: what the service loads is then all there.
  const recipientList = toBase64url(signed);
  replaceFile(workspace.paths.control, { ...control, parties, recipientList }, false);
  return {
    ...{ version: list.version, notAfter: list.notAfter, readers, edgeKey, indexKeys },
    certificates: parties.filter(({ certificate }) => certificate !== undefined).length,
  };
}

/** The next version of a list. @throws RenewalError */
export function nextList(
  current: RecipientList,
  { add = [], remove = [] }: RenewalOptions,
  now: number,
): { list: RecipientList; readers: Renewal['readers'] } {
  const isReader = ({ kind }: ListEntry) => kind === LIST_KIND.FULL_VIEW;
  const known = current.entries.filter(isReader).map(({ publicKey }) => keyId(publicKey));
  const removed = new Set(remove.map((beginning) => matching(known, beginning)));
  const added = add.map((publicKey) => newReader(publicKey, known, now));
  const notAfter = now + CERTIFICATE_VALIDITY_MS;
  const kept = current.entries
    .filter((entry) => !isReader(entry) || !removed.has(keyId(entry.publicKey)))
    .map((entry) => ({ ...entry, notAfter }));
  const entries = [...kept.filter(isReader), ...added, ...kept.filter((entry) => !isReader(entry))];
  const names = entries.filter(isReader).map(({ publicKey }) => keyId(publicKey));
  if (new Set(names).size < names.length) throw new RenewalError('known_reader');
  if (names.length < MIN_READERS) throw new RenewalError('too_few_readers');
  const notBefore = now - BACKDATE_MS;
  return {
    list: {
      ...{ version: current.version + 1, entries },
      ...{ notBefore, notAfter: notBefore + MAX_LIST_VALIDITY_MS },
    },
    readers: [
      ...names.map((key) => {
        return { key, change: known.includes(key) ? ('kept' as const) : ('added' as const) };
      }),
      ...[...removed].map((key) => ({ key, change: 'removed' as const })),
    ],
  };
}

function matching(known: readonly string[], beginning: string): string {
  const found = known.filter((id) => id.startsWith(beginning.toLowerCase()));
  if (found.length > 1) throw new RenewalError('ambiguous_reader');
  return found[0] ?? refuse('unknown_reader');
}

function newReader(publicKey: Uint8Array, known: readonly string[], now: number): ListEntry {
  if (known.includes(keyId(publicKey))) throw new RenewalError('known_reader');
  if (isSmallOrder(publicKey)) throw new RenewalError('bad_reader_key');
  const period = { notBefore: now - BACKDATE_MS, notAfter: now + CERTIFICATE_VALIDITY_MS };
  return { kind: LIST_KIND.FULL_VIEW, algorithm: KEM_X25519, city: 0, ...period, publicKey };
}

interface ControlFile {
  parties: ControlParty[];
}

interface ControlParty {
  certificate?: string;
}

function renewedParty<T extends ControlParty>(party: T, delegate: Uint8Array, now: number): T {
  if (party.certificate === undefined) return party;
  const { certificate } = parseCertificate(fromBase64url(party.certificate));
  const renewed = {
    ...certificate,
    ...{ notBefore: now - BACKDATE_MS, notAfter: now + CERTIFICATE_VALIDITY_MS },
    delegate: sha256(ed25519.getPublicKey(delegate)),
  };
  return { ...party, certificate: toBase64url(signCertificate(renewed, delegate)) };
}

interface Versioned {
  version: number;
}

/** Adds the months that are to come. The regulator's file first: it must never have fewer than the edge. @returns how many */
function renewIndexKeys({ paths }: Workspace, now: number): number {
  const keys = readJson(paths.indexKeys, (raw: Versioned[]) => raw);
  const last = Math.max(...keys.map(({ version }) => version));
  const fresh = monthlyIndexKeys(now).filter(({ version }) => version > last);
  if (fresh.length > 0) replaceFile(paths.indexKeys, [...keys, ...fresh], true);
  return fresh.length;
}

interface Secrets {
  edgeKeys: { id: number; notAfter: number }[];
  indexKeys: EdgeIndexKey[];
}

interface EdgeIndexKey extends Versioned {
  untilMs: number;
}

/**
 * Gives the edge the index keys that ids of today and later can need, and a successor to a submission key that ends.
 * @returns whether there is a new submission key
 */
function renewSecrets({ paths }: Workspace, now: number): boolean {
  const secrets = readJson(paths.secrets, (raw: Secrets) => raw);
  const all = readJson(paths.indexKeys, (raw: EdgeIndexKey[]) => raw);
  const indexKeys = all.filter(({ untilMs }) => untilMs > now - MAX_ID_AGE_MS - DAY_MS);
  const ends = Math.max(...secrets.edgeKeys.map(({ notAfter }) => notAfter));
  const due = ends - now < EDGE_KEY_AHEAD_MS;
  const last = secrets.edgeKeys.at(-1)?.id ?? 0;
  const living = secrets.edgeKeys.filter(({ notAfter }) => notAfter > now);
  const edgeKeys = due ? [...living, newEdgeKey(nextKeyId(last), now)] : living;
  replaceFile(paths.secrets, { ...secrets, edgeKeys, indexKeys }, true);
  return due;
}

/**
 * The public key in a key file, whether the private one stands in it or not.
 * @throws RenewalError `bad_reader_key`; WorkspaceError `missing`, `malformed`
 */
export function readReaderKey(path: string): Uint8Array {
  const text = readJson(path, (raw: { publicKey: string }) => raw.publicKey.toLowerCase());
  if (!/^[0-9a-f]{64}$/.test(text)) throw new RenewalError('bad_reader_key');
  return fromHex(text);
}

function privateKeyOf(path: string): Uint8Array {
  if (!existsSync(path)) throw new WorkspaceError('missing', path);
  return readJson(path, (raw: { privateKey: string }) => {
    const key = fromBase64url(raw.privateKey);
    if (key.length !== 32) throw new TypeError('not of the right length');
    return key;
  });
}

function refuse(code: RenewalCode): never {
  throw new RenewalError(code);
}
