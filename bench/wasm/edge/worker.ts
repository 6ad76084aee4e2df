/** The work inside workerd: passes on request, so that they can be timed from outside. */

import bench from '../../../wasm/build/bench.wasm';
import sealpost from '../../../wasm/build/sealpost.wasm';
import { chunkPipeline, messagePipeline, type Pipeline, type Setup } from '../pipeline.ts';
import { nobleVariant } from '../variants/noble.ts';
import { webCryptoVariant } from '../variants/webcrypto.ts';
import { decodeWork, type Outcome, outcomeBytes } from '../work.ts';

/** What the driver sends: the parts of a Setup in hexadecimal, and the work. */
interface Load {
  set: string;
  /** Records a call, for records that were sealed one by one. */
  perCall?: number;
  head: string;
  setup: { city: number; now: number } & Record<string, string | number>;
}

type Pass = (sink?: (index: number, outcome: Outcome) => void) => void | Promise<void>;

const passes = new Map<string, Pass>();
const pipelines = new Map<string, Pipeline>();

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const variant = url.searchParams.get('variant') ?? '';
    switch (url.pathname) {
      case '/healthz':
        return new Response(null, { status: 204 });
      case '/load':
        return load(request);
      case '/run': {
        const count = Number(url.searchParams.get('passes'));
        const pipeline = pipelines.get(variant);
        const pass = passes.get(variant);
        for (let i = 0; i < count; i++) {
          if (pipeline) pipeline.pass();
          else await pass?.();
        }
        return new Response(null, { status: pipeline || pass ? 204 : 404 });
      }
      case '/outcomes':
        return outcomes(variant);
      default:
        return new Response(null, { status: 404 });
    }
  },
};

async function load(request: Request): Promise<Response> {
  const about = JSON.parse(decodeURIComponent(request.headers.get('x-load') ?? '')) as Load;
  const work = decodeWork(new Uint8Array(await request.arrayBuffer()));
  const text = (name: string) => fromHex(String(about.setup[name]));
  const setup: Setup = {
    ...{ city: about.setup.city, now: about.setup.now },
    ...{ enterprise: text('enterprise'), edgeKey: text('edgeKey'), indexKey: text('indexKey') },
    ...{ regulator: text('regulator'), enterpriseKey: text('enterpriseKey') },
  };
  pipelines.set(
    `pipeline ${about.set}`,
    about.perCall === undefined
      ? chunkPipeline(sealpost, setup, fromHex(about.head), work.units)
      : messagePipeline(bench, setup, work.key, work.units, about.perCall),
  );
  passes.set(`noble ${about.set}`, nobleVariant(work));
  passes.set(`webcrypto ${about.set}`, await webCryptoVariant(work));
  return new Response(null, { status: 204 });
}

/** A pipeline's batches and epochs as JSON, or the outcomes of another variant, one behind the other. */
async function outcomes(variant: string): Promise<Response> {
  const pipeline = pipelines.get(variant);
  if (pipeline) {
    const batches: string[] = [];
    pipeline.pass((batch) => batches.push(hex(batch)));
    const { full, masked } = pipeline.epochs();
    const epoch = ({ id, params, commit, wraps }: typeof full) => ({
      ...{ id: hex(id), params: hex(params), commit: hex(commit), wraps: hex(wraps) },
    });
    return Response.json({ batches, epochs: { full: epoch(full), masked: epoch(masked) } });
  }
  const made: Uint8Array[] = [];
  await passes.get(variant)?.((index, outcome) => {
    made[index] = outcomeBytes(outcome);
  });
  return new Response(new Blob(made as Uint8Array<ArrayBuffer>[]));
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
