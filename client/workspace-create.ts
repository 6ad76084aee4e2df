/** Makes a workspace: every key of a local service, the signed recipient list, certificates, control data. */
import { existsSync, mkdirSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { KEM_X25519 } from '../wire/envelope.ts';
import { MAX_LIST_VALIDITY_MS } from '../wire/limits.ts';
import { ALGORITHM_ED25519, LIST_KIND, type ListEntry } from '../wire/recipients.ts';
import { uuidBytes, uuidText } from '../wire/record.ts';
import { toBase64url, toHex } from './encoding.ts';
import { generateKeyPair, type KeyPair } from './hpke.ts';
import { WorkspaceError, writeNew } from './keyfile.ts';
import { signCertificate, signList } from './recipients.ts';
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
  /** ms since 1970. */
  now?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Keys begin an hour before they are made, for clocks differ. */
const BACKDATE_MS = HOUR_MS;
/** Milliseconds for which an edge's submission key is offered. */
const EDGE_KEY_VALIDITY_MS = 90 * DAY_MS;
/** Milliseconds for which an enterprise's certificate and the long-lived entries of the list hold. */
const CERTIFICATE_VALIDITY_MS = 365 * DAY_MS;
/** Index keys are made from the month before this one on: records of last month may still come. */
const INDEX_MONTHS = 15;

/**
 * Makes a workspace in a folder that holds none.
 * @throws WorkspaceError `exists`
 */
export async function createWorkspace(dir: string, options: WorkspaceOptions): Promise<Workspace> {
  const paths = workspacePaths(dir);
  const now = options.now ?? Date.now();
  if (existsSync(paths.description)) throw new WorkspaceError('exists', paths.description);
  for (const folder of [dir, paths.data, paths.run, paths.recipients]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const [root, delegate] = [signingPair(), signingPair()];
  const [edgeSigning, regulatorSigning] = [signingPair(), signingPair()];
  const readers = [generateKeyPair(), generateKeyPair()];
  const indexKeys = monthlyIndexKeys(now);

  const list = signList(
    {
      version: 1,
      notBefore: now - BACKDATE_MS,
      notAfter: now - BACKDATE_MS + MAX_LIST_VALIDITY_MS,
      entries: listEntries(options.city, now, readers, edgeSigning, delegate),
    },
    root.privateKey,
  );
  const enterprises = options.enterprises.map((seed) => makeEnterprise(seed));

  writeNew(paths.root, keyJson(root), true);
  writeNew(paths.delegate, keyJson(delegate), true);
  writeNew(paths.secrets, edgeSecrets(now, edgeSigning, indexKeys), true);
  writeNew(paths.recipientList, list, false);
  const regulator = { id: uuidText(randomUuid()), name: '监管' };
  writeNew(paths.regulatorSigning, { ...regulator, ...keyJson(regulatorSigning) }, true);
  readers.forEach((reader, i) => {
    writeNew(paths.regulatorKey(i + 1), keyJson(reader), true);
  });
  writeNew(paths.indexKeys, indexKeys, true);
  writeNew(paths.seenList(1), list, false);
  for (const enterprise of enterprises) {
    const { slug, id, name, signing, recipient } = enterprise;
    const keys = {
      signingKey: toBase64url(signing.privateKey),
      recipientKey: toBase64url(recipient.privateKey),
    };
    writeNew(paths.enterprise(slug), { slug, id, name, ...keys }, true);
  }
  const control = controlData(
    options.city,
    now,
    { ...regulator, signing: regulatorSigning },
    enterprises,
    delegate,
    list,
  );
  writeNew(paths.control, control, false);
  // Last: a workspace with its description is whole.
  writeNew(
    paths.description,
    {
      ...{ city: options.city, node: options.node, authority: options.authority },
      rootKey: toHex(root.publicKey),
      createdAt: new Date(now).toISOString(),
    },
    false,
  );
  return openWorkspace(dir);
}

interface Enterprise extends EnterpriseSeed {
  signing: KeyPair;
  recipient: KeyPair;
}

function makeEnterprise(seed: EnterpriseSeed): Enterprise {
  if (!/^[a-z0-9-]{1,64}$/.test(seed.slug)) throw new TypeError('a slug is of a-z 0-9 -');
  return { ...seed, signing: signingPair(), recipient: generateKeyPair() };
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

/** What the edge is given as SEALPOST_SECRETS. */
function edgeSecrets(now: number, signing: KeyPair, indexKeys: readonly object[]) {
  const notBefore = now - BACKDATE_MS;
  const { privateKey } = generateKeyPair();
  return {
    edgeKeys: [
      {
        ...{ id: 1, privateKey: toBase64url(privateKey) },
        ...{ notBefore, notAfter: notBefore + EDGE_KEY_VALIDITY_MS },
      },
    ],
    signingKey: toBase64url(signing.privateKey),
    indexKeys,
  };
}

/** One index key a calendar month (UTC); its version counts the months since 2000. */
function monthlyIndexKeys(now: number) {
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
function controlData(
  city: number,
  now: number,
  regulator: { id: string; name: string; signing: KeyPair },
  enterprises: readonly Enterprise[],
  delegate: KeyPair,
  list: Uint8Array,
) {
  const party = (kind: string, id: string, name: string, { publicKey }: KeyPair) => ({
    ...{ id: toBase64url(uuidBytes(id)), kind, name },
    keys: [{ algorithm: 'ed25519', publicKey: toBase64url(publicKey) }],
  });
  return {
    parties: [
      party('regulator', regulator.id, regulator.name, regulator.signing),
      ...enterprises.map(({ id, name, signing, recipient }) => {
        const certificate = {
          ...{ city, enterprise: uuidBytes(id) },
          ...{ notBefore: now - BACKDATE_MS, notAfter: now + CERTIFICATE_VALIDITY_MS },
          ...{ publicKey: recipient.publicKey, delegate: sha256(delegate.publicKey) },
        };
        const signed = signCertificate(certificate, delegate.privateKey);
        return {
          ...party('enterprise', id, name, signing),
          certificate: toBase64url(signed),
        };
      }),
    ],
    recipientList: toBase64url(list),
  };
}

/** A fresh Ed25519 key pair. */
function signingPair(): KeyPair {
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  return { privateKey, publicKey: ed25519.getPublicKey(privateKey) };
}

function keyJson({ privateKey, publicKey }: KeyPair) {
  return { privateKey: toBase64url(privateKey), publicKey: toHex(publicKey) };
}

/** UUID version 4 (RFC 9562 section 5.4). */
function randomUuid(): Uint8Array {
  return uuidBytes(crypto.randomUUID());
}
