import type { EventName } from '../audit/events.ts'
import { makeAuditTrail } from '../audit/trail.ts'
import { makeNotices } from '../mail/notices.ts'
import { noOutbox } from '../mail/outbox.ts'
import { systemClock as clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { operatorClient } from './operator-client.ts'

/** Notes in the audit trail what an operator did to the service as a whole, and not to one account. */
export async function recordOperation(db: Db, name: EventName, method?: string): Promise<void> {
  const notices = makeNotices({ outbox: noOutbox, clock })
  const trail = makeAuditTrail({ clock, logger: { info: () => {} }, notices })
  const facts = { account: undefined, ...(method && { method }) }
  await db.transaction().execute((trx) => trail.record(trx, name, facts, operatorClient()))
}
