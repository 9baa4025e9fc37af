import type { Evidence } from './evidence.ts'
import type { Entry } from './ledger.ts'

/** What must be so of everything that a service did to its database. A rule names what breaks it. */

/** A use is never taken back: what was used, answered, rotated or ended stays so. */
export function whatIsUsedStaysUsed({ ledger }: Evidence): string[] {
  return of(ledger, 'revived').map(
    ({ subject, fact }) => `${fact} of ${subject} was used, and is not any more`,
  )
}

/** Whatever the audit trail calls accepted has used something up. */
export function whatIsAcceptedIsSpent({ ledger }: Evidence): string[] {
  return ACCEPTED.flatMap(([thing, events]) =>
    more(
      tally(of(ledger, 'event').filter(({ fact }) => events.includes(fact))),
      tally(of(ledger, 'spent').filter(({ fact }) => fact === thing)),
      `${thing} accepted`,
      'spent',
    ),
  )
}

const TOTP_EVENTS = ['code_accepted totp', 'factor_enrolled totp', 'factor_replaced totp']

const ACCEPTED: readonly [thing: string, events: readonly string[]][] = [
  ['totp', TOTP_EVENTS],
  ['recovery_code', ['code_accepted recovery_code']],
  ['email', ['code_accepted email']],
  ['reset token', ['password_reset ']],
]

/** A session has no factor that was not shown: each time one was recorded, a code of it was accepted. */
export function factorsWereShown({ ledger }: Evidence): string[] {
  const proofs = [...new Set(of(ledger, 'session').map(({ subject, fact }) => `${subject}|${fact}`))]
  return Object.entries(SHOWN_BY).flatMap(([amr, events]) => {
    const claimed = proofs
      .map((proof) => proof.split('|'))
      .filter(([, , methods = '']) => methods.split(' ').includes(amr))
      .map(([, account = '']) => ({ subject: account }))
    const shown = of(ledger, 'event').filter(({ fact }) => events.includes(fact))
    return more(tally(claimed), tally(shown), `${amr} recorded in a session`, 'shown')
  })
}

const SHOWN_BY: Record<string, readonly string[]> = {
  otp: TOTP_EVENTS,
  recovery: ['code_accepted recovery_code'],
  email: ['code_accepted email', 'factor_enrolled email'],
}

/**
 * Failures are forgotten for a success of the same factor, which is recorded next, with the account, or when an
 * operator has taken the factors or ended the pauses of passwords.
 */
export function countersAreResetBySuccess({ ledger, rows }: Evidence): string[] {
  const accounts = new Set(rows('accounts').map(({ id }) => id))
  const resets = ledger.flatMap((reset, index) => {
    const events = reset.kind === 'reset' ? RESET_BY[reset.fact] : undefined
    if (!events) return []
    const next = ledger.slice(index + 1).find(({ kind }) => kind === 'event')
    const own = reset.fact === 'password' || next?.subject === reset.subject
    return next && own && events.includes(next.fact) ? [] : [reset]
  })
  const renewed = of(ledger, 'event').filter(({ fact }) => fact === 'factors_reset ')
  const excused = new Set(renewed.map(({ subject }) => subject))
  const forgotten = of(ledger, 'forgotten').filter(
    ({ fact, subject }) => fact !== 'password' && accounts.has(subject) && !excused.has(subject),
  )
  return [...resets, ...forgotten].map(
    ({ subject, fact }) => `the failures of ${fact} of ${subject} are forgotten`,
  )
}

/** The subjects of passwords are hashes of names; a new address is no factor. */
const RESET_BY: Record<string, readonly string[]> = {
  password: ['password_accepted password', 'account_unlocked '],
  totp: TOTP_EVENTS,
  recovery_code: ['code_accepted recovery_code', 'recovery_codes_renewed '],
  email: ['code_accepted email', 'factor_enrolled email'],
}

function of(ledger: readonly Entry[], kind: Entry['kind']): readonly Entry[] {
  return ledger.filter((entry) => entry.kind === kind)
}

function tally(entries: readonly Pick<Entry, 'subject'>[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { subject } of entries) counts.set(subject, (counts.get(subject) ?? 0) + 1)
  return counts
}

/** Names those who have more of one than of the other. */
function more(counts: Map<string, number>, than: Map<string, number>, what: string, other: string): string[] {
  return [...counts]
    .filter(([subject, count]) => count > (than.get(subject) ?? 0))
    .map(([subject, count]) => `${subject}: ${what} ${count} times, ${other} ${than.get(subject) ?? 0} times`)
}
