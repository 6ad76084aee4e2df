/** The shipped module at work, in Node and in workerd alike: chunks of a stream by the shipped host, single records by a host of its own. */
import { Session, type StartedEpoch } from '../../wasm/host/session.ts';
import type { Unit } from './work.ts';

/** Keys, parties and time of a run; plain values, so that a worker can be given them. */
export interface Setup {
  city: number;
  /** What the edge's clock shows, ms. */
  now: number;
  /** 16 octets. */
  enterprise: Uint8Array;
  /** 32 octets each. */
  edgeKey: Uint8Array;
  indexKey: Uint8Array;
  regulator: Uint8Array;
  /** Public key of the enterprise, for its masked view. */
  enterpriseKey: Uint8Array;
}

/** What the batches of a pass are sealed under. */
export interface Epochs {
  full: StartedEpoch;
  masked: StartedEpoch;
}

export interface Pipeline {
  /** One pass over the units; `sink` takes the packed batches. @throws Error when one does not open */
  pass(sink?: (batch: Uint8Array) => void): void;
  epochs(): Epochs;
}

const EDGE_KEY_ID = 1;
const EPOCH_MS = 900_000;
const NATIONAL: Uint8Array = new Uint8Array(16);
const NO_DEVICE = new Uint8Array(16);

/** The epochs of both views, as the edge starts them. */
function epochRequests({ enterprise, now, regulator, enterpriseKey }: Setup) {
  const term = {
    startMs: now,
    endMs: now + EPOCH_MS,
    listVersion: 1,
    listHash: new Uint8Array(32),
  };
  return {
    full: { request: { view: 1, audience: NATIONAL, ...term }, recipients: [regulator] },
    masked: { request: { view: 2, audience: enterprise, ...term }, recipients: [enterpriseKey] },
  };
}

/**
 * Opens the chunks of a stream with the shipped Session.
 * @param head hdr ‖ enc of the stream that the units are the chunks of
 */
export function chunkPipeline(
  module: WebAssembly.Module,
  setup: Setup,
  head: Uint8Array,
  units: readonly Unit[],
): Pipeline {
  const { city, now, enterprise, edgeKey, indexKey } = setup;
  const session = new Session(module, city, (fresh) => {
    fresh.setEdgeKey(EDGE_KEY_ID, edgeKey, 0, Number.MAX_SAFE_INTEGER);
    fresh.setIndexKey({ version: 1, fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER }, indexKey);
  });
  const requests = epochRequests(setup);
  const start = (): Epochs => ({
    full: session.startEpoch(requests.full.request, requests.full.recipients),
    masked: session.startEpoch(requests.masked.request, requests.masked.recipients),
  });
  let epochs = start();
  const stream = session.openStream(head, { enterprise, device: NO_DEVICE, masked: true }, now);
  if (stream.status !== 'ok') throw new Error(`the stream does not open: ${stream.status}`);
  const openUnit = (request: Uint8Array, sealed: Uint8Array) => {
    let opened = session.openChunk(request, sealed, false, now);
    if (opened.status === 'need_epoch') {
      epochs = start();
      opened = session.openChunk(request, sealed, false, now);
    }
    if (opened.status !== 'ok') throw new Error(`a chunk does not open: ${opened.status}`);
    return opened;
  };
  // A chunk's context is used again in every pass: the module keeps no state of a stream.
  const contexts: Uint8Array[] = [];
  let next = stream.request;
  for (const { sealed } of units) {
    contexts.push(next);
    next = openUnit(next, sealed).request;
  }
  return {
    pass(sink) {
      for (let i = 0; i < units.length; i++) {
        const { batch } = openUnit(contexts[i] as Uint8Array, (units[i] as Unit).sealed);
        sink?.(batch);
      }
    },
    epochs: () => epochs,
  };
}

/** What the benchmark's own module adds to the exports (bench/wasm/assembly/index.ts). */
export interface BenchExports {
  memory: WebAssembly.Memory;
  IN: WebAssembly.Global;
  OUT: WebAssembly.Global;
  RANDOM: WebAssembly.Global;
  MESSAGES: WebAssembly.Global;
  KEY: WebAssembly.Global;
  ENTERPRISE: WebAssembly.Global;
  setCity(city: number): void;
  drawInstanceKey(): void;
  setIndexKey(version: number, from: bigint, until: bigint): number;
  startEpoch(recipients: number): number;
  ingestMessages(first: number, count: number, now: bigint): number;
  loopOpenChunk(length: number, times: number): number;
  loopOpenMessage(times: number): number;
  loopOpenParcels(aadLength: number, length: number, times: number): number;
  loopSeal(aadLength: number, length: number, times: number): void;
  loopIndex(length: number, now: bigint, times: number): void;
  loopRead(length: number, now: bigint, times: number): number;
  loopX25519(times: number): void;
  loopX25519Base(times: number): void;
  loopSha256(times: number): void;
  endLoops(): void;
}

