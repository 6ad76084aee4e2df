/**
 * A workspace: the folder in which a local service and its parties keep their keys. One folder holds what in earnest would
 * be kept apart: `offline/` on a machine without a network, `edge/` at the edge, `regulator/` and `enterprises/` with them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { uuidBytes } from '../wire/record.ts';
import type { PullState } from './chains.ts';
import { EdgeClient } from './edge.ts';
import { fromBase64url, fromHex } from './encoding.ts';
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
    /** Where the last pull ended. */
    state: join(dir, 'regulator', 'state.json'),
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
  recipientKeys: KeyPair[];
  indexKeys: IndexKey[];
}

interface RawKey {
  privateKey: string;
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
    }));
    this.city = description.city;
    this.node = description.node;
    this.authority = description.authority;
    this.rootKey = description.rootKey;
    this.createdAt = description.createdAt;
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
    }));
    const recipientKeys = [1, 2].map((number) =>
      readJson(this.paths.regulatorKey(number), (raw: RawKey) =>
        keyPair(bytesOf(32, fromBase64url(raw.privateKey))),
      ),
    );
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

  /** Every recipient list that the regulator has seen. @throws TrustError, WorkspaceError */
  lists(): TrustedLists {
    const lists = new TrustedLists(this.rootKey);
    const files = existsSync(this.paths.recipients) ? readdirSync(this.paths.recipients) : [];
    for (const file of files) {
      if (/^\d+\.bin$/.test(file)) lists.add(readBytes(join(this.paths.recipients, file)));
    }
    return lists;
  }

  /** Keeps lists for the years in which parcels of their time may have to be opened. */
  keepLists(lists: TrustedLists): void {
    for (const { list, bytes } of lists.all()) {
      const path = this.paths.seenList(list.version);
      if (!existsSync(path)) writeNew(path, bytes, false);
    }
  }

  /**
   * A client of this workspace's edge. A service on this machine may be on any port: its authority is that of `url`.
   * @param lists lists already known: those the regulator has seen, unless given
   */
  edge(url: string, lists: TrustedLists = this.lists()): EdgeClient {
    const { city, rootKey } = this;
    const local = /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(this.authority);
    const authority = local ? new URL(url).host : this.authority;
    return new EdgeClient({ url, authority, city, rootKey, lists });
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

  keepPullState(state: PullState): void {
    replaceFile(this.paths.state, state, true);
  }
}

/** Opens the workspace in a folder. @throws WorkspaceError `missing`, `malformed` */
export function openWorkspace(dir: string): Workspace {
  return new Workspace(dir);
}

function identityOf(id: unknown, privateKey: unknown): Identity {
  const signer = ed25519Signer(bytesOf(32, fromBase64url(textOf(privateKey))));
  return { id: uuidBytes(textOf(id)), signer };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
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
