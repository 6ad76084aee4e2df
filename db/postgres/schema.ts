/**
 * The tables of the PostgreSQL store: names, columns and numbers of the D1 store (db/d1/schema.ts) wherever that makes sense.
 * `drizzle-kit generate` makes the migrations from this file; what it cannot say (partitions, storage, roles, functions) is
 * added to the generated SQL by hand. Reasons and sizes: docs/storage-schema.md.
 */
import {
  bigint,
  boolean,
  index,
  integer,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core';
import type { KeyAlgorithm, PartyKind } from '../control.ts';
import { bytes } from './bytes.ts';

/** A schema of our own: nobody else may create in it, so that functions can pin their search path to it. */
export const sealpost = pgSchema('sealpost');

/** int8 as a number; every value here is below 2^53. */
const int8 = (name?: string) =>
  name === undefined ? bigint({ mode: 'number' }) : bigint(name, { mode: 'number' });

/** Which migrations were applied (migrate.ts). */
export const migrations = sealpost.table('migrations', {
  /** File name. */
  name: text().primaryKey(),
  appliedAt: timestamp('applied_at', { withTimezone: true }).notNull().defaultNow(),
});

/** Who writes, and how far: one row per node, city and enterprise. */
export const writers = sealpost.table(
  'writers',
  {
    /** Short name of the writer in commits and cursors. */
    number: integer().primaryKey().generatedAlwaysAsIdentity(),
    /** Name of the edge node. */
    node: text().notNull(),
    /** Division code of the city: 32 bits without sign. */
    city: int8().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Of the last commit; 0 before the first. */
    sequence: int8().notNull(),
    /** Chain head after the last commit, 32 octets; zeros before the first. */
    head: bytes().notNull(),
  },
  (table) => [unique('writers_key').on(table.city, table.enterprise, table.node)],
);

/** Gives each commit the positions that it may use: 1,024 at once, MAX_COMMIT_RECORDS, so `first` has its low ten bits zero. */
export const positions = sealpost.sequence('positions', {
  startWith: 1_024,
  minValue: 1_024,
  increment: 1_024,
});

/** What became durable at once. Rows are never changed or deleted. */
export const commits = sealpost.table(
  'commits',
  {
    /** Its records have positions from here on, with gaps where a record was not new. */
    first: int8().primaryKey(),
    /** Records it stored. */
    rows: integer().notNull(),
    /** Number in `writers`. */
    writer: integer().notNull(),
    /** Gapless per writer, from 1. */
    sequence: int8().notNull(),
    /** Days from 1970-01-01 UTC to `committed_ms`. */
    day: integer().notNull(),
    /** Milliseconds since 1970. */
    committedMs: int8('committed_ms').notNull(),
    /** Chain head before it, 32 octets. */
    previous: bytes().notNull(),
    /** Chain head after it, 32 octets. */
    head: bytes().notNull(),
    /** Ids of the epochs that its parcels name, 16 octets each. */
    epochs: bytes().notNull(),
    /** Record id (16) and content tag (16) of each record in order: what the chain is made over. Stays after erasure. */
    receipts: bytes().notNull(),
    /** Of its records, those that only a city in trial takes: their `trial_code` is not 0. */
    flagged: integer().notNull().default(0),
    /** Lowest and highest id of its records: tells which partitions of `parcels` hold them. */
    fromId: bytes('from_id').notNull(),
    toId: bytes('to_id').notNull(),
  },
  (table) => [
    unique('commits_sequence').on(table.writer, table.sequence),
    index('commits_day').on(table.day, table.writer, table.rows, table.flagged),
  ],
);

/** Epoch headers. */
export const epochs = sealpost.table('epochs', {
  /** 16 octets. */
  id: bytes().primaryKey(),
  /** wire/epoch.ts, with all wraps and the edge's signature. */
  header: bytes().notNull(),
});

/** That a record is there, and which: the idempotency key, kept for the long term. A partition for each week of ids. */
export const receipts = sealpost.table(
  'receipts',
  {
    /** Division code of the city. */
    city: int8().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Record id, a UUIDv7: 16 octets. Its time tells the partition. */
    id: bytes().notNull(),
    /** Keyed digest of the record's content, 16 octets: tells the same record from another under the same id. */
    contentTag: bytes('content_tag').notNull(),
    /** Version of the index key under which the tag was made. */
    indexVersion: integer('index_version').notNull(),
    /** Warning bits (wire/codes.ts): 32 without sign. */
    warnings: int8().notNull(),
    /** Date number of the rules that judged it. */
    ruleset: integer().notNull(),
    /** Leads to the commit (its low ten bits zero) and to the parcel. */
    position: int8().notNull(),
    /** When the payload was deleted by law; NULL while it is there. */
    erasedMs: int8('erased_ms'),
    /** Why it would have been refused, had the city not been in trial (wire/codes.ts); 0 for most. */
    trialCode: integer('trial_code').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.city, table.enterprise, table.id] })],
);

