/** The plot of a results file, as SVG: made without a browser, and the same octets for the same file. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { figure } from '../shared/report.ts';
import type { Results } from '../shared/results.ts';
import { RATIO_GOALS } from './goals.ts';

/** Colours of text and lines, by class in the SVG: the reader's scheme decides. */
const INK = '#24292f';
const INK_ON_DARK = '#e6edf3';
const PAPER = '#ffffff';
const PAPER_ON_DARK = '#0d1117';
/** Legible on both. */
const OURS = '#2f81f7';
const OTHERS = '#b3712d';
const GOAL = '#1a9e55';

export async function plotSvg(results: Results): Promise<string> {
  const view = new View(parse(compile(specification(results)).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return schemed(svg);
}

function specification(results: Results): TopLevelSpec {
  const { cpu, cores, node } = results.machine;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: 'Sealpost, times as fast as other ways',
      subtitle: `${cpu}, ${cores} cores, Node ${node}; medians of interleaved rounds; green: the goal`,
      anchor: 'start',
      offset: 14,
    },
    vconcat: [ratioPanel(results), timePanel(results)],
    spacing: 36,
    config: {
      background: PAPER,
      padding: 16,
      font: 'sans-serif',
      title: { color: INK, subtitleColor: INK, fontSize: 15, subtitleFontSize: 11 },
      axis: {
        ...{ labelColor: INK, titleColor: INK, domainColor: '#8c959f', tickColor: '#8c959f' },
        ...{ gridColor: '#8c959f', gridOpacity: 0.25, labelLimit: 600, labelFontSize: 11 },
      },
      legend: { labelColor: INK, titleColor: INK, labelLimit: 300 },
      view: { stroke: null },
    },
  } as TopLevelSpec;
}

function ratioPanel(results: Results) {
  const values = RATIO_GOALS.flatMap(({ name, value, least }) => {
    const ratio = value(results);
    return ratio === undefined
      ? []
      : [{ name, ratio, goal: least, one: 1, shown: shown(ratio, least) }];
  });
  const y = { field: 'name', type: 'nominal', sort: null, title: null };
  const scale = { type: 'log', nice: false, padding: 24 };
  const x = { type: 'quantitative', scale, title: 'times as fast (1: equal)' };
  return {
    data: { values },
    width: 340,
    height: { step: 24 },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 6, color: OURS, opacity: 0.55 },
        encoding: { y, x: { ...x, field: 'one' }, x2: { field: 'ratio' } },
      },
      {
        mark: { type: 'point', filled: true, size: 90, color: OURS, opacity: 1 },
        encoding: { y, x: { ...x, field: 'ratio' } },
      },
      {
        transform: [{ filter: 'isValid(datum.goal)' }],
        mark: { type: 'tick', thickness: 3, size: 18, color: GOAL },
        encoding: { y, x: { ...x, field: 'goal' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 10, color: INK, fontSize: 11 },
        encoding: { y, x: { value: 'width' }, text: { field: 'shown' } },
      },
    ],
  };
}

/** `0.76, goal 1.4`. */
function shown(ratio: number, goal: number | undefined): string {
  return figure(ratio) + (goal === undefined ? '' : `, goal ${goal}`);
}

function timePanel(results: Results) {
  const values = results.wasm.variants
    .filter(({ name, set }) => set === 'message' && !name.includes('a call'))
    .map(({ name, runtime, nsPerRecord }) => ({
      name: `${name} (${runtime})`,
      ns: nsPerRecord.median,
      who: name === 'pipeline' ? 'the whole pipeline' : 'the cryptography only',
    }))
    .sort((a, b) => a.ns - b.ns);
  const y = { field: 'name', type: 'nominal', sort: null, title: null };
  return {
    data: { values },
    width: 340,
    height: { step: 20 },
    layer: [
      {
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          y,
          x: {
            ...{ field: 'ns', type: 'quantitative', scale: { type: 'log', padding: 24 } },
            title: 'nanoseconds a record of 420 octets, sealed by itself',
          },
          color: {
            ...{ field: 'who', type: 'nominal', title: null },
            scale: {
              domain: ['the whole pipeline', 'the cryptography only'],
              range: [OURS, OTHERS],
            },
            legend: { orient: 'bottom' },
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 10, color: INK, fontSize: 11 },
        encoding: {
          y,
          x: { field: 'ns', type: 'quantitative' },
          text: { field: 'ns', format: ',.0f' },
        },
      },
    ],
  };
}

/** Text and paper follow the reader's scheme; style wins over the attributes that Vega writes. */
function schemed(svg: string): string {
  const style = `<style>@media (prefers-color-scheme: dark){text{fill:${INK_ON_DARK}}.paper{fill:${PAPER_ON_DARK}}}</style>`;
  const paper = `fill="${PAPER}"/>`;
  return `${svg.replace(/<svg[^>]*>/, (tag) => tag + style).replace(paper, `class="paper" ${paper}`)}\n`;
}
