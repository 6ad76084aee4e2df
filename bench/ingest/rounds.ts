/** The comparison: the same records, part by part, sealed and in clear, each way in every round. */
import { join } from 'node:path';
import { progress } from '../shared/report.ts';
import { indexed } from './index-watch.ts';
import type { Way } from './sender.ts';
import { Sender } from './sender-process.ts';
import { startPlain, startSealed } from './services.ts';

const WAYS: readonly Way[] = ['sealed', 'plain', 'best'];

export interface RoundsResult {
  /** Records a second, until all are acknowledged, by way and round. */
  recordsPerSecond: Record<Way, number[]>;
  /** Of the sealed way, until the last entry of the index table is there. */
  sealedIndexedSeconds: number[];
  /** Of encoding all records before they are sent. */
  encodeSeconds: Record<Way, number>;
  peakRssMb: Record<'sealed' | 'plain', number>;
}

export interface RoundsPlan {
  /** Records of one round; a quarter as many warm every way up. */
  records: number;
  rounds: number;
  /** Wait until the index table is filled before another way is timed. */
  settle: boolean;
}

export async function compareWays(
  dir: string,
  { records, rounds, settle }: RoundsPlan,
): Promise<RoundsResult> {
  const sealed = await startSealed(join(dir, 'compared'));
  const plain = await startPlain(join(dir, 'plain'));
  const senders = new Map<Way, Sender>();
  const result: RoundsResult = {
    recordsPerSecond: { sealed: [], plain: [], best: [] },
    sealedIndexedSeconds: [],
    encodeSeconds: { sealed: 0, plain: 0, best: 0 },
    peakRssMb: { sealed: 0, plain: 0 },
  };
  try {
    const warmUp = Math.ceil(records / 4);
    const parcels = warmUp + rounds * records;
    for (const way of WAYS) {
      const url = way === 'sealed' ? sealed.service.url : plain.url;
      const sender = await Sender.start({ way, url, parcels, seed: 'compare', dir: sealed.dir });
      senders.set(way, sender);
      result.encodeSeconds[way] = sender.encodeSeconds;
      await sender.send(0, warmUp);
    }
    if (settle) await indexed(sealed.dataDir, performance.now());
    for (let round = 0; round < rounds; round++) {
      const from = warmUp + round * records;
      for (let i = 0; i < WAYS.length; i++) {
        const way = WAYS[(round + i) % WAYS.length] as Way;
        const started = performance.now();
        const sent = await senders.get(way)?.send(from, from + records);
        if (sent === undefined) continue;
        result.recordsPerSecond[way].push(sent.recordsPerSecond);
        progress(`round ${round + 1}, ${way}: ${Math.round(sent.recordsPerSecond)} records/s`);
        if (settle && way === 'sealed') {
          result.sealedIndexedSeconds.push(await indexed(sealed.dataDir, started));
        }
      }
    }
    result.peakRssMb = {
      sealed: sealed.service.peakRssMb(),
      plain: plain.process.peakRssMb(),
    };
    return result;
  } finally {
    for (const sender of senders.values()) sender.stop();
    await Promise.all([sealed.service.stop(), plain.process.stop()]);
  }
}
