/**
 * The service with two more routes: records of random octets go through the writer's queue into the store, on days of the past, so that it
 * grows as fast as it can; and the index table is filled when told to, so that this can be timed.
 */
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import { makeRecord, Packer, uuidv7 } from '../../test/support/batch.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { CommitQueue } from '../../worker/src/commit-queue.ts';
import service from '../../worker/src/index.ts';

export * from '../../worker/src/index.ts';

interface Env {
  DB: D1Database;
  SEALPOST_CITY: string;
  SEALPOST_NODE: string;
}

/** Records of a batch, as a chunk of a stream has them, and batches that wait for a commit at a time. */
const BATCH_RECORDS = 57;
const IN_FLIGHT = 18;
/** Parcels moved into the index table at once, as the writer's alarm does. */
const FILL_RECORDS = 40_000;

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/bench/fill') {
      const [records, ms] = ['records', 'ms'].map((name) => Number(searchParams.get(name)));
      return Response.json({ stored: await fill(env, records ?? 0, ms ?? 0) });
    }
    if (pathname === '/bench/index') return Response.json({ rounds: await fillIndexes(env) });
    return (service as unknown as Required<ExportedHandler<Env>>).fetch(
      request as Parameters<Required<ExportedHandler<Env>>['fetch']>[0],
      env,
      context,
    );
  },
};

/** Appends random records as one enterprise of their own, by the writer's own queue with a clock that shows `ms`. */
async function fill(env: Env, records: number, ms: number): Promise<number> {
  const [node, city] = [env.SEALPOST_NODE, Number(env.SEALPOST_CITY)];
  const enterprise = new Uint8Array(16).fill(0xbe);
  const clock = {
    now: () => ms,
    sleep: (pause: number) => new Promise<void>((resolve) => setTimeout(resolve, pause)),
  };
  const queue = new CommitQueue(new D1ParcelStore(env.DB), clock);
  const key = { node, city, enterprise };
  const packer = new Packer(city, enterprise);
  let left = records;
  let stored = 0;
  const lane = async () => {
    while (left > 0) {
      const count = Math.min(BATCH_RECORDS, left);
      left -= count;
      const made = Array.from({ length: count }, () => makeRecord({ id: uuidv7(ms) }));
      const outcomes = await queue.append(key, packer.epochs, packer.pack(made).batch);
      for (const outcome of outcomes) if (outcome === OUTCOMES.STORED) stored++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return stored;
}

async function fillIndexes(env: Env): Promise<number> {
  const store = new D1ParcelStore(env.DB);
  let rounds = 0;
  while ((await store.fillIndexes(FILL_RECORDS, Date.now())) > 0) rounds++;
  return rounds;
}
