/** Was it less than `ms` ago? A clock that steps back makes nothing newer. All in milliseconds. */
export function isRecent(thenMs: number, nowMs: number, ms: number): boolean {
  return nowMs >= thenMs && nowMs < thenMs + ms;
}
