/** CBOR as a tree that can be changed anywhere and written again, correctly or not. */

export type Node =
  | { kind: 'int'; value: bigint }
  | { kind: 'bytes'; value: Uint8Array }
  | { kind: 'text'; value: string }
  | { kind: 'array'; value: Node[] }
  | { kind: 'map'; value: [Node, Node][] }
  /** Octets as they are: simple values, and whatever no encoder would write. */
  | { kind: 'raw'; value: Uint8Array };

export type MapNode = Extract<Node, { kind: 'map' }>;

/** Reads a deterministic item, such as a valid record. @throws RangeError for tags, indefinite lengths, and more items than octets */
export function parseTree(bytes: Uint8Array): Node {
  let at = 0;
  const read = (): Node => {
    const from = at;
    const initial = bytes[at++] as number;
    const [major, info] = [initial >> 5, initial & 31];
    if (major === 7) {
      at += info < 24 ? 0 : 2 ** (info - 24);
      return { kind: 'raw', value: bytes.slice(from, at) };
    }
    if (major === 6 || info > 27) throw new RangeError('not deterministic');
    const width = info < 24 ? 0 : 2 ** (info - 24);
    let argument = BigInt(width ? 0 : info);
    for (let i = 0; i < width; i++) argument = (argument << 8n) | BigInt(bytes[at++] as number);
    const count = Number(argument);
    // Each item is at least one octet.
    if (major >= 4 && count > bytes.length - at) throw new RangeError('cut short');
    switch (major) {
      case 0:
        return { kind: 'int', value: argument };
      case 1:
        return { kind: 'int', value: -1n - argument };
      case 2:
        at += count;
        return { kind: 'bytes', value: bytes.slice(at - count, at) };
      case 3:
        at += count;
        return { kind: 'text', value: new TextDecoder().decode(bytes.subarray(at - count, at)) };
      case 4:
        return { kind: 'array', value: Array.from({ length: count }, read) };
      default:
        return { kind: 'map', value: Array.from({ length: count }, () => [read(), read()]) };
    }
  };
  return read();
}

/** A copy whose arrays are its own; octets are shared, since nothing changes them in place. */
export function copyTree(node: Node): Node {
  if (node.kind === 'array') return { kind: 'array', value: node.value.map(copyTree) };
  if (node.kind !== 'map') return { ...node };
  return { kind: 'map', value: node.value.map(([key, value]) => [copyTree(key), copyTree(value)]) };
}

const encoder = new TextEncoder();
/** Octets of the longest head. */
const HEAD_ROOM = 9;

/** Writes trees one after the other into a buffer of its own. */
export class TreeWriter {
  readonly buffer: Uint8Array;
  #at = 0;

  /** @param bytes of the buffer; what does not fit is cut off */
  constructor(bytes: number) {
    this.buffer = new Uint8Array(bytes);
  }

  /** The octets of a tree, until the next call. */
  write(node: Node): Uint8Array {
    this.#at = 0;
    this.#node(node);
    return this.buffer.subarray(0, Math.min(this.#at, this.buffer.length));
  }

  #node(node: Node): void {
    switch (node.kind) {
      case 'int':
        if (node.value >= 0n) this.#head(0, node.value);
        else this.#head(1, -1n - node.value);
        return;
      case 'bytes':
        this.#head(2, node.value.length);
        this.#octets(node.value);
        return;
      case 'text': {
        // Encoded where it will be but for the head, whose length is not known before.
        const from = this.#at + HEAD_ROOM;
        const room = this.buffer.subarray(Math.min(from, this.buffer.length));
        const { written } = encoder.encodeInto(node.value, room);
        this.#head(3, written);
        this.buffer.copyWithin(this.#at, from, from + written);
        this.#at += written;
        return;
      }
      case 'array':
        this.#head(4, node.value.length);
        for (const item of node.value) this.#node(item);
        return;
      case 'map':
        this.#head(5, node.value.length);
        for (const [key, value] of node.value) {
          this.#node(key);
          this.#node(value);
        }
        return;
      case 'raw':
        this.#octets(node.value);
    }
  }

  #head(major: number, argument: number | bigint): void {
    const type = major << 5;
    if (argument < 24) {
      this.#octet(type | Number(argument));
      return;
    }
    const size = argument < 0x100 ? 0 : argument < 0x1_0000 ? 1 : argument < 0x1_0000_0000 ? 2 : 3;
    this.#octet(type | (24 + size));
    for (let shift = 8 * (1 << size) - 8; shift >= 0; shift -= 8) {
      this.#octet(Number((BigInt(argument) >> BigInt(shift)) & 0xffn));
    }
  }

  #octet(value: number): void {
    this.buffer[this.#at++] = value;
  }

  #octets(bytes: Uint8Array): void {
    const room = this.buffer.length - this.#at;
    if (room > 0) this.buffer.set(bytes.length > room ? bytes.subarray(0, room) : bytes, this.#at);
    this.#at += bytes.length;
  }
}
