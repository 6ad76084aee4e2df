/** Waybill numbers in the carriers' own forms. Numbers of one carrier are drawn from one roll, so that a day has no number twice. */
import { hash32, type Prng } from './prng.ts';

/** Check digit of UPU S10-12: weights 8 6 4 2 3 5 9 7 over the eight serial digits, 11 - sum mod 11, 10 -> 0, 11 -> 5. */
export function s10CheckDigit(serial: string): number {
  const factors = [8, 6, 4, 2, 3, 5, 9, 7];
  const sum = factors.reduce((total, factor, index) => total + factor * Number(serial[index]), 0);
  const check = 11 - (sum % 11);
  return check === 10 ? 0 : check === 11 ? 5 : check;
}

/** An S10 identifier: service indicator (two letters), eight serial digits, check digit, country (ISO 3166-1 alpha-2). */
export function s10(service: string, serial: string, country: string): string {
  return `${service}${serial}${s10CheckDigit(serial)}${country}`;
}

/**
 * The waybill number of the day's parcel number `index`. `stem` gives the roll that day: it is added to the place of the
 * parcel, so that numbers rise during the day as they do on a real roll.
 */
export function waybill(random: Prng, carrier: string, index: number, stem: string): string {
  const start = hash32(carrier + stem, 1);
  const serial = (digits: number): string => {
    const range = 10 ** digits;
    return String((start * 20_011 + index * 7) % range).padStart(digits, '0');
  };
  const variant = random.float();
  switch (carrier) {
    case 'SF':
      return variant < 0.85 ? `SF1${serial(12)}` : serial(12);
    case 'YTO':
      return `YT${serial(13)}`;
    case 'ZTO':
      return variant < 0.9 ? `7${random.pick(['3', '5', '6', '8'])}${serial(12)}` : serial(12);
    case 'STO':
      return `77${serial(13)}`;
    case 'YUNDA':
      return variant < 0.8 ? `${random.pick(['3', '4'])}${serial(14)}` : serial(13);
    case 'JD':
      return `JD${random.pick(['VA', 'VB', 'X0', '00'])}${serial(11)}`;
    case 'JT':
      return `JT${serial(13)}`;
    case 'EMS':
    case 'POST':
      return postWaybill(random, carrier, serial, variant);
    case 'DEPPON':
      return `DPK${serial(12)}`;
    case 'BEST':
      return variant < 0.4 ? `${random.pick(['A', 'B', 'D', 'E'])}${serial(12)}` : `7${serial(13)}`;
    case 'TTK':
      return `${random.pick(['66', '77', '88', '555', '556', '558'])}${serial(10)}`;
    case 'GTO':
      return serial(variant < 0.5 ? 10 : 12);
    default:
      return `${carrier}${serial(9)}`;
  }
}

function postWaybill(
  random: Prng,
  carrier: 'EMS' | 'POST',
  serial: (digits: number) => string,
  variant: number,
): string {
  if (variant < 0.65) return `${carrier === 'EMS' ? '1' : '9'}${serial(12)}`;
  const service =
    carrier === 'EMS' ? random.pick(['EA', 'EB', 'EV']) : random.pick(['PA', 'XA', 'RA']);
  return s10(service, serial(8), 'CN');
}
