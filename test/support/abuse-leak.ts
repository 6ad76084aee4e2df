/**
 * The search for plaintext: a real service takes in thousands of marked records in every way that goes well or wrong; then
 * everything that it wrote, answered or still holds is searched for them, in all encodings, forwards and backwards.
 */
import { createWriteStream, statSync, type WriteStream, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { filesUnder } from '../../client/demo/folder.ts';
import { searchBlock, searchFile } from '../../client/demo/leak.ts';
import { Needles } from '../../client/demo/needles.ts';
import { freePort } from '../../client/service/process.ts';
import { heapStrings } from './abuse-heap.ts';
import { send, sendUnsealed, type Traffic } from './abuse-leak-traffic.ts';
import { enter } from './abuse-marked.ts';
import { MEMORY_SHOWS, readMemory } from './abuse-memory.ts';
import { startTestService, type TestService } from './service.ts';

export interface LeakOptions {
  /** Marked records, 20 to 30,000. */
  records: number;
  /** Take V8 heap snapshots through the inspector, which is then open. */
  heap?: boolean;
}

/** One kind of place that was searched. */
export interface Place {
  place: string;
  octets: number;
  hits: number;
  /** Files and encodings of the first hits; never a value. */
  examples: string[];
  /** False where hits are told and not judged. */
  judged: boolean;
}

export interface LeakReport extends Omit<Traffic, 'values'> {
  records: number;
  valuesSearched: number;
  places: Place[];
  /** Forms of a planted value that the search missed: none, or nothing above counts. */
  missed: string[];
  /** Hits in places that are judged. */
  hits: number;
  seconds: number;
}

const EXAMPLES = 5;

export async function leakcheck({ records, heap = false }: LeakOptions): Promise<LeakReport> {
  const began = performance.now();
  const before = process.env.TMPDIR;
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-leakcheck-'));
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  // Whatever anybody calls temporary in this run lies in one folder, the service with it.
  process.env.TMPDIR = temporary;
  const evidence = new Evidence(folder);
  let service: TestService | undefined;
  try {
    const inspector = `127.0.0.1:${heap ? await freePort() : 0}`;
    service = await startTestService({
      ...(heap && { workerdArguments: [`--inspector-addr=${inspector}`] }),
    });
    evidence.listen();
    const { values, ...traffic } = await send(service, records);
    evidence.sealed = false;
    const mistaken = await sendUnsealed(service, Math.ceil(records / 500), records);
    evidence.sealed = true;
    await evidence.close();

    const [sealed, unsealed] = [new Needles(), new Needles()];
    enter(sealed, values);
    enter(unsealed, mistaken);
    const both = new Needles();
    enter(both, [...values, ...mistaken]);
    const places = new Places();
    if (MEMORY_SHOWS) {
      places.memory('memory of workerd', service.pid(), sealed);
      places.control('memory of workerd: what clients sent unsealed', service.pid(), unsealed);
    }
    if (heap) {
      for (const [isolate, strings] of await heapStrings(inspector)) {
        const file = join(folder, `heap-${isolate}.txt`);
        await writeFile(file, strings.join('\n'));
        places.file(`V8 heap of the isolate "${isolate}"`, file, sealed);
      }
    }
    // While it runs, for what a stop would clear away: the write-ahead log.
    await places.folder('while it runs: ', temporary, both);
    await service.restart(() => places.folder('after it ended: ', temporary, both));
    places.file('answers: status, headers, body', evidence.path('answers'), both);
    places.file('requests on the wire, sealed ones', evidence.path('requests'), sealed);
    places.file('URLs that were asked for', evidence.path('urls'), sealed);
    const all = places.all();
    return {
      ...{ records, ...traffic, valuesSearched: both.size, places: all },
      missed: missedForms(folder, values[0] as string),
      hits: all.reduce((sum, { hits, judged }) => sum + (judged ? hits : 0), 0),
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await evidence.close();
    await service?.stop();
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(folder, { recursive: true });
  }
}

/** Writes down what passes between clients and the service, outside of its folder. */
class Evidence {
  /** Are requests sealed, so that nothing may be read in them either? */
  sealed = true;
  readonly #folder: string;
  readonly #fetch = globalThis.fetch;
  readonly #files = new Map<string, WriteStream>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  listen(): void {
    for (const name of ['answers', 'requests', 'urls']) {
      this.#files.set(name, createWriteStream(this.path(name)));
    }
    globalThis.fetch = async (target, init) => {
      const [url, { headers, body }] = [String(target), init ?? {}];
      if (this.sealed) {
        this.#write('urls', url);
        this.#write('requests', JSON.stringify(headers ?? {}));
        if (body instanceof Uint8Array) this.#write('requests', body);
      }
      const response = await this.#fetch(target, init);
      const bytes = new Uint8Array(await response.clone().arrayBuffer());
      this.#write('answers', JSON.stringify([response.status, ...response.headers]));
      this.#write('answers', bytes);
      return response;
    };
  }

  async close(): Promise<void> {
    globalThis.fetch = this.#fetch;
    for (const file of this.#files.values()) {
      if (file.writableEnded) continue;
      file.end();
      await finished(file);
    }
  }

  #write(name: string, content: string | Uint8Array): void {
    this.#files.get(name)?.write(content);
    this.#files.get(name)?.write('\n');
  }
}

