/** Requests at a service over kept connections: as fast as it answers (closed loop), or at a given rate (open loop). */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../shared/percentile.ts';

export interface Outgoing {
  path: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface LoadResult {
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  answers: Answer[];
}

/**
 * Sends all, at most `connections` at a time, each as soon as another is answered.
 * @param mostSeconds after these no further one is sent
 */
export async function closedLoop(
  url: string,
  all: readonly Outgoing[],
  connections: number,
  mostSeconds = Number.POSITIVE_INFINITY,
): Promise<LoadResult> {
  const { send, close } = connection(url, connections);
  const answers: Answer[] = [];
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  const lane = async () => {
    while (next < all.length) {
      const from = performance.now();
      if (from - started > mostSeconds * 1000) break;
      const index = next++;
      answers[index] = await send(all[index] as Outgoing);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const seconds = (performance.now() - started) / 1000;
  close();
  return result(seconds, latencies, answers);
}

/**
 * Sends all at `perSecond`, whether or not earlier ones have been answered. A latency counts from the moment in which a request was to
 * be sent, so that a service which holds up the sender does not look fast.
 */
export async function openLoop(
  url: string,
  all: readonly Outgoing[],
  perSecond: number,
): Promise<LoadResult> {
  const { send, close } = connection(url, Number.POSITIVE_INFINITY);
  const answers: Answer[] = [];
  const latencies: number[] = [];
  const under: Promise<void>[] = [];
  const started = performance.now();
  for (let index = 0; index < all.length; ) {
    const due = started + (index * 1000) / perSecond;
    const now = performance.now();
    if (now < due) {
      await delay(Math.min(1, due - now));
      continue;
    }
    const place = index++;
    under.push(
      send(all[place] as Outgoing).then((answer) => {
        answers[place] = answer;
        latencies.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(under);
  const seconds = (performance.now() - started) / 1000;
  close();
  return result(seconds, latencies, answers);
}

function connection(url: string, maxSockets: number) {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const { hostname, port } = new URL(url);
  const send = ({ path, headers, body }: Outgoing): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...{ agent, hostname, port, path, method: 'POST' },
          headers: { ...headers, 'content-length': body.length },
        },
        (incoming) => {
          const parts: Buffer[] = [];
          incoming.on('data', (part: Buffer) => parts.push(part));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const received = Object.entries(incoming.headers).map(([name, value]) => [
              name,
              String(value),
            ]);
            resolve({
              status: incoming.statusCode ?? 0,
              headers: Object.fromEntries(received) as Record<string, string>,
              body: Buffer.concat(parts),
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return { send, close: () => agent.destroy() };
}

function result(seconds: number, latencies: number[], answers: Answer[]): LoadResult {
  latencies.sort((a, b) => a - b);
  return {
    seconds,
    perSecond: answers.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    p999Ms: percentile(latencies, 0.999),
    maxMs: latencies.at(-1) ?? Number.NaN,
    answers,
  };
}
