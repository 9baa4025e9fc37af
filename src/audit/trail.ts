import type { FastifyBaseLogger } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { TellOwner } from '../mail/notices.ts'
import type { Clock } from '../platform/clock.ts'
import { afterCommit, beforeCommit, type Trx } from '../platform/database.ts'
import { earliestId, newId } from '../platform/ids.ts'
import { type Actor, EVENTS, type EventName, ROWS_AN_HOUR } from './events.ts'
import { forgetUsernames, insertAuditEvents, insertAuditEventWithin } from './store.ts'

const ACTOR_OF: Readonly<Record<Caller['by'], Actor>> = {
  person: 'client',
  operator: 'operator',
  service: 'service',
}

/**
 * Rows an hour, in this process, of what callers of the API do to names that no account has: they make them up at will.
 * Further events have their line in the log and are counted by the metrics.
 */
export const NAMELESS_ROWS_AN_HOUR = 100
const HOUR_MS = 3_600_000

/** The account and the subject of an event. */
export interface EventFacts {
  /** `undefined` when the username that was tried belongs to no account. */
  account: Account | undefined
  sessionId?: string
  /** The factor that the event is about. */
  method?: string
  /** Addresses that get the notice in addition to the proven address of the account. */
  alsoTo?: string[]
  /** The owner gets no notice this time. */
  untold?: boolean
}

/**
 * Records who did what, when, from where, and whether it succeeded: as a row, as a line in the log, and for some
 * events as a mail to the owner. An event is stored with the change that it records, or not at all. Beyond a hundred an
 * hour, attempts with names that no account has leave no row, and some events leave few rows of an account.
 */
export type AuditTrail = ReturnType<typeof makeAuditTrail>

type Whom = Pick<Account, 'id'>

interface TrailParts {
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'info'>
  tellOwner: TellOwner
}

export function makeAuditTrail({ clock, logger, tellOwner }: TrailParts) {
  const eventOf = (
    name: EventName,
    { account, sessionId, method }: Pick<EventFacts, 'sessionId' | 'method'> & { account: Whom | undefined },
    caller: Caller,
  ) => ({
    event: name,
    outcome: EVENTS[name],
    actor: ACTOR_OF[caller.by],
    account_id: account?.id ?? null,
    session_id: sessionId ?? null,
    method: method ?? null,
    ip: caller.ip,
    request_id: caller.requestId,
  })
  const rowOf = (event: ReturnType<typeof eventOf>, caller: Caller) => ({
    id: newId(clock),
    at: clock.now(),
    user_agent: caller.userAgent,
    ...event,
  })

  const nameless = { since: 0, rows: 0 }
  function hasRow(trx: Trx, account: Account | undefined, caller: Caller): boolean {
    if (account || caller.by !== 'person') return true
    const now = clock.now()
    // The hour is over, or a clock that was ahead began it.
    if (Math.abs(now - nameless.since) >= HOUR_MS) Object.assign(nameless, { since: now, rows: 0 })
    if (nameless.rows >= NAMELESS_ROWS_AN_HOUR) return false
    afterCommit(trx, () => {
      nameless.rows += 1
    })
    return true
  }

  /** The rows of transactions that have not ended. */
  const rowsOf = new WeakMap<Trx, ReturnType<typeof rowOf>[]>()
  function insertAtEnd(trx: Trx, row: ReturnType<typeof rowOf>): void {
    const rows = rowsOf.get(trx)
    if (rows) return void rows.push(row)
    const begun = [row]
    rowsOf.set(trx, begun)
    beforeCommit(trx, () => insertAuditEvents(trx, begun))
  }

  async function insert(trx: Trx, row: ReturnType<typeof rowOf>): Promise<void> {
    const max = ROWS_AN_HOUR[row.event]
    if (max === undefined) return insertAtEnd(trx, row)
    // Rows of a later hour were made by a clock that was ahead.
    const [after, before] = [earliestId(row.at - HOUR_MS + 1), earliestId(row.at + HOUR_MS)]
    await insertAuditEventWithin(trx, row, { max, after, before })
  }

  return {
    async record(trx: Trx, name: EventName, facts: EventFacts, caller: Caller): Promise<void> {
      const { account } = facts
      const event = eventOf(name, facts, caller)
      if (hasRow(trx, account, caller)) await insert(trx, rowOf(event, caller))
      if (account && !facts.untold) await tellOwner(trx, account, name, caller, facts)
      afterCommit(trx, () => logger.info(event, 'audit'))
    },

    forgetUsernames,

    /** Records the same event for many accounts at once, in the table only. The event must be one without a notice. */
    async recordAll(trx: Trx, name: EventName, accounts: readonly Whom[], caller: Caller): Promise<void> {
      const rows = accounts.map((account) => rowOf(eventOf(name, { account }, caller), caller))
      if (rows.length > 0) await insertAuditEvents(trx, rows)
    },
  }
}