/** What kind of file it is, by its path from the service's temporary folder on. */
function kindOf(path: string): string {
  if (/\.log$/.test(path)) return 'log, with stdout and stderr';
  if (/\/data\/.*-wal$/.test(path)) return 'write-ahead logs';
  if (/\/data\/d1\//.test(path)) return 'database';
  if (/\/data\//.test(path)) return 'files of Durable Objects';
  if (/\/run\//.test(path)) return 'configuration and code';
  return 'other temporary files';
}

class Places {
  readonly #places = new Map<string, Place>();

  all(): Place[] {
    return [...this.#places.values()];
  }

  memory(place: string, pid: number, needles: Needles): void {
    const found = this.#place(place, true);
    const seen = new Set<string>();
    found.octets += readMemory(pid, ({ where }, block, address) => {
      searchBlock(block, needles, (offset, encoding) => {
        if (seen.has(`${encoding} ${address + offset}`)) return;
        seen.add(`${encoding} ${address + offset}`);
        this.#hit(found, `${where}, ${encoding}`);
      });
    });
  }

  /** As UTF-8 alone, and not judged: the proof that a search of memory finds what is there. */
  control(place: string, pid: number, needles: Needles): void {
    const found = this.#place(place, false);
    found.octets += readMemory(pid, ({ where }, block) => {
      needles.search(block, () => this.#hit(found, where));
    });
  }

  file(place: string, path: string, needles: Needles): void {
    const found = this.#place(place, true);
    for (const { encoding } of searchFile(path, needles)) this.#hit(found, encoding);
    found.octets += statSync(path).size;
  }

  async folder(prefix: string, dir: string, needles: Needles): Promise<void> {
    for (const path of await filesUnder(dir)) {
      const found = this.#place(prefix + kindOf(path), true);
      const file = join(dir, path);
      found.octets += statSync(file).size;
      for (const { encoding } of searchFile(file, needles))
        this.#hit(found, `${path}, ${encoding}`);
    }
  }

  #place(place: string, judged: boolean): Place {
    const found = this.#places.get(place) ?? { place, octets: 0, hits: 0, examples: [], judged };
    this.#places.set(place, found);
    return found;
  }

  #hit(found: Place, example: string): void {
    found.hits++;
    if (found.examples.length < EXAMPLES) found.examples.push(example);
  }
}

/** Forms in which a value could stand somewhere. */
const FORMS: Record<string, (value: string) => Buffer> = {
  'UTF-8': (value) => Buffer.from(value),
  'UTF-16LE': (value) => Buffer.from(value, 'utf16le'),
  'UTF-16BE': (value) => Buffer.from(value, 'utf16le').swap16(),
  hex: (value) => Buffer.from(Buffer.from(value).toString('hex')),
  base64: (value) => Buffer.from(Buffer.from(value).toString('base64')),
  'base64, one octet on': (value) => Buffer.from(Buffer.from(`a${value}`).toString('base64')),
  'base64, two octets on': (value) => Buffer.from(Buffer.from(`ab${value}`).toString('base64')),
  base64url: (value) => Buffer.from(Buffer.from(value).toString('base64url')),
  URL: (value) => Buffer.from(encodeURIComponent(value)),
};

/** Plants a value in every form, forwards and backwards, and tells which of them the search does not find. */
function missedForms(folder: string, value: string): string[] {
  const file = join(folder, 'planted');
  const needles = new Needles();
  enter(needles, [value]);
  const missed: string[] = [];
  for (const [form, encode] of Object.entries(FORMS)) {
    for (const text of [value, [...value].reverse().join('')]) {
      writeFileSync(
        file,
        Buffer.concat([Buffer.alloc(100, 1), encode(text), Buffer.alloc(100, 1)]),
      );
      if (searchFile(file, needles).length === 0)
        missed.push(text === value ? form : `${form}, reversed`);
    }
  }
  return missed;
}
