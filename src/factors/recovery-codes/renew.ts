import type { AccountPrincipal } from '../../api/principal.ts'
import type { Caller } from '../../caller.ts'
import { notEnrolled, renewedTooOften } from '../../errors.ts'
import { countInWindow } from '../../platform/count-in-window.ts'
import { inTransaction } from '../../platform/database.ts'
import { beginGraveChange, refusePhishable } from '../change.ts'
import type { FactorsRoom } from '../room.ts'
import { renewCodes } from './codes.ts'
import { RENEWAL_WINDOW_MS } from './tables.ts'

/** Renewals of one account in an hour: ten codes are as many sign-ins. */
const RENEWALS_AN_HOUR = 5
const COUNTED = { table: 'recovery_code_renewals', key: 'account_id', count: 'renewals' } as const

/**
 * Makes ten new recovery codes and voids all earlier ones in the same transaction.
 *
 * @throws {AppError} not_enrolled, rate_limited, invalid_token, insufficient_user_authentication
 */
export async function renewRecoveryCodes(
  room: FactorsRoom,
  principal: AccountPrincipal,
  caller: Caller,
): Promise<string[]> {
  const { attempts, clock, db, trail } = room
  return inTransaction(db, async (trx) => {
    const changing = await beginGraveChange(room, trx, principal)
    refusePhishable(changing)
    const { account, known } = changing
    if (!known.enrolled) throw notEnrolled()
    const now = clock.now()
    const limit = { now, windowMs: RENEWAL_WINDOW_MS, max: RENEWALS_AN_HOUR }
    const until = await countInWindow(trx, COUNTED, account.id, limit)
    if (until !== undefined) throw renewedTooOften(Math.ceil((until - now) / 1000))
    // The new codes were never guessed at, so their counter starts again.
    await attempts.clear(trx, account.id, 'recovery_code')
    await trail.record(trx, 'recovery_codes_renewed', { account }, caller)
    return renewCodes(room, trx, account.id)
  })
}
