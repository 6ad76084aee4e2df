/**
 * Countries whose nationals live or study in Guiyang in some number: ISO 3166-1 alpha-3 and numeric codes, share, the form
 * of their passport numbers (A a letter, 9 a digit, anything else itself), and name parts in capitals as printed.
 */
export interface Country {
  alpha3: string;
  numeric: string;
  share: number;
  passport: string;
  given: readonly string[];
  family: readonly string[];
}

const country = (
  alpha3: string,
  numeric: string,
  share: number,
  passport: string,
  given: string,
  family: string,
): Country => ({
  alpha3,
  numeric,
  share,
  passport,
  given: given.split(' '),
  family: family.split(' '),
});

export const COUNTRIES: readonly Country[] = [
  country(
    'LAO',
    '418',
    14,
    'PA9999999',
    'SOMCHAI BOUNMY KHAMLA VIENGKHAM NOY',
    'PHOMMACHANH SISOUK VONGSA KEOBOUNPHANH',
  ),
  country(
    'VNM',
    '704',
    12,
    'A99999999',
    'VAN-ANH MINH THI-HOA QUANG LINH',
    'NGUYEN TRAN LE PHAM HOANG',
  ),
  country(
    'THA',
    '764',
    9,
    'AA9999999',
    'SOMSAK KANYA PRASERT NARONG MALEE',
    'SAETANG WONGSAWAT CHAIYASIT RATTANA',
  ),
  country(
    'PAK',
    '586',
    8,
    'AA9999999',
    'AHMED BILAL FATIMA USMAN AYESHA',
    'KHAN HUSSAIN MALIK QURESHI',
  ),
  country(
    'KOR',
    '410',
    9,
    'M99999999',
    'MIN-JUN SEO-YEON JI-HOON HYE-JIN',
    'KIM LEE PARK CHOI JUNG',
  ),
  country(
    'JPN',
    '392',
    5,
    'TZ9999999',
    'HARUTO YUI KENTA MISAKI',
    'TANAKA SUZUKI WATANABE KOBAYASHI',
  ),
  country(
    'RUS',
    '643',
    7,
    '999999999',
    'ALEKSANDR ANNA DMITRII ELENA',
    'IVANOV PETROVA SOKOLOV KUZNETSOVA',
  ),
  country(
    'KAZ',
    '398',
    4,
    'N99999999',
    'NURLAN AIGUL DAUREN ASSEL',
    'AKHMETOV SULEIMENOVA OSPANOV',
  ),
  country(
    'USA',
    '840',
    9,
    '999999999',
    'EMILY JACOB MARY-ANN ETHAN GRACE',
    'MILLER HARRIS WALKER ANDERSON O-NEIL',
  ),
  country(
    'GBR',
    '826',
    5,
    '999999999',
    'OLIVER CHARLOTTE HARRY SOPHIE',
    'TAYLOR EVANS WRIGHT HUGHES',
  ),
  country(
    'FRA',
    '250',
    4,
    '99AA99999',
    'JEAN-LUC CAMILLE HUGO LEA',
    'MOREAU LEROY FOURNIER GIRARD',
  ),
  country(
    'DEU',
    '276',
    3,
    'C9AAA9999',
    'LUKAS HANNAH FELIX KARL-HEINZ',
    'SCHNEIDER WAGNER BECKER HOFFMANN',
  ),
  country('CAN', '124', 3, 'AA999999', 'LIAM NORAH OWEN CLAIRE', 'TREMBLAY CAMPBELL STEWART'),
  country('NGA', '566', 4, 'A99999999', 'CHINEDU AMINA EMEKA NGOZI', 'OKAFOR ADEYEMI BELLO EZE'),
  country(
    'BGD',
    '050',
    4,
    'AA9999999',
    'RAHIM NASRIN TANVIR SHIRIN',
    'RAHMAN AKTER ISLAM CHOWDHURY',
  ),
];
