/**
 * Which of the two builds an engine can run. Both come from one source and give equal results; only the way in which octets of
 * a vector are moved differs. The edge needs no choice: workerd has relaxed SIMD.
 */

/** A function of one `i8x16.relaxed_swizzle`: the instruction by which the builds differ. */
const PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // One type, () -> v128; one function of it.
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00],
  // i32.const 0, i8x16.splat, twice; i8x16.relaxed_swizzle; end
  ...[0x0a, 0x0f, 0x01, 0x0d, 0x00],
  ...[0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x80, 0x02, 0x0b],
);

export const RELAXED_FILE = 'sealpost.wasm';
export const PLAIN_FILE = 'sealpost-simd.wasm';

/** Name of the file in wasm/build that this engine can run. */
export function moduleFile(): string {
  return WebAssembly.validate(PROBE) ? RELAXED_FILE : PLAIN_FILE;
}
