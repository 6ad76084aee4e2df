/**
 * Every condition in the sources that handle keys one by one: what decides it must be public. A new one fails here until
 * somebody has looked at it and entered it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** By file: each condition, and what it depends on. */
const PUBLIC: Record<string, Record<string, string>> = {
  'field25519.ts': {
    'limb < 12': 'a counter',
    'word < 4': 'a counter',
    'limb < 3 * word + 3': 'a counter',
    'limb % 4 == 0 ? 22 : 21': 'a counter',
    'i < PAIR_BYTES': 'a counter',
    'times > 0': 'a counter',
  },
  'x25519.ts': {
    'i < PAIR_BYTES': 'a counter',
    't >= 0': 'a counter',
  },
  'sha256.ts': {
    'held + length < SHA256_BLOCK_BYTES': 'a length',
    'held > 0': 'a length',
    'i < SHA256_BYTES': 'a counter',
    'held >= LENGTH_AT': 'a length',
    'message < end': 'a length',
    't < W_BYTES': 'a counter',
    't < 64': 'a counter',
    'w < W + W_BYTES': 'a counter',
  },
  'hmac.ts': {
    'keyLength > SHA256_BLOCK_BYTES': 'a length',
    'at < PADDED_KEY + SHA256_BLOCK_BYTES': 'a counter',
  },
  'kernels/sha256x4.ts': {
    'i < 64': 'a counter',
    't < w + 64': 'a counter',
    'i < 32': 'a counter',
    't < 64': 'a counter',
    't < 48': 'a counter',
  },
  'index-jobs.ts': {
    'count == 5 * MAX_CHUNK_RECORDS': 'how many jobs there are',
    'lane < LANES': 'a counter',
    'anyBusy()': 'how many jobs there are, and lengths',
    'job == <u32>INDEX_JOBS + load<u32>(COUNT) * <u32>INDEX_JOB_SIZE': 'how many jobs there are',
    'job == 0': 'how many jobs there are',
    'taken == OUTER': 'a length',
    'taken >= total + PADDING_BYTES': 'a length',
    'taken >= prefixLength && end <= total': 'a length',
    'i < SHA256_BLOCK_BYTES': 'a counter',
    'taken < prefixLength': 'a length',
    'taken > prefixLength ? taken - prefixLength : 0': 'a length',
    'from < length': 'a length',
    'taken <= total && total < end': 'a length',
    'total + PADDING_BYTES <= end': 'a length',
  },
};

/** The conditions of `if`, `while`, `for` and `? :`; biome's format puts each on one line. */
function conditionsOf(code: string): string[] {
  return code
    .split('\n')
    .flatMap((line) => [
      ...line.matchAll(/\b(?:if|while) \((.*?)\)(?: \{| [a-z]|$)/g),
      ...line.matchAll(/\bfor \([^;]*; ([^;]*);/g),
      ...line.matchAll(/(?:= |return |\()([^=(]*(?:==|[<>]=?|!=)[^?]* \? .*? : .*?)[;)]/g),
    ])
    .map((match) => match[1] as string);
}

/** How often something decides, whichever way it is written. */
function decisions(code: string): number {
  return [...code.matchAll(/\b(?:if|while|for|switch|select<\w*>)(?= ?\()| \? | && | \|\| /g)]
    .length;
}

describe('conditions in constant-time sources', () => {
  it.each(Object.entries(PUBLIC))('%s', (file, expected) => {
    const source = readFileSync(new URL(`../../wasm/assembly/${file}`, import.meta.url), 'utf8');
    const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
    const conditions = conditionsOf(code);
    expect([...new Set(conditions)].sort()).toEqual(Object.keys(expected).sort());
    // None was overlooked: the parts of `a && b` and `a || b` count by themselves.
    const joints = conditions.flatMap((condition) => [...condition.matchAll(/&&|\|\|/g)]);
    expect(decisions(code)).toBe(conditions.length + joints.length);
  });
});
