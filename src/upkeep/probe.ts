import { open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { makeAccounts } from '../accounts/accounts.ts'
import { makeAttempts } from '../attempts/attempts.ts'
import { CODE_POLICY } from '../attempts/policies.ts'
import type { Clock } from '../platform/clock.ts'
import { adapterOf, type Db, inTransaction } from '../platform/database.ts'
import { type DatabaseFault, databaseFaultOf } from '../platform/database-faults.ts'
import { tableNames } from '../tables.ts'

/** How long an answer holds: the database is tried once in that time, however many ask. */
const HOLDS_MS = 3_000

/** A database that takes longer does not count as one that answers. More than it waits for a lock. */
const PATIENCE_MS = 5_000

interface ProbeRoom {
  db: Db
  clock: Clock
}

/**
 * Does what a sign-in needs, and commits it: a free descriptor, the lock of an account, a row that is written, and no
 * table that is locked. It leaves nothing behind.
 *
 * @returns the fault; `null` where there is none.
 */
export async function tryToStore({ db, clock }: ProbeRoom): Promise<DatabaseFault | null> {
  const [accounts, attempts] = [makeAccounts({ db, clock }), makeAttempts({ clock })]
  const subject = `probe ${crypto.randomUUID()}`
  try {
    await (await open(devNull)).close()
    await inTransaction(db, async (trx) => {
      await adapterOf(trx).waitForTables(trx, tableNames)
      await accounts.lockAny(trx)
      await attempts.begin(trx, subject, 'probe', CODE_POLICY)
      await attempts.forget(trx, [subject])
    })
    return null
  } catch (error) {
    return databaseFaultOf(error)
  }
}

/** Knows at any time whether the database stores what it is given, as of some seconds ago. */
export type DatabaseProbe = ReturnType<typeof makeDatabaseProbe>

export function makeDatabaseProbe({ db, clock, logger }: ProbeRoom & { logger: ProbeLog }) {
  let fault: DatabaseFault | null = null
  let triedAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | null = null

  async function look(): Promise<void> {
    const late = sleep(PATIENCE_MS, new Error(`no answer in ${PATIENCE_MS} ms`), { ref: false })
    const found = await Promise.race([tryToStore({ db, clock }), late])
    const now = found instanceof Error ? databaseFaultOf(found) : found
    if (now && now.reason !== fault?.reason)
      logger.error({ reason: now.reason, err: now.error }, `database stores nothing: ${now.words}`)
    if (fault && !now) logger.info('database stores again')
    fault = now
    triedAt = clock.now()
  }

  return {
    /** The fault that there is now, or was a moment ago; `null` where there is none. */
    async fault(): Promise<DatabaseFault | null> {
      if (Math.abs(clock.now() - triedAt) >= HOLDS_MS) {
        underWay ??= look().finally(() => {
          underWay = null
        })
        await underWay
      }
      return fault
    },
  }
}

type ProbeLog = Pick<FastifyBaseLogger, 'info' | 'error'>
