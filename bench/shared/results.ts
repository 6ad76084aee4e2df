/** A results file: what `npm run bench` writes, and what the pages are made from. */
import { readFileSync } from 'node:fs';
import type { GrowthResult } from '../growth/result.ts';
import type { IngestResult } from '../ingest/result.ts';
import type { OpenResult } from '../open/result.ts';
import type { WasmResult } from '../wasm/result.ts';
import type { Machine } from './machine.ts';
import { BenchError } from './report.ts';

export interface Results {
  machine: Machine;
  /** Octets of the shipped module. */
  moduleBytes: number;
  wasm: WasmResult;
  ingest: IngestResult;
  open: OpenResult;
  growth: GrowthResult;
}

/** @throws BenchError when it is not a results file */
export function readResults(path: string): Results {
  try {
    const results = JSON.parse(readFileSync(path, 'utf8')) as Results;
    const parts = [results.wasm, results.ingest, results.open, results.growth];
    if (parts.every((part) => part !== undefined)) return results;
  } catch {
    // Says the same as a file without a part.
  }
  throw new BenchError(`${path} is not what npm run bench writes`);
}
