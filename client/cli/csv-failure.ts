/** What to tell about a CSV file that can't be read. */
import { fieldText } from '../../wire/explain.ts';
import type { CsvError } from '../csv-error.ts';
import { type Bilingual, CliFailure } from './failure.ts';

const COLUMNS: Bilingual = [
  '请改正表头，或用 --map 指明各列（null 为忽略）',
  'mend the header, or say with --map what the columns are (null leaves one out)',
];

/** What to tell about a CSV file: places and our own names of fields, never what stands in it. */
export function csvFailure(error: CsvError): CliFailure {
  const [problem, remedy] = csvTexts(error);
  return new CliFailure(error.code, problem, remedy, { cause: error });
}

function csvTexts({ code, place }: CsvError): readonly [Bilingual, Bilingual] {
  const { line, columns = [], fields = [] } = place;
  const numbers = columns.join(', ');
  switch (code) {
    case 'bad_mapping':
      return [
        [`列映射文件有误（${fields}）`, `the mapping is not of its form (${fields})`],
        ['请对照 docs/integrating.md 更正', 'see docs/integrating.md'],
      ];
    case 'unknown_columns':
      return [
        [`第 ${numbers} 列的表头无法识别`, `the header of column ${numbers} is not known`],
        COLUMNS,
      ];
    case 'doubled_columns':
      return [
        [`第 ${numbers} 列与前面的列重复`, `column ${numbers} means what another one means`],
        COLUMNS,
      ];
    case 'missing_fields':
      return [
        [
          `缺少列：${fields.map(fieldText).join('、')}`,
          `columns are missing: ${fields.join(', ')}`,
        ],
        COLUMNS,
      ];
    case 'no_header':
      return [
        ['文件没有表头', 'the file has no header'],
        ['第一行须为列名', 'its first line must name the columns'],
      ];
    case 'bad_encoding':
      return [
        ['文件编码无法识别', 'the encoding of the file is not the one expected'],
        [
          '请存为 UTF-8 或 GB18030，或用 --encoding 指明',
          'save it as UTF-8 or GB 18030, or name it with --encoding',
        ],
      ];
    case 'bad_row':
      return [
        [`第 ${line} 行的引号或列数有误`, `the quotes or columns of line ${line} are wrong`],
        ['请改正该行；什么都没有发送', 'mend that line; nothing was sent'],
      ];
  }
}
