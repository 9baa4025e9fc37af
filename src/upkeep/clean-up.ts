import { sql } from 'kysely'
import { daysUnenrolled, removeUnenrolled } from '../accounts/remove-unenrolled.ts'
import { deleteInBatches, type RowsToDelete } from '../platform/batches.ts'
import { wipeDeleted } from '../platform/database.ts'
import type { Expiry } from '../platform/tables.ts'
import type { Service } from '../service.ts'
import { tables } from '../tables.ts'
import { forgetDeleted } from './forget-deleted.ts'

/** The wait after each batch, in which requests run. */
const PAUSE_MS = 20

/** What the clean-up works with. */
export type CleanUpRoom = Pick<Service, 'attempts' | 'clock' | 'config' | 'db' | 'trail'>

/**
 * Deletes expired rows in small batches, and what is not to be kept of deleted accounts.
 *
 * @returns how many rows were deleted, by table.
 */
export async function cleanUp(room: CleanUpRoom, signal?: AbortSignal): Promise<Record<string, number>> {
  const options = { pauseMs: PAUSE_MS, ...(signal && { signal }) }
  const accounts = await removeUnenrolled(room, daysUnenrolled(room.config), options)
  const deleted: Record<string, number> = { accounts }
  for (const rows of expiredRows(room)) {
    const count = await deleteInBatches(room.db, rows, options)
    deleted[rows.table] = (deleted[rows.table] ?? 0) + count
  }
  if (!signal?.aborted) await forgetDeleted(room, options)
  if (!signal?.aborted) await wipeDeleted(room.db)
  return deleted
}

function expiredRows(room: CleanUpRoom): RowsToDelete[] {
  return tables.flatMap(({ name: table, key: [key = ''], expiries = [] }) =>
    expiries.map((expiry) => ({
      table,
      key,
      where: () => expired(expiry, room),
      ...(expiry.dependents && { dependents: expiry.dependents }),
    })),
  )
}

function expired({ column, retention = 0, only }: Expiry, { clock, config }: CleanUpRoom) {
  const kept = typeof retention === 'function' ? retention(config) : retention
  const old = sql<boolean>`${sql.ref(column)} <= ${clock.now() - kept}`
  return only ? sql<boolean>`${old} and ${only}` : old
}
