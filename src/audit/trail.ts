import type { FastifyBaseLogger } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Notices } from '../mail/notices.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Client } from '../tokens/sessions.ts'
import { type EventName, kindOf } from './events.ts'
import { insertAuditEvent } from './store.ts'

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
 * Who did what, when, from where, and whether it succeeded: a row that is kept with the change it tells of, or
 * not at all, a line in the log, and for some events a mail to the owner.
 */
export interface AuditTrail {
  record(trx: Trx, name: EventName, facts: EventFacts, client: Client): Promise<void>
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
  return {
    async record(trx, name, { account, sessionId, method, alsoTo }, client) {
      const { outcome, notice } = kindOf(name)
      const event = {
        event: name,
        outcome,
        actor: client.operator ? ('operator' as const) : ('client' as const),
        account_id: account?.id ?? null,
        session_id: sessionId ?? null,
        method: method ?? null,
        ip: client.ip,
        request_id: client.requestId,
      }
      await insertAuditEvent(trx, {
        id: newId(clock),
        at: clock.now(),
        user_agent: client.userAgent,
        ...event,
      })
      if (account && notice) await notices.tell(trx, account, notice, client, alsoTo)
      logger.info(event, 'audit')
    },
  }
}
