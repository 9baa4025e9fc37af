import type { Caller } from '../caller.ts'
import { invalidCode, invalidToken, recoveryCodeRequired } from '../errors.ts'
import type { AccountFactors } from '../factors/factors.ts'
import { passwordByMail } from '../factors/hooks.ts'
import { redeemStandIn } from '../factors/recovery-codes/stand-in.ts'
import { rfc3339 } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import { passwordReplaced } from './password-replaced.ts'
import { findPasswordReset, usePasswordReset } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'
import { findAccountById, lockAccount, setPassword } from './store.ts'

/**
 * Sets a new password for the holder of a token from the mailbox. It replaces the first factor only: the next sign-in
 * asks for the second one. One mailbox must not be enough for both. Where codes by mail are the only factor, a
 * recovery code must stand in for them here. Everywhere else codes by mail answer and enrol nothing until another factor
 * or a recovery code was shown. Pauses end, and of the networks of the account only the present one stays its own.
 *
 * @throws {AppError} invalid_token, password_rejected, recovery_code_required, invalid_code, too_many_attempts
 */
export async function resetPassword(
  room: AccountsRoom,
  { token, newPassword, recoveryCode }: { token: string; newPassword: string; recoveryCode?: string },
  caller: Caller,
): Promise<void> {
  const { checkPassword, clock, db, factors, keyedHash, passwords, sessions, trail } = room
  const tokenHash = keyedHash('reset token', token)
  const found = await accountOf(room, db, tokenHash, (id) => findAccountById(db, id))
  checkPassword(newPassword, found.username)
  const passwordHash = await passwords.hash(newPassword, caller)
  await sessions.endSurplus(found, caller)

  const done = await inTransaction(db, async (trx) => {
    const account = await accountOf(room, trx, tokenHash, (id) => lockAccount(trx, id))
    const known = await factors.of(trx, account)
    if (known.mailboxAlone && !(await standIn(room, trx, account, known, recoveryCode, caller))) return false
    const now = clock.now()
    if (!(await usePasswordReset(trx, tokenHash, now)))
      throw invalidToken('the reset token was used by another request')
    await setPassword(trx, account.id, passwordHash, now)
    // Otherwise a recovery code was shown as well.
    if (!known.mailboxAlone) await passwordByMail(room, trx, account)
    await passwordReplaced(room, trx, account, caller)
    await sessions.endAll(trx, account.id)
    await trail.record(trx, 'password_reset', { account }, caller)
    return true
  })
  if (!done) throw invalidCode(rfc3339(clock.now()))
}

async function accountOf(
  { clock }: AccountsRoom,
  db: Db,
  tokenHash: string,
  find: (id: string) => Promise<Account | undefined>,
): Promise<Account> {
  const accountId = await findPasswordReset(db, tokenHash, clock.now())
  const account = accountId && (await find(accountId))
  if (!account || account.disabled) throw invalidToken('the reset token is unknown, expired or used')
  return account
}

/** @returns `false` when the recovery code is wrong. The transaction must commit then, or the count would be lost. */
async function standIn(
  room: AccountsRoom,
  trx: Trx,
  account: Account,
  known: AccountFactors,
  recoveryCode: string | undefined,
  caller: Caller,
): Promise<boolean> {
  if (recoveryCode === undefined) throw recoveryCodeRequired()
  const given = { code: recoveryCode, binding: { to: 'password', at: null } } as const
  return (await redeemStandIn(room, trx, account, known, given, caller)) !== null
}
