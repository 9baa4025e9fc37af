/** How the pauses of one kind of counter grow with consecutive failures. */
export interface PausePolicy {
  /** The number of failures that starts the first pause. */
  from: number
  /** The last failure that is ever evaluated (NIST SP 800-63B-4 section 3.2.2: at most 100). */
  last: number
}

export const LONGEST_PAUSE_SECONDS = 900
export const FIRST_PAUSE_SECONDS = 30

/** For one factor of one account, over all its challenges. */
export const CODE_POLICY: PausePolicy = { from: 10, last: 100 }

/**
 * For the codes that prove a new address. No end: with an access token alone, a thief could close the change of the
 * address for good. How many codes are mailed bounds the guesses as well.
 */
export const ADDRESS_POLICY: PausePolicy = { from: 10, last: Number.POSITIVE_INFINITY }

/** For one username from one network. */
export const PASSWORD_POLICY: PausePolicy = { from: 10, last: Number.POSITIVE_INFINITY }

/**
 * For one username from all networks together that are not the account's own: strangers, as far as the service can
 * tell.
 */
export const STRANGERS_POLICY: PausePolicy = { from: 100, last: Number.POSITIVE_INFINITY }

/** The pause in seconds after this many consecutive failures. It doubles each time, and the last one does not end. */
export function pauseSeconds(failures: number, policy: PausePolicy): number {
  if (failures < policy.from) return 0
  if (failures >= policy.last) return Number.POSITIVE_INFINITY
  return Math.min(FIRST_PAUSE_SECONDS * 2 ** (failures - policy.from), LONGEST_PAUSE_SECONDS)
}
