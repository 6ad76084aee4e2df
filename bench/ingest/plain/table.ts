/** The one table of the plain service, with the columns that an inspector looks for indexed; and the same without indexes. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const registrations = sqliteTable(
  'registrations',
  {
    id: text().primaryKey(),
    enterprise: text().notNull(),
    waybill: text().notNull(),
    document: text().notNull(),
    senderPhone: text('sender_phone').notNull(),
    recipientPhone: text('recipient_phone').notNull(),
    takenMs: integer('taken_ms').notNull(),
    record: text().notNull(),
  },
  (table) => [
    index('by_waybill').on(table.waybill),
    index('by_document').on(table.document),
    index('by_sender_phone').on(table.senderPhone),
    index('by_recipient_phone').on(table.recipientPhone),
  ],
);

/** Bound parameters that D1 takes in one statement. */
const MAX_PARAMETERS = 100;
const COLUMNS = 8;
/** Rows of one INSERT. */
export const STATEMENT_ROWS = Math.floor(MAX_PARAMETERS / COLUMNS);
/** Rows of one batch, which is one transaction: 40 statements. */
export const BATCH_ROWS = 40 * STATEMENT_ROWS;

const columns = `id TEXT PRIMARY KEY NOT NULL, enterprise TEXT NOT NULL, waybill TEXT NOT NULL, document TEXT NOT NULL,
  sender_phone TEXT NOT NULL, recipient_phone TEXT NOT NULL, taken_ms INTEGER NOT NULL, record TEXT NOT NULL`;

/** Makes both tables. */
export const DDL = [
  `CREATE TABLE registrations (${columns})`,
  'CREATE INDEX by_waybill ON registrations (waybill)',
  'CREATE INDEX by_document ON registrations (document)',
  'CREATE INDEX by_sender_phone ON registrations (sender_phone)',
  'CREATE INDEX by_recipient_phone ON registrations (recipient_phone)',
  `CREATE TABLE registrations_best (${columns})`,
];

/** Rows of the one statement of the best plain way: as fast as more, with less memory. */
export const BEST_ROWS = 500;

/** The whole batch as one JSON array of the lines as they came; SQLite takes the columns out. */
export const BEST_INSERT = `INSERT INTO registrations_best
    (id, enterprise, waybill, document, sender_phone, recipient_phone, taken_ms, record)
  SELECT value ->> '$.id', ?2, value ->> '$.waybill',
    coalesce(value ->> '$.sender.docNumber', value ->> '$.agreement.uscc'),
    coalesce(value ->> '$.sender.phone', value ->> '$.agreement.phone'),
    value ->> '$.recipient.phone', unixepoch(value ->> '$.takenAt') * 1000, value
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`;
