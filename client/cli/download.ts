/** A pull into a file: opened as it comes, kept only when it is proven to be complete. */

import { uuidText } from '../../wire/record.ts';
import { Corrections } from '../corrections.ts';
import type { EdgeClient } from '../edge.ts';
import { type OpenCode, OpenError } from '../errors.ts';
import { fileDigest } from '../export.ts';
import type { Opened, SealedParcel } from '../open.ts';
import { csvHeader, csvLines, ndjsonLine } from '../output.ts';
import { newPullState, type PulledRow, type PullState, pull } from '../pull.ts';
import type { Workspace } from '../workspace.ts';
import { OutputFile } from './files.ts';
import { marked } from './mark.ts';

export type Format = 'ndjson' | 'csv';

export interface DownloadOptions {
  edge: EdgeClient;
  workspace: Workspace;
  out: string;
  format: Format;
  /** From the first parcel on, not from where the last pull ended. */
  all?: boolean;
  /** Records that another one replaces are left out. */
  current?: boolean;
  onProgress?(parcels: number): void;
}

export interface DownloadReport {
  parcels: number;
  opened: number;
  /** Of them, those that another record stands for: marked, or left out when only current ones are wanted. */
  replaced: number;
  /** Parcels that do not open, and epochs that were not accepted (without an id). */
  failures: { id?: string; code: OpenCode }[];
  erased: number;
  epochs: number;
  pages: number;
  /** When the recipient list ends, ms since 1970. */
  listEndsMs: number;
}

/** Parcels opened and records formatted at a time. */
const BATCH = 256;

/**
 * Pulls, opens and writes. The file gets its name, and the place where the pull ended is remembered, only when the whole pull
 * is proven to be complete.
 * @throws IncompletePull, EdgeError, TrustError, WorkspaceError, CliFailure `exists`
 */
export async function download(options: DownloadOptions): Promise<DownloadReport> {
  const { edge, workspace, out, format } = options;
  const desk = workspace.regulator();
  const opener = workspace.opener(desk.recipientKeys, edge.lists);
  const file = new OutputFile(out);
  const writer = recordWriter(file, format, workspace);
  const failures: DownloadReport['failures'] = [];
  // From the first parcel on, the corrections come again too: those that were erased since no longer count.
  const corrections = options.all ? new Corrections() : workspace.corrections();
  let waiting: (SealedParcel & { row: PulledRow })[] = [];
  let opened = 0;
  let replaced = 0;
  const openWaiting = () => {
    const results = opener.openAll(waiting);
    const records: Opened[] = [];
    for (const [i, result] of results.entries()) {
      if (result instanceof OpenError) {
        failures.push({
          id: uuidText((waiting[i] as { row: PulledRow }).row.id),
          code: result.code,
        });
      } else {
        records.push(result);
        corrections.note(result);
      }
    }
    waiting = [];
    opened += records.length;
    return writer.write(records);
  };
  try {
    const { list } = await edge.recipients();
    await writer.start();
    const report = await pull(edge, desk.identity, {
      view: 'full',
      state: startState(workspace, options.all === true),
      onEpoch(header) {
        attempt(
          () => void opener.addEpoch(header),
          (code) => {
            // Nobody's fault: another reader's epoch. A parcel of ours that needed it would not open, and be told.
            if (code !== 'epoch_not_for_us') failures.push({ code });
          },
        );
      },
      onParcel(bytes, row) {
        waiting.push({ bytes, row });
        if (waiting.length >= BATCH) return openWaiting();
      },
      onProgress: ({ parcels }) => options.onProgress?.(parcels),
    });
    await openWaiting();
    if (corrections.size > 0) {
      const current = options.current === true;
      const onReplaced = () => replaced++;
      await file.revise((path) => marked(path, { format, corrections, current, onReplaced }));
    }
    await file.finish();
    if (corrections.size > 0 || options.all) workspace.keepCorrections(corrections);
    workspace.keepLists(edge.lists);
    workspace.keepPullState(report.state);
    const { parcels, erased, epochs, pages, ends } = report;
    const { version: listVersion, notAfter: listEndsMs } = list;
    workspace.keepPullProof(await fileDigest(out), {
      ...{ format, pulledAt: new Date().toISOString(), city: workspace.city, listVersion },
      records: options.current ? opened - replaced : opened,
      ...{ refused: failures.map(({ code }) => code), erased, ends },
    });
    return { parcels, opened, replaced, failures, erased, epochs, pages, listEndsMs };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * Where to begin. From the first parcel on, every commit that was reached before is still a promise: a store that has lost
 * some of them does not pass.
 */
function startState(workspace: Workspace, all: boolean): PullState {
  const known = workspace.pullState();
  if (!known) return newPullState(workspace.city, 'full');
  if (!all) return known;
  return {
    ...known,
    writers: known.writers.map(({ writer, sequence, head, promised }) => ({
      ...{ writer, sequence: 0, head: GENESIS },
      promised: sequence > 0 ? [{ sequence, head }, ...promised] : promised,
    })),
  };
}

const GENESIS = '00'.repeat(32);

function recordWriter(file: OutputFile, format: Format, workspace: Workspace) {
  const names = workspace.enterpriseNames();
  const named = { enterpriseName: (id: string) => names.get(id) };
  return {
    // Spreadsheets take a CSV without the mark for one in the system's own encoding.
    start: () => (format === 'csv' ? file.write(csvHeader({ bom: true })) : undefined),
    write(records: readonly Opened[]): void | Promise<void> {
      const text =
        format === 'csv'
          ? csvLines(records, named)
          : records.map((opened) => ndjsonLine(opened, named)).join('');
      if (text !== '') return file.write(text);
    },
  };
}

function attempt(open: () => void, refused: (code: OpenCode) => void): void {
  try {
    open();
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    refused(error.code);
  }
}
