import { databaseStoresNothing, stopping, unavailable } from '../errors.ts'
import { adapterOf, type Db } from '../platform/database.ts'
import type { DatabaseFault } from '../platform/database-faults.ts'
import type { SharedCounts } from './shared-counts.ts'

/** Whether a load balancer should send requests here. */
export type Readiness = ReturnType<typeof makeReadiness>

/** @param warn warnings for the operator of a service that works. */
export function makeReadiness({ probe, db, sharedCounts, warn }: ReadinessParts) {
  let withdrawn = false
  return {
    /** @throws {AppError} `unavailable` while the service cannot work or is about to end. */
    async check() {
      if (withdrawn) throw stopping()
      const fault = await probe.fault()
      if (fault) throw databaseStoresNothing(fault)
      const unanswered = (error: unknown): never => {
        throw unavailable(error)
      }
      const pooled = await adapterOf(db).behindPooler().catch(unanswered)
      const warnings = await warn().catch(unanswered)
      const checks = {
        database: 'ok' as const,
        ...(pooled && { pooler: 'ok' as const }),
        // While Redis is down, each process limits on its own: it is reported, and the service stays ready.
        ...(sharedCounts && { redis: sharedCounts.state() }),
      }
      return { checks, warnings: warnings.filter((sentence) => sentence !== null) }
    },
    /** Makes the service unready from now on, although it still serves requests. */
    withdraw(): void {
      withdrawn = true
    },
  }
}

interface ReadinessParts {
  probe: { fault(): Promise<DatabaseFault | null> }
  db: Db
  sharedCounts: Pick<SharedCounts, 'state'> | null
  warn: () => Promise<(string | null)[]>
}
