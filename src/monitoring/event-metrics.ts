import { NEW_ADDRESS } from '../accounts/change-email.ts'
import { EVENTS, type EventName, type Outcome } from '../audit/events.ts'
import { METHODS } from '../factors/answer-body.ts'
import { factors } from '../factors/registry.ts'
import { afterCommit } from '../platform/database.ts'
import type { Instrument } from './instrument.ts'
import type { Meters } from './meters.ts'

const OUTCOMES: readonly Outcome[] = ['success', 'failure']

/** What codes are checked for: the factors, and the proof of a new address. */
const CODES = [...METHODS, NEW_ADDRESS]

/** Counts all events of the audit trail. The most wanted ones have metrics of their own as well. */
export function eventMetrics({ counter }: Meters): Instrument {
  const events = counter('keyturn_audit_events_total', 'Events of the audit trail, by their name', ['event'])
  const passwords = counter('keyturn_passwords_total', 'Passwords that were checked', ['outcome'])
  const codes = counter(
    'keyturn_codes_total',
    'Codes that were checked, by the factor they are of; confirming codes of new authenticators too',
    ['method', 'outcome'],
  )
  const logins = counter(
    'keyturn_logins_total',
    'Logins that led to a session, by way of every factor that was asked for',
  )
  const lockouts = counter(
    'keyturn_lockouts_total',
    'Pauses that began after too many wrong passwords or codes in a row',
    ['method'],
  )

  // Series start at 0 and are not absent: otherwise the first event would not count as an increase.
  for (const event of Object.keys(EVENTS)) events.inc({ event }, 0)
  for (const outcome of OUTCOMES) passwords.inc({ outcome }, 0)
  for (const method of CODES) for (const outcome of OUTCOMES) codes.inc({ method, outcome }, 0)
  for (const method of ['password', ...CODES]) lockouts.inc({ method }, 0)

  function count(name: EventName, method = ''): void {
    if (name === 'password_accepted') passwords.inc({ outcome: 'success' })
    if (name === 'password_refused') passwords.inc({ outcome: 'failure' })
    if (name === 'code_accepted' || isConfirmation(name, method)) codes.inc({ method, outcome: 'success' })
    if (name === 'code_rejected') codes.inc({ method, outcome: 'failure' })
    if (name === 'session_started') logins.inc()
    if (name === 'attempts_paused') lockouts.inc({ method })
    events.inc({ event: name })
  }

  return {
    trail: (trail) => ({
      ...trail,
      async record(trx, name, facts, caller) {
        await trail.record(trx, name, facts, caller)
        afterCommit(trx, () => count(name, facts.method))
      },
      async recordAll(trx, name, accounts, caller) {
        await trail.recordAll(trx, name, accounts, caller)
        afterCommit(trx, () => {
          for (const _ of accounts) count(name)
        })
      },
    }),
  }
}

/** The first right answer of a factor that is enrolled by it is recorded as the enrolment, and not as an answer too. */
function isConfirmation(name: EventName, method: string): boolean {
  const enrolls = name === 'factor_enrolled' || name === 'factor_replaced'
  return enrolls && factors.some((factor) => factor.method === method && factor.enrol)
}
