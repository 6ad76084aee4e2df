/** The worker of this benchmark as Node drives it (edge/worker.ts). */
import { BenchError } from '../shared/report.ts';
import { type BenchWorker, startWorker } from '../shared/workerd.ts';
import type { Epochs, Setup } from './pipeline.ts';
import type { WorkSet } from './sets.ts';
import { encodeWork, type Work } from './work.ts';

/** Empty requests whose median is what a request costs. */
const EMPTY_REQUESTS = 40;

export class Edge {
  readonly #worker: BenchWorker;
  #emptyNs = 0;

  private constructor(worker: BenchWorker) {
    this.#worker = worker;
  }

  static async start(dir: string): Promise<Edge> {
    return new Edge(await startWorker('bench/wasm/edge/worker.ts', 'edge', dir));
  }

  /** Hands a set of work over. @param perCall records a call, for records that were sealed one by one */
  async load(set: WorkSet, work: Work, setup: Setup, perCall?: number): Promise<void> {
    const text = Object.fromEntries(
      Object.entries(setup).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      ]),
    );
    const about = {
      set: set.name,
      perCall,
      head: Buffer.from(set.head).toString('hex'),
      setup: text,
    };
    await this.#fetch('/load', {
      method: 'POST',
      headers: { 'x-load': encodeURIComponent(JSON.stringify(about)) },
      body: encodeWork(work),
    });
  }

  /** Measures what an empty request takes, which every timing is lessened by. */
  async measureEmpty(): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < EMPTY_REQUESTS; i++) {
      const start = process.hrtime.bigint();
      await this.#fetch('/healthz');
      times.push(Number(process.hrtime.bigint() - start));
    }
    times.sort((a, b) => a - b);
    this.#emptyNs = times[EMPTY_REQUESTS >> 1] as number;
    return this.#emptyNs;
  }

  /** Nanoseconds that `passes` passes of a variant take. */
  async time(variant: string, passes: number): Promise<number> {
    const start = process.hrtime.bigint();
    await this.#fetch(`/run?passes=${passes}&variant=${encodeURIComponent(variant)}`);
    return Number(process.hrtime.bigint() - start) - this.#emptyNs;
  }

  /** What one pass of a variant that is not the pipeline makes, one behind the other. */
  async outcomes(variant: string): Promise<Uint8Array> {
    const response = await this.#fetch(`/outcomes?variant=${encodeURIComponent(variant)}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** The packed batches of one pass of the pipeline, and what they are sealed under. */
  async batches(set: WorkSet): Promise<{ batches: Uint8Array[]; epochs: Epochs }> {
    const variant = encodeURIComponent(`pipeline ${set.name}`);
    const response = await this.#fetch(`/outcomes?variant=${variant}`);
    const made = (await response.json()) as {
      batches: string[];
      epochs: Record<'full' | 'masked', Record<'id' | 'params' | 'commit' | 'wraps', string>>;
    };
    const octets = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
    const epoch = ({ id, params, commit, wraps }: (typeof made.epochs)['full']) => ({
      ...{ id: octets(id), params: octets(params) },
      ...{ commit: octets(commit), wraps: octets(wraps) },
    });
    return {
      batches: made.batches.map(octets),
      epochs: { full: epoch(made.epochs.full), masked: epoch(made.epochs.masked) },
    };
  }

  stop(): Promise<void> {
    return this.#worker.process.stop();
  }

  async #fetch(path: string, init?: RequestInit): Promise<Response> {
    const response = await fetch(this.#worker.url + path, init);
    if (!response.ok) throw new BenchError(`the worker answered ${response.status} to ${path}`);
    return response;
  }
}
