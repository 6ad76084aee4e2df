/**
 * Searches files for plaintext: whether any of many values stands in them as UTF-8 or UTF-16, or as either of these
 * behind hex, base64, base64url or percent encoding, at any offset and any alignment.
 *
 * Encoded values are not looked for as such. Text that could be an encoding is decoded and searched in its turn; sealed
 * data hardly holds any, so that one pass over a file does it all.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { MIN_NEEDLE_BYTES, type Needles } from './needles.ts';
import { base64Runs, hexRuns, percentRuns, utf16Runs } from './runs.ts';

export type Encoding = 'utf8' | 'utf16' | 'hex' | 'base64' | 'percent';

export interface Hit {
  file: string;
  /** Octets from the start of the file to the value, or to the text that encodes it. */
  offset: number;
  encoding: Encoding;
}

export type Found = (offset: number, encoding: Encoding) => void;

const BLOCK_BYTES = 4 * 1024 * 1024;
/** Percent encoding makes three octets of one: the longest form that a value can take. */
const LONGEST_EXPANSION = 3;

const DECODERS = [
  ['hex', hexRuns],
  ['base64', base64Runs],
  ['percent', percentRuns],
] as const;

/**
 * Searches one file, block by block.
 * @param blockBytes octets read at once; smaller ones for tests
 * @throws the errors of node:fs
 */
export function searchFile(path: string, needles: Needles, blockBytes = BLOCK_BYTES): Hit[] {
  const hits = new Map<string, Hit>();
  // What blocks share, so that no value is cut. Hits in it are found twice and counted once.
  const overlap = needles.longest * LONGEST_EXPANSION + 8;
  const block = Buffer.allocUnsafe(blockBytes + overlap);
  const file = openSync(path, 'r');
  try {
    let start = 0;
    let held = 0;
    for (;;) {
      const read = readSync(file, block, held, block.length - held, null);
      if (read === 0) return [...hits.values()];
      held += read;
      searchBlock(block.subarray(0, held), needles, (offset, encoding) => {
        const hit = { file: path, offset: start + offset, encoding };
        hits.set(`${encoding} ${hit.offset}`, hit);
      });
      const kept = Math.min(held, overlap);
      block.copyWithin(0, held - kept, held);
      start += held - kept;
      held = kept;
    }
  } finally {
    closeSync(file);
  }
}

/** Searches octets that are at hand. @param found gets the place of each hit in them */
export function searchBlock(block: Buffer, needles: Needles, found: Found): void {
  searchText(block, needles, found);
  for (const [encoding, runs] of DECODERS) {
    for (const { bytes, origin } of runs(block)) {
      searchText(bytes, needles, (offset) => found(origin(offset), encoding));
    }
  }
}

function searchText(block: Buffer, needles: Needles, found: Found): void {
  needles.search(block, (offset) => found(offset, 'utf8'));
  for (const { bytes, origin } of utf16Runs(block, needles.codeUnits)) {
    needles.search(bytes, (offset, length) => {
      // Three Han characters are nine octets of UTF-8, but six here: too few to tell from chance.
      const units = bytes.toString('utf8', offset, offset + length).length;
      if (2 * units >= MIN_NEEDLE_BYTES) found(origin(offset), 'utf16');
    });
  }
}
