/**
 * A workspace: the folder in which a local service and its parties keep their keys. One folder holds what in earnest would
 * be kept apart: `offline/` on a machine without a network, `edge/` at the edge, `regulator/` and `enterprises/` with them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { Mode } from '../wire/keys.ts';
import { uuidBytes } from '../wire/record.ts';
import type { PullState } from './chains.ts';
import { type Correction, Corrections } from './corrections.ts';
import { EdgeClient } from './edge.ts';
import { fromBase64url, fromHex, toHex } from './encoding.ts';
import type { AnswerEnd } from './frames.ts';
import { type KeyPair, keyPair } from './hpke.ts';
import type { IndexKey } from './indexes.ts';
import { readBytes, readJson, replaceFile, WorkspaceError, writeNew } from './keyfile.ts';
import { Opener } from './open.ts';
import { TrustedLists } from './recipients.ts';
import { ed25519Signer, type Identity } from './signing.ts';

/** Where everything is. */
export function workspacePaths(dir: string) {
  return {
    /** Public: city, node, authority, root key. */
    description: join(dir, 'sealpost.json'),
    root: join(dir, 'offline', 'root.json'),
    delegate: join(dir, 'offline', 'delegate.json'),
    /** What the edge gets as SEALPOST_SECRETS. */
    secrets: join(dir, 'edge', 'secrets.json'),
    recipientList: join(dir, 'edge', 'recipients.bin'),
    /** Public data that the control store begins with. */
    control: join(dir, 'edge', 'control.json'),
    regulatorSigning: join(dir, 'regulator', 'signing.json'),
    regulatorKey: (number: number) => join(dir, 'regulator', `recipient-${number}.json`),
    indexKeys: join(dir, 'regulator', 'index-keys.json'),
    /** Recipient lists seen, by version. */
    recipients: join(dir, 'regulator', 'recipients'),
    seenList: (version: number) => join(dir, 'regulator', 'recipients', `${version}.bin`),
    /** The same for a city whose edge is elsewhere. */
    seenElsewhere: (name: string) => join(dir, 'regulator', 'cities', name),
    /** Where the last pull ended. */
    state: join(dir, 'regulator', 'state.json'),
    /** Proofs of the files that were pulled, by the file's digest. */
    pullProof: (digest: string) => join(dir, 'regulator', 'pulls', `${digest}.json`),
    /** Who may erase by law, and the receipts of what was erased. */
    erasureSigning: join(dir, 'erasure', 'signing.json'),
    erasureReceipts: join(dir, 'erasure', 'receipts'),
    /** Which records stand in the place of which, as far as they were pulled. */
    corrections: join(dir, 'regulator', 'corrections.json'),
    enterprises: join(dir, 'enterprises'),
    enterprise: (slug: string) => join(dir, 'enterprises', `${slug}.json`),
    data: join(dir, 'data'),
    run: join(dir, 'run'),
  };
}

/** An enterprise's side of things. */
export interface EnterpriseDesk {
  slug: string;
  name: string;
  identity: Identity;
  /** For the masked view of its own parcels. */
  recipientKeys: KeyPair[];
}

/** The regulator's side of things. */
export interface RegulatorDesk {
  name: string;
  identity: Identity;
  /** Ed25519, of the identity: others check with it what the desk has signed. */
  publicKey: Uint8Array;
  recipientKeys: KeyPair[];
  indexKeys: IndexKey[];
}

/** Who may erase by law, and does nothing else. */
export interface ErasureDesk {
  name: string;
  identity: Identity;
  /** Ed25519, of the identity. */
  publicKey: Uint8Array;
}

/** That a file holds what a pull proved, and what the edge signed for it. No personal data. */
export interface PullProof {
  format: 'ndjson' | 'csv';
  /** ISO 8601. */
  pulledAt: string;
  city: number;
  listVersion: number;
  /** Records in the file. */
  records: number;
  /** Why others are not in it. */
  refused: string[];
  erased: number;
  ends: AnswerEnd[];
}

export class Workspace {
  readonly dir: string;
  readonly paths: ReturnType<typeof workspacePaths>;
  /** Division code. */
  readonly city: number;
  readonly node: string;
  /** Host and port that clients sign. */
  readonly authority: string;
  /** Ed25519 public key that everything is trusted from. */
  readonly rootKey: Uint8Array;
  readonly createdAt: string;
  /** Of its edge: a sandbox is for trying out. */
  readonly mode: Mode;

