/**
 * Prepares a store, run once by `workerd test` before the service starts: applies migrations and loads control data.
 * Running it again changes nothing; who was shut out of the store stays out. Whatever it throws makes `workerd test` exit with an error.
 */
import {
  type ControlStore,
  type KeyAlgorithm,
  PARTY_KINDS,
  type PartyKind,
} from '../../db/control.ts';
import { D1ControlStore } from '../../db/d1/control.ts';
import { migrate } from '../../db/d1/migrate.ts';
import { parseSignedPolicy } from '../../wire/policy.ts';
import { parseCertificate, parseSignedList } from '../../wire/recipients.ts';
import { fromBase64url } from './base64url.ts';

/** Control data as JSON; octets in base64url. */
export interface ControlData {
  parties?: {
    /** 16 octets. */
    id: string;
    kind: PartyKind;
    name: string;
    /** False shuts the party, or a key, out; to be let in again is never a matter of setup. */
    active?: false;
    keys?: { algorithm: KeyAlgorithm; publicKey: string; active?: false }[];
    /** Certificate of its key for the masked view (wire/recipients.ts). */
    certificate?: string;
  }[];
  /** Signed recipient list (wire/recipients.ts). */
  recipientList?: string;
  /** Signed policy of the city (wire/policy.ts). */
  cityPolicy?: string;
}

export interface SetupEnv {
  DB: D1Database;
  /** ControlData; absent when there is nothing to load. */
  CONTROL?: string;
}

/** Octets of a public key. */
const KEY_BYTES: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 32, 'ecdsa-p256': 65 };

/** @throws TypeError that names the faulty place; VersionError when a newer recipient list or policy is stored; D1Error */
export async function setup(env: SetupEnv): Promise<void> {
  await migrate(env.DB);
  if (env.CONTROL) await load(new D1ControlStore(env.DB), controlData(env.CONTROL));
}

async function load(store: ControlStore, data: ControlData): Promise<void> {
  for (const { id, kind, name, active, keys, certificate } of data.parties ?? []) {
    const party = octets(id, 'parties.id', 16);
    if (!PARTY_KINDS.includes(kind)) throw wrong('parties.kind');
    if (typeof name !== 'string') throw wrong('parties.name');
    await store.putParty({ id: party, kind, name, active: true });
    if (active === false) await store.setPartyActive(party, false);
    for (const { algorithm, publicKey, active: keyActive } of keys ?? []) {
      if (KEY_BYTES[algorithm] === undefined) throw wrong('parties.keys.algorithm');
      const key = octets(publicKey, 'parties.keys.publicKey', KEY_BYTES[algorithm]);
      const keyid = new Uint8Array(await crypto.subtle.digest('SHA-256', key));
      await store.putKey({ keyid, party, algorithm, publicKey: key, active: true });
      if (keyActive === false) await store.setKeyActive(keyid, false);
    }
    if (certificate !== undefined) await loadCertificate(store, certificate);
  }
  if (data.recipientList !== undefined) {
    const signed = octets(data.recipientList, 'recipientList');
    await store.putRecipientList(parseSignedList(signed).list.version, signed);
  }
  if (data.cityPolicy !== undefined) {
    const signed = octets(data.cityPolicy, 'cityPolicy');
    const { city, version } = parseSignedPolicy(signed).policy;
    await store.putCityPolicy(city, version, signed);
  }
}

async function loadCertificate(store: ControlStore, text: string): Promise<void> {
  const bytes = octets(text, 'parties.certificate');
  const { city, enterprise } = parseCertificate(bytes).certificate;
  await store.putCertificate(city, enterprise, bytes);
}

function controlData(text: string): ControlData {
  try {
    return JSON.parse(text) as ControlData;
  } catch {
    throw wrong('the whole');
  }
}

function octets(text: string, place: string, length?: number): Uint8Array<ArrayBuffer> {
  try {
    const bytes = new Uint8Array(fromBase64url(text));
    if (length === undefined || bytes.length === length) return bytes;
  } catch {}
  throw wrong(place);
}

function wrong(place: string): TypeError {
  return new TypeError(`CONTROL has a faulty value: ${place}`);
}

export default {
  async test(_controller: unknown, env: SetupEnv): Promise<void> {
    await setup(env);
  },
};
