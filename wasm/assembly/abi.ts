/**
 * The numbers that both sides of the module agree on. `npm run gen` copies them to `wasm/host/abi.gen.ts`.
 * Only plain constants here.
 */

/** Octets of the input buffer: a chunk (16,384 + tag) with its context and parameters. */
export const IN_BYTES: u32 = 24576;

/** Octets of the output buffer: the packed batch of a full chunk of the smallest records, with its results. */
export const OUT_BYTES: u32 = 262144;

/** Octets of the randomness buffer, filled by the host before each call that needs it. */
export const RANDOM_BYTES: u32 = 64;
