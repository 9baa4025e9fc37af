import { sql } from 'kysely'
import { usernamesOf } from '../accounts/list-accounts.ts'
import { daysUnenrolled, removeUnenrolled } from '../accounts/remove-unenrolled.ts'
import { forgetNetworkOf, listEndsWithNetwork } from '../audit/forget-network.ts'
import {
  BATCH_SIZE,
  type BatchOptions,
  deleteInBatches,
  inBatches,
  type RowsToDelete,
} from '../platform/batches.ts'
import { type Clock, DAY_MS } from '../platform/clock.ts'
import { adapterOf, type Db } from '../platform/database.ts'
import type { Expiry } from '../platform/tables.ts'
import type { Service } from '../service.ts'
import { tables } from '../tables.ts'

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
  if (!signal?.aborted) await adapterOf(room.db).wipeDeleted(room.db)
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

/** For how long the events of a deleted account say from where, in case it was not its owner who deleted it. */
const KEPT_MS = 30 * DAY_MS

/** Removes network addresses and user agents from the events of accounts that were deleted, or expired, a month ago. */
async function forgetDeleted({ db, clock }: { db: Db; clock: Clock }, options: BatchOptions): Promise<void> {
  const by = clock.now() - KEPT_MS
  let after = { at: 0, id: '' }
  await inBatches(async () => {
    const ends = await listEndsWithNetwork(db, { by, after, limit: BATCH_SIZE })
    const ids = ends.map(({ account_id }) => account_id as string)
    // An account that was imported again under its old id is not gone.
    const present = await usernamesOf(db, ids)
    for (const id of ids) if (!present.has(id)) await forgetAccount(db, id, options)
    after = ends.at(-1) ?? after
    return ends.length
  }, options)
}

async function forgetAccount(db: Db, accountId: string, options: BatchOptions): Promise<void> {
  let after = ''
  await inBatches(async () => {
    const ids = await forgetNetworkOf(db, accountId, { after, limit: BATCH_SIZE })
    after = ids.at(-1) ?? after
    return ids.length
  }, options)
}
