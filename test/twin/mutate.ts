/** Mutations of records: of their fields, of their structure, of their octets. All of it follows from the generator's seed. */
import type { Prng } from '../../client/generate/prng.ts';
import { CODE_POINTS, INTEGERS, ITEMS, TEXTS } from './dictionary.ts';
import { copyTree, type MapNode, type Node, parseTree, TreeWriter } from './tree.ts';

type TextNode = Extract<Node, { kind: 'text' }>;

/** Where a text stands in the octets of a seed, its head included. */
interface TextPlace {
  from: number;
  to: number;
  value: string;
}

/** An input to start from. One whose octets are not deterministic CBOR has no tree and no texts. */
export class Seed {
  readonly bytes: Uint8Array;
  readonly texts: readonly TextPlace[];
  readonly tree: Node | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.tree = treeOf(bytes);
    this.texts = this.tree ? placesOf(this.tree, bytes) : [];
  }
}

/** An entry of a map or an array, so that its value can be put elsewhere. */
interface Place {
  get(): Node;
  set(node: Node): void;
  /** The map that it is in, and where; undefined in an array. */
  map?: MapNode;
  index: number;
}

const encoder = new TextEncoder();

export class Mutator {
  readonly #random: Prng;
  readonly #writer = new TreeWriter(20_000);
  readonly #scratch = new Uint8Array(20_000);
  readonly #output = new Uint8Array(40_000);
  readonly #text = new Uint8Array(8_192);

  constructor(random: Prng) {
    this.#random = random;
  }

  /** A seed with one or more changes; `other` gives what is spliced in. The octets stay until the next call. */
  record(seed: Seed, other: Seed): Uint8Array {
    // Most changes are to texts alone: what is wrong with the structure hides all that comes behind it.
    const kind = this.#random.int(8);
    if (kind < 6 && seed.texts.length > 0) return this.#changedTexts(seed);
    const changed = seed.tree ? this.#changedTree(seed.tree, other.tree ?? seed.tree) : seed.bytes;
    return kind === 7 || !seed.tree ? this.octets(changed) : changed;
  }

  /** Havoc: octets flipped, put in, taken out, repeated, cut. */
  octets(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const out = this.#scratch;
    out.set(bytes.subarray(0, out.length));
    let length = Math.min(bytes.length, out.length);
    for (let i = 1 + random.int(3); i > 0; i--) {
      const at = random.int(length + 1);
      const size = Math.min(1 + random.int(1 + random.int(16)), length - at);
      switch (random.int(6)) {
        case 0:
          if (at < length) out[at] = (out[at] as number) ^ (1 << random.int(8));
          break;
        case 1:
          if (at < length) out[at] = random.int(256);
          break;
        case 2:
          out.copyWithin(at, at + size, length);
          length -= size;
          break;
        case 3: {
          const item = ITEMS[random.int(ITEMS.length)] as Uint8Array;
          if (length + item.length > out.length) break;
          out.copyWithin(at + item.length, at, length);
          out.set(item, at);
          length += item.length;
          break;
        }
        case 4:
          if (length + size > out.length) break;
          out.copyWithin(at + size, at, length);
          length += size;
          break;
        default:
          length = at;
      }
    }
    return out.subarray(0, length);
  }

  /** A text near another one. */
  text(given: string): string {
    const random = this.#random;
    const points = [...given];
    const at = random.int(points.length + 1);
    const point = () => String.fromCodePoint(CODE_POINTS[random.int(CODE_POINTS.length)] as number);
    switch (random.int(12)) {
      case 0:
        return TEXTS[random.int(TEXTS.length)] as string;
      case 1:
        return anyText(random);
      case 2:
        points.splice(at, 1);
        break;
      case 3:
        points.splice(at, 0, point(), point());
        break;
      case 4:
        points.splice(at, 0, ...points.slice(at, at + 1 + random.int(8)));
        break;
      case 5:
        return fullWidth(given, at);
      case 6:
        return points.slice(0, at).join('');
      case 7:
        return checked(given, random);
      case 8:
      case 9:
        points.splice(at, 1, String(random.int(10)));
        break;
      case 10:
        points.splice(at, 0, point());
        break;
      default:
        points.splice(at, 1, point());
    }
    return points.join('');
  }

