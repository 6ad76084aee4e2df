/** Sends the records of a file as streams, one enterprise a stream, some at a time. */
import type { EdgeClient } from '../edge.ts';
import type { Identity } from '../signing.ts';
import { type ItemResult, type StreamCounts, type StreamItem, streamRecords } from '../stream.ts';
import type { LineFile, RecordLine } from './lines.ts';

/** What became of one line. */
export interface LineResult extends Omit<ItemResult<number>, 'key' | 'outcome'> {
  line: number;
  enterprise: string;
  /** NOT_SENT: the line's record cannot be encoded. */
  outcome: ItemResult['outcome'] | 'NOT_SENT';
}

export interface SendOptions {
  edge: EdgeClient;
  identity(slug: string): Identity;
  /** Streams at a time. */
  streams: number;
  /** Nothing is stored. */
  dryRun?: boolean;
  onResults?(results: LineResult[]): void | Promise<void>;
  /** Tell `onResults` only of those refused, in conflict, flagged or not sent. */
  faultsOnly?: boolean;
  /** Lines that have a result. */
  onProgress?(done: number): void;
}

export interface SendReport extends StreamCounts {
  notSent: number;
  /** Taken only because the city is in trial. */
  flagged: number;
  /** Requests that were made: more than enterprises when streams were long or broke off. */
  attempts: number;
}

/**
 * Sends every line of the file. The first stream that has to be given up ends them all.
 * @throws StreamIncomplete with what was settled; sending the file again settles the rest
 * @throws EdgeError, TrustError
 */
export async function sendLines(lines: LineFile, options: SendOptions): Promise<SendReport> {
  const report: SendReport = {
    ...{ stored: 0, duplicate: 0, conflict: 0, refused: 0, checked: 0 },
    ...{ flagged: 0, notSent: 0, attempts: 0 },
  };
  const giveUp = new AbortController();
  const waiting = [...lines.enterprises];
  let failure: { error: unknown } | undefined;
  let done = 0;
  const settle = (records: number) => {
    done += records;
    options.onProgress?.(done);
  };
  const worker = async () => {
    for (let next = waiting.shift(); next && !failure; next = waiting.shift()) {
      try {
        await sendEnterprise(lines, next.slug, options, giveUp.signal, report, settle);
      } catch (error) {
        failure ??= { error };
        giveUp.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.streams }, worker));
  if (failure) throw failure.error;
  return report;
}

/** Lines encoded at once: a few milliseconds, in which results can't be read. */
const BLOCK_LINES = 64;

async function sendEnterprise(
  lines: LineFile,
  slug: string,
  { edge, identity, dryRun, faultsOnly, onResults }: SendOptions,
  signal: AbortSignal,
  report: SendReport,
  settle: (records: number) => void,
): Promise<void> {
  let resolved = 0;
  const { counts, flagged, attempts } = await streamRecords(edge, identity(slug), blocks(), {
    collect: false,
    signal,
    ...(dryRun && { dryRun }),
    ...(faultsOnly && { tell: 'faults' }),
    onResults: (results) =>
      onResults?.(
        results.map(({ key, ...result }) => ({ line: key, enterprise: slug, ...result })),
      ),
    onProgress: (progress) => {
      settle(progress.resolved - resolved);
      resolved = progress.resolved;
    },
  });
  report.attempts += attempts;
  report.flagged += flagged;
  for (const outcome of ['stored', 'duplicate', 'conflict', 'refused', 'checked'] as const) {
    report[outcome] += counts[outcome];
  }

  async function* blocks(): AsyncGenerator<StreamItem<number>[]> {
    for await (const block of blocksOf(lines.read(slug))) {
      const items: StreamItem<number>[] = [];
      const unsent: LineResult[] = [];
      for (const { line, cbor, alone, field } of block) {
        if (cbor) {
          items.push({ cbor, alone, key: line });
          continue;
        }
        const nothing = { id: '', warnings: [], ruleset: 0, ...(field && { field }) };
        unsent.push({ line, enterprise: slug, outcome: 'NOT_SENT', ...nothing });
      }
      if (unsent.length > 0) {
        report.notSent += unsent.length;
        await onResults?.(unsent);
        settle(unsent.length);
      }
      yield items;
    }
  }
}

/** Lines in blocks, where they are at hand without waiting. */
async function* blocksOf(
  lines: Iterable<RecordLine> | AsyncIterable<RecordLine>,
): AsyncGenerator<RecordLine[]> {
  if (Symbol.asyncIterator in lines) {
    for await (const line of lines) yield [line];
    return;
  }
  let block: RecordLine[] = [];
  for (const line of lines) {
    block.push(line);
    if (block.length < BLOCK_LINES) continue;
    yield block;
    block = [];
  }
  yield block;
}
