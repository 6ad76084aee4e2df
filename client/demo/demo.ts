/**
 * The whole path on one machine: keys, service, a synthetic day, its upload, the regulator's pull; then a process of its own
 * compares everything that was opened with what was sent, and searches the service's folder for plaintext.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../cli/connect.ts';
import { download } from '../cli/download.ts';
import type { Bilingual } from '../cli/failure.ts';
import { OutputFile } from '../cli/files.ts';
import { writeDay, yesterday } from '../cli/generate.ts';
import { makeWorkspace } from '../cli/init.ts';
import { openLines } from '../cli/lines.ts';
import { type SendReport, sendLines } from '../cli/send.ts';
import { DEFAULT_STREAMS } from '../cli/stream.ts';
import type { Ui } from '../cli/ui.ts';
import { type Service, startService } from '../service/start.ts';
import { fileDigests } from './folder.ts';
import { type Verdict, verifyInProcess } from './verify-process.ts';

const CITY = 'guiyang';
/** Fraction of records that the edge must refuse. */
const BAD = 0.02;

export interface DemoOptions {
  parcels: number;
  seed: string;
  keep?: boolean;
  ui: Ui;
}

/** Seconds that each step took. */
export type Steps = Record<'init' | 'serve' | 'generate' | 'stream' | 'pull' | 'verify', number>;

export interface DemoReport extends Verdict {
  parcels: number;
  /** Companies that sent. */
  enterprises: number;
  stored: number;
  refused: number;
  seconds: number;
  /** Of the upload. */
  recordsPerSecond: number;
  /** Of the service, MiB; NaN (null in JSON) where the system does not tell. */
  peakRssMb: number;
  steps: Steps;
  /** Where everything is, when it was to be kept. */
  kept?: string;
}

/** Did everything come out as it must? */
export function passed(report: DemoReport): boolean {
  return (
    report.mismatches === 0 &&
    report.plaintextHits === 0 &&
    report.refusedAsExpected === report.refused &&
    report.stored + report.refused === report.parcels &&
    report.opened === report.stored
  );
}

/** @throws whatever a step throws; nothing is left running or lying about then */
export async function runDemo({ parcels, seed, keep, ui }: DemoOptions): Promise<DemoReport> {
  const started = performance.now();
  const base = mkdtempSync(join(tmpdir(), 'sealpost-demo-'));
  const tidy = () => {
    if (!keep) rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  };
  // Ctrl-C too must leave neither keys nor records behind; the service ends with this process by itself.
  process.once('exit', tidy);

  // What the service may touch, and what only companies and the regulator have.
  const dir = join(base, 'city');
  const desk = join(base, 'desk');
  mkdirSync(desk, { mode: 0o700 });
  const files = {
    input: join(desk, 'day.ndjson'),
    results: join(desk, 'results.ndjson'),
    opened: join(desk, 'opened.ndjson'),
  };
  const clock = new StepClock(ui);
  let service: Service | undefined;
  try {
    const workspace = await clock.step('init', ['生成密钥', 'making keys'], () =>
      makeWorkspace(dir, CITY),
    );
    const running = await clock.step(
      'serve',
      ['构建并启动服务', 'building and starting the service'],
      () => startService({ dir }),
    );
    service = running;
    // The program and the keys: files that were there before there was any record cannot hold one.
    const before = await fileDigests(dir);

    const progress = <T>(
      label: Bilingual,
      work: (update: (done: number) => void) => Promise<T>,
    ) => {
      const bar = ui.progress(label, parcels);
      return work((done) => bar.update(done)).finally(() => bar.stop());
    };
    await clock.step('generate', ['生成一天的数据', 'making up a day'], () =>
      progress(['生成', 'generate'], (update) =>
        writeDay(
          { city: CITY, parcels, seed, bad: BAD, day: yesterday(), out: files.input },
          update,
        ),
      ),
    );
    const edge = connect(workspace, running.url);
    const { sent, enterprises } = await clock.step(
      'stream',
      ['企业密封上报', 'companies seal and send'],
      () => progress(['上报', 'stream'], (update) => sendAll(files, workspace, edge, update)),
    );
    const pulled = await clock.step('pull', ['监管下载解封', 'the regulator pulls and opens'], () =>
      progress(['解封', 'pull'], (onProgress) =>
        download({ edge, workspace, out: files.opened, format: 'ndjson', onProgress }),
      ),
    );
    // Stopped first, so that the whole store is on disk when it is searched.
    await running.stop();
    const verdict = await clock.step(
      'verify',
      ['逐条核对，搜索明文', 'comparing, searching for plaintext'],
      () => verifyInProcess({ dir, ...files, before }),
    );
    return {
      parcels,
      enterprises,
      stored: sent.stored,
      refused: sent.refused,
      ...verdict,
      mismatches: verdict.mismatches + pulled.failures.length + sent.notSent + sent.conflict,
      seconds: seconds(started),
      recordsPerSecond: Math.round(parcels / clock.steps.stream),
      peakRssMb: running.peakRssMb(),
      steps: clock.steps,
      ...(keep ? { kept: base } : {}),
    };
  } finally {
    await service?.stop();
    tidy();
    process.off('exit', tidy);
  }
}

async function sendAll(
  files: { input: string; results: string },
  workspace: Awaited<ReturnType<typeof makeWorkspace>>,
  edge: ReturnType<typeof connect>,
  onProgress: (done: number) => void,
): Promise<{ sent: SendReport; enterprises: number }> {
  const lines = await openLines(files.input);
  const results = new OutputFile(files.results);
  try {
    const sent = await sendLines(lines, {
      edge,
      identity: (slug) => workspace.enterprise(slug).identity,
      streams: DEFAULT_STREAMS,
      onResults: (batch) =>
        results.write(batch.map((each) => `${JSON.stringify(each)}\n`).join('')),
      onProgress,
    });
    await results.finish();
    return { sent, enterprises: lines.enterprises.length };
  } catch (error) {
    await results.discard();
    throw error;
  } finally {
    await lines.close();
  }
}

class StepClock {
  readonly steps: Steps = { init: 0, serve: 0, generate: 0, stream: 0, pull: 0, verify: 0 };
  readonly #ui: Ui;

  constructor(ui: Ui) {
    this.#ui = ui;
  }

  async step<T>(name: keyof Steps, label: Bilingual, work: () => Promise<T>): Promise<T> {
    const names = Object.keys(this.steps);
    this.#ui.note([`[${names.indexOf(name) + 1}/${names.length}] ${label[0]}`, label[1]]);
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.steps[name] = seconds(started);
    }
  }
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 10) / 100;
}
