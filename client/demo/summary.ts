/** The outcome of a demo for a person to read. */
import { bilingual } from '../cli/failure.ts';
import { count } from '../cli/ui.ts';
import { type DemoReport, passed } from './demo.ts';

/** Lines of text, Chinese first. */
export function demoSummary(report: DemoReport): string[] {
  const { steps } = report;
  const rate = `${count(report.recordsPerSecond)} 件/秒 · parcels/s`;
  return [
    '',
    passed(report)
      ? bilingual(['✔ 全程核对无误', 'everything checked out'])
      : bilingual(['✘ 核对发现问题', 'something is wrong']),
    '',
    row('寄递记录', 'parcels', count(report.parcels), `${report.enterprises} 家企业 · companies`),
    row('密封入库', 'stored', count(report.stored), rate),
    row(
      '依规拒收',
      'refused',
      count(report.refused),
      `${count(report.refusedAsExpected)} 件如预期 · as expected`,
    ),
    row('监管解封', 'opened', count(report.opened), '离线，逐条验证 · offline, each one verified'),
    row('核对不符', 'mismatches', count(report.mismatches), differences(report)),
    row('明文泄漏', 'plaintext hits', count(report.plaintextHits), searched(report)),
    '',
    row('总用时', 'total', `${report.seconds.toFixed(1)} s`, ''),
    row('生成', 'generate', `${steps.generate.toFixed(1)} s`, ''),
    row('上报', 'stream', `${steps.stream.toFixed(1)} s`, ''),
    row('下载解封', 'pull and open', `${steps.pull.toFixed(1)} s`, ''),
    row('核对', 'verify', `${steps.verify.toFixed(1)} s`, ''),
    ...(Number.isNaN(report.peakRssMb)
      ? []
      : [row('服务内存峰值', 'peak memory', `${Math.round(report.peakRssMb)} MB`, '')]),
    ...report.examples.map(
      ({ line, expected, got }) =>
        `  ! ${bilingual([`第 ${line} 行`, `line ${line}`])}: ${expected} ≠ ${got}`,
    ),
    ...report.hits.map(({ file, offset, encoding }) => `  ! ${file} @ ${offset} (${encoding})`),
    ...(report.kept ? ['', bilingual([`已保留：${report.kept}`, 'kept'])] : []),
  ];
}

/** Columns of a label; Han characters take two columns on a terminal. */
const LABEL_COLUMNS = 30;
const VALUE_COLUMNS = 10;

function row(chinese: string, english: string, value: string, remark: string): string {
  const label = `${chinese} · ${english}`;
  const columns = Array.from(label).reduce((sum, each) => sum + (each > '\u2e80' ? 2 : 1), 0);
  const padding = ' '.repeat(Math.max(1, LABEL_COLUMNS - columns));
  return `  ${label}${padding}${value.padStart(VALUE_COLUMNS)}  ${remark}`.trimEnd();
}

function searched({ valuesSearched, bytesSearched }: DemoReport): string {
  const megabytes = Math.round(bytesSearched / 2 ** 20);
  return `${count(valuesSearched)} 个值，${count(megabytes)} MB 数据 · values, data searched`;
}

function differences({ mismatches, differences }: DemoReport): string {
  if (mismatches === 0) return '逐字段相等 · equal field by field';
  const kinds = Object.entries(differences).filter(([, each]) => each > 0);
  return kinds.map(([kind, each]) => `${kind} ${count(each)}`).join(', ');
}
