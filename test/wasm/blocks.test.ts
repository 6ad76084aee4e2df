/**
 * The module looks at text sixteen octets at a time and takes texts that are in normal form as they are. Here it is held to the
 * plain twin at every length around a block, with each character where the rules turn at every place in it.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../client/generate/prng.ts';
import { canonicalPhone, canonicalWaybill, checkRecord } from '../../wasm/host/check.ts';
import { REFUSALS } from '../../wire/codes.ts';
import { MAX_RECORD_BYTES } from '../../wire/limits.ts';
import {
  agreement,
  type CborMap,
  cbor,
  instance,
  NOW,
  recipient,
  record,
  sender,
} from '../support/rules.ts';
import { CODE_POINTS } from '../twin/dictionary.ts';
import { judgeRecord } from '../twin/validate.ts';

const HAN = '贵州省贵阳市云岩区中山东路鸿基大厦三单元';

/** What a record comes to, in one line; what the twin says of it. */
function verdictOf(bytes: Uint8Array): string {
  const { refusal, field, warnings, masked } = checkRecord(instance, bytes, NOW);
  return [refusal, field, warnings, Buffer.from(masked).toString('hex')].join(' ');
}

function twinOf(bytes: Uint8Array): string {
  const { refusal, field, warnings, masked } = judgeRecord(bytes, NOW);
  return [refusal, field, warnings, Buffer.from(masked).toString('hex')].join(' ');
}

/** The records, by the text that was put in, about which module and twin do not agree. */
function disagreements(texts: Iterable<string>, put: (text: string) => CborMap): string[] {
  return [...texts].filter((text) => {
    const bytes = cbor(put(text));
    return verdictOf(bytes) !== twinOf(bytes);
  });
}

/** `filler` of `length` code points with another character at each place in turn. */
function* withEach(character: string, filler: string, lengths: number[]): Generator<string> {
  for (const length of lengths) {
    const points = Array.from({ length }, (_, i) => filler[i % filler.length] as string);
    for (let at = 0; at <= length; at++) {
      yield [...points.slice(0, at), character, ...points.slice(at + 1)].join('');
    }
  }
}

const CHARACTERS = [
  ...new Set([
    ...CODE_POINTS,
    // The first and the last code point of each group of leads, and those beside the ranges that are taken whole.
    ...[
      0x20, 0x7e, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0x3fff, 0x4000, 0x4dff, 0x4e00, 0x4fff,
    ],
    ...[0x5000, 0x9fff, 0xa000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff],
  ]),
].map((point) => String.fromCodePoint(point));

describe('characters at each place of a block', () => {
  it('in an address of Han characters, and in one of ASCII', () => {
    for (const character of CHARACTERS) {
      const texts = [
        ...withEach(character, HAN, [4, 5, 6, 10, 11]),
        ...withEach(character, 'No. 12 Zhong-Shan East Road, Room ', [15, 16, 17]),
      ];
      const put = (text: string) => record([[11, recipient([[6, text]])]]);
      expect(disagreements(texts, put)).toEqual([]);
    }
  });

  it('in names, of those who may have Latin letters and of those who may not', () => {
    for (const character of CHARACTERS) {
      const texts = [...withEach(character, '欧阳建国', [2, 5, 6]), `${character}王`, character];
      for (const put of [
        (text: string) => record([[7, sender([[4, text]])]]),
        (text: string) => record([[11, recipient([[4, text]])]]),
      ]) {
        expect(disagreements(texts, put)).toEqual([]);
      }
    }
  });

  it('in numbers and codes', () => {
    const edges = [...'/09:@AZ[`az{- \t-．Ａｚ０'].concat('\u3000', '\u00a0', 'é', '\ufeff');
    const fields: [(text: string) => CborMap, number[]][] = [
      [(text) => record([[2, text]]), [1, 2, 12, 13]],
      [(text) => record([[3, text]]), [5, 6, 15, 16, 17, 32, 33, 34, 35]],
      [(text) => record([[5, text]]), [1, 15, 16, 17, 31, 32, 33]],
      [(text) => record([[7, sender([[2, text]])]]), [15, 16, 17, 18, 19]],
      [
        (text) =>
          record([
            [7, undefined],
            [8, agreement([[1, text]])],
          ]),
        [3, 4, 16, 39, 40, 41],
      ],
    ];
    for (const [put, lengths] of fields) {
      for (const edge of edges) {
        expect(disagreements(withEach(edge, '11010519491231002X', lengths), put)).toEqual([]);
      }
    }
  });

  it('in phones of any length, with one hyphen or two', () => {
    const put = (text: string) => record([[7, sender([[5, text]])]]);
    for (const start of ['138001380001', '085181234567', '95338', '4008123123', '1064912345678']) {
      const digits = `${start}${'1234567890'.repeat(4)}`;
      const lengths = Array.from({ length: 20 }, (_, i) => i + 4).concat(31, 32, 33, 39, 40, 41);
      const texts = lengths.flatMap((length) => {
        const number = digits.slice(0, length);
        return [number, ...withHyphens(number)];
      });
      expect(disagreements(texts, put)).toEqual([]);
    }
    const odd = ['/', ':', '+', '.', ' ', '－', '–', '１', 'x'];
    for (const character of odd) {
      expect(disagreements(withEach(character, '13800138000', [11, 15, 16, 17]), put)).toEqual([]);
    }
  });
});

