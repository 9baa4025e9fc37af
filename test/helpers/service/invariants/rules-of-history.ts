import type { Evidence } from './evidence.ts'
import { factorRules } from './factors.ts'
import { type Entry, type ShownInSession, shownIn } from './ledger.ts'
import type { Finding } from './steps.ts'

/** What must be so of everything that a service did to its database. A rule names what breaks it. */

/** A use is never taken back: what was used, answered, rotated or ended stays so. */
export function whatIsUsedStaysUsed({ ledger }: Evidence): Finding[] {
  return of(ledger, 'revived').map(({ subject, fact, at }) => ({
    what: `${fact} of ${subject} was used, and is not any more`,
    at,
  }))
}

/** Whatever the audit trail calls accepted has used something up. */
export function whatIsAcceptedIsSpent({ ledger }: Evidence): Finding[] {
  return ACCEPTED.flatMap(([thing, events]) =>
    more(
      of(ledger, 'event').filter(({ fact }) => events.includes(fact)),
      of(ledger, 'spent').filter(({ fact }) => fact === thing),
      `${thing} accepted`,
      'spent',
    ),
  )
}

const ACCEPTED: readonly (readonly [thing: string, events: readonly string[]])[] = [
  ...factorRules.map(({ method, accepted }) => [method, accepted] as const),
  ['reset token', ['password_reset ']],
]

/**
 * A session has no factor that was not shown: each time one was recorded, a code of it was accepted. Only the session
 * that follows a new password, or a factor that was removed, has what another one has shown.
 */
export function factorsWereShown({ ledger }: Evidence): Finding[] {
  const sessions = of(ledger, 'session').map((entry) => ({ ...entry, ...shownIn(entry) }))
  const startedOver = of(ledger, 'event').filter(({ fact }) =>
    /^(password_changed|factor_removed) /.test(fact),
  )
  return factorRules.flatMap(({ method, amr, accepted }) => {
    const claiming = sessions.filter((session) => amr.test(session.amr))
    const claims = [...new Map(claiming.map((one) => [`${one.subject} ${factorShownAt(one)}`, one])).values()]
    const byMoment = Map.groupBy(claims, (one) => `${one.account} ${factorShownAt(one)}`)
    const carriedOver = startedOver.filter(({ subject }) =>
      [...byMoment.values()].some(([one, other]) => one?.account === subject && other),
    )
    const shown = of(ledger, 'event').filter(({ fact }) => accepted.includes(fact))
    return more(
      claims.map(({ account, at }) => ({ subject: account, at })),
      [...shown, ...carriedOver],
      `${method} recorded in a session`,
      'shown',
    )
  })
}

/** When a session says that a factor was shown: below aal2, the password alone can have been shown again since. */
function factorShownAt({ acr, authTime, passwordAt, factorAt }: ShownInSession): string {
  return acr === 'aal1' && authTime === passwordAt && factorAt ? factorAt : authTime
}

/**
 * Failures are forgotten for a success of the same factor, of a recovery code or of a passkey, which is among the next
 * events, with the account, or when an operator has taken the factors or ended the pauses of passwords.
 */
export function countersAreResetBySuccess({ ledger, rows }: Evidence): Finding[] {
  const accounts = new Set(rows('accounts').map(({ id }) => id))
  const resets = ledger.flatMap((reset, index) => {
    const events = reset.kind === 'reset' ? RESET_BY[reset.fact] : undefined
    if (!events) return []
    const renewing = reset.fact === 'password' ? events : [...events, ...CLEARING]
    const isReason = ({ fact, subject }: Entry) =>
      renewing.includes(fact) && (reset.fact === 'password' || subject === reset.subject)
    return eventsAfter(ledger, index).some(isReason) ? [] : [reset]
  })
  const renewed = of(ledger, 'event').filter(({ fact }) => fact === 'factors_reset ')
  const excused = new Set(renewed.map(({ subject }) => subject))
  const forgotten = of(ledger, 'forgotten').filter(
    ({ fact, subject }) => fact !== 'password' && accounts.has(subject) && !excused.has(subject),
  )
  return [...resets, ...forgotten].map(({ subject, fact, at }) => ({
    what: `the failures of ${fact} of ${subject} are forgotten`,
    at,
  }))
}

/** The next events: a transaction writes all of its events together, at its end. */
function eventsAfter(ledger: readonly Entry[], index: number): readonly Entry[] {
  const after = ledger.slice(index + 1)
  const next = after.slice(after.findIndex(({ kind }) => kind === 'event'))
  const end = next.findIndex(({ kind }) => kind !== 'event')
  return end < 0 ? next : next.slice(0, end)
}

const CLEARING = factorRules
  .filter(({ clearsAll }) => clearsAll)
  .map(({ method }) => `code_accepted ${method}`)

/** The subjects of passwords are hashes of names; a new address is no factor. */
const RESET_BY: Record<string, readonly string[]> = {
  password: ['password_accepted password', 'account_unlocked '],
  ...Object.fromEntries(
    factorRules.map(({ method, accepted, renewed = [] }) => [method, [...accepted, ...renewed]]),
  ),
}

function of(ledger: readonly Entry[], kind: Entry['kind']): readonly Entry[] {
  return ledger.filter((entry) => entry.kind === kind)
}

/** Of an account, for example. */
type Happened = Pick<Entry, 'subject' | 'at'>

/** Names those who have more of one than of the other. */
function more(some: readonly Happened[], than: readonly Happened[], what: string, other: string): Finding[] {
  const others = Map.groupBy(than, ({ subject }) => subject)
  return [...Map.groupBy(some, ({ subject }) => subject)].flatMap(([subject, these]) => {
    const count = others.get(subject)?.length ?? 0
    if (these.length <= count) return []
    const text = `${subject}: ${what} ${these.length} times, ${other} ${count} times`
    return [{ what: text, at: these.at(-1)?.at }]
  })
}
