/**
 * The numbers that both sides of the module agree on. `npm run gen` copies them to `wasm/host/abi.gen.ts`.
 * Only plain constants here.
 */

/** Octets of the input buffer: a sealed chunk (16,400) with its context, or the drafts and outcomes of one. */
export const IN_BYTES: u32 = 24576;

/** Octets of the output buffer: the packed batch and the drafts of a chunk of 256 of the smallest parcels take 192 KiB. */
export const OUT_BYTES: u32 = 262144;

/** Octets of the randomness buffer, filled by the host before each call that draws. */
export const RANDOM_BYTES: u32 = 64;

/** What a call came to. */
export const STATUS_OK: u32 = 0;
/** The key id is unknown, or its key not valid now. */
export const STATUS_UNKNOWN_KEY: u32 = 1;
/** KEM, KDF or AEAD is not ours. */
export const STATUS_UNSUPPORTED_SUITE: u32 = 2;
/** The body, chunk or context does not open. */
export const STATUS_DECRYPT_FAILED: u32 = 3;
/** An epoch must be started first; nothing was consumed. */
export const STATUS_NEED_EPOCH: u32 = 4;
/** No index key covers the time of a record's id: the edge is not configured for it. */
export const STATUS_NO_INDEX_KEY: u32 = 5;
/** An epoch's wrap holds another key than the epoch commits to. */
export const STATUS_OTHER_KEY: u32 = 6;

/** Octets before the sections of a reply: their three lengths. */
export const REPLY_HEAD_BYTES: u32 = 12;

/** Octets of one result (wire/answer.ts) and of the final counts. */
export const RESULT_BYTES: u32 = 32;
export const SUMMARY_BYTES: u32 = 25;

/** How a submission or a stream is taken: bits of `flags`. */
/** A masked view is sealed for the enterprise. */
export const FLAG_MASKED: u32 = 1;
/** The city is in trial. */
export const FLAG_TRIAL: u32 = 2;
/** A dry run: everything is judged, nothing is sealed for the store. */
export const FLAG_DRY_RUN: u32 = 4;

/** Recipients that one epoch can be wrapped to. */
export const MAX_RECIPIENTS: u32 = 32;
/** Edge keys held at once. */
export const MAX_EDGE_KEYS: u32 = 8;
/** Index keys held at once: a year and a half of months. */
export const MAX_INDEX_KEYS: u32 = 18;
/** Epochs alive at once; the least recently used makes room. */
export const MAX_EPOCHS: u32 = 256;
/** Parcels sealed in one epoch. */
export const MAX_EPOCH_RECORDS: u32 = 1048576;

/** Parcels that one call opens, and octets of the table that stands before them. */
export const MAX_OPEN_PARCELS: u32 = 256;
export const OPEN_TABLE_BYTES: u32 = 2048;

/** What became of a parcel that was to be opened. */
export const PARCEL_OPENED: u32 = 0;
export const PARCEL_MALFORMED: u32 = 1;
/** It is of another epoch than the one given. */
export const PARCEL_NO_EPOCH: u32 = 2;
/** View, city, enterprise or time are not those of its epoch. */
export const PARCEL_OTHER_EPOCH: u32 = 3;
/** Its tag is wrong. */
export const PARCEL_SEALED: u32 = 4;
export const PARCEL_PADDING: u32 = 5;
/** The plaintext does not begin as a record does. */
export const RECORD_MALFORMED: u32 = 6;
export const RECORD_OTHER_ID: u32 = 7;
