/**
 * The chains of all writers in a pull's scope. Each commit names the head before it, each signed end names every writer's
 * head; whatever was promised once must be met on the way, and no head may ever step back.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../wire/bytes.ts';
import {
  type ChainHead,
  type Commit,
  type Cursor,
  chainInput,
  encodeCursor,
  type PullEnd,
  receiptBytes,
} from '../wire/pull.ts';
import { fromHex, toHex } from './encoding.ts';
import { incomplete } from './frames.ts';

/** What is remembered between pulls. Plain JSON, without personal data. */
export interface PullState {
  city: number;
  view: 'full' | 'masked';
  writers: WriterState[];
}

export interface WriterState {
  writer: number;
  /** Sequence and chain head (hex) of the last commit that came. */
  sequence: number;
  head: string;
  /** Heads further on that a signed end has named and that have not been reached yet. */
  promised: { sequence: number; head: string }[];
}

interface Writer {
  sequence: number;
  head: Uint8Array;
  promised: Map<number, Uint8Array>;
}

const GENESIS = new Uint8Array(32);

export class Chains {
  readonly #city: number;
  readonly #view: PullState['view'];
  readonly #writers = new Map<number, Writer>();
  #start: Uint8Array;

  constructor(state: PullState) {
    this.#city = state.city;
    this.#view = state.view;
    for (const { writer, sequence, head, promised } of state.writers) {
      this.#writers.set(writer, {
        ...{ sequence, head: fromHex(head) },
        promised: new Map(promised.map((promise) => [promise.sequence, fromHex(promise.head)])),
      });
    }
    this.#start = encodeCursor(this.cursor());
  }

  /** The last sequence of each writer that came. */
  cursor(): Cursor {
    const sequences = [...this.#writers].map(
      ([writer, { sequence }]) => [writer, sequence] as const,
    );
    return started(new Map(sequences));
  }

  /** Takes the next commit. @throws IncompletePull `bad_chain`, `stepped_back` */
  add(commit: Commit): void {
    const writer = this.#writer(commit.writer);
    const next =
      commit.sequence === writer.sequence + 1 && equalBytes(commit.previous, writer.head);
    if (!next) incomplete('bad_chain');
    const digest = sha256(receiptBytes(commit.receipts));
    writer.head = sha256(chainInput(commit, this.#city, commit.receipts.length, digest));
    writer.sequence = commit.sequence;
    const promise = writer.promised.get(writer.sequence);
    if (promise && !equalBytes(promise, writer.head)) incomplete('stepped_back');
    writer.promised.delete(writer.sequence);
  }

  /**
   * Checks a page's end against everything that came, and remembers the heads it names.
   * @throws IncompletePull `end_mismatch`, `bad_chain`, `stepped_back`
   */
  finish(end: PullEnd): void {
    const reached = encodeCursor(this.cursor());
    const cursorsFit =
      equalBytes(encodeCursor(started(end.start)), this.#start) &&
      equalBytes(encodeCursor(started(end.end)), reached);
    if (!cursorsFit) incomplete('end_mismatch');
    const heads = new Map(end.heads.map((head) => [head.writer, head]));
    if (heads.size !== end.heads.length) incomplete('end_mismatch');
    for (const writer of this.#writers.keys()) if (!heads.has(writer)) incomplete('stepped_back');
    for (const head of end.heads) this.#meet(head, end.more);
    this.#start = reached;
  }

  state(): PullState {
    const writers = [...this.#writers].map(([writer, { sequence, head, promised }]) => ({
      ...{ writer, sequence, head: toHex(head) },
      promised: [...promised].map(([at, promise]) => ({ sequence: at, head: toHex(promise) })),
    }));
    return { city: this.#city, view: this.#view, writers };
  }

  /** A head that the edge has signed for: reached, or still ahead while there is more. */
  #meet({ writer, sequence, head }: ChainHead, more: boolean): void {
    const known = this.#writer(writer);
    const promise = known.promised.get(sequence);
    const back =
      sequence < Math.max(known.sequence, ...known.promised.keys()) ||
      (sequence === known.sequence && !equalBytes(head, known.head)) ||
      (promise !== undefined && !equalBytes(head, promise));
    if (back) incomplete('stepped_back');
    if (sequence === known.sequence) return;
    if (!more) incomplete('bad_chain');
    known.promised.set(sequence, head.slice());
  }

  #writer(writer: number): Writer {
    const known = this.#writers.get(writer) ?? { sequence: 0, head: GENESIS, promised: new Map() };
    this.#writers.set(writer, known);
    return known;
  }
}

/** A cursor without the writers that have not begun: whether they are named makes no difference. */
function started(cursor: Cursor): Cursor {
  return new Map([...cursor].filter(([, sequence]) => sequence > 0));
}
