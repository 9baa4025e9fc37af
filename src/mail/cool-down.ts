import { mailedTooOften } from './problems.ts'

/** The time between two codes for the same purpose. */
export const COOL_DOWN_SECONDS = 60

/**
 * @param lastSentAt when the last code was sent, in epoch milliseconds; `null` when none was.
 * @throws {AppError} rate_limited, with the seconds that are left
 */
export function refuseInCoolDown(lastSentAt: number | null, now: number): void {
  const wait = lastSentAt === null ? 0 : Math.ceil((lastSentAt - now) / 1000) + COOL_DOWN_SECONDS
  // A code that was sent long after now was sent by a clock that was ahead.
  if (wait > 0 && wait <= 2 * COOL_DOWN_SECONDS) throw mailedTooOften(wait)
}
