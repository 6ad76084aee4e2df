/** Limits of the running service: name, unit, reason. Those of the formats are in wire/limits.ts. */

/** Milliseconds after which the recipient list and the city's policy are read again: bounds how long a removed reader stays. */
export const LIST_REREAD_MS = 3_000;

/**
 * Milliseconds after which an enterprise's certificate is read again: bounds how long its replaced key reads on. Each enterprise has its
 * own, so this is asked for a hundred times as often as a list. A change of the list, in which a delegate ends, counts at once.
 */
export const CERTIFICATE_REREAD_MS = 10_000;

/** Milliseconds for which a list that can't be read again (the store is away) is still used. */
export const LIST_STALE_MS = 60_000;

/** Certificates an isolate remembers: Guiyang has about 197 enterprises. */
export const MAX_KNOWN_CERTIFICATES = 2_048;

/** Milliseconds of a day. An epoch ends with its day (UTC), as the store's days do. */
export const DAY_MS = 86_400_000;

/** Key ids an isolate remembers: those of the list's edges. */
export const MAX_KNOWN_KEYIDS = 1_024;

/** Epoch headers an isolate remembers. More than the module keeps live epochs; about half a kilobyte each. */
export const MAX_KNOWN_EPOCHS = 4_096;

/** Milliseconds after its end for which an epoch's header is kept: batches sealed in it may still be on their way. */
export const EPOCH_GRACE_MS = 120_000;

/** Times that terms are read anew because another request has met a newer recipient list meanwhile. */
export const EPOCH_ATTEMPTS = 3;

/** Chunks of one stream whose commit is awaited at the same time: as many as make a full commit (MAX_COMMIT_RECORDS). */
export const CHUNKS_IN_FLIGHT = 24;

/** Octets of batches, at the most that they can be, that an isolate holds before they are committed: a fraction of its 128 MB. */
export const IN_FLIGHT_BYTES = 16 * 1024 * 1024;

/**
 * Milliseconds for the whole body of a request that is no stream: a body that trickles holds no request open for long.
 * SEALPOST_BODY_DEADLINE_MS sets another value.
 */
export const BODY_DEADLINE_MS = 30_000;

/** Milliseconds a stream's sender may be silent, or take over one chunk. SEALPOST_STREAM_IDLE_MS sets another value. */
export const STREAM_IDLE_MS = 60_000;

/** Milliseconds after which it is asked again whether a signer still belongs. */
export const SIGNER_REREAD_MS = 1_000;

/** Milliseconds for which a signer whom the store has confirmed is let in: bounds how long one who is shut out gets in. */
export const SIGNER_STALE_MS = 2_000;

/** Signers an isolate remembers: several keys of each enterprise of a city, at some 300 octets. */
export const MAX_KNOWN_SIGNERS = 4_096;

/** Milliseconds that a stream may last: 64 MiB at 75 kB/s. What is left goes on in a new one. */
export const MAX_STREAM_MS = 15 * 60_000;

/** Parcels after which one pull ends with `more`: bounds the time of a request, not the size of a pull. */
export const MAX_PULL_ROWS = 50_000;

/** Pulls, lookups and reconciliations under way at once in an isolate. */
export const PULL_LIMITS = {
  /** Answers: each holds about a megabyte of rows that wait to be read. */
  all: 32,
  /** Of them, for one party: its own tools ask one after the other. */
  each: 4,
  /** Milliseconds after which one whose reader takes nothing is given up. */
  idleMs: 60_000,
};

/** Octets of parcels in one frame of a lookup's answer. */
export const LOOKUP_FRAME_BYTES = 1024 * 1024;

/** Milliseconds a statement about key configurations is valid; it is made anew at half of that. */
export const KEYS_VALIDITY_MS = 3_600_000;

/** Milliseconds by which that statement begins in the past, for clients whose clock is behind. */
export const KEYS_BACKDATE_MS = 120_000;

/** Seconds after which a client should try again. */
export const RETRY_AFTER_S = 2;

/** Characters of a signature's nonce: it is stored, so it is bounded. */
export const MAX_NONCE_CHARACTERS = 128;
