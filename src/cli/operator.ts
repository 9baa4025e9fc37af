import { userInfo } from 'node:os'
import type { EventName } from '../audit/events.ts'
import { makeAuditTrail } from '../audit/trail.ts'
import type { Caller } from '../caller.ts'
import { systemClock as clock } from '../platform/clock.ts'
import { type Db, inTransaction } from '../platform/database.ts'

/** The operator at the command line. The audit trail records the name of their login on this machine. */
export function operatorCaller(): Caller {
  return {
    by: 'operator',
    ip: '',
    userAgent: `keyturn (${process.env.SUDO_USER ?? loginName()})`,
    requestId: crypto.randomUUID(),
  }
}

/** A container may run as a user without a name. */
function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}

/** Records in the audit trail what an operator did to the service as a whole. */
export async function recordOperation(db: Db, name: EventName, method?: string): Promise<void> {
  const trail = makeAuditTrail({ clock, logger: { info: () => {} }, tellOwner: async () => {} })
  const facts = { account: undefined, ...(method && { method }) }
  await inTransaction(db, (trx) => trail.record(trx, name, facts, operatorCaller()))
}
