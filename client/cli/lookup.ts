import type { Command } from 'commander';
import { type CitiesReport, type CityResult, isPartial, lookupCities } from '../cities.ts';
import { withCorrections } from '../corrections.ts';
import { LookupError } from '../lookup.ts';
import { action, newCommand } from './command.ts';
import { explain } from './explain.ts';
import { bilingual, EXIT } from './failure.ts';
import { addQueryOptions, citiesOf, type QueryOptions, queryOf } from './query.ts';
import { count } from './ui.ts';

export function lookupCommand(): Command {
  const command = newCommand(
    'lookup',
    ['按证件、电话或运单号查询', 'find parcels by document, phone or waybill'],
    [
      'sealpost lookup --dir city --phone 13800138000',
      'sealpost lookup --dir city --waybill SF1234567890123 --json',
      'sealpost lookup --dir city --document - < number.txt',
      'sealpost lookup --dir guiyang --dir zunyi --phone - --from 2026-09-01',
    ],
  );
  return addQueryOptions(command).action(
    action<[QueryOptions]>(async (ui, options) => {
      const { query } = await queryOf(options);
      const asking = citiesOf(options);
      const found = await lookupCities(asking.targets, query);
      const matches = withCorrections(found.matches, asking.corrections, options.current);
      const report = { ...found, matches };
      asking.keep();
      failTogether(report);
      ui.result(
        {
          matches: report.matches,
          refused: report.cities.flatMap(({ refused }) => refused),
          truncated: report.cities.some(({ truncated }) => truncated),
          indexes: report.cities.reduce((sum, { indexes }) => sum + indexes, 0),
          cities: report.cities.map(cityJson),
        },
        summary(report, asking.enterpriseNames),
      );
      return exitCode(report);
    }),
  );
}

/** Throws what ended the lookup in every city, or what is wrong with the question itself. */
export function failTogether({ cities }: CitiesReport): void {
  const wrong = cities.find(
    ({ error }) => error instanceof LookupError && error.code === 'invalid_value',
  );
  if (wrong) throw wrong.error;
  if (cities.every(({ error }) => error !== undefined) && cities.length === 1) {
    throw cities[0]?.error;
  }
}

export function exitCode({ cities }: CitiesReport): number {
  if (cities.every(({ error }) => error !== undefined)) return EXIT.FAILURE;
  const missing = cities.some(
    ({ error, truncated, uncovered }) => error !== undefined || truncated || uncovered.length > 0,
  );
  if (missing || (cities.length > 1 && cities.some(isPartial))) return EXIT.INCOMPLETE;
  return cities.some(isPartial) ? EXIT.FAILURE : EXIT.OK;
}

/** A city's result for machines: its error by code alone. */
export function cityJson({
  error,
  ...result
}: CityResult): Omit<CityResult, 'error'> & { error?: string } {
  return error === undefined ? result : { ...result, error: explain(error).code };
}

/** What of each city is missing, for people. */
export function shortcomings({ cities }: CitiesReport): string[] {
  return cities.flatMap(({ name, error, refused, truncated, uncovered }) => [
    ...(error === undefined ? [] : [`${name}: ${bilingual(explain(error).problem)}`]),
    ...(refused.length > 0
      ? [
          bilingual([
            `${name}：无法解封 ${count(refused.length)} 项：${refused.join(', ')}`,
            `${count(refused.length)} do not open`,
          ]),
        ]
      : []),
    ...(truncated
      ? [bilingual([`${name}：结果过多，请缩小日期范围`, 'there are more: narrow the days'])]
      : []),
    ...uncovered.map(({ from, until }) =>
      bilingual([
        `${name}：缺少 ${from} 至 ${until} 的索引密钥，该段未查`,
        'no index key for that time: it was not searched',
      ]),
    ),
  ]);
}

function summary(report: CitiesReport, names: ReadonlyMap<string, string>): string[] {
  const { matches, cities } = report;
  const several = cities.length > 1;
  return [
    bilingual([`找到 ${count(matches.length)} 件`, `${count(matches.length)} found`]),
    ...matches.map(({ acceptedAt, enterprise, record, cityName, replacedBy }) => {
      const { carrier, waybill, sender, agreement, recipient } = record;
      const from = sender?.name ?? agreement?.number ?? '';
      const by = names.get(enterprise) ?? enterprise;
      const where = several ? `${cityName}  ` : '';
      const mark = replacedBy ? `  已更正 · replaced by ${replacedBy}` : '';
      return `${where}${acceptedAt}  ${carrier} ${waybill}  ${from} → ${recipient.name}  ${by}${mark}`;
    }),
    ...shortcomings(report),
  ];
}
