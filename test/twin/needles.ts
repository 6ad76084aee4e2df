/** What to look for in a memory that should be clean: every form in which a text or a key could have been left. */
import { chacha20 } from '@noble/ciphers/chacha.js';

/** Octets that are long enough to be no accident. */
const FRAGMENT = 8;

/** Every fragment of 8 octets, at each position or at every `step`. */
export function fragments(bytes: Uint8Array, step = 1): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at + FRAGMENT <= bytes.length; at += step) {
    found.push(bytes.subarray(at, at + FRAGMENT));
  }
  return found;
}

/**
 * A key, in fragments, as it is and as SHA-256 and HMAC hold what they hash: in the machine's order of octets in words, and
 * combined with the pads of RFC 2104.
 */
export function keyForms(key: Uint8Array): Uint8Array[] {
  return [0, 0x36, 0x5c].flatMap((pad) => {
    const padded = key.map((octet) => octet ^ pad);
    return [padded, swapped(padded)].flatMap((form) => fragments(form, 4));
  });
}

function swapped(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, i) => bytes[i ^ 3] ?? 0);
}

/**
 * The one-time key of Poly1305 (RFC 8439 section 2.6) and the first `octets` of the keystream behind it. Not that over zeros:
 * there, it is the ciphertext.
 */
export function keystream(key: Uint8Array, nonce: Uint8Array, octets = 32): Uint8Array[] {
  const blocks = chacha20(key, nonce, new Uint8Array(64 + octets));
  return [...fragments(blocks.subarray(0, 64), 4), ...fragments(blocks.subarray(64), 8)];
}

/**
 * Which of the needles, of 8 octets each, the memory holds. Most of a memory is zeros: needles that begin with two of them are
 * left to the fragments that begin behind.
 */
export function findAny(memory: Uint8Array, needles: readonly Uint8Array[]): string[] {
  const wanted = new Map<number, Uint8Array[]>();
  // Most places are ruled out by two octets.
  const begins = new Uint8Array(0x1_0000);
  for (const needle of needles) {
    if (needle.length !== FRAGMENT) throw new RangeError('not a fragment');
    const start = begin(needle, 0);
    if (start === 0) continue;
    begins[start] = 1;
    wanted.set(start, [...(wanted.get(start) ?? []), needle]);
  }
  const found = new Set<string>();
  for (let at = 0; at + FRAGMENT <= memory.length; at++) {
    const start = begin(memory, at);
    if (begins[start] === 0) continue;
    for (const needle of wanted.get(start) as Uint8Array[]) {
      if (memory[at + 2] === needle[2] && needle.every((octet, i) => memory[at + i] === octet)) {
        found.add(`${Buffer.from(needle).toString('hex')} at ${at}`);
      }
    }
  }
  return [...found];
}

function begin(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** How often the memory holds it. */
export function countIn(memory: Uint8Array, needle: Uint8Array): number {
  let count = 0;
  for (let at = indexIn(memory, needle); at >= 0; at = indexIn(memory, needle, at + 1)) count++;
  return count;
}

/** The first place at or after `from` that holds the needle; -1 when there is none. */
export function indexIn(bytes: Uint8Array, needle: Uint8Array, from = 0): number {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return whole.indexOf(needle as Uint8Array<ArrayBuffer>, from);
}
