/** Record ids of synthetic parcels. */
import type { Prng } from './prng.ts';

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds since 1970, version 7, the rest from the seeded generator. */
export function uuidV7(random: Prng, ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  const a = random.hex(1);
  const b = random.hex(1);
  const variant = (8 + random.int(4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a.slice(0, 3)}-${variant}${a.slice(3, 6)}-${a.slice(6)}${b}${random.hex(1).slice(0, 2)}`;
}
