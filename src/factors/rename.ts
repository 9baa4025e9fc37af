import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { inTransaction } from '../platform/database.ts'
import { prepareChange } from './change.ts'
import { listFactors, type OwnFactor } from './describe.ts'
import { noSuchFactor } from './problems.ts'
import type { FactorsRoom } from './room.ts'

/**
 * Gives a factor another name. The account token stays good.
 *
 * @throws {AppError} not_found, also for one that has no name of its own; invalid_token,
 * insufficient_user_authentication
 */
export async function renameFactor(
  room: FactorsRoom,
  principal: AccountPrincipal,
  { id, name }: { id: string; name: string },
  caller: Caller,
): Promise<OwnFactor> {
  return inTransaction(room.db, async (trx) => {
    const { account, known } = await prepareChange(room, trx, principal)
    const found = (await listFactors(room, trx, account, known)).find((each) => each.id === id)
    if (!found?.factor.rename) throw noSuchFactor()
    await found.factor.rename(trx, account.id, id, name)
    await room.trail.record(trx, 'factor_renamed', { account, method: found.factor.method }, caller)
    return { ...found, name }
  })
}
