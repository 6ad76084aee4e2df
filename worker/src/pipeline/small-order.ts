/**
 * Public keys that are points of small order: with them a signature fits any message (Ed25519), or a shared secret is
 * known to everybody (X25519, RFC 7748 section 6.1). Neither WebCrypto nor the curves' formulas refuse all of them.
 */

const P = 2n ** 255n - 19n;

/** u of the points of order 1, 2, 4 and 8 on the Montgomery curve and its twist. */
const SMALL_U = new Set([
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** y of the points of order 1, 2, 4 and 8 on the Edwards curve. */
const Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL_Y = new Set([1n, P - 1n, 0n, Y8, P - Y8]);

/** True for an X25519 key (32 octets) that yields the all-zero secret, in canonical form or not. */
export function isSmallOrderX25519(key: Uint8Array): boolean {
  return SMALL_U.has(coordinate(key) % P);
}

/** True for an Ed25519 key (32 octets) of small order, and for every one that is not in canonical form. */
export function isSmallOrderEd25519(key: Uint8Array): boolean {
  const y = coordinate(key);
  return y >= P || SMALL_Y.has(y);
}

/** The 255 low bits, little-endian; the top bit is a sign (Ed25519) or ignored (X25519). */
function coordinate(key: Uint8Array): bigint {
  return key.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n) & (2n ** 255n - 1n);
}
