/** Normal forms and letters of docs/rules.md, in plain TypeScript. Lengths are code points unless said otherwise. */

/** Trims, makes full-width characters half-width and letters upper-case: numbers and codes. */
export function normalCode(text: string): string {
  return halfWidth(trimmed(text)).replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

/** A number or code of more octets than any has, blanks included, is not looked at. */
export function tooLong(text: string): boolean {
  return Buffer.byteLength(text) > 160;
}

/** U+FF01 to U+FF5E are U+0021 to U+007E in the width of a Han character; U+3000 is the blank. */
export function halfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCodePoint(c.charCodeAt(0) - 0xfee0))
    .replaceAll('\u3000', ' ');
}

/** Blank: space, tabulator, no-break space, ideographic space. */
export const BLANK = '[ \\t\\u00a0\\u3000]';

const ENDS = new RegExp(`^${BLANK}+|${BLANK}+$`, 'g');

export function trimmed(text: string): string {
  return text.replace(ENDS, '');
}

export function codePoints(text: string): string[] {
  return [...text];
}

/** Han characters, for a class of a regular expression with the flag u. Planes 2 and 3 less their noncharacters. */
export const HAN =
  '\\u2e80-\\u2eff\\u3007\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff' +
  '\\u{20000}-\\u{2fffd}\\u{30000}-\\u{3fffd}';

/** Latin letters of names: ASCII, Latin-1, Extended-A and -B, Extended Additional. */
export const LATIN = 'A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u024f\\u1e00-\\u1eff';

/** Hyphens and dashes as they are typed for one; the full-width one included. */
export const HYPHEN = '[-\\u2010-\\u2015\\u2212\\uff0d]';

/** Nobody sees controls, separators of lines, what Unicode lets fonts ignore, annotation marks, noncharacters. */
const INVISIBLE =
  /[\p{Cc}\u2028\u2029\p{Default_Ignorable_Code_Point}\ufff9-\ufffd\p{Noncharacter_Code_Point}]/u;

export function visible(text: string): boolean {
  return !INVISIBLE.test(text);
}

export function privateUse(text: string): boolean {
  return /\p{Co}/u.test(text);
}