function withHyphens(number: string): string[] {
  const texts: string[] = [];
  for (let first = 0; first <= number.length; first++) {
    const one = `${number.slice(0, first)}-${number.slice(first)}`;
    texts.push(one);
    for (const second of [1, 3, 5, 8, number.length]) {
      if (second < number.length) texts.push(`${one.slice(0, second)}-${one.slice(second)}`);
    }
  }
  return texts;
}

describe('UTF-8', () => {
  /** A record whose address is these octets, whatever they are. */
  function withOctets(octets: Uint8Array): Uint8Array {
    // A character that is no length, so that it is not found in the head.
    const filler = '~'.repeat(octets.length);
    const bytes = cbor(record([[11, recipient([[6, filler]])]]));
    bytes.set(octets, Buffer.from(bytes).indexOf(filler));
    return bytes;
  }

  function isUtf8(octets: Uint8Array): boolean {
    try {
      return !new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
        .decode(octets)
        .includes('\0');
    } catch {
      return false;
    }
  }

  /** Octets of which the module and the platform's decoder do not think alike. */
  function misjudged(all: Iterable<Uint8Array>): string[] {
    return [...all]
      .filter((octets) => {
        const { refusal } = checkRecord(instance, withOctets(octets), NOW);
        return (refusal !== REFUSALS.MALFORMED) !== isUtf8(octets);
      })
      .map((octets) => Buffer.from(octets).toString('hex'));
  }

  it('is told from what is none, with every pair of octets at the end of a block', () => {
    const text = Buffer.from('0123456789abcd贵州');
    for (let lead = 0; lead < 256; lead++) {
      const all = Array.from({ length: 256 }, (_, second) => {
        const octets = new Uint8Array(text);
        octets.set([lead, second], 13 + (second & 1));
        return octets;
      });
      expect(misjudged(all)).toEqual([]);
    }
  });

  it('is told from what is none, at every length and with any octet changed', () => {
    const random = new Prng('utf-8', '1');
    const alphabet = ['a', '9', '\u007f', 'é', '\u07ff', '\u0800', '贵', '\ud7ff', '\ue000', '，'];
    alphabet.push('\uffff', '𠮷', '\u{10ffff}');
    for (let length = 4; length < 70; length++) {
      const all: Uint8Array[] = [];
      for (let i = 0; i < 60; i++) {
        let text = '';
        while (Buffer.byteLength(text) < length) text += alphabet[random.int(alphabet.length)];
        // Cut to length, perhaps in the middle of a character; often with one octet more or less right.
        const octets = new Uint8Array(Buffer.from(text).subarray(0, length));
        if (random.int(3) > 0) octets[random.int(length)] = random.int(256);
        all.push(octets);
      }
      expect(misjudged(all)).toEqual([]);
    }
  });
});

it('a record at its greatest length, and with an octet more', () => {
  const withToken = (length: number) =>
    cbor(
      record([
        [7, undefined],
        [9, new Uint8Array(1024)],
        [11, recipient([[6, 'x'.repeat(length)]])],
      ]),
    );
  const spare = MAX_RECORD_BYTES - withToken(1000).length;
  for (const more of [-1, 0, 1, 2, 4096]) {
    const bytes = withToken(1000 + spare + more);
    expect(bytes.length).toBe(MAX_RECORD_BYTES + more);
    expect(verdictOf(bytes)).toBe(twinOf(bytes));
  }
});

it('canonical values leave nothing in the output behind them', () => {
  const { memory, OUT } = instance.exports;
  const out = new Uint8Array(
    (memory as WebAssembly.Memory).buffer,
    (OUT as WebAssembly.Global).value,
    96,
  );
  for (const length of [10, 11, 12, 13, 15, 16, 17]) {
    canonicalPhone(instance, '0851-8123456-1234567'.slice(0, length));
    canonicalWaybill(instance, 'YUNDA', '123456789012345678'.slice(0, length));
    expect(out.every((octet) => octet === 0)).toBe(true);
  }
});
