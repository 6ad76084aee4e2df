/**
 * Searches the memory of a process that the tests have started, as the kernel shows it to its parent (/proc/PID/mem, Linux):
 * every readable page that is there, heaps, stacks, the module's memory, mapped files.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';

/** Octets to be found, and what they are called. */
export interface Pattern {
  name: string;
  bytes: Uint8Array;
}

export interface MemoryHit {
  name: string;
  /** What lies there: `heap`, `stack`, a file's name, or `anonymous`. */
  where: string;
  address: number;
}

export interface MemoryScan {
  /** Octets that were read. */
  octets: number;
  hits: MemoryHit[];
}

interface Region {
  start: number;
  end: number;
  where: string;
}

const BLOCK_BYTES = 8 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** True where this system shows the memory of processes. */
export const MEMORY_SHOWS = existsSync('/proc/self/smaps');

/** Searches all memory of a process for many patterns of 8 to 64 octets. */
export function scanMemory(pid: number, patterns: readonly Pattern[]): MemoryScan {
  const find = searcher(patterns);
  const hits: MemoryHit[] = [];
  const octets = readMemory(pid, ({ where }, block, address) => {
    find(block, ({ name }, at) => hits.push({ name, where, address: address + at }));
  });
  // Blocks overlap.
  const seen = new Set<string>();
  return {
    octets,
    hits: hits.filter(
      ({ name, address }) => !seen.has(`${name} ${address}`) && seen.add(`${name} ${address}`),
    ),
  };
}

/**
 * Reads all memory of a process, block by block; blocks of one run of pages overlap by 1 KiB.
 * @returns octets read
 */
export function readMemory(
  pid: number,
  each: (region: Region, block: Buffer, address: number) => void,
): number {
  const overlap = 1024;
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pages = openSync(`/proc/${pid}/pagemap`, 'r');
  let octets = 0;
  try {
    for (const region of regionsOf(pid).flatMap((region) => presentRuns(pages, region))) {
      for (let at = region.start; at < region.end; ) {
        const wanted = Math.min(BLOCK_BYTES, region.end - at);
        const read = attempt(() => readSync(memory, block, 0, wanted, at));
        // Gone meanwhile.
        if (read === 0) break;
        each(region, block.subarray(0, read), at);
        octets += read;
        if (at + read >= region.end) break;
        at += Math.max(read - overlap, 1);
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pages);
  }
  return octets;
}

/** The runs of a region's pages that are in memory or swapped out (proc(5), pagemap: bits 63 and 62 of each entry). */
function presentRuns(pages: number, region: Region): Region[] {
  const first = region.start / PAGE_BYTES;
  const entries = Buffer.alloc((region.end / PAGE_BYTES - first) * 8);
  const read = attempt(() => readSync(pages, entries, 0, entries.length, first * 8));
  const runs: Region[] = [];
  for (let at = 0; at < read; at += 8) {
    if (entries.readUInt8(at + 7) >> 6 === 0) continue;
    const start = (first + at / 8) * PAGE_BYTES;
    const last = runs.at(-1);
    if (last?.end === start) last.end += PAGE_BYTES;
    else runs.push({ ...region, start, end: start + PAGE_BYTES });
  }
  return runs;
}

/** Readable regions with pages in memory, or swapped out (proc(5), smaps). */
function regionsOf(pid: number): Region[] {
  const regions: Region[] = [];
  let region: Region | undefined;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)$/.exec(line);
    if (head) {
      const [, start = '', end = '', access = '', name = ''] = head;
      const readable = access.startsWith('r') && !/^\[v(var|syscall|dso)/.test(name);
      const where = name === '' ? 'anonymous' : (name.split('/').at(-1) as string);
      region = readable
        ? { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), where }
        : undefined;
      continue;
    }
    if (region && /^(Rss|Swap):\s+[1-9]/.test(line)) {
      regions.push(region);
      region = undefined;
    }
  }
  return regions;
}

/** Finds every occurrence of any pattern: by a table of their first two octets, then by a hash of the first four, then in full. */
export function searcher(patterns: readonly Pattern[]) {
  const first = new Uint8Array(1 << 16);
  const hashes = new Uint8Array(1 << 22);
  const byHead = new Map<number, Pattern[]>();
  const hash = (head: number) => Math.imul(head, 0x9e3779b1) >>> 10;
  for (const pattern of patterns) {
    const head = Buffer.from(pattern.bytes).readUInt32LE(0);
    first[head & 0xffff] = 1;
    hashes[hash(head)] = 1;
    byHead.set(head, [...(byHead.get(head) ?? []), pattern]);
  }
  return (block: Buffer, found: (pattern: Pattern, at: number) => void): void => {
    const last = block.length - 4;
    for (let at = 0; at <= last; at++) {
      if (first[(block[at] as number) | ((block[at + 1] as number) << 8)] === 0) continue;
      const head = block.readUInt32LE(at);
      if (hashes[hash(head)] === 0) continue;
      for (const pattern of byHead.get(head) ?? []) {
        const { bytes } = pattern;
        const end = Math.min(at + bytes.length, block.length);
        if (block.compare(bytes, 0, bytes.length, at, end) === 0) found(pattern, at);
      }
    }
  };
}

function attempt(read: () => number): number {
  try {
    return read();
  } catch {
    return 0;
  }
}
