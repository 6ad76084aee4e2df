/** Makes a workspace: every key of a local service, the signed recipient list, certificates, control data. */
import { existsSync, mkdirSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { KEM_X25519 } from '../wire/envelope.ts';
import { FIRST_SANDBOX_KEY_ID, type Mode } from '../wire/keys.ts';
import { MAX_LIST_VALIDITY_MS } from '../wire/limits.ts';
import {
  ALGORITHM_ED25519,
  LIST_KIND,
  type ListEntry,
  type RecipientList,
} from '../wire/recipients.ts';
import { uuidBytes } from '../wire/record.ts';
import { toBase64url, toHex } from './encoding.ts';
import { generateKeyPair, type KeyPair } from './hpke.ts';
import { WorkspaceError, writeNew } from './keyfile.ts';
import { signCertificate, signList, signPolicy } from './recipients.ts';
import { openWorkspace, type Workspace, workspacePaths } from './workspace-open.ts';

export interface EnterpriseSeed {
  /** Lower-case letters, digits, hyphens: names its file. */
  slug: string;
  name: string;
  /** UUID text. */
  id: string;
}

export interface WorkspaceOptions {
  /** Division code, e.g. 520100. */
  city: number;
  /** Name of the edge node: 1 to 64 of a-z 0-9 -. */
  node: string;
  /** Host and port that clients sign. */
  authority: string;
  enterprises: readonly EnterpriseSeed[];
  /** production unless given. */
  mode?: Mode;
  /** The city is in trial until then (ms since 1970, at most a year from now); enforced from the start unless given. */
  trialUntil?: number;
  /** National recipient keys, MIN_READERS at least and by default. */
  readers?: number;
  /** ms since 1970. */
  now?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Keys begin an hour before they are made, for clocks differ. */
export const BACKDATE_MS = HOUR_MS;
/** Milliseconds for which an edge's submission key is offered. */
const EDGE_KEY_VALIDITY_MS = 90 * DAY_MS;
/** Milliseconds for which an enterprise's certificate and the long-lived entries of the list hold. */
export const CERTIFICATE_VALIDITY_MS = 365 * DAY_MS;
/** Index keys are made from the month before this one on: records of last month may still come. */
const INDEX_MONTHS = 15;
/** National recipient keys at least: there is no other copy of a record, and no way around a lost key. */
export const MIN_READERS = 2;

/**
 * Makes a workspace in a folder that holds none.
 * @throws WorkspaceError `exists`
 * @throws RangeError for fewer than MIN_READERS recipient keys
 */
export async function createWorkspace(dir: string, options: WorkspaceOptions): Promise<Workspace> {
  const paths = workspacePaths(dir);
  if (existsSync(paths.description)) throw new WorkspaceError('exists', paths.description);
  if ((options.readers ?? MIN_READERS) < MIN_READERS)
    throw new RangeError('too few recipient keys');
  for (const folder of [dir, paths.data, paths.run, paths.recipients]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const made = makeEverything({ now: Date.now(), ...options });
  writeOffline(paths, made);
  writeRegulator(paths, made);
  writeErasure(paths, made);
  writeEdge(paths, made);
  for (const { slug, id, name, signing, recipient } of made.enterprises) {
    const keys = {
      signingKey: toBase64url(signing.privateKey),
      recipientKey: toBase64url(recipient.privateKey),
    };
    writeNew(paths.enterprise(slug), { slug, id, name, ...keys }, true);
  }
  // Last: a workspace with its description is whole.
  writeNew(paths.description, description(made), false);
  return openWorkspace(dir);
}

type Paths = ReturnType<typeof workspacePaths>;
type Made = ReturnType<typeof makeEverything>;

/** All keys, and what is signed with them. */
function makeEverything(options: WorkspaceOptions & { now: number }) {
  const [root, delegate, edge] = [signingPair(), signingPair(), signingPair()];
  const readers = Array.from({ length: options.readers ?? MIN_READERS }, generateKeyPair);
  const { city, now } = options;
  const list: RecipientList = {
    version: 1,
    notBefore: now - BACKDATE_MS,
    notAfter: now - BACKDATE_MS + MAX_LIST_VALIDITY_MS,
    entries: listEntries(city, now, readers, edge, delegate),
  };
  return {
    ...{ options, root, delegate, edge, readers },
    regulator: { id: crypto.randomUUID(), name: '监管部门', signing: signingPair() },
    erasure: { id: crypto.randomUUID(), name: '依法删除', signing: signingPair() },
    indexKeys: monthlyIndexKeys(now),
    list: signList(list, root.privateKey),
    policy: cityPolicy(options, delegate),
    enterprises: options.enterprises.map(makeEnterprise),
  };
}

interface Enterprise extends EnterpriseSeed {
  signing: KeyPair;
  recipient: KeyPair;
}

function makeEnterprise(seed: EnterpriseSeed): Enterprise {
  if (!/^[a-z0-9-]{1,64}$/.test(seed.slug)) throw new TypeError('a slug is of a-z 0-9 -');
  return { ...seed, signing: signingPair(), recipient: generateKeyPair() };
}

function writeOffline(paths: Paths, { root, delegate }: Made): void {
  writeNew(paths.root, keyJson(root), true);
  writeNew(paths.delegate, keyJson(delegate), true);
}

function writeRegulator(paths: Paths, { regulator, readers, indexKeys, list }: Made): void {
  const { id, name, signing } = regulator;
  writeNew(paths.regulatorSigning, { id, name, ...keyJson(signing) }, true);
  readers.forEach((reader, i) => {
    writeNew(paths.regulatorKey(i + 1), keyJson(reader), true);
  });
  writeNew(paths.indexKeys, indexKeys, true);
  writeNew(paths.seenList(1), list, false);
}

function writeErasure(paths: Paths, { erasure: { id, name, signing } }: Made): void {
  writeNew(paths.erasureSigning, { id, name, ...keyJson(signing) }, true);
}

function writeEdge(paths: Paths, made: Made): void {
  writeNew(paths.secrets, edgeSecrets(made), true);
  writeNew(paths.recipientList, made.list, false);
  writeNew(paths.control, controlData(made), false);
}

function description({ options, root }: Made) {
  const { city, node, authority, now, mode = 'production' } = options;
  const createdAt = new Date(now).toISOString();
  return { city, node, authority, rootKey: toHex(root.publicKey), mode, createdAt };
}

function listEntries(
  city: number,
  now: number,
  readers: readonly KeyPair[],
  edgeSigning: KeyPair,
  delegate: KeyPair,
): ListEntry[] {
  const period = { notBefore: now - BACKDATE_MS, notAfter: now + CERTIFICATE_VALIDITY_MS };
  const signer = (kind: number, { publicKey }: KeyPair): ListEntry => {
    return { kind, algorithm: ALGORITHM_ED25519, city, ...period, publicKey };
  };
  return [
    ...readers.map(({ publicKey }) => {
      return { kind: LIST_KIND.FULL_VIEW, algorithm: KEM_X25519, city: 0, ...period, publicKey };
    }),
    signer(LIST_KIND.EDGE_SIGNING, edgeSigning),
    signer(LIST_KIND.DELEGATE, delegate),
  ];
}

/** The policy of a city in trial; none when it is enforced from the start. */
function cityPolicy(
  { city, now, trialUntil }: WorkspaceOptions & { now: number },
  delegate: KeyPair,
): Uint8Array | undefined {
  if (trialUntil === undefined) return undefined;
  const period = { notBefore: now - BACKDATE_MS, notAfter: trialUntil, enforcedFrom: trialUntil };
  return signPolicy({ city, version: 1, ...period }, delegate.privateKey);
}

/** What the edge is given as SEALPOST_SECRETS. */
function edgeSecrets({ options, edge, indexKeys }: Made) {
  return {
    edgeKeys: [newEdgeKey(options.mode === 'sandbox' ? FIRST_SANDBOX_KEY_ID : 1, options.now)],
    signingKey: toBase64url(edge.privateKey),
    indexKeys,
  };
}

/** A key to submit to, as SEALPOST_SECRETS holds it. @param id 0 to 255 */
export function newEdgeKey(id: number, now: number) {
  const notBefore = now - BACKDATE_MS;
  const privateKey = toBase64url(generateKeyPair().privateKey);
  return { id, privateKey, notBefore, notAfter: notBefore + EDGE_KEY_VALIDITY_MS };
}

/** One index key a calendar month (UTC); its version counts the months since 2000. */
export function monthlyIndexKeys(now: number) {
  const today = new Date(now);
  const first = (today.getUTCFullYear() - 2000) * 12 + today.getUTCMonth();
  return Array.from({ length: INDEX_MONTHS }, (_, i) => {
    const version = first + i;
    return {
      version,
      fromMs: Date.UTC(2000, version - 1),
      untilMs: Date.UTC(2000, version),
      key: toBase64url(crypto.getRandomValues(new Uint8Array(32))),
    };
  });
}

/** Public data that the control store begins with. Bytes are base64url. */
function controlData(made: Made) {
  const { options, regulator, erasure, enterprises, delegate, list, policy } = made;
  const { city, now } = options;
  const period = { notBefore: now - BACKDATE_MS, notAfter: now + CERTIFICATE_VALIDITY_MS };
  const certificate = ({ id, recipient }: Enterprise) =>
    signCertificate(
      {
        ...{ city, enterprise: uuidBytes(id), ...period },
        ...{ publicKey: recipient.publicKey, delegate: sha256(delegate.publicKey) },
      },
      delegate.privateKey,
    );
  return {
    parties: [
      party('regulator', regulator),
      party('erasure', erasure),
      ...enterprises.map((enterprise) => ({
        ...party('enterprise', enterprise),
        certificate: toBase64url(certificate(enterprise)),
      })),
    ],
    recipientList: toBase64url(list),
    ...(policy && { cityPolicy: toBase64url(policy) }),
  };
}

function party(
  kind: string,
  { id, name, signing }: { id: string; name: string; signing: KeyPair },
) {
  const keys = [{ algorithm: 'ed25519', publicKey: toBase64url(signing.publicKey) }];
  return { id: toBase64url(uuidBytes(id)), kind, name, keys };
}

/** A fresh Ed25519 key pair. */
function signingPair(): KeyPair {
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  return { privateKey, publicKey: ed25519.getPublicKey(privateKey) };
}

/** A key pair as its file holds it. */
export function keyJson({ privateKey, publicKey }: KeyPair) {
  return { privateKey: toBase64url(privateKey), publicKey: toHex(publicKey) };
}
