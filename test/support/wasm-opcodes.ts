/** The vector instructions of a module, found by walking its code. */

/** Numbers of all vector instructions (behind the prefix 0xfd) that a module's code has. Throws for code that it can't read. */
export function vectorOpcodes(module: Uint8Array): Set<number> {
  const found = new Set<number>();
  const reader = new Reader(module, 8);
  while (reader.at < module.length) {
    const section = reader.octet();
    const end = reader.leb() + reader.at;
    if (section === 10) for (let left = reader.leb(); left > 0; left--) walkBody(reader, found);
    reader.at = end;
  }
  return found;
}

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  octet(): number {
    return this.bytes[this.at++] as number;
  }

  /** A number in LEB128, of which only small ones are right: of the others just the length matters. */
  leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const octet = this.octet();
      value += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) return value;
    }
  }
}

function walkBody(reader: Reader, found: Set<number>): void {
  const end = reader.leb() + reader.at;
  for (let groups = reader.leb(); groups > 0; groups--) {
    reader.leb();
    reader.octet();
  }
  while (reader.at < end) walkInstruction(reader, found);
  if (reader.at !== end || reader.bytes[end - 1] !== 0x0b) throw new Error('lost in the code');
}

/** Steps over one instruction and what stands in it. WebAssembly 3.0, 5.4 */
function walkInstruction(reader: Reader, found: Set<number>): void {
  const code = reader.octet();
  if (code === 0xfd) {
    const vector = reader.leb();
    found.add(vector);
    skipVectorImmediate(reader, vector);
  } else if (code === 0xfc) {
    const numbers = [2, 1, 2, 1][reader.leb() - 8] ?? 0;
    for (let i = 0; i < numbers; i++) reader.leb();
  } else if (code === 0x0e) {
    for (let left = reader.leb() + 1; left > 0; left--) reader.leb();
  } else if (code === 0x11 || (code >= 0x28 && code <= 0x3e)) {
    reader.leb();
    reader.leb();
  } else if (
    [0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x3f, 0x40, 0x41, 0x42].includes(code) ||
    (code >= 0x20 && code <= 0x24)
  ) {
    reader.leb();
  } else if (code === 0x43 || code === 0x44) {
    reader.at += code === 0x43 ? 4 : 8;
  } else if (![0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b].includes(code)) {
    if (code < 0x45 || code > 0xc4) throw new Error(`unknown instruction 0x${code.toString(16)}`);
  }
}

/** An address, when the instruction has one; a constant, the octets of a shuffle, or a lane. */
function skipVectorImmediate(reader: Reader, vector: number): void {
  const lane = vector >= 0x54 && vector <= 0x5b;
  if (vector <= 0x0b || lane || vector === 0x5c || vector === 0x5d) {
    reader.leb();
    reader.leb();
  }
  if (vector === 0x0c || vector === 0x0d) reader.at += 16;
  if (lane || (vector >= 0x15 && vector <= 0x22)) reader.at++;
}
