/** X25519 as RFC 7748 5 writes it, in whole numbers: slow, and plain enough to be read beside the RFC. */

export const P = 2n ** 255n - 19n;
const A24 = 121665n;

/** 32 octets; zeros when the point is of small order. */
export function x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array {
  const clamped = scalar.slice();
  clamped[0] = (clamped[0] as number) & 248;
  clamped[31] = ((clamped[31] as number) & 127) | 64;
  const k = decodeLittleEndian(clamped);
  const x1 = modulo(decodeLittleEndian(u) & (2n ** 255n - 1n));

  let [x2, z2, x3, z3] = [1n, 0n, x1, 1n];
  for (let t = 254n; t >= 0n; t--) {
    const bit = (k >> t) & 1n;
    if (bit) [x2, z2, x3, z3] = [x3, z3, x2, z2];
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3];
    const [aa, bb, da, cb] = [a * a, b * b, d * a, c * b];
    const e = aa - bb;
    x3 = modulo((da + cb) ** 2n);
    z3 = modulo(x1 * (da - cb) ** 2n);
    x2 = modulo(aa * bb);
    z2 = modulo(e * (aa + A24 * e));
    if (bit) [x2, z2, x3, z3] = [x3, z3, x2, z2];
  }
  return encodeLittleEndian(modulo(x2 * power(z2, P - 2n)));
}

export function encodeLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function decodeLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let t = 254n; t >= 0n; t--) {
    result = modulo(result * result);
    if ((exponent >> t) & 1n) result = modulo(result * base);
  }
  return result;
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}
