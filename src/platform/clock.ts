/** The source of every time in the product, so that a test can set any moment. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** A day, in milliseconds. */
export const DAY_MS = 24 * 3600 * 1000

export const systemClock: Clock = { now: () => Date.now() }

/** How far the clocks of two processes of one service may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 60

/** Whole seconds since the Unix epoch, rounded down: a NumericDate (RFC 7519 section 2). */
export function epochSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000)
}

/** An RFC 3339 UTC string for a time in epoch milliseconds. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
