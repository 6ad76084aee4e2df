/**
 * Sealpost's client SDK: everything that runs in Node and in browsers alike. The WebAssembly module is found by itself in Node;
 * in a bundle, `loadModule(url)` says where it is. Programs on Node find workspaces on disk in ./workspace.ts.
 */
export type { Outcome, Refusal, Warning } from '../wire/codes.ts';
export type { Mode } from '../wire/keys.ts';
export {
  type DocType,
  encodeRecord,
  encodeRecordInto,
  type Goods,
  type MaskedRecord,
  type ParcelRecord,
} from '../wire/record.ts';
export { Checker, type LocalVerdict } from './check.ts';
export {
  type CitiesReport,
  type CityResult,
  type CityTarget,
  isPartial,
  lookupCities,
} from './cities.ts';
export { type Correction, Corrections, withCorrections } from './corrections.ts';
export { EdgeClient, type EdgeOptions } from './edge.ts';
export {
  type ErasedItem,
  type Erasure,
  type ErasureState,
  eraseRecords,
  verifyErasure,
} from './erase.ts';
export { EdgeError, IncompletePull, OpenError, StreamIncomplete, TrustError } from './errors.ts';
export { generateKeyPair, type KeyPair, keyPair } from './hpke.ts';
export type { IndexKey } from './indexes.ts';
export {
  CARRIERS,
  type LookupDesk,
  LookupError,
  type LookupQuery,
  type LookupReport,
  lookup,
} from './lookup.ts';
export { loadModule, setModule } from './module.ts';
export {
  type EpochFlag,
  type Opened,
  Opener,
  type ParcelRow,
  type SealedParcel,
} from './open.ts';
export { CSV_COLUMNS, csvHeader, csvLines, ndjsonLine, type OutputOptions } from './output.ts';
export {
  newPullState,
  type PulledRow,
  type PullOptions,
  type PullProgress,
  type PullReport,
  type PullState,
  pull,
} from './pull.ts';
export { TrustedLists } from './recipients.ts';
export { type DayReport, type EdgeDay, fetchDay, Ledger, Reconciler } from './reconcile.ts';
export { ed25519Signer, type Identity, type Signer } from './signing.ts';
export {
  type ItemResult,
  type ItemSource,
  type StreamCounts,
  type StreamItem,
  type StreamOptions,
  type StreamProgress,
  type StreamReport,
  streamRecords,
} from './stream.ts';
export {
  type RecordResult,
  type SubmitOptions,
  type SubmitResult,
  submitRecord,
} from './submit.ts';
