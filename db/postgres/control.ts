/** ControlStore on PostgreSQL. */
import { equalBytes } from '../../wire/bytes.ts';
import {
  type ControlStore,
  type KeyAlgorithm,
  type Party,
  type PartyKey,
  type PartyKind,
  VersionError,
} from '../control.ts';
import { plain } from './bytes.ts';
import { guarded, one, type Sql } from './query.ts';

interface Signed {
  version: string;
  signed: Uint8Array;
}

export class PostgresControlStore implements ControlStore {
  readonly #edge: Sql;
  readonly #maintenance: Sql;

  /**
   * @param edge a connection of the role sealpost_edge: who signs, what is in force, nonces
   * @param maintenance one of sealpost_maintenance, for everything that is put; the edge is refused it
   */
  constructor(edge: Sql, maintenance: Sql = edge) {
    this.#edge = edge;
    this.#maintenance = maintenance;
  }

  async findSigner(keyid: Uint8Array): Promise<{ party: Party; key: PartyKey } | undefined> {
    const [found] = await guarded(
      () => this.#edge<SignerRow[]>`
        SELECT p.id, p.kind, p.name, k.algorithm, k.public_key AS "publicKey"
        FROM sealpost.party_keys k JOIN sealpost.parties p ON p.id = k.party
        WHERE k.keyid = ${keyid} AND k.active AND p.active`,
    );
    if (found === undefined) return undefined;
    const { kind, name, algorithm } = found;
    const [id, publicKey] = [plain(found.id), plain(found.publicKey)];
    return {
      party: { id, kind, name, active: true },
      key: { keyid, party: id, algorithm, publicKey, active: true },
    };
  }

  async putParty({ id, kind, name, active }: Party): Promise<void> {
    await guarded(
      () => this.#maintenance`
        INSERT INTO sealpost.parties (id, kind, name, active) VALUES (${id}, ${kind}, ${name}, ${active})
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name`,
    );
  }

  async putKey({ keyid, party, algorithm, publicKey, active }: PartyKey): Promise<void> {
    await guarded(
      () => this.#maintenance`
        INSERT INTO sealpost.party_keys (keyid, party, algorithm, public_key, active)
        VALUES (${keyid}, ${party}, ${algorithm}, ${publicKey}, ${active})
        ON CONFLICT (keyid) DO UPDATE
        SET party = excluded.party, algorithm = excluded.algorithm, public_key = excluded.public_key`,
    );
  }

  async setPartyActive(id: Uint8Array, active: boolean): Promise<void> {
    await guarded(
      () => this.#maintenance`UPDATE sealpost.parties SET active = ${active} WHERE id = ${id}`,
    );
  }

  async setKeyActive(keyid: Uint8Array, active: boolean): Promise<void> {
    await guarded(
      () =>
        this.#maintenance`UPDATE sealpost.party_keys SET active = ${active} WHERE keyid = ${keyid}`,
    );
  }

  async recipientList(): Promise<Uint8Array | undefined> {
    return (await latestList(this.#edge))?.signed;
  }

  async putRecipientList(version: number, signed: Uint8Array): Promise<void> {
    // Written only when nothing newer is there. Two at once: the key lets one of them through, the other looks again.
    const put = await guarded(
      () => this.#maintenance`
        INSERT INTO sealpost.recipient_lists (version, signed)
        SELECT ${version}::bigint, ${signed}::bytea
        WHERE NOT EXISTS (SELECT FROM sealpost.recipient_lists WHERE version >= ${version})
        ON CONFLICT DO NOTHING`,
    );
    if (put.count === 0) expectSame(await latestList(this.#maintenance), version, signed);
  }

  async cityPolicy(city: number): Promise<Uint8Array | undefined> {
    return (await latestPolicy(this.#edge, city))?.signed;
  }

  async putCityPolicy(city: number, version: number, signed: Uint8Array): Promise<void> {
    const put = await guarded(
      () => this.#maintenance`
        INSERT INTO sealpost.city_policies (city, version, signed)
        SELECT ${city}::bigint, ${version}::bigint, ${signed}::bytea
        WHERE NOT EXISTS (SELECT FROM sealpost.city_policies WHERE city = ${city} AND version >= ${version})
        ON CONFLICT DO NOTHING`,
    );
    if (put.count === 0) expectSame(await latestPolicy(this.#maintenance, city), version, signed);
  }

  async certificate(city: number, enterprise: Uint8Array): Promise<Uint8Array | undefined> {
    const [found] = await guarded(
      () => this.#edge<{ certificate: Uint8Array }[]>`
        SELECT certificate FROM sealpost.certificates WHERE city = ${city} AND enterprise = ${enterprise}`,
    );
    return found === undefined ? undefined : plain(found.certificate);
  }

  async putCertificate(
    city: number,
    enterprise: Uint8Array,
    certificate: Uint8Array,
  ): Promise<void> {
    await guarded(
      () => this.#maintenance`
        INSERT INTO sealpost.certificates (city, enterprise, certificate)
        VALUES (${city}, ${enterprise}, ${certificate})
        ON CONFLICT (city, enterprise) DO UPDATE SET certificate = excluded.certificate`,
    );
  }

  async useNonce(
    keyid: Uint8Array,
    nonce: string,
    expiresMs: number,
    nowMs: number,
  ): Promise<boolean> {
    const { fresh } = await one<{ fresh: boolean }>(
      () =>
        this.#edge`SELECT sealpost.use_nonce(${keyid}, ${nonce}, ${expiresMs}, ${nowMs}) AS fresh`,
    );
    return fresh;
  }
}

interface SignerRow {
  id: Uint8Array;
  kind: PartyKind;
  name: string;
  algorithm: KeyAlgorithm;
  publicKey: Uint8Array;
}

interface Latest {
  version: number;
  signed: Uint8Array;
}

async function latestList(sql: Sql): Promise<Latest | undefined> {
  const rows = await guarded(
    () => sql<Signed[]>`
      SELECT version, signed FROM sealpost.recipient_lists ORDER BY version DESC LIMIT 1`,
  );
  return latest(rows);
}

async function latestPolicy(sql: Sql, city: number): Promise<Latest | undefined> {
  const rows = await guarded(
    () => sql<Signed[]>`
      SELECT version, signed FROM sealpost.city_policies WHERE city = ${city} ORDER BY version DESC LIMIT 1`,
  );
  return latest(rows);
}

function latest([row]: readonly Signed[]): Latest | undefined {
  return row && { version: Number(row.version), signed: plain(row.signed) };
}

/** @throws VersionError unless what is in force is just what was to be put */
function expectSame(inForce: Latest | undefined, version: number, signed: Uint8Array): void {
  if (inForce?.version !== version || !equalBytes(inForce.signed, signed)) throw new VersionError();
}
