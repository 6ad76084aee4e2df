/** People with their documents: name and number as the document's type has them. */
import type { DocType, Sender } from '../../wire/record.ts';
import {
  armedPoliceNumber,
  chinesePassportNumber,
  fpr2017Number,
  fpr2023Number,
  hkMacaoPermitNumber,
  hmtResidenceNumber,
  localResidentNumber,
  militaryNumber,
  passportNumber,
  taiwanPermitNumber,
  uscc,
} from './documents.ts';
import { chineseName, foreignCountry, foreignName, organisationName } from './names.ts';
import { type Prng, weights } from './prng.ts';

/** What a document says of its holder. */
export type Holder = Pick<Sender, 'docType' | 'docNumber' | 'name'> &
  Partial<Pick<Sender, 'nationality' | 'settledAbroad'>>;

const types = weights<DocType>([
  ['RESIDENT', 934],
  ['RESIDENT_TEMP', 11],
  ['HMT_RESIDENCE', 5],
  ['FPR', 5],
  ['HK_MACAO_PERMIT', 6],
  ['TAIWAN_PERMIT', 5],
  ['PASSPORT_FOREIGN', 12],
  ['PASSPORT_CN', 4],
  ['MILITARY', 7],
  ['ARMED_POLICE', 4],
  ['USCC', 7],
]);

/** Which document an occasional sender shows. */
export function documentType(random: Prng): DocType {
  return random.weighted(types);
}

/** The holder of a document of this type, born on `birth` (YYYYMMDD); `family` sets the surname of a resident. */
export function holder(random: Prng, docType: DocType, birth: string, family?: string): Holder {
  switch (docType) {
    case 'RESIDENT':
    case 'RESIDENT_TEMP':
      return {
        docType,
        docNumber: localResidentNumber(random, birth),
        name: chineseName(random, family),
      };
    case 'HMT_RESIDENCE':
      return { docType, docNumber: hmtResidenceNumber(random, birth), name: chineseName(random) };
    case 'FPR':
      return permanentResident(random, birth);
    case 'HK_MACAO_PERMIT':
      return { docType, docNumber: hkMacaoPermitNumber(random), name: chineseName(random) };
    case 'TAIWAN_PERMIT':
      return { docType, docNumber: taiwanPermitNumber(random), name: chineseName(random) };
    case 'PASSPORT_FOREIGN': {
      const country = foreignCountry(random);
      const docNumber = passportNumber(random, country.passport);
      return {
        docType,
        docNumber,
        nationality: country.alpha3,
        name: foreignName(random, country),
      };
    }
    case 'PASSPORT_CN':
      return {
        docType,
        docNumber: chinesePassportNumber(random),
        name: chineseName(random),
        settledAbroad: true,
      };
    case 'MILITARY':
      return { docType, docNumber: militaryNumber(random), name: chineseName(random) };
    case 'ARMED_POLICE':
      return { docType, docNumber: armedPoliceNumber(random), name: chineseName(random) };
    case 'USCC':
      return { docType, docNumber: uscc(random), name: organisationName(random) };
  }
}

function permanentResident(random: Prng, birth: string): Holder {
  const country = foreignCountry(random);
  const docNumber = random.chance(0.4)
    ? fpr2017Number(random, country.alpha3, birth)
    : fpr2023Number(random, country.numeric, birth);
  return { docType: 'FPR', docNumber, name: foreignName(random, country) };
}
