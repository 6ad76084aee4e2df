/**
 * Randomness. The module makes none: the host fills RANDOM from the platform's generator before each call that draws,
 * and the draw is taken once.
 */
import { RANDOM_BYTES } from './abi';
import { equalConstantTime, put, wipe } from './bytes';
import { RANDOM } from './io';
import { sha256Into } from './sha256';

const SEED: usize = memory.data(RANDOM_BYTES, 16);
const DIGEST: usize = memory.data(32, 16);
const LAST_DIGEST: usize = memory.data(32, 16);

/**
 * Takes what the host has drawn: RANDOM_BYTES at the address returned, until wipeRandom().
 * Traps when it equals the last draw (a generator that stands still, a buffer that nobody filled).
 */
export function takeRandom(): usize {
  put(SEED, RANDOM, RANDOM_BYTES);
  wipe(RANDOM, RANDOM_BYTES);
  sha256Into(DIGEST, SEED, RANDOM_BYTES);
  if (equalConstantTime(DIGEST, LAST_DIGEST, 32) || isZero(SEED, RANDOM_BYTES)) unreachable();
  put(LAST_DIGEST, DIGEST, 32);
  return SEED;
}

export function wipeRandom(): void {
  wipe(SEED, RANDOM_BYTES);
  wipe(DIGEST, 32);
}

function isZero(at: usize, length: usize): bool {
  let bits: u32 = 0;
  for (let i: usize = 0; i < length; i++) bits |= load<u8>(at + i);
  return bits == 0;
}
