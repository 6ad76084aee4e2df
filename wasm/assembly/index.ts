/** What the module offers. The edge calls the pipeline; clients and tests also use the checks and the primitives. */

export * from './check';
export { drawInstanceKey } from './contexts';
export { endEpochs, hasEpoch, startEpoch } from './epochs';
export { indexCodes } from './index-codes';
export { IN, OUT, RANDOM } from './io';
export { openList, sealList } from './job-lists';
export { setCity, setEdgeKey, setIndexKey } from './keys';
export { openEpoch, openParcels, SEALED_EPOCH_BYTES } from './opener';
export * from './primitives';
export {
  readNext,
  SEALED_READER_BYTES,
  SEALED_SENDER_BYTES,
  sealNext,
  startReading,
  startSending,
} from './sender';
export { answerSingle, openSingle } from './single';
export {
  openChunk,
  openStream,
  SEALED_ANSWER_BYTES,
  SEALED_REQUEST_BYTES,
  sealResults,
  sealSummary,
} from './stream';
