/**
 * The sending side in a process of its own, so that it shares nothing with the driver. It prepares records (encoded, not sealed), says that
 * it is ready, and on request sends a part of them: sealed by the SDK, or as NDJSON in clear.
 */
import { Readable } from 'node:stream';
import { connect } from '../../client/cli/connect.ts';
import { DEFAULT_STREAMS } from '../../client/cli/stream.ts';
import { readBody } from '../../client/edge.ts';
import { streamRecords } from '../../client/index.ts';
import { openWorkspace } from '../../client/workspace.ts';
import { encodeRecord } from '../../wire/record.ts';
import { byEnterprise, dayLines } from './day.ts';

/** How the records are sent. */
export type Way = 'sealed' | 'plain' | 'best';

export interface Prepare {
  way: Way;
  url: string;
  parcels: number;
  seed: string;
  /** Only so many companies send, the others' records among theirs. All unless given. */
  companies?: number;
  /** Of the sealed service. */
  dir?: string;
}

export type Request = { prepare: Prepare } | { send: { from: number; to: number } };

export type Reply =
  | { ready: true; encodeMs: number }
  | { sent: { ms: number; stored: number; others: number } }
  | { failed: string };

interface Line {
  enterprise: string;
  value: Uint8Array;
}

type Counts = { stored: number; others: number };
type Send = (enterprise: string, values: Uint8Array[]) => Promise<Counts>;

let lines: Line[] = [];
let send: Send;

process.once('disconnect', () => process.exit());
process.on('message', async (request: Request) => {
  try {
    process.send?.('prepare' in request ? prepare(request.prepare) : await sendPart(request.send));
  } catch (error) {
    process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : 'failed' });
  }
});

function prepare({ way, url, parcels, seed, companies, dir }: Prepare): Reply {
  const records = [...dayLines(parcels, seed)];
  const encoder = new TextEncoder();
  const started = performance.now();
  lines = records.map(({ enterprise, record }) => ({
    enterprise,
    value: way === 'sealed' ? encodeRecord(record) : encoder.encode(`${JSON.stringify(record)}\n`),
  }));
  const encodeMs = performance.now() - started;
  if (companies !== undefined) lines = merged(lines, companies);
  send = way === 'sealed' ? sealedSender(dir ?? '', url) : plainSender(`${url}/${PATHS[way]}`);
  return { ready: true, encodeMs };
}

/** The lines as if sent by `companies` of the companies in turn. */
function merged(all: readonly Line[], companies: number): Line[] {
  const names = [...new Set(all.map(({ enterprise }) => enterprise))].slice(0, companies);
  return all.map(({ value }, i) => ({ enterprise: names[i % names.length] ?? '', value }));
}

const PATHS = { plain: 'records', best: 'best' };

/** Sends the lines of [from, to), company by company, some streams at a time. */
async function sendPart({ from, to }: { from: number; to: number }): Promise<Reply> {
  const waiting = [...byEnterprise(lines.slice(from, to))];
  const sum: Counts = { stored: 0, others: 0 };
  const started = performance.now();
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { stored, others } = await send(...next);
      sum.stored += stored;
      sum.others += others;
    }
  };
  await Promise.all(Array.from({ length: DEFAULT_STREAMS }, worker));
  return { sent: { ms: performance.now() - started, ...sum } };
}

/** As `sealpost stream` sends: sealed in chunks, signed, every result opened. */
function sealedSender(dir: string, url: string): Send {
  const workspace = openWorkspace(dir);
  const edge = connect(workspace, url);
  return async (enterprise, values) => {
    const items = values.map((cbor, key) => ({ cbor, key }));
    const { identity } = workspace.enterprise(enterprise);
    const { counts } = await streamRecords(edge, identity, items, { collect: false });
    const { stored, ...others } = counts;
    return { stored, others: Object.values(others).reduce((sum, count) => sum + count, 0) };
  };
}

/** Lines handed over in pieces of about this many octets. */
const PIECE_BYTES = 65_536;

/** NDJSON out, NDJSON back: every answer is parsed. */
function plainSender(url: string): Send {
  return async (enterprise, values) => {
    const body = Readable.toWeb(Readable.from(pieces(values)));
    const response = await fetch(`${url}/${enterprise}`, {
      ...{ method: 'POST', body, duplex: 'half' },
    } as RequestInit);
    const counts: Counts = { stored: 0, others: 0 };
    const decoder = new TextDecoder();
    let rest = '';
    for await (const octets of readBody(response)) {
      const parts = (rest + decoder.decode(octets, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        const answer = JSON.parse(line) as { outcome?: string; stored?: number };
        if (answer.stored !== undefined) counts.stored += answer.stored;
        else if (answer.outcome === 'STORED') counts.stored++;
        else counts.others++;
      }
    }
    return counts;
  };
}

function* pieces(values: readonly Uint8Array[]): Generator<Uint8Array> {
  for (let at = 0; at < values.length; ) {
    let end = at;
    for (let length = 0; end < values.length && length < PIECE_BYTES; end++) {
      length += (values[end] as Uint8Array).length;
    }
    yield Buffer.concat(values.slice(at, end));
    at = end;
  }
}
