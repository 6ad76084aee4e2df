/** Somebody who can write to the store: its database file, opened beside the running service. And the reader who must notice. */
import type { KeyObject } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EdgeClient } from '../../client/edge.ts';
import { IncompletePull, OpenError } from '../../client/errors.ts';
import { Opener } from '../../client/open.ts';
import { type PullReport, type PullState, pull } from '../../client/pull.ts';
import { ed25519Signer, type Identity } from '../../client/signing.ts';
import { rawPublicKey, SUITE } from './independent-client.ts';
import { CITY, type TestParty, type TestService } from './service.ts';

/** Does something to the database of a service. Other processes see it when this returns. */
export function inStore<T>({ dir }: TestService, act: (database: DatabaseSync) => T): T {
  const folder = join(dir, 'data/d1');
  const [name] = readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
  const database = new DatabaseSync(join(folder, name as string));
  try {
    return act(database);
  } finally {
    database.close();
  }
}

/** Private key as its 32 octets. */
export function rawPrivateKey(key: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url'));
}

/** The reader's X25519 key pair. */
export async function readerPair({ reader }: TestParty) {
  return {
    privateKey: new Uint8Array(await SUITE.kem.serializePrivateKey(reader.privateKey)),
    publicKey: new Uint8Array(await SUITE.kem.serializePublicKey(reader.publicKey)),
  };
}

export interface Read {
  /** Ids of the records that opened. */
  opened: string[];
  /** Codes of what did not open: epochs and parcels. */
  refused: string[];
  /** Undefined when the pull was incomplete. */
  report: PullReport | undefined;
  /** Why it was. */
  incomplete: string | undefined;
}

/** Pulls as a party with the shipped client, and opens what came. */
export async function read(
  service: TestService,
  party: TestParty,
  state?: PullState,
): Promise<Read> {
  const rootKey = new Uint8Array(rawPublicKey(service.rootKey));
  const edge = new EdgeClient({ url: service.url, city: CITY, rootKey });
  await edge.recipients();
  const opener = new Opener(edge.lists, [await readerPair(party)]);
  const identity: Identity = {
    id: party.id,
    signer: ed25519Signer(rawPrivateKey(party.privateKey)),
  };
  const read: Read = { opened: [], refused: [], report: undefined, incomplete: undefined };
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      read.refused.push(error.code);
    }
  };
  try {
    read.report = await pull(edge, identity, {
      ...(state && { state }),
      view: party.kind === 'regulator' ? 'full' : 'masked',
      onEpoch: (header) => attempt(() => opener.addEpoch(header)),
      onParcel: (parcel, row) => attempt(() => read.opened.push(opener.open(parcel, row).id)),
    });
  } catch (error) {
    if (!(error instanceof IncompletePull)) throw error;
    read.incomplete = error.code;
  }
  return read;
}
