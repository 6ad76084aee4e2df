/** How patiently a client tries again. */

export interface Pace {
  /** Attempts in a row that bring nothing before giving up. */
  maxAttempts?: number;
  /** Milliseconds before the second attempt; doubled for each one after it. */
  firstDelayMs?: number;
  signal?: AbortSignal;
}

/** Milliseconds of the longest wait between two attempts. */
const MAX_DELAY_MS = 15_000;

/**
 * Waits before the attempt after `attempt` (0 for the first). A random half keeps many clients from coming back at once.
 * @throws the signal's reason when it is aborted
 */
export async function backoff(attempt: number, pace: Pace): Promise<void> {
  const full = Math.min(MAX_DELAY_MS, (pace.firstDelayMs ?? 250) * 2 ** attempt);
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const delay = full / 2 + ((full / 2) * random) / 2 ** 32;
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(pace.signal?.reason);
    };
    const timer = setTimeout(() => {
      pace.signal?.removeEventListener('abort', abort);
      resolve();
    }, delay);
    if (pace.signal?.aborted) abort();
    pace.signal?.addEventListener('abort', abort, { once: true });
  });
}
