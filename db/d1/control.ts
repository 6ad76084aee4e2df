/** ControlStore on D1. */
import { and, eq, lt, sql } from 'drizzle-orm';
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1';
import { equalBytes } from '../../wire/bytes.ts';
import { type ControlStore, type Party, type PartyKey, VersionError } from '../control.ts';
import { guarded } from './query.ts';
import {
  certificates,
  cityPolicies,
  nonces,
  parties,
  partyKeys,
  recipientLists,
} from './schema.ts';

export class D1ControlStore implements ControlStore {
  readonly #db: DrizzleD1Database;

  constructor(d1: D1Database) {
    this.#db = drizzle(d1);
  }

  async findSigner(keyid: Uint8Array): Promise<{ party: Party; key: PartyKey } | undefined> {
    const active = and(
      eq(partyKeys.keyid, keyid),
      eq(partyKeys.active, true),
      eq(parties.active, true),
    );
    const [found] = await guarded(() =>
      this.#db
        .select({ party: parties, key: partyKeys })
        .from(partyKeys)
        .innerJoin(parties, eq(parties.id, partyKeys.party))
        .where(active),
    );
    return found;
  }

  async putParty(party: Party): Promise<void> {
    const { active: _, ...set } = party;
    await guarded(() =>
      this.#db.insert(parties).values(party).onConflictDoUpdate({ target: parties.id, set }).run(),
    );
  }

  async putKey(key: PartyKey): Promise<void> {
    const { active: _, ...set } = key;
    const target = partyKeys.keyid;
    await guarded(() =>
      this.#db.insert(partyKeys).values(key).onConflictDoUpdate({ target, set }).run(),
    );
  }

  async setPartyActive(id: Uint8Array, active: boolean): Promise<void> {
    await guarded(() => this.#db.update(parties).set({ active }).where(eq(parties.id, id)).run());
  }

  async setKeyActive(keyid: Uint8Array, active: boolean): Promise<void> {
    await guarded(() =>
      this.#db.update(partyKeys).set({ active }).where(eq(partyKeys.keyid, keyid)).run(),
    );
  }

  async recipientList(): Promise<Uint8Array | undefined> {
    return (await this.#latestList())?.signed;
  }

  async putRecipientList(version: number, signed: Uint8Array): Promise<void> {
    // Written only when nothing newer is there: the look and the write are one statement.
    const newer = sql`EXISTS (SELECT 1 FROM ${recipientLists} WHERE ${recipientLists.version} >= ${version})`;
    const insert = sql`INSERT INTO ${recipientLists} (version, signed) SELECT ${version}, ${signed} WHERE NOT ${newer}`;
    const { meta } = await guarded(() => this.#db.run(insert));
    if (meta.changes === 1) return;
    const latest = await this.#latestList();
    if (latest?.version !== version || !equalBytes(latest.signed, signed)) throw new VersionError();
  }

  async #latestList(): Promise<{ version: number; signed: Uint8Array } | undefined> {
    const [latest] = await guarded(() =>
      this.#db.select().from(recipientLists).orderBy(sql`${recipientLists.version} DESC`).limit(1),
    );
    return latest;
  }

  async cityPolicy(city: number): Promise<Uint8Array | undefined> {
    return (await this.#latestPolicy(city))?.signed;
  }

  async putCityPolicy(city: number, version: number, signed: Uint8Array): Promise<void> {
    const newer = sql`EXISTS (SELECT 1 FROM ${cityPolicies}
      WHERE ${cityPolicies.city} = ${city} AND ${cityPolicies.version} >= ${version})`;
    const insert = sql`INSERT INTO ${cityPolicies} (city, version, signed)
      SELECT ${city}, ${version}, ${signed} WHERE NOT ${newer}`;
    const { meta } = await guarded(() => this.#db.run(insert));
    if (meta.changes === 1) return;
    const latest = await this.#latestPolicy(city);
    if (latest?.version !== version || !equalBytes(latest.signed, signed)) throw new VersionError();
  }

  async #latestPolicy(city: number): Promise<{ version: number; signed: Uint8Array } | undefined> {
    const [latest] = await guarded(() =>
      this.#db
        .select()
        .from(cityPolicies)
        .where(eq(cityPolicies.city, city))
        .orderBy(sql`${cityPolicies.version} DESC`)
        .limit(1),
    );
    return latest;
  }

  async certificate(city: number, enterprise: Uint8Array): Promise<Uint8Array | undefined> {
    const [found] = await guarded(() =>
      this.#db
        .select({ certificate: certificates.certificate })
        .from(certificates)
        .where(and(eq(certificates.city, city), eq(certificates.enterprise, enterprise))),
    );
    return found?.certificate;
  }

  async putCertificate(
    city: number,
    enterprise: Uint8Array,
    certificate: Uint8Array,
  ): Promise<void> {
    await guarded(() =>
      this.#db
        .insert(certificates)
        .values({ city, enterprise, certificate })
        .onConflictDoUpdate({
          target: [certificates.city, certificates.enterprise],
          set: { certificate },
        })
        .run(),
    );
  }

  async useNonce(
    keyid: Uint8Array,
    nonce: string,
    expiresMs: number,
    nowMs: number,
  ): Promise<boolean> {
    const [, { meta }] = await guarded(() =>
      this.#db.batch([
        this.#db.delete(nonces).where(lt(nonces.expiresMs, nowMs)),
        this.#db.insert(nonces).values({ keyid, nonce, expiresMs }).onConflictDoNothing(),
      ]),
    );
    return meta.changes === 1;
  }
}