/** An instance of the benchmark's module with the keys of the setup. */
export function benchInstance(module: WebAssembly.Module, setup: Setup, key: Uint8Array) {
  const exports = new WebAssembly.Instance(module).exports as unknown as BenchExports;
  const memory = new Uint8Array(exports.memory.buffer as ArrayBuffer);
  const write = (at: WebAssembly.Global, bytes: Uint8Array) => memory.set(bytes, at.value);
  const draw = () => {
    const at = exports.RANDOM.value as number;
    crypto.getRandomValues(memory.subarray(at, at + 64));
  };
  exports.setCity(setup.city);
  draw();
  exports.drawInstanceKey();
  write(exports.IN, setup.indexKey);
  exports.setIndexKey(1, 0n, BigInt(Number.MAX_SAFE_INTEGER));
  write(exports.KEY, key);
  write(exports.ENTERPRISE, setup.enterprise);
  return { exports, memory, write, draw };
}

/** Octets of one sealed record in the work by message. */
export const MESSAGE_BYTES = 436;
/** Records that go through the stages together (bench/wasm/assembly/index.ts). */
const GROUP = 39;
const REPLY_HEAD_BYTES = 12;

/** Opens records that were sealed one by one, `perCall` of them a call (256 at most). */
export function messagePipeline(
  module: WebAssembly.Module,
  setup: Setup,
  key: Uint8Array,
  units: readonly Unit[],
  perCall: number,
): Pipeline {
  const { exports, memory, write, draw } = benchInstance(module, setup, key);
  const requests = epochRequests(setup);
  const startOne = ({ request, recipients }: (typeof requests)['full']): StartedEpoch => {
    const head = new DataView(new ArrayBuffer(101));
    const bytes = new Uint8Array(head.buffer);
    head.setUint8(0, request.view);
    bytes.set(request.audience, 1);
    head.setBigUint64(17, BigInt(request.startMs));
    head.setBigUint64(25, BigInt(request.endMs));
    head.setUint32(33, request.listVersion);
    bytes.set(recipients[0] as Uint8Array, 69);
    write(exports.IN, bytes);
    draw();
    const at = exports.OUT.value as number;
    const made = memory.slice(at, at + exports.startEpoch(1));
    return {
      ...{ id: made.slice(8, 24), params: made.slice(0, 96) },
      ...{ commit: made.slice(96, 128), wraps: made.slice(128) },
    };
  };
  const start = (): Epochs => ({
    full: startOne(requests.full),
    masked: startOne(requests.masked),
  });
  let epochs = start();
  const now = BigInt(setup.now);
  const callsOf = (size: number) => {
    const calls: { first: number; count: number; sealed: Uint8Array }[] = [];
    for (let first = 0; first < units.length; first += size) {
      const part = units.slice(first, first + size);
      const sealed = new Uint8Array(part.length * MESSAGE_BYTES);
      part.forEach((unit, i) => {
        sealed.set(unit.sealed, i * MESSAGE_BYTES);
      });
      calls.push({ first, count: part.length, sealed });
    }
    return calls;
  };
  const calls = callsOf(perCall);
  // A larger call leaves only its last group in the output buffer; a pass whose batches are looked at makes smaller ones.
  const groups = callsOf(Math.min(perCall, GROUP));
  const call = ({ first, count, sealed }: (typeof calls)[number]) => {
    write(exports.MESSAGES, sealed);
    return exports.ingestMessages(first, count, now);
  };
  return {
    pass(sink) {
      for (const part of sink ? groups : calls) {
        let length = call(part);
        if (length === 0) {
          // An epoch takes 2^20 records.
          epochs = start();
          length = call(part);
        }
        if (length === 0) throw new Error('a message does not open');
        const at = (exports.OUT.value as number) + REPLY_HEAD_BYTES;
        const batch = memory.slice(at, at + length);
        sink?.(batch);
      }
    },
    epochs: () => epochs,
  };
}
