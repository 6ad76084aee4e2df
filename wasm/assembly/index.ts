/** What the module offers. The edge calls the pipeline; clients and tests also use the checks and the primitives. */

export * from './check';
export { drawInstanceKey } from './contexts';
export { endEpochs, hasEpoch, startEpoch } from './epochs';
export { IN, OUT, RANDOM } from './io';
export { setCity, setEdgeKey, setIndexKey } from './keys';
export * from './primitives';
export { answerSingle, openSingle } from './single';
export {
  openChunk,
  openStream,
  SEALED_ANSWER_BYTES,
  SEALED_REQUEST_BYTES,
  sealResults,
  sealSummary,
} from './stream';
