/** What every ParcelStore asks of a commit before it touches the database. */
import { type BatchHead, parseBatchHead } from '../wire/batch.ts';
import { equalBytes } from '../wire/bytes.ts';
import { MAX_COMMIT_RECORDS, type WriterKey } from './parcels.ts';

/** The heads of a commit's batches. @throws TypeError, RangeError, FormatError as ParcelStore.append says */
export function batchHeads(key: WriterKey, batches: readonly Uint8Array[]): BatchHead[] {
  const heads = batches.map(parseBatchHead);
  for (const { city, enterprise } of heads) {
    if (city === key.city && equalBytes(enterprise, key.enterprise)) continue;
    throw new TypeError('a batch is of another city or enterprise than its writer');
  }
  const records = heads.reduce((sum, { count }) => sum + count, 0);
  if (records > MAX_COMMIT_RECORDS) throw new RangeError('too many records in one commit');
  return heads;
}
