/** What is to be reached, and whether it was. */
import { figure } from '../shared/report.ts';
import type { Results } from '../shared/results.ts';

export interface Goal {
  name: string;
  value(results: Results): number | undefined;
  /** Reached when the value is at least, or at most, this; without it the figure is only told. */
  least?: number;
  most?: number;
  unit?: string;
}

/** Records of a day in Guiyang, 2017. */
const WHOLE_DAY = 160_000;

/** Ratios: above 1, ours is faster. */
export const RATIO_GOALS: readonly Goal[] = [
  {
    name: 'pipeline against noble, both in workerd',
    value: ({ wasm }) => wasm.ratios.vsNoble,
    least: 20,
  },
  {
    name: 'pipeline against OpenSSL ChaCha20-Poly1305 in C, by message',
    value: ({ wasm }) => wasm.ratios.vsOpenSSLChaChaMessage,
    least: 1.4,
  },
  {
    name: 'pipeline against OpenSSL ChaCha20-Poly1305 in C, by chunk',
    value: ({ wasm }) => wasm.ratios.vsOpenSSLChaChaChunk,
    least: 1,
  },
  {
    name: 'pipeline against OpenSSL AES-256-GCM in C, by message',
    value: ({ wasm }) => wasm.ratios.vsOpenSSLAesGcm,
  },
  {
    name: 'pipeline against libsodium-wrappers',
    value: ({ wasm }) => wasm.ratios.vsLibsodium,
  },
  {
    name: 'pipeline against an HPKE package from npm',
    value: ({ wasm }) => wasm.ratios.vsHpkePackage,
  },
  {
    name: 'pipeline against WebCrypto AES-GCM',
    value: ({ wasm }) => wasm.ratios.vsWebCryptoAesGcm,
  },
  {
    name: 'pipeline in workerd against the same in Node',
    value: ({ wasm }) => wasm.ratios.workerdVsNode,
    least: 0.85,
  },
  {
    name: 'sealed stream against the plain service',
    value: ({ ingest }) => ingest.ratio,
    least: 1.5,
  },
  {
    name: 'sealed stream against the best plain way',
    value: ({ ingest }) => ingest.ratioBestPlain,
    least: 0.6,
  },
  { name: 'offline opening against noble', value: ({ open }) => open.vsNoble },
];

export const FIGURE_GOALS: readonly Goal[] = [
  {
    name: 'a sealed day of 160,000 records: last acknowledgement',
    // A part of a day says nothing about a day.
    value: ({ ingest }) => (ingest.records === WHOLE_DAY ? ingest.daySeconds : undefined),
    ...{ most: 8, unit: ' s' },
  },
  {
    name: 'the same: last index entry',
    value: ({ ingest }) => (ingest.records === WHOLE_DAY ? ingest.indexedSeconds : undefined),
    unit: ' s',
  },
  {
    name: 'single submissions, sustained',
    value: ({ ingest }) => ingest.singlesPerSecond,
    ...{ least: 1_500, unit: '/s' },
  },
  {
    name: 'single submissions at 750/s, p99',
    value: ({ ingest }) => ingest.p99Ms,
    ...{ most: 50, unit: ' ms' },
  },
  {
    name: 'offline opening, one core',
    value: ({ open }) => open.recordsPerSecond,
    ...{ least: 300_000, unit: '/s' },
  },
  {
    name: 'cost of a record at a million against ten thousand, dearer by',
    value: ({ growth }) => growth.flatWithin * 100,
    ...{ most: 25, unit: '%' },
  },
  {
    name: 'memory of workerd, greatest of all',
    value: ({ ingest, growth }) => Math.max(ingest.peakRssMb, growth.peakRssMb),
    ...{ most: 256, unit: ' MiB' },
  },
  {
    name: 'sealpost.wasm',
    value: ({ moduleBytes }) => moduleBytes / 1024,
    ...{ most: 128, unit: ' KiB' },
  },
];

/** Name, figure, goal, and `reached` or `missed` of every goal. */
export function goalRows(results: Results): string[][] {
  const ratios = RATIO_GOALS.map((goal) => row({ ...goal, unit: ' times' }, results));
  return [...ratios, ...FIGURE_GOALS.map((goal) => row(goal, results))];
}

function row(goal: Goal, results: Results): string[] {
  const { name, least, most, unit = '' } = goal;
  const value = goal.value(results);
  const shown = value === undefined ? 'not measured' : `${figure(value)}${unit}`;
  if (least !== undefined) return [name, shown, `at least ${bound(least)}`, verdict(value, goal)];
  if (most !== undefined)
    return [name, shown, `at most ${bound(most)}${unit}`, verdict(value, goal)];
  return [name, shown, '', ''];
}

function bound(value: number): string {
  return value >= 1_000 ? figure(value) : String(value);
}

function verdict(value: number | undefined, { least, most }: Goal): string {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  return value >= (least ?? value) && value <= (most ?? value) ? 'reached' : 'missed';
}