/** The ciphertext, kept for the retention term. Everything else about a parcel stands in its additional data. Weekly, by id. */
export const parcels = sealpost.table(
  'parcels',
  {
    /** Position of its receipt. */
    position: int8().notNull(),
    /** Record id: its time tells the partition. */
    id: bytes().notNull(),
    /** The full view (wire/parcel.ts). */
    full: bytes().notNull(),
    /** The masked view; NULL when none was sealed. */
    masked: bytes(),
  },
  (table) => [primaryKey({ columns: [table.position, table.id] })],
);

/** Keyed indexes of parcels, filled behind the commits: four rows a parcel. A partition for each week of commits. */
export const keyedIndex = sealpost.table(
  'keyed_index',
  {
    /** Day of the commit. Leads the key, so that each day is a range of its own. */
    day: integer().notNull(),
    /** Keyed index, 16 octets. */
    idx: bytes().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Record id, 16 octets. */
    id: bytes().notNull(),
  },
  (table) => [index('keyed_index_key').on(table.day, table.idx)],
);

/** How far `keyed_index` is filled: one row for each writer that it holds something of. */
export const indexMark = sealpost.table('index_mark', {
  /** Number in `writers`. */
  writer: integer().primaryKey(),
  /** Of the last commit whose parcels are in `keyed_index`; lookups scan the parcels of those after it. */
  sequence: int8().notNull(),
});

/** How far retention has gone: one row. */
export const retention = sealpost.table('retention', {
  /** Always 1. */
  id: integer().primaryKey(),
  /** Payloads of ids before this time (ms since 1970, start of a week) were dropped, and count as erased. */
  parcelsMs: int8('parcels_ms').notNull(),
  /** Receipts likewise. */
  receiptsMs: int8('receipts_ms').notNull(),
});

/** Enterprises, regulators, and who may erase. */
export const parties = sealpost.table('parties', {
  /** 16 octets. */
  id: bytes().primaryKey(),
  /** 'enterprise', 'regulator' or 'erasure'. */
  kind: text().$type<PartyKind>().notNull(),
  /** Name for people. */
  name: text().notNull(),
  /** False when it may no longer sign. */
  active: boolean().notNull(),
});

/** Keys that parties sign requests with. */
export const partyKeys = sealpost.table('party_keys', {
  /** SHA-256 of the public key, 32 octets. */
  keyid: bytes().primaryKey(),
  /** Id of its party. */
  party: bytes()
    .notNull()
    .references(() => parties.id),
  /** 'ed25519' or 'ecdsa-p256'. */
  algorithm: text().$type<KeyAlgorithm>().notNull(),
  /** 32 octets (Ed25519) or 65 (P-256, uncompressed). */
  publicKey: bytes('public_key').notNull(),
  /** False when it is withdrawn. */
  active: boolean().notNull(),
});

/** Signed recipient lists (wire/recipients.ts); the highest version counts, older ones stay for audit. */
export const recipientLists = sealpost.table('recipient_lists', {
  /** As in the list. */
  version: int8().primaryKey(),
  /** The list with its signature. */
  signed: bytes().notNull(),
});

/** Signed city policies (wire/policy.ts); of each city the highest version counts, older ones stay for audit. */
export const cityPolicies = sealpost.table(
  'city_policies',
  {
    /** Division code of the city. */
    city: int8().notNull(),
    /** As in the policy. */
    version: int8().notNull(),
    /** The policy with its signature. */
    signed: bytes().notNull(),
  },
  (table) => [primaryKey({ columns: [table.city, table.version] })],
);

/** Certificates of enterprises' keys for the masked view (wire/recipients.ts). */
export const certificates = sealpost.table(
  'certificates',
  {
    /** Division code of the city. */
    city: int8().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Certificate with its signature. */
    certificate: bytes().notNull(),
  },
  (table) => [primaryKey({ columns: [table.city, table.enterprise] })],
);

/** One-time nonces of signed requests that are not sealed: each is taken once. */
export const nonces = sealpost.table(
  'nonces',
  {
    /** Key id of the signer, 32 octets. */
    keyid: bytes().notNull(),
    /** As signed. */
    nonce: text().notNull(),
    /** Milliseconds since 1970; may be forgotten afterwards, for the signature has expired. */
    expiresMs: int8('expires_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.keyid, table.nonce] }),
    index('nonces_expiry').on(table.expiresMs),
  ],
);
