/** A sending process (sender.ts) as the driver sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { BenchError } from '../shared/report.ts';
import type { Prepare, Reply, Request } from './sender.ts';

export interface Sent {
  seconds: number;
  recordsPerSecond: number;
}

export class Sender {
  readonly #child: ChildProcess;
  readonly #way: string;
  /** Seconds that encoding all records took: CBOR, or JSON. */
  encodeSeconds = 0;

  private constructor(way: string) {
    this.#way = way;
    this.#child = fork(join(import.meta.dirname, 'sender.ts'), { stdio: 'inherit' });
  }

  /** Starts the process and waits until its records are ready. */
  static async start(prepare: Prepare): Promise<Sender> {
    const sender = new Sender(prepare.way);
    const reply = await sender.#ask({ prepare });
    if ('ready' in reply) sender.encodeSeconds = reply.encodeMs / 1000;
    return sender;
  }

  /** Sends the records of [from, to). @throws BenchError when not every one of them is stored */
  async send(from: number, to: number): Promise<Sent> {
    const reply = await this.#ask({ send: { from, to } });
    if (!('sent' in reply)) throw new BenchError('no answer of the sender');
    const { ms, stored } = reply.sent;
    if (stored !== to - from) {
      throw new BenchError(`${this.#way}: ${stored} of ${to - from} records were stored`);
    }
    return { seconds: ms / 1000, recordsPerSecond: (to - from) / (ms / 1000) };
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new BenchError(`the sender (${this.#way}) has ended`));
      this.#child.once('exit', ended);
      this.#child.once('message', (reply: Reply) => {
        this.#child.off('exit', ended);
        if ('failed' in reply) reject(new BenchError(`${this.#way}: ${reply.failed}`));
        else resolve(reply);
      });
      this.#child.send(request);
    });
  }
}