  /** @throws WorkspaceError `missing`, `malformed` */
  constructor(dir: string) {
    this.dir = dir;
    this.paths = workspacePaths(dir);
    const description = readJson(this.paths.description, (raw: Record<string, unknown>) => ({
      city: numberOf(raw.city),
      node: textOf(raw.node),
      authority: textOf(raw.authority),
      rootKey: bytesOf(32, fromHex(textOf(raw.rootKey))),
      createdAt: textOf(raw.createdAt),
      mode: modeOf(raw.mode ?? 'production'),
    }));
    this.city = description.city;
    this.node = description.node;
    this.authority = description.authority;
    this.rootKey = description.rootKey;
    this.createdAt = description.createdAt;
    this.mode = description.mode;
  }

  /** Slugs of all enterprises, sorted. */
  enterprises(): string[] {
    if (!existsSync(this.paths.enterprises)) return [];
    return readdirSync(this.paths.enterprises)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  }

  /** @throws WorkspaceError `unknown_enterprise`, `malformed` */
  enterprise(slug: string): EnterpriseDesk {
    if (!this.enterprises().includes(slug)) {
      throw new WorkspaceError('unknown_enterprise', this.paths.enterprises);
    }
    return readJson(this.paths.enterprise(slug), (raw: Record<string, unknown>) => ({
      slug,
      name: textOf(raw.name),
      identity: identityOf(raw.id, raw.signingKey),
      recipientKeys: [keyPair(bytesOf(32, fromBase64url(textOf(raw.recipientKey))))],
    }));
  }

  /** Names of all enterprises by their id (UUID text), for people who read what is opened. */
  enterpriseNames(): Map<string, string> {
    const entries = this.enterprises().map((slug) =>
      readJson(this.paths.enterprise(slug), (raw: Record<string, unknown>) => {
        return [textOf(raw.id).toLowerCase(), textOf(raw.name)] as const;
      }),
    );
    return new Map(entries);
  }

  /** @throws WorkspaceError */
  regulator(): RegulatorDesk {
    const signing = readJson(this.paths.regulatorSigning, (raw: Record<string, unknown>) => ({
      name: textOf(raw.name),
      identity: identityOf(raw.id, raw.privateKey),
      publicKey: signingPublicKey(raw.privateKey),
    }));
    const recipientKeys = this.recipientKeyFiles().map(readRecipientKey);
    if (recipientKeys.length === 0) {
      throw new WorkspaceError('missing', this.paths.regulatorKey(1));
    }
    const indexKeys = readJson(this.paths.indexKeys, (raw: Record<string, unknown>[]) =>
      raw.map((entry) => ({
        version: numberOf(entry.version),
        fromMs: numberOf(entry.fromMs),
        untilMs: numberOf(entry.untilMs),
        key: bytesOf(32, fromBase64url(textOf(entry.key))),
      })),
    );
    return { ...signing, recipientKeys, indexKeys };
  }

  /** Who signs the regulator's requests; without its recipient keys, which may be elsewhere. @throws WorkspaceError */
  regulatorIdentity(): Identity {
    return readJson(this.paths.regulatorSigning, (raw: Record<string, unknown>) =>
      identityOf(raw.id, raw.privateKey),
    );
  }

  /**
   * Files of the national recipient keys that are here, by number: all of them on a machine that tries the whole path out, one of
   * them where they are kept apart as they should be.
   */
  recipientKeyFiles(): string[] {
    const folder = dirname(this.paths.regulatorKey(1));
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map((file) => Number(/^recipient-(\d+)\.json$/.exec(file)?.[1] ?? Number.NaN))
      .filter((number) => Number.isSafeInteger(number))
      .sort((a, b) => a - b)
      .map((number) => this.paths.regulatorKey(number));
  }

  /** Who may erase by law. @throws WorkspaceError */
  erasure(): ErasureDesk {
    return readJson(this.paths.erasureSigning, (raw: Record<string, unknown>) => ({
      name: textOf(raw.name),
      identity: identityOf(raw.id, raw.privateKey),
      publicKey: signingPublicKey(raw.privateKey),
    }));
  }