  #changes(): number {
    let changes = 1;
    while (changes < 6 && this.#random.int(3) === 0) changes++;
    return changes;
  }

  /** The octets with other texts in their places, whose heads tell the new lengths. */
  #changedTexts({ bytes, texts }: Seed): Uint8Array {
    const first = this.#random.int(texts.length);
    const chosen = new Set([first]);
    for (let more = this.#changes() - 1; more > 0; more--)
      chosen.add(this.#random.int(texts.length));
    const out = this.#output;
    let [from, at] = [0, 0];
    for (let i = 0; i < texts.length; i++) {
      if (!chosen.has(i)) continue;
      const place = texts[i] as TextPlace;
      out.set(bytes.subarray(from, place.from), at);
      at += place.from - from;
      const { written } = encoder.encodeInto(this.text(place.value), this.#text);
      at = putTextHead(out, at, written);
      out.set(this.#text.subarray(0, written), at);
      at += written;
      from = place.to;
    }
    out.set(bytes.subarray(from), at);
    return out.subarray(0, at + bytes.length - from);
  }

  #changedTree(tree: Node, other: Node): Uint8Array {
    const root = copyTree(tree);
    for (let more = this.#changes(); more > 0; more--) this.#changeTree(root, other);
    return this.#writer.write(root);
  }

  #changeTree(root: Node, other: Node): void {
    const random = this.#random;
    const place = this.#place(root);
    if (!place) return;
    const node = place.get();
    const { map, index } = place;
    switch (random.int(16)) {
      case 0:
        if (map) map.value.splice(index, 1);
        return;
      case 1:
        if (map) swap(map, index, random.int(map.value.length));
        return;
      case 2:
        if (map)
          map.value.splice(index, 0, map.value[random.int(map.value.length)] as [Node, Node]);
        return;
      case 3:
        // A field that may or may not be known, in its order.
        if (map) insertSorted(map, BigInt(random.int(16)), this.#any(other));
        return;
      case 4:
        if (map) (map.value[index] as [Node, Node])[0] = this.#any(other);
        return;
      case 5:
        place.set({ kind: 'raw', value: ITEMS[random.int(ITEMS.length)] as Uint8Array });
        return;
      case 6:
        place.set(this.#any(other));
        return;
      case 7:
        place.set({ kind: 'array', value: [node] });
        return;
      default:
        place.set(this.#near(node));
    }
  }

  /** A value of the same kind. */
  #near(node: Node): Node {
    const random = this.#random;
    switch (node.kind) {
      case 'text':
        return { kind: 'text', value: this.text(node.value) };
      case 'int': {
        const edge = INTEGERS[random.int(INTEGERS.length)] as bigint;
        const step = BigInt(random.int(200_000)) - 100_000n;
        return { kind: 'int', value: random.int(2) ? edge : node.value + step };
      }
      case 'bytes': {
        const value = this.octets(node.value).slice(0, 2000);
        return { kind: 'bytes', value };
      }
      case 'raw':
        return { kind: 'raw', value: Uint8Array.of(random.int(2) ? 0xf5 : 0xf4) };
      default:
        return node;
    }
  }

  #any(other: Node): Node {
    const random = this.#random;
    switch (random.int(5)) {
      case 0:
        return { kind: 'text', value: TEXTS[random.int(TEXTS.length)] as string };
      case 1:
        return { kind: 'int', value: INTEGERS[random.int(INTEGERS.length)] as bigint };
      case 2:
        return { kind: 'raw', value: ITEMS[random.int(ITEMS.length)] as Uint8Array };
      default:
        return copyTree(this.#place(other)?.get() ?? other);
    }
  }

  /** Any entry, however deep. */
  #place(root: Node): Place | undefined {
    const random = this.#random;
    let place: Place | undefined;
    let node = root;
    for (;;) {
      if (node.kind === 'map' && node.value.length > 0) {
        const map = node;
        const index = random.int(map.value.length);
        const entry = map.value[index] as [Node, Node];
        place = {
          ...{ map, index, get: () => entry[1] },
          set: (to) => {
            entry[1] = to;
          },
        };
      } else if (node.kind === 'array' && node.value.length > 0) {
        const items = node.value;
        const index = random.int(items.length);
        place = {
          ...{ index, get: () => items[index] as Node },
          set: (to) => {
            items[index] = to;
          },
        };
      } else {
        return place;
      }
      node = place.get();
      if (random.int(6) === 0) return place;
    }
  }
}

function treeOf(bytes: Uint8Array): Node | undefined {
  try {
    const tree = parseTree(bytes);
    return Buffer.compare(new TreeWriter(bytes.length).write(tree), bytes) === 0 ? tree : undefined;
  } catch {
    return undefined;
  }
}

function placesOf(tree: Node, bytes: Uint8Array): TextPlace[] {
  const texts: TextNode[] = [];
  const collect = (node: Node): void => {
    if (node.kind === 'text') texts.push(node);
    else if (node.kind === 'array') node.value.forEach(collect);
    else if (node.kind === 'map') {
      for (const [key, value] of node.value) {
        collect(key);
        collect(value);
      }
    }
  };
  collect(tree);
  const writer = new TreeWriter(bytes.length);
  let behind = 0;
  return texts.map((text) => {
    const encoded = Buffer.from(writer.write(text));
    const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(encoded, behind);
    behind = from + encoded.length;
    return { from, to: behind, value: text.value };
  });
}

/** Heads of up to 65,535 octets, in their shortest form. */
function putTextHead(out: Uint8Array, at: number, length: number): number {
  if (length < 24) {
    out[at] = 0x60 | length;
    return at + 1;
  }
  if (length < 0x100) {
    out[at] = 0x78;
    out[at + 1] = length;
    return at + 2;
  }
  out[at] = 0x79;
  out[at + 1] = length >> 8;
  out[at + 2] = length & 0xff;
  return at + 3;
}

function swap(map: MapNode, a: number, b: number): void {
  const [first, second] = [map.value[a], map.value[b]] as [[Node, Node], [Node, Node]];
  map.value[a] = second;
  map.value[b] = first;
}

function insertSorted(map: MapNode, key: bigint, value: Node): void {
  const rest = map.value.filter(([node]) => node.kind !== 'int' || node.value !== key);
  const behind = rest.findIndex(([node]) => node.kind === 'int' && node.value > key);
  rest.splice(behind < 0 ? rest.length : behind, 0, [{ kind: 'int', value: key }, value]);
  map.value = rest;
}

/** Code points of any plane; one in four from the dictionary. */
function anyText(random: Prng): string {
  const length = random.int(1 + random.int(210));
  let text = '';
  for (let i = 0; i < length; i++) {
    const from = random.int(4);
    const point =
      from === 0
        ? (CODE_POINTS[random.int(CODE_POINTS.length)] as number)
        : from === 1
          ? 0x4e00 + random.int(0x5200)
          : from === 2
            ? random.int(0x1_0000)
            : random.int(0x11_0000);
    text += String.fromCodePoint(point >= 0xd800 && point < 0xe000 ? 0x5b57 : point);
  }
  return text;
}

function fullWidth(text: string, from: number): string {
  return text.replace(/[!-~]/g, (c, at: number) =>
    at < from ? c : String.fromCodePoint(c.charCodeAt(0) + 0xfee0),
  );
}

const MOD_11_2 = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A number with another date or area and the check character that then is right, so that more than the check is reached. */
function checked(text: string, random: Prng): string {
  if (!/^\d{17}[\dXx]$/.test(text)) return text;
  const digits = [...text.slice(0, 17)];
  const parts: [number, number][] = [
    [0, 6],
    [6, 10],
    [10, 14],
    [14, 17],
  ];
  const [from, to] = parts[random.int(parts.length)] as [number, number];
  const at = from + random.int(to - from);
  digits[at] = String(random.int(10));
  const sum = MOD_11_2.reduce((s, weight, i) => s + weight * Number(digits[i]), 0);
  return digits.join('') + '10X98765432'[sum % 11];
}
