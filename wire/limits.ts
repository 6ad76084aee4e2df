/** Every limit of the wire format: name, unit, reason. The same numbers stand in docs/wire-format.md. */

/** Octets of one CBOR record. Two addresses of 200 Han characters and every optional field fit. */
export const MAX_RECORD_BYTES = 4_096;

/** Octets of plaintext in one stream chunk: what one WebAssembly call opens, small enough to answer within milliseconds. */
export const MAX_CHUNK_BYTES = 16_384;

/** Records in one chunk: bounds the module's arenas. The smallest valid record is over 128 octets, so 16 KiB hold no more. */
export const MAX_CHUNK_RECORDS = 256;

/** Octets of an AEAD tag (RFC 8439). */
export const TAG_BYTES = 16;

/** Octets of the body of a single submission; more is cut off unread. */
export const MAX_SINGLE_BODY_BYTES = 65_536;

/** Octets of a whole stream body, so that one request cannot hold an edge for ever. Larger loads are several streams. */
export const MAX_STREAM_BYTES = 64 * 1024 * 1024;

/** Records in one stream: their results (32 octets each) may have to be held for a client that sends all before it reads. */
export const MAX_STREAM_RECORDS = 65_536;

/** Nesting depth of a record: the map itself is 1. The schema needs 2; RFC 8949 decoders without a bound can be made to recurse. */
export const MAX_CBOR_DEPTH = 4;

/** Milliseconds that a record id may lie ahead of the edge's clock. */
export const MAX_ID_AHEAD_MS = 120_000;

/** Milliseconds that a record id may lie behind: longer than an offline queue (7 days) plus a day. */
export const MAX_ID_AGE_MS = 8 * 24 * 3_600_000;

/** Seconds that the `created` time of a signature may differ from the edge's clock, either way. */
export const MAX_CLOCK_SKEW_S = 120;

/** Octets of one frame of a pull: a commit of 1,024 of the largest parcels fits. Bounds what an opener must hold. */
export const MAX_PULL_FRAME_BYTES = 8 * 1024 * 1024;

/** Keyed indexes in one lookup: a number under every index version of a retention term, several times over. */
export const MAX_LOOKUP_INDEXES = 256;

/** Rows in one lookup's answer; the caller narrows the days when it is reached. */
export const MAX_LOOKUP_ROWS = 10_000;

/** Records in one erasure: one transaction of the store, so that it is done as a whole. */
export const MAX_ERASE_IDS = 1_000;

/** Milliseconds after which an epoch ends: bounds what one content key opens. */
export const MAX_EPOCH_MS = 15 * 60_000;

/** Parcels sealed in one epoch, for the same reason. */
export const MAX_EPOCH_RECORDS = 2 ** 20;

/** Milliseconds a recipient list may be valid for: a removed reader is out within a month even if nothing else is done. */
export const MAX_LIST_VALIDITY_MS = 30 * 24 * 3_600_000;

/** Milliseconds a city policy may be valid for: a trial is a phase; who wants a longer one has to say so again. */
export const MAX_POLICY_VALIDITY_MS = 366 * 24 * 3_600_000;
