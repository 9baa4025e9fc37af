import type { EventName } from '../audit/events.ts'
import { makeAuditTrail } from '../audit/trail.ts'
import { systemClock as clock } from '../platform/clock.ts'
import { type Db, inTransaction } from '../platform/database.ts'
import { operatorCaller } from './operator.ts'

/** Records in the audit trail what an operator did to the service as a whole. */
export async function recordOperation(db: Db, name: EventName, method?: string): Promise<void> {
  const trail = makeAuditTrail({ clock, logger: { info: () => {} }, tellOwner: async () => {} })
  const facts = { account: undefined, ...(method && { method }) }
  await inTransaction(db, (trx) => trail.record(trx, name, facts, operatorCaller()))
}
