/**
 * The tables of the D1 store. `drizzle-kit generate` makes the migrations from this file; what it cannot say (STRICT,
 * WITHOUT ROWID) is added to the generated SQL by hand. Reasons and sizes: docs/storage-schema.md.
 */
import { index, integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core';
import type { KeyAlgorithm, PartyKind } from '../control.ts';
import { bytes } from './bytes.ts';

/** Who writes, and how far: one row per node, city and enterprise. */
export const writers = sqliteTable(
  'writers',
  {
    /** Short name of the writer in commits and cursors. */
    number: integer().primaryKey(),
    /** Name of the edge node. */
    node: text().notNull(),
    /** Division code of the city. */
    city: integer().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Of the last commit; 0 before the first. */
    sequence: integer().notNull(),
    /** Chain head after the last commit, 32 octets; zeros before the first. */
    head: bytes().notNull(),
  },
  (table) => [unique('writers_key').on(table.city, table.enterprise, table.node)],
);

/** What became durable at once. Rows are never changed or deleted. */
export const commits = sqliteTable(
  'commits',
  {
    /** Position of its first record. Positions count all records of the store, so the next commit starts at first + rows. */
    first: integer().primaryKey(),
    /** Records it stored: they have the positions first .. first + rows - 1. */
    rows: integer().notNull(),
    /** Number in `writers`. */
    writer: integer().notNull(),
    /** Gapless per writer, from 1. */
    sequence: integer().notNull(),
    /** Days from 1970-01-01 UTC to `committed_ms`. */
    day: integer().notNull(),
    /** Milliseconds since 1970. */
    committedMs: integer('committed_ms').notNull(),
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
  },
  (table) => [
    unique('commits_sequence').on(table.writer, table.sequence),
    index('commits_day').on(table.day, table.writer, table.rows, table.flagged),
  ],
);

/** Epoch headers. */
export const epochs = sqliteTable('epochs', {
  /** 16 octets. */
  id: bytes().primaryKey(),
  /** wire/epoch.ts, with all wraps and the edge's signature. */
  header: bytes().notNull(),
});

/** That a record is there, and which: the idempotency key, kept for the long term. */
export const receipts = sqliteTable(
  'receipts',
  {
    /** Division code of the city. */
    city: integer().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Record id, a UUIDv7: 16 octets. */
    id: bytes().notNull(),
    /** Keyed digest of the record's content, 16 octets: tells the same record from another under the same id. */
    contentTag: bytes('content_tag').notNull(),
    /** Version of the index key under which the tag was made. */
    indexVersion: integer('index_version').notNull(),
    /** Warning bits (wire/codes.ts). */
    warnings: integer().notNull(),
    /** Date number of the rules that judged it. */
    ruleset: integer().notNull(),
    /** Position in the store: leads to the commit and the batch. */
    position: integer().notNull(),
    /** When the payload was deleted by law; NULL while it is there. */
    erasedMs: integer('erased_ms'),
    /** Why it would have been refused, had the city not been in trial (wire/codes.ts); 0 for most. */
    trialCode: integer('trial_code').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.city, table.enterprise, table.id] })],
);

/**
 * The ciphertext, kept for the retention term: batches as the module packed them. One large value is written several times
 * faster than its records one by one; records.ts says how SQL finds a record in it.
 */
export const batches = sqliteTable('batches', {
  /** Position of its first record; the others follow. */
  first: integer().primaryKey(),
  /** Position of the first record of its commit. NULL is refused, which guards appends (append.ts). */
  commitFirst: integer('commit_first').notNull(),
  /** Records in it. */
  rows: integer().notNull(),
  /** Date number of the rules that judged them. */
  ruleset: integer().notNull(),
  /** wire/batch.ts. Of a record that is erased, both parcels and the digits of their lengths are zeros. */
  data: bytes().notNull(),
});

/** Keyed indexes of parcels, filled behind the commits: four rows a parcel. */
export const keyedIndex = sqliteTable(
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
  (table) => [primaryKey({ columns: [table.day, table.idx, table.enterprise, table.id] })],
);

/** How far `keyed_index` is filled: one row, or none before the first filling. */
export const indexMark = sqliteTable('index_mark', {
  /** Always 1. */
  id: integer().primaryKey(),
  /** First position whose parcel is not in `keyed_index` yet; from there on lookups scan the parcels. */
  position: integer().notNull(),
});

/** Enterprises, regulators, and who may erase. */
export const parties = sqliteTable('parties', {
  /** 16 octets. */
  id: bytes().primaryKey(),
  /** 'enterprise', 'regulator' or 'erasure'. */
  kind: text().$type<PartyKind>().notNull(),
  /** Name for people. */
  name: text().notNull(),
  /** 0 when it may no longer sign. */
  active: integer({ mode: 'boolean' }).notNull(),
});

/** Keys that parties sign requests with. */
export const partyKeys = sqliteTable('party_keys', {
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
  /** 0 when it is withdrawn. */
  active: integer({ mode: 'boolean' }).notNull(),
});

/** Signed recipient lists (wire/recipients.ts); the highest version counts, older ones stay for audit. */
export const recipientLists = sqliteTable('recipient_lists', {
  /** As in the list. */
  version: integer().primaryKey(),
  /** The list with its signature. */
  signed: bytes().notNull(),
});

/** Signed city policies (wire/policy.ts); of each city the highest version counts, older ones stay for audit. */
export const cityPolicies = sqliteTable(
  'city_policies',
  {
    /** Division code of the city. */
    city: integer().notNull(),
    /** As in the policy. */
    version: integer().notNull(),
    /** The policy with its signature. */
    signed: bytes().notNull(),
  },
  (table) => [primaryKey({ columns: [table.city, table.version] })],
);

/** Certificates of enterprises' keys for the masked view (wire/recipients.ts). */
export const certificates = sqliteTable(
  'certificates',
  {
    /** Division code of the city. */
    city: integer().notNull(),
    /** 16 octets. */
    enterprise: bytes().notNull(),
    /** Certificate with its signature. */
    certificate: bytes().notNull(),
  },
  (table) => [primaryKey({ columns: [table.city, table.enterprise] })],
);

/** One-time nonces of signed requests that are not sealed: each is taken once. */
export const nonces = sqliteTable(
  'nonces',
  {
    /** Key id of the signer, 32 octets. */
    keyid: bytes().notNull(),
    /** As signed. */
    nonce: text().notNull(),
    /** Milliseconds since 1970; may be forgotten afterwards, for the signature has expired. */
    expiresMs: integer('expires_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.keyid, table.nonce] }),
    index('nonces_expiry').on(table.expiresMs),
  ],
);
