import type { Caller } from '../caller.ts'
import { invalidCode, invalidCredentials } from '../errors.ts'
import {
  countWrongPassword,
  findGoodCode,
  isVoid,
  redeemStandIn,
  uncountWrongPassword,
} from '../factors/recovery-codes/stand-in.ts'
import { rfc3339 } from '../platform/clock.ts'
import { inTransaction } from '../platform/database.ts'
import type { SignIn } from '../tokens/session.ts'
import { type Credentials, checkCredentials } from './credentials.ts'
import type { SignInRoom } from './room.ts'
import { endPauses } from './unlock.ts'

/**
 * Signs in by password and recovery code at once. The code is looked up before any hash, and 120 bits need no limit: so
 * with a right code no pause stops the owner, however often strangers have guessed at the password. A code is void after ten wrong
 * passwords.
 *
 * @throws {AppError} unavailable; invalid_credentials; invalid_code for a right password with a wrong code;
 * too_many_attempts, which a right code is spared; overloaded
 */
export async function loginWithRecoveryCode(
  room: SignInRoom,
  { recoveryCode, ...credentials }: Credentials & { recoveryCode: string },
  caller: Caller,
): Promise<SignIn> {
  const { accounts, clock, db, factors, passwords, sessions, signingKeys, trail } = room
  // Before a password is counted against the code: no session could begin.
  signingKeys.current()
  const account = await accounts.byUsername(await accounts.usernameOf(credentials.username))
  // Asked for names that no account has, too: without it they would be refused sooner.
  const codeId = await findGoodCode(room, account?.id ?? '', recoveryCode)
  const mayBegin = account && !account.disabled && codeId !== undefined
  const passwordsLeft = mayBegin && (await inTransaction(db, (trx) => countWrongPassword(trx, codeId)))
  if (!mayBegin || passwordsLeft === undefined) {
    await checkCredentials(room, credentials, caller, (trx, account) =>
      trail.record(trx, 'code_rejected', { account, method: 'recovery_code' }, caller),
    )
    throw invalidCode(rfc3339(clock.now()))
  }

  const matches = await passwords
    .verify(async () => ({ hash: account.passwordHash, atHome: true }), credentials.password, {
      asker: caller,
      // Who shows a good recovery code is no stranger, wherever he is.
      isAtHome: async () => true,
    })
    .catch(async (error) => {
      await inTransaction(db, (trx) => uncountWrongPassword(trx, codeId))
      throw error
    })
  if (!matches) {
    await inTransaction(db, async (trx) => {
      await trail.record(trx, 'password_refused', { account, method: 'password' }, caller)
      // One that had no place in the queue may have been taken back since.
      if (passwordsLeft === 0 && (await isVoid(trx, codeId)))
        await trail.record(trx, 'recovery_code_voided', { account }, caller)
    })
    throw invalidCredentials()
  }

  const signIn = await inTransaction(db, async (trx): Promise<SignIn | null> => {
    const now = clock.now()
    const present = await accounts.lock(trx, account.id)
    if (!present || present.disabled || present.passwordSetAt !== account.passwordSetAt)
      throw invalidCredentials()
    await uncountWrongPassword(trx, codeId)
    const known = await factors.of(trx, present)
    await trail.record(trx, 'password_accepted', { account: present, method: 'password' }, caller)
    const binding = { to: 'password', at: now } as const
    const shown = await redeemStandIn(room, trx, present, known, { code: recoveryCode, binding }, caller)
    if (!shown) return null
    // What strangers have guessed must not keep her from a new password either.
    await endPauses(room, trx, present)
    return { ...(await sessions.open(trx, present, shown, caller)), mayChangeAccount: true }
  })
  // After the commit, which keeps the event.
  if (!signIn) throw invalidCode(rfc3339(clock.now()))
  return signIn
}