  /** Every recipient list that the regulator has seen. @throws TrustError, WorkspaceError */
  lists(): TrustedLists {
    return readLists(this.paths.recipients, this.rootKey);
  }

  /** Keeps lists for the years in which parcels of their time may have to be opened. */
  keepLists(lists: TrustedLists): void {
    keepLists(this.paths.recipients, lists);
  }

  /**
   * A client of this workspace's edge. A service on this machine may be on any port: its authority is that of `url`.
   * @param lists lists already known: those the regulator has seen, unless given
   */
  edge(url: string, lists: TrustedLists = this.lists()): EdgeClient {
    const { city, rootKey, mode } = this;
    const local = /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(this.authority);
    const authority = local ? new URL(url).host : this.authority;
    return new EdgeClient({ url, authority, city, rootKey, lists, mode });
  }

  /** An opener for whoever holds `recipientKeys`. */
  opener(recipientKeys: readonly KeyPair[], lists: TrustedLists = this.lists()): Opener {
    return new Opener(lists, recipientKeys);
  }

  /** Where the regulator's last pull ended; undefined before the first. @throws WorkspaceError `malformed` */
  pullState(): PullState | undefined {
    if (!existsSync(this.paths.state)) return undefined;
    return readJson(this.paths.state, (raw: PullState) => raw);
  }

  /** What is known of a file that was pulled. @param digest SHA-256 of it, hexadecimal @throws WorkspaceError `malformed` */
  pullProof(digest: string): PullProof | undefined {
    const path = this.paths.pullProof(digest);
    return existsSync(path) ? readJson(path, (raw: PullProof) => raw) : undefined;
  }

  keepPullProof(digest: string, proof: PullProof): void {
    replaceFile(this.paths.pullProof(digest), proof, true);
  }

  keepPullState(state: PullState): void {
    replaceFile(this.paths.state, state, true);
  }

  /** Which records stand in the place of which, by the pulls so far. @throws WorkspaceError `malformed` */
  corrections(): Corrections {
    if (!existsSync(this.paths.corrections)) return new Corrections();
    return readJson(this.paths.corrections, (raw: Correction[]) => new Corrections(raw));
  }

  keepCorrections(corrections: Corrections): void {
    replaceFile(this.paths.corrections, corrections.all(), true);
  }
}

/** The recipient lists kept in a folder, by version. @throws TrustError when one is not signed by the root; WorkspaceError */
export function readLists(folder: string, rootKey: Uint8Array): TrustedLists {
  const lists = new TrustedLists(rootKey);
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (/^\d+\.bin$/.test(file)) lists.add(readBytes(join(folder, file)));
  }
  return lists;
}

export function keepLists(folder: string, lists: TrustedLists): void {
  for (const { list, bytes } of lists.all()) {
    const path = join(folder, `${list.version}.bin`);
    if (!existsSync(path)) writeNew(path, bytes, false);
  }
}

/** A national recipient key from its file. @throws WorkspaceError `missing`, `malformed` also when its halves do not fit */
export function readRecipientKey(path: string): KeyPair {
  return readJson(path, (raw: Record<string, unknown>) => {
    const pair = keyPair(bytesOf(32, fromBase64url(textOf(raw.privateKey))));
    if (toHex(pair.publicKey) !== textOf(raw.publicKey).toLowerCase())
      throw new TypeError('halves');
    return pair;
  });
}

/** Opens the workspace in a folder. @throws WorkspaceError `missing`, `malformed` */
export function openWorkspace(dir: string): Workspace {
  return new Workspace(dir);
}

function identityOf(id: unknown, privateKey: unknown): Identity {
  const signer = ed25519Signer(bytesOf(32, fromBase64url(textOf(privateKey))));
  return { id: uuidBytes(textOf(id)), signer };
}

function signingPublicKey(privateKey: unknown): Uint8Array {
  return ed25519.getPublicKey(bytesOf(32, fromBase64url(textOf(privateKey))));
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
  return value;
}

function modeOf(value: unknown): Mode {
  if (value !== 'production' && value !== 'sandbox') throw new TypeError('not a mode');
  return value;
}

function numberOf(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('not a whole number');
  return value as number;
}

function bytesOf(length: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== length) throw new TypeError('not of the right length');
  return bytes;
}
