import type { Caller } from '../../caller.ts'
import { inTransaction } from '../../platform/database.ts'
import { mayChangeAccount } from '../../tokens/account-token.ts'
import type { SignIn } from '../../tokens/session.ts'
import { unknownCredential } from '../problems.ts'
import { prepareAnswer, redeem, refusal } from '../redeem.ts'
import type { FactorsRoom } from '../room.ts'
import type { AuthenticationResponseJSON } from './ceremony.ts'
import { findPasskey } from './store.ts'

/**
 * Signs in by a passkey alone, which says whose it is and has verified its owner. It pauses nothing, and no pause stops it.
 *
 * @throws {AppError} unknown_credential, with `reason: removed` for one that was removed here; passkey_rejected
 */
export async function signInWithPasskey(
  room: FactorsRoom,
  credential: AuthenticationResponseJSON,
  caller: Caller,
): Promise<SignIn> {
  const { accounts, clock, db, factors, sessions, trail } = room
  const passkey = await findPasskey(db, credential.id)
  const owner = passkey && (await accounts.byId(passkey.accountId))
  const refuse = async (reason?: 'removed'): Promise<never> => {
    const about = { account: owner, method: 'passkey' }
    await inTransaction(db, (trx) => trail.record(trx, 'code_rejected', about, caller))
    throw unknownCredential(reason)
  }
  if (!owner || owner.disabled) return refuse()
  if (passkey.removedAt !== null) return refuse('removed')
  const answering = await prepareAnswer(room, owner, {
    factor: factors.named('passkey'),
    answer: { method: 'passkey', credential },
    binding: { to: 'sign-in' },
  })
  const signIn = await inTransaction(db, async (trx): Promise<SignIn | null> => {
    const account = await accounts.lock(trx, owner.id)
    if (!account || account.disabled) throw unknownCredential()
    const known = await factors.of(trx, account)
    const shown = await redeem(room, trx, account, known, answering, caller)
    if (!shown) return null
    const grant = await sessions.open(trx, account, shown, caller)
    return { ...grant, mayChangeAccount: mayChangeAccount(grant.session, known, clock.now()) }
  })
  if (!signIn) throw refusal(room, answering)
  return signIn
}
