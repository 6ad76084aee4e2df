/** The verification as a program: a job as JSON on stdin, the verdict as JSON on stdout. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { compare } from './compare.ts';
import { fileDigest, filesUnder } from './folder.ts';
import { type Hit, searchFile } from './leak.ts';
import { Needles } from './needles.ts';
import type { Verdict, VerifyJob } from './verify-process.ts';

/** Hits told one by one. */
const TOLD = 20;

const job = JSON.parse(await text(process.stdin)) as VerifyJob;
console.log(JSON.stringify(await verify(job)));

async function verify(job: VerifyJob): Promise<Verdict> {
  const needles = new Needles();
  const comparison = compare(job, (value) => needles.add(value));
  const hits: Hit[] = [];
  let [filesSearched, bytesSearched] = [0, 0];
  for (const path of await filesUnder(job.dir)) {
    const file = join(job.dir, path);
    if (job.before[path] === (await fileDigest(file))) continue;
    filesSearched++;
    bytesSearched += (await stat(file)).size;
    for (const hit of searchFile(file, needles)) hits.push({ ...hit, file: path });
  }
  return {
    ...comparison,
    plaintextHits: hits.length,
    hits: hits.slice(0, TOLD),
    valuesSearched: needles.size,
    ...{ filesSearched, bytesSearched },
  };
}
