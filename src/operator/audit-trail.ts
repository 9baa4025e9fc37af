import type { Logger } from 'pino'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Client } from '../tokens/sessions.ts'

/** What is worth telling an owner or an operator. */
export type AuditEventName = 'refresh_token_reused'

export interface AuditEvent {
  event: AuditEventName
  accountId: string
  sessionId?: string
}

/** Writes events with the change they tell of: both are kept, or neither. */
export interface AuditTrail {
  record(trx: Trx, event: AuditEvent, client: Client): Promise<void>
}

export function makeAuditTrail({
  clock,
  logger,
}: {
  clock: Clock
  logger: Pick<Logger, 'warn'>
}): AuditTrail {
  return {
    async record(trx, { event, accountId, sessionId }, { ip, userAgent, requestId }) {
      await trx
        .insertInto('audit_events')
        .values({
          id: newId(clock),
          at: clock.now(),
          event,
          account_id: accountId,
          session_id: sessionId ?? null,
          ip,
          user_agent: userAgent,
          request_id: requestId,
        })
        .execute()
      logger.warn({ event, account_id: accountId, session_id: sessionId, ip, request_id: requestId }, 'audit')
    },
  }
}
