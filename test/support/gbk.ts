/** GBK octets of a text: Node decodes GB 18030 and does not encode it. */

let octets: Map<string, number[]> | undefined;

/** Characters of two octets, found by decoding all there are. */
function table(): Map<string, number[]> {
  if (octets) return octets;
  octets = new Map();
  const decoder = new TextDecoder('gb18030');
  for (let lead = 0x81; lead < 0xff; lead++) {
    for (let trail = 0x40; trail < 0xff; trail++) {
      if (trail === 0x7f) continue;
      const character = decoder.decode(Uint8Array.of(lead, trail));
      if (!octets.has(character)) octets.set(character, [lead, trail]);
    }
  }
  return octets;
}

/** @throws TypeError for a character that GBK does not have */
export function gbk(text: string): Uint8Array {
  return Uint8Array.from(
    [...text].flatMap((character) => {
      const code = character.codePointAt(0) as number;
      const found = code < 0x80 ? [code] : table().get(character);
      if (found === undefined) throw new TypeError('not in GBK');
      return found;
    }),
  );
}
