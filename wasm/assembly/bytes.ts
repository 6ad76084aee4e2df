/** Big-endian integers, copies, comparison and wiping. */

export function loadU16(at: usize): u32 {
  return bswap<u16>(load<u16>(at));
}

export function loadU32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

export function loadU64(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

export function storeU16(at: usize, value: u32): void {
  store<u16>(at, bswap<u16>(<u16>value));
}

export function storeU32(at: usize, value: u32): void {
  store<u32>(at, bswap<u32>(value));
}

export function storeU64(at: usize, value: u64): void {
  store<u64>(at, bswap<u64>(value));
}

/** Copies and returns the address behind the copy, so that writes can be chained. */
export function put(to: usize, from: usize, length: usize): usize {
  memory.copy(to, from, length);
  return to + length;
}

export function wipe(at: usize, length: usize): void {
  memory.fill(at, 0, length);
}

/** True when both are equal; the time depends on the length alone. */
export function equalConstantTime(a: usize, b: usize, length: usize): bool {
  let difference: u32 = 0;
  for (let i: usize = 0; i < length; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i);
  return difference == 0;
}

/** Writes an ASCII literal and returns the address behind it. */
export function putAscii(to: usize, text: string): usize {
  const characters = changetype<usize>(text);
  const length: usize = text.length;
  for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(characters + 2 * i));
  return to + length;
}
