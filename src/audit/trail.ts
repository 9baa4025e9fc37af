import type { FastifyBaseLogger } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Notices } from '../mail/notices.ts'
import type { Clock } from '../platform/clock.ts'
import { afterCommit, type Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Client } from '../tokens/sessions.ts'
import { type EventName, kindOf } from './events.ts'
import { insertAuditEvent, insertAuditEvents } from './store.ts'

/** Whom and what an event is about. */
export interface EventFacts {
  /** `undefined` when nobody has the username that was tried. */
  account: Account | undefined
  sessionId?: string
  /** The factor it is about. */
  method?: string
  /** Where its notice goes beside the proven address of the account. */
  alsoTo?: string[]
}

/**
 * Who did what, when, from where, and whether it succeeded: a row, a line in the log, and for some events a mail to
 * the owner. All of them come with the change that they tell of, or not at all.
 */
export interface AuditTrail {
  record(trx: Trx, name: EventName, facts: EventFacts, client: Client): Promise<void>
  /** The same event, one without a notice, of many accounts at once; it is in the table alone. */
  recordAll(trx: Trx, name: EventName, accounts: readonly { id: string }[], client: Client): Promise<void>
}

export function makeAuditTrail({
  clock,
  logger,
  notices,
}: {
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'info'>
  notices: Notices
}): AuditTrail {
  const eventOf = (
    name: EventName,
    {
      account,
      sessionId,
      method,
    }: { account: { id: string } | undefined; sessionId?: string; method?: string },
    client: Client,
  ) => ({
    event: name,
    outcome: kindOf(name).outcome,
    actor: client.operator ? ('operator' as const) : ('client' as const),
    account_id: account?.id ?? null,
    session_id: sessionId ?? null,
    method: method ?? null,
    ip: client.ip,
    request_id: client.requestId,
  })
  const rowOf = (event: ReturnType<typeof eventOf>, client: Client) => ({
    id: newId(clock),
    at: clock.now(),
    user_agent: client.userAgent,
    ...event,
  })

  return {
    async record(trx, name, facts, client) {
      const { account, alsoTo } = facts
      const { notice } = kindOf(name)
      const event = eventOf(name, facts, client)
      await insertAuditEvent(trx, rowOf(event, client))
      if (account && notice) await notices.tell(trx, account, notice, client, alsoTo)
      afterCommit(trx, () => logger.info(event, 'audit'))
    },

    async recordAll(trx, name, accounts, client) {
      const rows = accounts.map((account) => rowOf(eventOf(name, { account }, client), client))
      if (rows.length > 0) await insertAuditEvents(trx, rows)
    },
  }
}
