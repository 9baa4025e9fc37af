import { stopping, unavailable } from '../errors.ts'
import { type Db, pingDatabase } from '../platform/database.ts'
import type { RedisState } from '../platform/redis.ts'
import type { SharedCounts } from './shared-counts.ts'

/** What `/readyz` says of each part that the service stands on. */
export interface Checks {
  database: 'ok'
  /** Without Redis the limits go on, apart: it is said, and no reason to send nobody here. */
  redis?: RedisState
}

/** Whether a load balancer should send requests here. */
export interface Readiness {
  /** @throws {AppError} `unavailable` while the service cannot do its work, or is about to end. */
  check(): Promise<{ checks: Checks; warnings: string[] }>
  /** From now on it says no, although requests are still served. */
  withdraw(): void
}

/** @param warn what an operator should look at, although the service works. */
export function makeReadiness({
  db,
  sharedCounts,
  warn,
}: {
  db: Db
  sharedCounts: Pick<SharedCounts, 'state'> | null
  warn: () => (string | null)[]
}): Readiness {
  let withdrawn = false
  return {
    async check() {
      if (withdrawn) throw stopping()
      await pingDatabase(db).catch((error) => {
        throw unavailable(error)
      })
      const checks: Checks = { database: 'ok', ...(sharedCounts && { redis: sharedCounts.state() }) }
      return { checks, warnings: warn().filter((sentence) => sentence !== null) }
    },
    withdraw() {
      withdrawn = true
    },
  }
}
