import { invalidCode } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Client, Sessions, SignedIn } from '../tokens/sessions.ts'
import type { Prove } from './prove.ts'
import type { Verified } from './verify.ts'

/**
 * Confirms a pending authenticator from within a session: to enrol later, or to replace the active one, which
 * works until this very transaction. The session has shown the new factor, and sessions that have not shown
 * any end.
 *
 * @throws {AppError} invalid_code, not_enrolled
 */
export type Confirm = (signedIn: SignedIn, code: string, client: Client) => Promise<Verified>

export function makeConfirm({
  db,
  clock,
  prove,
  sessions,
}: {
  db: Db
  clock: Clock
  prove: Prove
  sessions: Sessions
}): Confirm {
  return async ({ account, session }, code, client) => {
    const verified = await db.transaction().execute(async (trx): Promise<Verified | null> => {
      const proof = await prove.pending(trx, account, code, client)
      if (!proof) return null
      const proven = await sessions.prove(trx, session, proof.amr)
      await sessions.endWeaker(trx, proven)
      const refreshToken = await sessions.renewRefreshToken(trx, proven)
      return {
        grant: { account, session: proven, refreshToken },
        ...(proof.recoveryCodes && { recoveryCodes: proof.recoveryCodes }),
      }
    })
    if (!verified) throw invalidCode(rfc3339(clock.now()))
    return verified
  }
}
