/** SHA-256 of a byte string. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

const DIGITS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal, for names and map keys. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const octet of bytes) text += DIGITS[octet];
  return text;
}
