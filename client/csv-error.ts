/** Why a CSV file can't be read. Tells places and our own names of fields; never what stands in the file, headers included. */

export type CsvCode =
  | 'bad_mapping' // the mapping is not of its form, at `fields`
  | 'unknown_columns' // headers of `columns` are no field
  | 'doubled_columns' // `columns` mean a field that another column means too
  | 'missing_fields' // no column holds `fields`
  | 'no_header' // the file is empty
  | 'bad_encoding' // neither UTF-8 nor GB 18030, or not the encoding that was named
  | 'bad_row'; // quotes, or another number of columns than the header has, at `line`

export interface CsvPlace {
  /** From 1; the first one of a row that has several. */
  line?: number;
  /** From 1. */
  columns?: readonly number[];
  fields?: readonly string[];
}

export class CsvError extends Error {
  readonly code: CsvCode;
  readonly place: CsvPlace;

  constructor(code: CsvCode, place: CsvPlace = {}) {
    super(code);
    this.name = 'CsvError';
    this.code = code;
    this.place = place;
  }
}
