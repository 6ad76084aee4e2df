/** What a record must look like to the plain service: shapes, lengths and codes, as one writes them with a schema library. */
import { z } from 'zod';

// Code must not be made of strings inside workerd, so the library's compiled form is not to be had.
z.config({ jitless: true });

const phone = z.string().regex(/^\+?[0-9][0-9 -]{4,30}$/);
const division = z.string().regex(/^[1-9][0-9]{5}$/);
const address = z.string().min(4).max(200);
const name = z.string().min(1).max(64);
const documentNumber = z.string().regex(/^[\p{Script=Han}0-9A-Za-z()（）-]{4,40}$/u);
const documentType = z.enum([
  'RESIDENT',
  'RESIDENT_TEMP',
  'HMT_RESIDENCE',
  'FPR',
  'HK_MACAO_PERMIT',
  'TAIWAN_PERMIT',
  'PASSPORT_FOREIGN',
  'PASSPORT_CN',
  'MILITARY',
  'ARMED_POLICE',
  'USCC',
]);

const person = z.object({
  docType: documentType,
  docNumber: documentNumber,
  nationality: z.string().length(3).optional(),
  name,
  phone,
});

export const recordSchema = z
  .object({
    id: z.uuid(),
    carrier: z.string().regex(/^[A-Z0-9]{2,12}$/),
    waybill: z.string().regex(/^[A-Za-z0-9 -]{6,40}$/),
    takenAt: z.iso.datetime(),
    outlet: z.string().min(1).max(32),
    goods: z.enum([
      'document',
      'clothing',
      'food',
      'electronics',
      'household',
      'cosmetics',
      'books',
      'medicine',
      'machinery',
      'farm_produce',
      'other',
    ]),
    sender: person.extend({ address, division, settledAbroad: z.boolean().optional() }).optional(),
    agreement: z
      .object({ number: z.string().min(4).max(40), uscc: documentNumber, phone, address, division })
      .optional(),
    guardian: person.optional(),
    recipient: z.object({ name, phone, address, division }),
    photos: z.array(z.string().regex(/^[0-9a-f]{64}$/)).optional(),
    replaces: z.uuid().optional(),
  })
  .refine(({ sender, agreement }) => (sender === undefined) !== (agreement === undefined));

export type PlainRecord = z.infer<typeof recordSchema>;
