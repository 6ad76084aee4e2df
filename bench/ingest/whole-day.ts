/** A whole day into an empty store, and single submissions after it. */
import type { Workspace } from '../../client/workspace.ts';
import { BenchError, progress } from '../shared/report.ts';
import { dayLines } from './day.ts';
import { indexed } from './index-watch.ts';
import { closedLoop, type LoadResult, openLoop } from './load.ts';
import { Sender } from './sender-process.ts';
import { startSealed } from './services.ts';
import { prepareSingles, type Single } from './singles.ts';

export interface SinglesPlan {
  /** Submissions sent as fast as they are answered: of all companies, of one; and at a rate. */
  closed: number;
  one: number;
  open: number;
  perSecond: number;
}

export interface DayResult {
  /** From the first octet sent to the last acknowledgement opened. */
  seconds: number;
  recordsPerSecond: number;
  /** From the first octet sent to the last entry of the index table. */
  indexedSeconds: number;
  encodeSeconds: number;
  /** Of all companies as they come, of one company, and at a rate. */
  singles: { closed: Load; one: Load; open: Load; prepareSeconds: number };
  /** Of workerd, after the day and after the single submissions. */
  peakRssMb: { day: number; singles: number };
}

type Load = Omit<LoadResult, 'answers'>;

/** Connections of the closed loop. */
export const CONNECTIONS = 32;

/** Submissions that are sent first and not counted. */
const WARM_UP = 200;

export async function runDay(dir: string, records: number, plan: SinglesPlan): Promise<DayResult> {
  const { workspace, service, dataDir } = await startSealed(dir);
  try {
    const { url } = service;
    const sender = await Sender.start({ way: 'sealed', url, parcels: records, seed: 'day', dir });
    const started = performance.now();
    const sent = await sender.send(0, records).finally(() => sender.stop());
    progress(`day: ${sent.seconds.toFixed(2)} s to the last acknowledgement`);
    const indexedSeconds = await indexed(dataDir, started);
    const dayPeak = service.peakRssMb();
    const singles = await runSingles(workspace, url, plan);
    return {
      ...{ seconds: sent.seconds, recordsPerSecond: sent.recordsPerSecond, indexedSeconds },
      encodeSeconds: sender.encodeSeconds,
      singles,
      peakRssMb: { day: dayPeak, singles: service.peakRssMb() },
    };
  } finally {
    await service.stop();
  }
}

/** The largest company, for submissions that all go to one writer. */
const ONE_COMPANY = 'sf';

/** Seconds after which a closed loop ends, however slow the service is. */
const CLOSED_SECONDS = 10;

async function runSingles(workspace: Workspace, url: string, plan: SinglesPlan) {
  const warmUp = Math.min(WARM_UP, plan.closed);
  const counts = [warmUp, plan.closed, plan.one, plan.open];
  const all = counts.reduce((sum, count) => sum + count, 0);
  progress(`making ${all} single submissions`);
  const lines = [...dayLines(all, 'singles')];
  const started = performance.now();
  const [first = [], mixed = [], one = [], open = []] = await Promise.all(
    counts.map((count, i) => {
      const part = lines.splice(0, count);
      if (i === 2) for (const line of part) line.enterprise = ONE_COMPANY;
      return prepareSingles(workspace, url, part);
    }),
  );
  const prepareSeconds = (performance.now() - started) / 1000;
  await settled(first, await closedLoop(url, first, CONNECTIONS));
  const closedResult = await closedLoop(url, mixed, CONNECTIONS, CLOSED_SECONDS);
  const oneResult = await closedLoop(url, one, CONNECTIONS, CLOSED_SECONDS);
  const openResult = await openLoop(url, open, plan.perSecond);
  await settled(mixed, closedResult);
  await settled(one, oneResult);
  await settled(open, openResult);
  progress(`single submissions: ${Math.round(closedResult.perSecond)}/s`);
  return {
    closed: withoutAnswers(closedResult),
    one: withoutAnswers(oneResult),
    open: withoutAnswers(openResult),
    prepareSeconds,
  };
}

/** @throws BenchError unless the SDK opens every answer and finds the record stored */
async function settled(singles: readonly Single[], { answers }: LoadResult): Promise<void> {
  for (const [index, answer] of answers.entries()) {
    const outcome = await singles[index]
      ?.settle(answer)
      .catch(() => 'an answer that does not open');
    if (outcome === 'STORED') continue;
    const text =
      answer.status === 200 ? '' : `: ${Buffer.from(answer.body).toString().slice(0, 200)}`;
    throw new BenchError(`a single submission came to ${outcome}, status ${answer.status}${text}`);
  }
}

function withoutAnswers({ answers: _, ...load }: LoadResult): Load {
  return load;
}
