import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'

/** Rows to delete in one transaction: a millisecond or two of work, after which requests have their turn. */
export const BATCH_SIZE = 200

const PAUSE_MS = 20

/**
 * Deletes up to a number of rows that nothing asks for any more.
 *
 * @param now epoch milliseconds.
 * @returns how many it deleted.
 */
export type DeleteBatch = (db: Db, now: number, limit: number) => Promise<number>

/** Deletes what has expired, a small batch at a time. @returns how many rows went, by name. */
export type CleanUp = (signal?: AbortSignal) => Promise<Record<string, number>>

/** @param batches what each room gives up, by name. */
export function makeCleanUp({
  db,
  clock,
  batches,
}: {
  db: Db
  clock: Clock
  batches: Record<string, DeleteBatch>
}): CleanUp {
  return async (signal) => {
    const deleted: Record<string, number> = {}
    for (const [name, deleteBatch] of Object.entries(batches)) {
      for (let count = BATCH_SIZE; count === BATCH_SIZE && !signal?.aborted; ) {
        count = await deleteBatch(db, clock.now(), BATCH_SIZE)
        deleted[name] = (deleted[name] ?? 0) + count
        await sleep(PAUSE_MS)
      }
    }
    return deleted
  }
}
