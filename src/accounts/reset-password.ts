import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCode, invalidToken, recoveryCodeRequired } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Challenges } from '../sign-in/challenges.ts'
import type { Client, Sessions } from '../tokens/sessions.ts'
import type { Factors } from '../two-factor/factors.ts'
import type { Prove } from '../two-factor/prove.ts'
import type { Account } from './account.ts'
import { findPasswordReset, usePasswordReset, voidPasswordResets } from './password-reset-store.ts'
import type { CheckPassword } from './password-rules.ts'
import { findAccountById, lockAccount, resetPassword as setPassword } from './store.ts'

/**
 * Sets a new password for whoever has the token from the mailbox. It replaces the first factor and no other:
 * the second one is asked for at the next sign-in. One mailbox must not open both doors: where codes to it are
 * the only factor, a recovery code must stand in for them here; where there is an authenticator, they answer
 * nothing until it or a recovery code was shown.
 *
 * @throws {AppError} invalid_token, password_rejected, recovery_code_required, invalid_code, too_many_attempts
 */
export type ResetPassword = (
  reset: { token: string; newPassword: string; recoveryCode?: string },
  client: Client,
) => Promise<void>

export function makeResetPassword({
  db,
  clock,
  keyedHash,
  checkPassword,
  passwords,
  factors,
  prove,
  challenges,
  sessions,
  trail,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  checkPassword: CheckPassword
  passwords: PasswordHasher
  factors: Factors
  prove: Prove
  challenges: Challenges
  sessions: Sessions
  trail: AuditTrail
}): ResetPassword {
  async function accountOf(
    db: Db,
    tokenHash: string,
    find: (id: string) => Promise<Account | undefined>,
  ): Promise<Account> {
    const accountId = await findPasswordReset(db, tokenHash, clock.now())
    const account = accountId && (await find(accountId))
    if (!account || account.disabled) throw invalidToken('the reset token is unknown, expired or used')
    return account
  }

  /** False when a recovery code is needed and wrong: the try is counted then, and must be committed. */
  async function secondDoor(
    trx: Trx,
    account: Account,
    recoveryCode: string | undefined,
    client: Client,
  ): Promise<boolean> {
    if (recoveryCode === undefined) throw recoveryCodeRequired()
    const answer = { code: recoveryCode, method: 'recovery_code' as const }
    return (await prove.answer(trx, account, answer, client)) !== null
  }

  return async ({ token, newPassword, recoveryCode }, client) => {
    const tokenHash = keyedHash('reset token', token)
    const { username } = await accountOf(db, tokenHash, (id) => findAccountById(db, id))
    checkPassword(newPassword, username, 'new_password')
    const passwordHash = await passwords.hash(newPassword, client.signal)

    const done = await db.transaction().execute(async (trx) => {
      const account = await accountOf(trx, tokenHash, (id) => lockAccount(trx, id))
      const { totp, enrolled } = await factors.of(trx, account)
      if (enrolled && !totp && !(await secondDoor(trx, account, recoveryCode, client))) return false
      const now = clock.now()
      if (!(await usePasswordReset(trx, tokenHash, now)))
        throw invalidToken('the reset token was used by another request')
      await voidPasswordResets(trx, account.id, now)
      await setPassword(trx, account.id, passwordHash, now, totp)
      await challenges.endAll(trx, account.id)
      await sessions.endAll(trx, account.id)
      await trail.record(trx, 'password_reset', { account }, client)
      return true
    })
    if (!done) throw invalidCode(rfc3339(clock.now()))
  }
}
