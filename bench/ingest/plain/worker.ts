/**
 * The service that a team would write by hand, and the fastest that we know without protection: NDJSON in clear over HTTP into D1,
 * an answer a record when it is durable. No signatures, no encryption, no receipts, no chain.
 */
import { drizzle } from 'drizzle-orm/d1';
import { Hono } from 'hono';
import { lineGroups } from './lines.ts';
import { type PlainRecord, recordSchema } from './schema.ts';
import { BATCH_ROWS, BEST_INSERT, BEST_ROWS, DDL, registrations, STATEMENT_ROWS } from './table.ts';

const app = new Hono<{ Bindings: { DB: D1Database } }>();

app.get('/healthz', (c) => c.body(null, 204));

app.post('/setup', async (c) => {
  await c.env.DB.batch(DDL.map((statement) => c.env.DB.prepare(statement)));
  return c.body(null, 204);
});

app.get('/count', async (c) => {
  const sql = `SELECT (SELECT count(*) FROM registrations) AS plain, (SELECT count(*) FROM registrations_best) AS best`;
  return c.json(await c.env.DB.prepare(sql).first());
});

/** What a team would write: every record checked with zod, inserted through Drizzle in batches, one answer a record. */
app.post('/records/:enterprise', (c) => {
  const { body } = c.req.raw;
  if (body === null) return c.body(null, 400);
  const db = drizzle(c.env.DB);
  const enterprise = c.req.param('enterprise');
  return answers(body, BATCH_ROWS, async (lines) => {
    const results: object[] = [];
    const rows: Row[] = [];
    for (const line of lines) {
      const record = checked(line);
      if (record === undefined) results.push({ outcome: 'REFUSED' });
      else rows.push(rowOf(record, enterprise, line));
    }
    const statements = [];
    for (let at = 0; at < rows.length; at += STATEMENT_ROWS) {
      const part = rows.slice(at, at + STATEMENT_ROWS);
      statements.push(db.insert(registrations).values(part).onConflictDoNothing());
    }
    const [first, ...others] = statements;
    if (first) await db.batch([first, ...others]);
    results.push(...rows.map(({ id }) => ({ id, outcome: 'STORED' })));
    return results;
  });
});

/** The best plain way: nothing is parsed or checked outside of SQLite, one statement a batch, one answer a batch. */
app.post('/best/:enterprise', (c) => {
  const { body } = c.req.raw;
  if (body === null) return c.body(null, 400);
  const insert = c.env.DB.prepare(BEST_INSERT);
  const enterprise = c.req.param('enterprise');
  return answers(body, BEST_ROWS, async (lines) => {
    const { meta } = await insert.bind(`[${lines.join(',')}]`, enterprise).run();
    return [{ stored: meta.changes }];
  });
});

export default app;

type Row = typeof registrations.$inferInsert;

function checked(line: string): PlainRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function rowOf(record: PlainRecord, enterprise: string, line: string): Row {
  const { id, waybill, sender, agreement, recipient } = record;
  return {
    ...{ id, enterprise, waybill, record: line },
    document: sender?.docNumber ?? agreement?.uscc ?? '',
    senderPhone: sender?.phone ?? agreement?.phone ?? '',
    recipientPhone: recipient.phone,
    takenMs: Date.parse(record.takenAt),
  };
}

/** Answers as they come: a line for each object that `store` gives, while the body is still being read. */
function answers(
  body: ReadableStream<Uint8Array>,
  size: number,
  store: (lines: string[]) => Promise<object[]>,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const encoder = new TextEncoder();
  const run = async () => {
    const writer = writable.getWriter();
    try {
      for await (const lines of lineGroups(body, size)) {
        const results = await store(lines);
        const text = results.map((result) => `${JSON.stringify(result)}\n`).join('');
        await writer.write(encoder.encode(text));
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error);
    }
  };
  void run();
  return new Response(readable, { headers: { 'content-type': 'application/x-ndjson' } });
}
