/** Starts the verification as a process of its own: it shares nothing with what it judges but files. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What is to be compared; paths. */
export interface VerifyJob {
  /** Folder of the service. */
  dir: string;
  /** SHA-256 of the files that were in `dir` before there was any record, by their path from `dir` on. */
  before: Record<string, string>;
  /** What was sent: lines of `sealpost generate`. */
  input: string;
  /** What came of each line. */
  results: string;
  /** What the regulator opened. */
  opened: string;
}

export interface Verdict {
  /** Refused lines whose code and field are those they had to be refused with. */
  refusedAsExpected: number;
  /** Records opened. */
  opened: number;
  /** The sum of `differences`. */
  mismatches: number;
  differences: {
    /** Lines without a result, or with more than one. */
    results: number;
    /** Lines whose result is not the one they had to get. */
    outcomes: number;
    /** Stored lines that were not opened, or more than once. */
    missing: number;
    /** Opened records that nobody sent, or that had to be refused. */
    unexpected: number;
    /** Opened records that are not equal to what was sent, or are put down to another company. */
    unequal: number;
  };
  /** The first lines whose result is not the one they had to get: codes and fields, nothing of the record. */
  examples: { line: number; expected: string; got: string }[];
  /** Places in the files of the service at which a value of a record stands. */
  plaintextHits: number;
  /** The first of them: file and octet, never the value. */
  hits: { file: string; offset: number; encoding: string }[];
  /** Distinct values searched for. */
  valuesSearched: number;
  filesSearched: number;
  bytesSearched: number;
}

/** @throws Error when the process does not end well */
export function verifyInProcess(job: VerifyJob): Promise<Verdict> {
  const script = fileURLToPath(new URL('./verify.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const kill = () => child.kill();
    process.once('exit', kill);
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', kill);
      if (code === 0) resolve(JSON.parse(output) as Verdict);
      else reject(new Error(`the verification ended with code ${code}`));
    });
    child.stdin.end(JSON.stringify(job));
  });
}
