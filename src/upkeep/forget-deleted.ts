import { usernamesOf } from '../accounts/list-accounts.ts'
import { forgetNetworkOf, listEndsWithNetwork } from '../audit/forget-network.ts'
import { BATCH_SIZE, type BatchOptions, inBatches } from '../platform/batches.ts'
import { type Clock, DAY_MS } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'

/** For how long the events of a deleted account say from where, in case it was not its owner who deleted it. */
const KEPT_MS = 30 * DAY_MS

/** Removes network addresses and user agents from the events of accounts that were deleted, or expired, a month ago. */
export async function forgetDeleted(
  { db, clock }: { db: Db; clock: Clock },
  options: BatchOptions,
): Promise<void> {
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
