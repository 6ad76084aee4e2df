import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchFile } from '../../client/demo/leak.ts';
import { Needles } from '../../client/demo/needles.ts';

const DOCUMENT = '11010519491231002X';
const PHONE = '13800138000';
const NAME = '买买提·阿卜杜拉';
const ADDRESS = '贵州省贵阳市云岩区中山东路12号鸿基大厦3单元1502室';
const VALUES = [DOCUMENT, PHONE, NAME, ADDRESS, '𠮷田さん', 'JOHN FITZGERALD SMITH', '12345678'];

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpost-leak-'));
  file = join(folder, 'data.bin');
});
afterAll(() => rmSync(folder, { recursive: true }));

function needlesOf(values: Iterable<string>): Needles {
  const needles = new Needles();
  for (const value of values) needles.add(value);
  return needles;
}

function random(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

function search(content: Buffer, needles: Needles, blockBytes?: number) {
  writeFileSync(file, content);
  return searchFile(file, needles, blockBytes);
}

/** Every form a value could take, with octets around it as an encoder of a longer text would have them. */
const FORMS: Record<string, (value: string) => Buffer> = {
  'UTF-8': (value) => Buffer.from(value),
  'UTF-16LE': (value) => Buffer.from(value, 'utf16le'),
  'UTF-16BE': (value) => Buffer.from(value, 'utf16le').swap16(),
  hex: (value) => Buffer.from(Buffer.from(value).toString('hex')),
  'upper-case hex': (value) => Buffer.from(Buffer.from(value).toString('hex').toUpperCase()),
  'hex after an odd digit': (value) => Buffer.from(`7${Buffer.from(value).toString('hex')}`),
  'hex of UTF-16': (value) => Buffer.from(Buffer.from(value, 'utf16le').toString('hex')),
  base64: (value) => Buffer.from(Buffer.from(value).toString('base64')),
  'base64 after one octet': (value) => Buffer.from(Buffer.from(`a${value}z`).toString('base64')),
  'base64 after two octets': (value) => Buffer.from(Buffer.from(`ab${value}`).toString('base64')),
  'base64url in a word': (value) =>
    Buffer.from(`key-${Buffer.from(`{"v":"${value}"}`).toString('base64url')}`),
  percent: (value) => Buffer.from(encodeURIComponent(value)),
  'lower-case percent': (value) =>
    Buffer.from(encodeURIComponent(value).replace(/%../g, (octet) => octet.toLowerCase())),
  'a URL': (value) => Buffer.from(encodeURI(`https://example.org/find?q=${value}&page=2`)),
  'a form': (value) => Buffer.from(new URLSearchParams({ q: value, page: '2' }).toString()),
};

describe('search for plaintext', () => {
  const needles = needlesOf(VALUES);

  for (const [form, encode] of Object.entries(FORMS)) {
    it(`finds values as ${form}`, () => {
      for (const value of VALUES) {
        const content = Buffer.concat([random(1_000), encode(value), random(1_000)]);
        expect(search(content, needles), `${value} as ${form}`).not.toEqual([]);
      }
    });
  }

  it('finds a value across the blocks of a file, wherever the border lies', () => {
    const short = needlesOf([PHONE]);
    for (let offset = 100; offset < 180; offset++) {
      const content = Buffer.concat([Buffer.alloc(offset), Buffer.from(PHONE), Buffer.alloc(300)]);
      expect(search(content, short, 64)).toEqual([{ file, offset, encoding: 'utf8' }]);
    }
  });

  it('finds an encoded value across the blocks of a file', () => {
    const one = needlesOf([ADDRESS]);
    for (const [form, encode] of Object.entries(FORMS)) {
      for (let lead = 0; lead < 64; lead += 7) {
        const content = Buffer.concat([
          Buffer.alloc(500 + lead),
          encode(ADDRESS),
          Buffer.alloc(500),
        ]);
        expect(search(content, one, 64), `${form}, ${lead}`).toHaveLength(1);
      }
    }
  });

  it('tells where a value stands', () => {
    const content = Buffer.concat([
      Buffer.alloc(10),
      Buffer.from(DOCUMENT),
      Buffer.alloc(10),
      Buffer.from(Buffer.from(PHONE).toString('hex')),
    ]);
    expect(search(content, needles)).toEqual([
      { file, offset: 10, encoding: 'utf8' },
      { file, offset: 38, encoding: 'hex' },
    ]);
  });

  it('finds values at both ends of a file, and in a file that is only a value', () => {
    expect(search(Buffer.from(`${PHONE}, ${DOCUMENT}`), needles)).toHaveLength(2);
    expect(search(Buffer.from('12345678'), needles)).toHaveLength(1);
  });

  it('finds none in random octets, of which a file of any size may consist', () => {
    for (const length of [0, 1, 7, 8, 9, 63, 64, 65, 3_000_000]) {
      expect(search(random(length), needles)).toEqual([]);
    }
  });

  it('finds none in text that holds only parts of values', () => {
    const text = VALUES.map((value) => Array.from(value).slice(1).join('')).join(' ');
    expect(search(Buffer.from(`${text} ${encodeURIComponent(text)}`), needles)).toEqual([]);
  });

  it('passes over values that are too short, and single characters repeated', () => {
    const none = needlesOf(['张三', '1234567', '00000000', '        ']);
    expect(none.size).toBe(0);
    expect(search(Buffer.from('张三 1234567 00000000         '), none)).toEqual([]);
  });

  it('finds each of many values that begin and end alike', () => {
    const address = (number: number) => `贵州省贵阳市云岩区中山东路${number}号鸿基大厦`;
    const many = needlesOf(Array.from({ length: 50_000 }, (_, number) => address(number)));
    for (const number of [0, 1, 777, 49_999]) {
      const content = Buffer.concat([random(100), Buffer.from(address(number)), random(100)]);
      expect(search(content, many)).toEqual([{ file, offset: 100, encoding: 'utf8' }]);
    }
    expect(search(Buffer.from(address(50_000)), many)).toEqual([]);
  });
});
